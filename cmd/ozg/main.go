// SPDX-License-Identifier: EUPL-1.2

// Command ozg runs the OZG-Cloud platform: ozg help lists what it can do.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/ozg-cloud/platform/cmd"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(cmd.Main(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}
