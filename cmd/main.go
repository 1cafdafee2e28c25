// SPDX-License-Identifier: EUPL-1.2

package cmd

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"text/tabwriter"
)

// console is what a command has of the world.
type console struct {
	config  Config
	out     io.Writer
	log     *slog.Logger
	errOut  io.Writer
	environ []string
}

type command struct {
	name, arguments, help string
	run                   func(ctx context.Context, c console, args []string) error
}

func commands() []command {
	return []command{
		{"dev", "", "start a whole house for development: database, demo data, explorer, tokens", dev},
		{"serve", "", "serve in production", serve},
		{"migrate", "", "bring the database to the newest migration", migrate},
		{"seed", "[--authorities N] [--cases N] [--region ARS] [--seed S]", "lay the demo furniture, for as many authorities, and add cases", seed},
		{"statistics", "rebuild", "count all figures anew from the cases", figures},
		{"token", "NAME", "print a bearer token of a demo principal", token},
		{"role", "list|assign|remove [--tenant SLUG] [--subject S] [--unit N] [--services K,K] [SUBJECT ROLE TENANT]", "show, give and take roles", role},
		{"subject", "block|unblock SUBJECT", "shut an account out, or let it in again", subject},
		{"policy", "check|explain SUBJECT VERB OBJECT", "tell whether somebody may do something, and why", policy},
		{"documents", "load|forget|list|check [--client NAME] [--edition E] [--tenant SLUG] [MANIFEST]", "load the documents that clients ask for by their hash", trusted},
		{"federation", "init|join|sign|verify|adopt|rotate|suspend|vouch|show|log|heads|forget [...]", "keep the papers of the federation: who belongs, by which keys, who is suspended", federate},
		{"demo-federation", "[--stay]", "start four Länder, let them found a federation, and ask all of them while one is cut off, lies, is suspended", demoFederation},
		{"schema", "print [--tenant SLUG]", "print the contract: the standard one, or that of a tenant with its extension fields", printSchema},
		{"extension", "export --tenant SLUG [--version N]", "print what the extension fields of a tenant hold, as JSON Lines, also those of a version that is out of force", fields},
		{"healthcheck", "", "ask the house at OZG_LISTEN whether it is ready", healthcheck},
		{"version", "", "print the version", version},
	}
}

// errUsage is a call that no command understands; the usage has been printed.
var errUsage = errors.New("usage")

// Main runs the program and gives its exit status: 0, 1 for a failure, 2 for a wrong call.
func Main(ctx context.Context, args, environ []string, out, errOut io.Writer) int {
	if len(args) == 0 || slices.Contains([]string{"help", "-h", "--help"}, args[0]) {
		usage(out)
		return 0
	}
	for _, c := range commands() {
		if c.name != args[0] {
			continue
		}
		config, err := configOf(environ)
		if err == nil {
			lines := newJournal(errOut, func(w io.Writer) slog.Handler {
				return slog.NewJSONHandler(w, &slog.HandlerOptions{Level: slog.LevelInfo})
			})
			err = c.run(ctx, console{config: config, out: out, errOut: errOut, log: redacted(slog.New(lines)), environ: environ}, args[1:])
			lines.sheet.turn()
		}
		switch {
		case errors.Is(err, errUsage):
			fmt.Fprintf(errOut, "usage: ozg %s %s\n", c.name, c.arguments)
			return 2
		case errors.Is(err, errDenied):
			return 1
		case err != nil:
			fmt.Fprintf(errOut, "ozg %s: %v\n", c.name, err)
			return 1
		}
		return 0
	}
	fmt.Fprintf(errOut, "ozg: there is no command of this name\n\n")
	usage(errOut)
	return 2
}

func usage(w io.Writer) {
	fmt.Fprintln(w, "ozg runs the OZG-Cloud platform.")
	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, c := range commands() {
		fmt.Fprintf(t, "  ozg %s %s\t%s\n", c.name, c.arguments, c.help)
	}
	_ = t.Flush() // the same writer
	fmt.Fprintln(w)
	fmt.Fprintln(w, "Configuration is read from the environment, see deploy/README.md: OZG_LISTEN, OZG_DATA, OZG_DATABASE_URL ...")
}

// flags makes a set of flags whose errors are a wrong call.
func flags(name string) *flag.FlagSet {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	return f
}
