// SPDX-License-Identifier: EUPL-1.2

// Command limit is what the house is measured against: the same answers by hand, with SQL written for exactly these questions, one round trip
// each, binary rows turned into JSON as they come. It keeps no rights but the place in the token; nothing of it is meant to be served to anybody.
package main

import (
	"context"
	"encoding/hex"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		stop()
		os.Exit(1) //nolint:forbidigo,gocritic // this is a main
	}
}

// run serves until ctx ends.
func run(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("limit", flag.ContinueOnError)
	listen := f.String("listen", "", "address to serve on")
	database := f.String("database", "", "address of the database")
	key := f.String("key", "", "key of the tokens, in hexadecimal")
	if err := f.Parse(args); err != nil {
		return err
	}
	secret, err := hex.DecodeString(*key)
	if err != nil || len(secret) < 16 {
		return fmt.Errorf("limit: the key of the tokens is missing")
	}
	counting, err := pgxpool.New(ctx, *database)
	if err != nil {
		return fmt.Errorf("limit: opening the database: %w", err)
	}
	defer counting.Close()
	walking := counting.Config()
	walking.ConnConfig.RuntimeParams["enable_bitmapscan"] = "off" // as the house reads
	pool, err := pgxpool.NewWithConfig(ctx, walking)
	if err != nil {
		return fmt.Errorf("limit: opening the database: %w", err)
	}
	defer pool.Close()
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", *listen)
	if err != nil {
		return fmt.Errorf("limit: listening: %w", err)
	}
	d := &desk{pool: pool, counting: counting, porter: porter{key: secret}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /readyz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST /q1", d.answer(d.caseByID))
	mux.HandleFunc("POST /q2", d.answer(d.pageOfAuthority))
	mux.HandleFunc("POST /q2land", d.answer(d.pageOfLand))
	mux.HandleFunc("POST /q3", d.answer(d.figures))
	mux.HandleFunc("POST /q4", d.answer(d.send))
	s := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	defer context.AfterFunc(ctx, func() { _ = s.Close() })()
	if err := s.Serve(l); ctx.Err() == nil {
		return fmt.Errorf("limit: serving: %w", err)
	}
	return nil
}
