// SPDX-License-Identifier: EUPL-1.2

package cmd

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ozg-cloud/platform/statistics"
)

// figures counts all cases anew, with the owner's login and in the owner's role. What was counted before is answered until it is done.
func figures(ctx context.Context, c console, args []string) error {
	if !slices.Equal(args, []string{"rebuild"}) {
		return errUsage
	}
	return operate(ctx, c, func(ctx context.Context, o operator) error {
		begun, counted := time.Now(), 0
		err := statistics.NewTally(o.store.Reading, o.store.Writing, time.Now, c.log).Rebuild(ctx, func(done int) {
			counted = done
			fmt.Fprintf(c.errOut, "\r%d cases", done)
		})
		if err != nil {
			return err
		}
		fmt.Fprintf(c.errOut, "\r%d cases counted in %s\n", counted, time.Since(begun).Round(time.Second))
		return nil
	})
}
