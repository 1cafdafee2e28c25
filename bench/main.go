// SPDX-License-Identifier: EUPL-1.2

// Command bench asks the real program and a hand-written limit the same questions, on the same database in turns, and tells what an answer of the
// house costs beside one of the limit. Whether answers are right is tested elsewhere: here it only sees to it that both give the same.
//
//	ground.go     the cluster, its cases, the two servers
//	questions.go  what is asked, as requests
//	shapes.go     what is asked in the field, and of a Land's figures
//	drive.go      asks, by so many connections at once
//	meter.go      the CPU time of process trees
//	table.go      medians, ratios, and what a recorded run says
//	growth.go     the same questions where there are more cases, or more authorities
//	limit/        the limit
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, err)
		stop()
		os.Exit(1) //nolint:forbidigo,gocritic // this is a main
	}
}

// plan is how a run goes.
type plan struct {
	House, Limit string // programs
	Folder       string // kept for the next run; empty: a temporary one
	Only         string

	Cases, Authorities, Rounds, Connections int
	Warm, Lasts                             time.Duration
}

func run(ctx context.Context, args []string, out, progress io.Writer) error {
	var p plan
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.StringVar(&p.House, "house", ".build/ozg", "the program that is measured")
	f.StringVar(&p.Limit, "limit", ".build/limit", "the program that it is measured against")
	f.StringVar(&p.Folder, "folder", "", "where the database lies, kept for the next run; empty: in a temporary folder")
	f.StringVar(&p.Only, "only", "", "questions, separated by commas; empty: all")
	f.IntVar(&p.Cases, "cases", 100_000, "how many cases there are")
	f.IntVar(&p.Authorities, "authorities", 2_000, "how many authorities they lie at, where that is more than the demo has")
	f.IntVar(&p.Rounds, "rounds", 5, "how often each question is measured")
	f.IntVar(&p.Connections, "connections", 16, "how many ask at once")
	f.DurationVar(&p.Warm, "warm", 500*time.Millisecond, "how long both are asked before it counts")
	f.DurationVar(&p.Lasts, "lasts", 2*time.Second, "how long one measurement lasts")
	grows := f.String("grows", "", "sizes to compare, as 100000,1000000,1000000/10000: cases, and authorities where they are not as many as by the flag")
	results := f.String("results", "bench/results", "the folder for results")
	recorded := f.String("recorded", "baseline.json", "the results in that folder that these are compared with")
	if err := f.Parse(args); err != nil {
		return err
	}
	if *grows != "" {
		return grow(ctx, p, *grows, *results, out, progress)
	}
	found, err := stand(ctx, p, progress)
	if err != nil {
		return err
	}
	before, err := load(filepath.Join(*results, *recorded))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	found.table(out, before)
	return found.save(*results)
}

// stand measures on a ground of its own.
func stand(ctx context.Context, p plan, progress io.Writer) (*Results, error) {
	g, err := breakGround(ctx, p, progress)
	if err != nil {
		return nil, err
	}
	defer g.leave()
	return measure(ctx, p, g, progress)
}

// measure asks every question of both, in rounds: whatever else the machine does hits both, and the medians leave out the worst of it.
func measure(ctx context.Context, p plan, g *ground, progress io.Writer) (*Results, error) {
	found := &Results{When: time.Now().UTC(), Cases: p.Cases, Rounds: p.Rounds, Connections: p.Connections}
	if err := g.db.QueryRow(ctx, "select count(*) from tenants where kind = 'AUTHORITY'").Scan(&found.Authorities); err != nil {
		return nil, err
	}
	asked, err := questions(ctx, g)
	if err != nil {
		return nil, err
	}
	if p.Only != "" {
		only := strings.Split(p.Only, ",")
		asked = slices.DeleteFunc(asked, func(q question) bool { return !slices.Contains(only, q.name) })
	}
	for _, q := range asked {
		if err := q.agree(ctx); err != nil {
			return nil, err
		}
	}
	if found.IdleCPU, err = g.idle(ctx, p.Lasts); err != nil {
		return nil, err
	}
	for round := range p.Rounds {
		for _, q := range asked {
			sides := q.sides
			if round%2 == 1 {
				sides = slices.Clone(sides)
				slices.Reverse(sides)
			}
			for _, s := range sides {
				at := p
				if q.most > 0 {
					at.Connections = min(p.Connections, q.most)
				}
				r, err := g.run(ctx, at, q.name, s)
				if err != nil {
					return nil, err
				}
				found.Runs = append(found.Runs, r)
				fmt.Fprintf(progress, "round %d  %-7s %-6s %7.0f/s  p50 %6.2f  p99 %6.2f ms  CPU %.3f + %.3f ms  others %.2f CPUs  %d failed %s\n",
					round+1, q.name, s.server.name, r.PerSecond, r.P50, r.P99, r.ServerCPU, r.DatabaseCPU, r.Others, r.Failed, r.Failure)
			}
		}
	}
	return found, nil
}
