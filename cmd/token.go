// SPDX-License-Identifier: EUPL-1.2

package cmd

import (
	"context"
	"fmt"
)

// token prints a token of a demo principal, signed with the key in the data folder.
func token(_ context.Context, c console, args []string) error {
	if len(args) != 1 {
		return errUsage
	}
	mint, err := c.mint()
	if err != nil {
		return err
	}
	t, err := demoToken(mint, args[0])
	if err != nil {
		return fmt.Errorf("no demo principal has this name: ozg dev lists them")
	}
	fmt.Fprintln(c.out, t)
	return nil
}
