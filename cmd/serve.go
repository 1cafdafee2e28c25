// SPDX-License-Identifier: EUPL-1.2

package cmd

import (
	"context"
	"fmt"
	"net"
	"sync"
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
	makeRoom(c.environ)
	issuers, err := c.config.issuers()
	if err != nil {
		return err
	}
	key, err := c.config.secretKey()
	if err != nil {
		return err
	}
	profile, err := c.config.profile()
	if err != nil {
		return err
	}
	trustedOnly, err := c.config.trustedOnly(true)
	if err != nil {
		return err
	}
	boxes, err := c.config.mailboxes()
	if err != nil {
		return err
	}
	networks, err := c.config.webhookNetworks()
	if err != nil {
		return err
	}
	seat, err := c.config.seat()
	if err != nil {
		return err
	}
	house, err := Build(ctx, c.config.observed(Ground{
		DatabaseURL: string(c.config.DatabaseURL), BlobsURL: c.config.blobs(), Secret: key, Issuers: issuers, Origins: c.config.AllowedOrigins,
		Profile: profile, TrustedOnly: trustedOnly, EventDays: c.config.EventRetentionDays, UploadBytes: c.config.uploadBytes(), Mailboxes: boxes, WebhookNetworks: networks, WatchURL: string(c.config.WatchDatabaseURL), WatchEvery: c.config.WatchEvery, Seat: seat, Log: c.log, Clock: time.Now,
	}))
	if err != nil {
		return err
	}
	defer house.Close()
	if err := house.Inspect(ctx); err != nil {
		return err
	}
	return open(ctx, c, house, func(net.Addr) {})
}

// open listens and serves until ctx ends; meanwhile it sweeps, carries messages, counts and sees to extension fields. listening is told the address.
func open(ctx context.Context, c console, house *House, listening func(net.Addr)) error {
	silence, err := tellMetrics(ctx, c.config.MetricsListen, house.Metrics)
	if err != nil {
		return err
	}
	defer silence()
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.config.Listen)
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	listening(l.Addr())
	ctx, stop := context.WithCancel(ctx)
	var beside sync.WaitGroup
	beside.Go(func() { sweep(ctx, c, house) })
	beside.Go(func() { house.Relay.Run(ctx) })
	beside.Go(func() { house.Tally.Run(ctx) })
	beside.Go(func() { house.Caretaker.Run(ctx) })
	beside.Go(func() { house.Partners.Run(ctx) })
	if house.Belonging != nil {
		beside.Go(func() { house.Belonging.Run(ctx) })
		beside.Go(func() { house.Directory.Run(ctx) })
	}
	defer func() { stop(); beside.Wait() }()
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
