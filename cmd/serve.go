// SPDX-License-Identifier: EUPL-1.2

package cmd

import (
	"context"
	"fmt"
	"net"
	"time"
)

// serve runs a house in production until ctx ends.
func serve(ctx context.Context, c console, args []string) error {
	if len(args) > 0 {
		return errUsage
	}
	if err := c.config.Check(); err != nil {
		return err
	}
	issuers, err := c.config.issuers()
	if err != nil {
		return err
	}
	key, err := c.config.secretKey()
	if err != nil {
		return err
	}
	house, err := Build(ctx, Ground{
		DatabaseURL: string(c.config.DatabaseURL), BlobsURL: c.config.blobs(), Secret: key, Issuers: issuers, Origins: c.config.AllowedOrigins,
		UploadBytes: c.config.uploadBytes(), Log: c.log, Clock: time.Now,
	})
	if err != nil {
		return err
	}
	defer house.Close()
	return open(ctx, c, house, func(net.Addr) {})
}

// open listens and serves until ctx ends, and sweeps meanwhile. listening is told the address.
func open(ctx context.Context, c console, house *House, listening func(net.Addr)) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.config.Listen)
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	listening(l.Addr())
	ctx, stop := context.WithCancel(ctx)
	swept := make(chan struct{})
	go func() {
		defer close(swept)
		sweep(ctx, c, house)
	}()
	defer func() { stop(); <-swept }()
	return house.Door.Serve(ctx, l, c.config.drain())
}

// sweepEvery is how often what has expired is thrown away.
const sweepEvery = time.Hour

func sweep(ctx context.Context, c console, house *House) {
	again := time.NewTicker(sweepEvery)
	defer again.Stop()
	for {
		if err := house.Sweep(ctx); err != nil && ctx.Err() == nil {
			c.log.ErrorContext(ctx, "sweeping failed", "error", err)
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return
		}
	}
}
