// SPDX-License-Identifier: EUPL-1.2

package cmd

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strconv"
	"text/tabwriter"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/ozg-cloud/platform/federation/ask"
	"github.com/ozg-cloud/platform/federation/book"
	"github.com/ozg-cloud/platform/federation/charter"
)

// checkLog checks the whole log of what this house was asked, and whether it continues what another house has seen of it.
func checkLog(*flag.FlagSet) func(ctx context.Context, r registry, args []string) error {
	return func(ctx context.Context, r registry, args []string) error {
		var seen ask.Head
		switch len(args) {
		case 0:
		case 2:
			var err error
			if seen.Size, err = strconv.ParseInt(args[0], 10, 64); err != nil || seen.Size < 1 {
				return errUsage
			}
			if seen.Root, err = tlog.ParseHash(args[1]); err != nil {
				return errUsage
			}
		default:
			return errUsage
		}
		now, err := r.asked.Log(ctx, seen)
		if errors.Is(err, book.ErrLogShorter) || errors.Is(err, book.ErrLogForked) {
			return fmt.Errorf("%w; here it has %d lines and the root %s", err, now.Size, now.Root)
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(r.c.out, "The log has %d lines and the root %s, and its hashes belong together.\n", now.Size, now.Root)
		if seen.Size > 0 {
			fmt.Fprintf(r.c.out, "Since the other house saw %d lines it has only grown.\n", seen.Size)
		}
		return nil
	}
}

// heads prints how the logs of other houses looked when they last answered this one.
func heads(*flag.FlagSet) func(ctx context.Context, r registry, args []string) error {
	return func(ctx context.Context, r registry, args []string) error {
		if len(args) > 0 {
			return errUsage
		}
		all, err := r.asked.Heads(ctx)
		if err != nil {
			return err
		}
		if len(all) == 0 {
			fmt.Fprintln(r.c.out, "No other house has answered yet.")
			return nil
		}
		t := tabwriter.NewWriter(r.c.out, 0, 0, 2, ' ', 0)
		for _, h := range all {
			fmt.Fprintf(t, "%s\t%d\t%s\t%s\n", h.House, h.Size, h.Root, h.At.Format(time.RFC3339))
		}
		return t.Flush()
	}
}

// forget has this house believe what another answers next as if it had never answered before. What was forgotten is printed: it may be a proof.
func forget(*flag.FlagSet) func(ctx context.Context, r registry, args []string) error {
	return func(ctx context.Context, r registry, args []string) error {
		if len(args) != 1 {
			return errUsage
		}
		was, ok, err := r.asked.Forget(ctx, charter.InstanceID(args[0]))
		if err != nil {
			return err
		}
		if !ok {
			return errors.New("nothing is known of the log of this house")
		}
		fmt.Fprintf(r.c.out, "Forgotten: the log of %s had %d lines and the root %s.\n", args[0], was.Size, was.Root)
		return nil
	}
}
