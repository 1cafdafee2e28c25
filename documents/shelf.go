// SPDX-License-Identifier: EUPL-1.2

package documents

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/jackc/pgx/v5"
)

// Shelf is where the documents of an edition of a client lie. Those that ask for the extension fields of a tenant lie apart, with its slug.
type Shelf struct{ Client, Edition, Tenant string }

// Batch is what was loaded onto a shelf.
type Batch struct {
	Shelf
	Documents int
	LoadedAt  time.Time
}

var (
	clients  = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)
	editions = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]{0,62}$`)
)

// Load makes documents, by their hash, those of a shelf, instead of what was loaded onto it before. conn is the owner's. Every house on the
// database knows of it within a second.
func Load(ctx context.Context, conn *pgx.Conn, onto Shelf, documents map[string]string, now time.Time) error {
	if !clients.MatchString(onto.Client) || !editions.MatchString(onto.Edition) {
		return fmt.Errorf("a client is named like %s, its edition like %s", clients, editions)
	}
	return change(ctx, conn, onto, func(tx pgx.Tx, owner *int64) error {
		if _, err := tx.Exec(ctx, clearing, onto.Client, onto.Edition, owner); err != nil {
			return fmt.Errorf("documents: making room: %w", err)
		}
		rows := make([][]any, 0, len(documents))
		for hash, text := range documents {
			rows = append(rows, []any{onto.Client, onto.Edition, owner, hash, text, now})
		}
		columns := []string{"client", "edition", "owner", "sha256", "document", "loaded_at"}
		if _, err := tx.CopyFrom(ctx, pgx.Identifier{"trusted_documents"}, columns, pgx.CopyFromRows(rows)); err != nil {
			return fmt.Errorf("documents: loading: %w", err)
		}
		return nil
	})
}

const clearing = "delete from trusted_documents where client = $1 and edition = $2 and owner is not distinct from $3"

// Forget throws away the documents of a shelf, and says how many there were.
func Forget(ctx context.Context, conn *pgx.Conn, of Shelf) (gone int64, err error) {
	err = change(ctx, conn, of, func(tx pgx.Tx, owner *int64) error {
		tag, err := tx.Exec(ctx, clearing, of.Client, of.Edition, owner)
		if err != nil {
			return fmt.Errorf("documents: forgetting: %w", err)
		}
		gone = tag.RowsAffected()
		return nil
	})
	return gone, err
}

// change does something to the documents of a tenant, nil for the standard house, and raises the version in one transaction. Two changes come one after
// the other.
func change(ctx context.Context, conn *pgx.Conn, of Shelf, do func(tx pgx.Tx, owner *int64) error) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "update trusted_documents_version set version = version + 1"); err != nil {
			return fmt.Errorf("documents: raising the version: %w", err)
		}
		if of.Tenant == "" {
			return do(tx, nil)
		}
		var owner int64
		err := tx.QueryRow(ctx, "select place from tenants where slug = $1", of.Tenant).Scan(&owner)
		if errors.Is(err, pgx.ErrNoRows) {
			return errors.New("there is no tenant with this slug")
		}
		if err != nil {
			return fmt.Errorf("documents: finding a tenant: %w", err)
		}
		return do(tx, &owner)
	})
}

// List tells what is loaded.
func List(ctx context.Context, conn *pgx.Conn) ([]Batch, error) {
	rows, err := conn.Query(ctx, `select d.client, d.edition, coalesce(t.slug, ''), count(*), max(d.loaded_at) from trusted_documents d
		left join tenants t on t.place = d.owner group by 1, 2, 3 order by 1, 2, 3`)
	if err != nil {
		return nil, fmt.Errorf("documents: listing: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (b Batch, err error) {
		err = row.Scan(&b.Client, &b.Edition, &b.Tenant, &b.Documents, &b.LoadedAt)
		return b, err
	})
	if err != nil {
		return nil, fmt.Errorf("documents: listing: %w", err)
	}
	return list, nil
}
