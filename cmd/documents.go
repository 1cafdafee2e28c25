// SPDX-License-Identifier: EUPL-1.2

package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ozg-cloud/platform/documents"
	"github.com/ozg-cloud/platform/extension"
	"github.com/ozg-cloud/platform/schema"
	"github.com/ozg-cloud/platform/web"
)

// trusted checks, loads, lists and forgets the documents of clients.
func trusted(ctx context.Context, c console, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	f := flags("documents")
	var shelf documents.Shelf
	f.StringVar(&shelf.Client, "client", "", "name of the client")
	f.StringVar(&shelf.Edition, "edition", "1", "edition of the client")
	f.StringVar(&shelf.Tenant, "tenant", "", "tenant for whose contract the documents are")
	if err := f.Parse(args[1:]); err != nil {
		return errUsage
	}
	switch file := f.Arg(0); {
	case args[0] == "check" && f.NArg() == 1:
		_, err := manifest(ctx, c, file, shelf.Tenant)
		return err
	case args[0] == "load" && f.NArg() == 1 && shelf.Client != "":
		all, err := manifest(ctx, c, file, shelf.Tenant)
		if err != nil {
			return err
		}
		return onShelf(ctx, c, func(conn *pgx.Conn) error { return documents.Load(ctx, conn, shelf, all, time.Now()) })
	case args[0] == "forget" && f.NArg() == 0 && shelf.Client != "":
		return onShelf(ctx, c, func(conn *pgx.Conn) error {
			n, err := documents.Forget(ctx, conn, shelf)
			if err == nil && n == 0 {
				err = errors.New("nothing is loaded under this name and edition")
			}
			return err
		})
	case args[0] == "list" && f.NArg() == 0:
		return onShelf(ctx, c, func(conn *pgx.Conn) error { return listDocuments(ctx, conn, c.out) })
	}
	return errUsage
}

// manifest reads a file and checks what it holds against the contract: that of the standard house, or of the tenant with a slug.
func manifest(ctx context.Context, c console, file, tenant string) (map[string]string, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("opening the manifest: %w", err)
	}
	defer f.Close()
	all, err := documents.Read(f)
	if err != nil {
		return nil, err
	}
	contract, err := schema.Load()
	if err != nil {
		return nil, err
	}
	if tenant != "" {
		var chain extension.Chain
		if err := operate(ctx, c, func(ctx context.Context, o operator) (err error) {
			chain, err = o.addedAt(ctx, c, tenant)
			return err
		}); err != nil {
			return nil, err
		}
		contract = chain.Overlay(contract)
	}
	guard := web.NewGuard(contract, web.DefaultLimits())
	var wrong []error
	for _, hash := range slices.Sorted(maps.Keys(all)) {
		if err := guard.Fits(all[hash]); err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", hash, err))
		}
	}
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	fmt.Fprintf(c.out, "%d documents fit the contract\n", len(all))
	return all, nil
}

// onShelf does something with the owner's login.
func onShelf(ctx context.Context, c console, do func(*pgx.Conn) error) error {
	address, stop, err := owned(ctx, c)
	if err != nil {
		return err
	}
	defer stop()
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return fmt.Errorf("connecting to the database: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	return do(conn)
}

func listDocuments(ctx context.Context, conn *pgx.Conn, out io.Writer) error {
	list, err := documents.List(ctx, conn)
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, b := range list {
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%s\n", b.Client, b.Edition, cmp.Or(b.Tenant, "-"), b.Documents, b.LoadedAt.UTC().Format(time.RFC3339))
	}
	return t.Flush()
}
