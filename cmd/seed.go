// SPDX-License-Identifier: EUPL-1.2

package cmd

import (
	"context"
	"fmt"
	"time"

	"github.com/ozg-cloud/platform/ent/migrations"
	"github.com/ozg-cloud/platform/internal/demo"
)

// migrate brings the database to the newest migration.
func migrate(ctx context.Context, c console, args []string) error {
	if len(args) > 0 {
		return errUsage
	}
	address, stop, err := owned(ctx, c)
	if err != nil {
		return err
	}
	defer stop()
	return migrations.Apply(ctx, address)
}

// seed lays the furniture of the demo, with invented authorities where more are wanted, and adds cases; the same seed gives the same cases, counted back from the beginning of this day.
func seed(ctx context.Context, c console, args []string) error {
	f := flags("seed")
	cases := f.Int("cases", 0, "how many cases to add")
	number := f.Uint64("seed", 1, "the same number gives the same cases")
	region := f.String("region", "", "add cases only at authorities whose regional key (ARS) begins like this")
	authorities := f.Int("authorities", 0, "invent districts and authorities until there are so many authorities")
	if err := f.Parse(args); err != nil || f.NArg() > 0 || *cases < 0 || *authorities < 0 {
		return errUsage
	}
	address, stop, err := owned(ctx, c)
	if err != nil {
		return err
	}
	defer stop()
	conn, err := furnished(ctx, address, *authorities)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if err := demo.Balkone(ctx, conn); err != nil {
		return err
	}
	begun := time.Now()
	err = demo.CasesIn(ctx, conn, *region, *cases, *number, begun.UTC().Truncate(24*time.Hour), func(done int) {
		fmt.Fprintf(c.errOut, "\r%d of %d cases", done, *cases)
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(c.errOut, "\r%d cases in %s\n", *cases, time.Since(begun).Round(time.Second))
	return nil
}
