// SPDX-License-Identifier: EUPL-1.2

package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// What one connection may take. Handlers of streams and of large bodies move their own deadlines.
const (
	headerWithin = 5 * time.Second
	readWithin   = 5 * time.Minute
	writeWithin  = 5 * time.Minute
	idleWithin   = 2 * time.Minute
	headerBytes  = 32 << 10 // a token has up to 8 KiB, a query in the URL as much again
	endWithin    = 30 * time.Second
)

// Serve answers on a listener until the context ends, and then drains: readiness is false, and every answer closes its connection, so
// that load balancers and clients turn away; after the time drain nothing new is accepted, streams are told, and what is under way
// is finished. No request that was accepted is lost unless it takes more than half a minute.
func (d *Door) Serve(ctx context.Context, l net.Listener, drain time.Duration) error {
	s := &http.Server{
		Handler:           d,
		ReadHeaderTimeout: headerWithin,
		ReadTimeout:       readWithin,
		WriteTimeout:      writeWithin,
		IdleTimeout:       idleWithin,
		MaxHeaderBytes:    headerBytes,
		ErrorLog:          slog.NewLogLogger(slog.DiscardHandler, slog.LevelError), // its lines hold addresses of people
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	select {
	case err := <-ended:
		return fmt.Errorf("web: serving: %w", err)
	case <-ctx.Done():
	}
	d.draining.Store(true)
	d.o.Log.Info("draining", "for", drain)
	select {
	case err := <-ended:
		return fmt.Errorf("web: serving: %w", err)
	case <-time.After(drain):
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), endWithin)
	defer cancel()
	d.streams.close()
	err := s.Shutdown(end)
	select {
	case <-d.streams.gone: // a socket is nothing that Shutdown knows of
	case <-end.Done():
		err = errors.Join(err, end.Err())
	}
	if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	if err != nil {
		return fmt.Errorf("web: shutting down: %w", errors.Join(err, s.Close()))
	}
	return nil
}
