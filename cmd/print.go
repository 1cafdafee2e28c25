// SPDX-License-Identifier: EUPL-1.2

package cmd

import (
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/ozg-cloud/platform/federation/subgraph"
	"github.com/ozg-cloud/platform/schema"
)

// printSchema prints the contract as SDL: that of the standard house, or the one of a tenant; with --subgraph as composers read it.
func printSchema(ctx context.Context, c console, args []string) error {
	if len(args) == 0 || args[0] != "print" {
		return errUsage
	}
	f := flags("schema")
	slug := f.String("tenant", "", "")
	composed := f.Bool("subgraph", false, "")
	if f.Parse(args[1:]) != nil || f.NArg() > 0 {
		return errUsage
	}
	tell := func(sdl string) error {
		if *composed {
			var err error
			if sdl, err = subgraph.Of(sdl); err != nil {
				return err
			}
		}
		_, err := fmt.Fprint(c.out, sdl)
		return err
	}
	if *slug == "" {
		return tell(schema.SDL())
	}
	return operate(ctx, c, func(ctx context.Context, o operator) error {
		standard, err := schema.Load()
		if err != nil {
			return err
		}
		chain, err := o.addedAt(ctx, c, *slug)
		if err != nil {
			return err
		}
		return tell(schema.Print(chain.Overlay(standard)))
	})
}

// version prints which program this is.
func version(_ context.Context, c console, args []string) error {
	if len(args) > 0 {
		return errUsage
	}
	revision, goVersion := "unknown", "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		revision, goVersion = info.Main.Version, info.GoVersion
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				revision = s.Value
			}
		}
	}
	_, err := fmt.Fprintf(c.out, "ozg %s %s\n", revision, goVersion)
	return err
}

// healthcheck fails unless the house at the configured address is ready.
func healthcheck(ctx context.Context, c console, args []string) error {
	if len(args) > 0 {
		return errUsage
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.config.Listen+"/readyz", nil)
	if err != nil {
		return fmt.Errorf("asking for readiness: %w", err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("asking for readiness: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("not ready: status %d", answer.StatusCode)
	}
	fmt.Fprintln(c.out, "ready")
	return nil
}
