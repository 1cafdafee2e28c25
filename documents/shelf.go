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

// Batch is what was loaded of an edition of a client.
type Batch struct {
	Client, Edition string
	Tenant          string // slug of the one that it was loaded for; empty: for everybody
	Documents       int
	LoadedAt        time.Time
}

var (
	clients  = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)
	editions = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]{0,62}$`)
)

// Load makes documents, by their hash, those of an edition of a client, instead of what was loaded for it before. tenant is the slug of the tenant whose people
// alone know them, that is who is at home there or below; empty: everybody does. conn is the owner's. Every house on the database knows of it within a second.
func Load(ctx context.Context, conn *pgx.Conn, client, edition, tenant string, documents map[string]string, now time.Time) error {
	if !clients.MatchString(client) || !editions.MatchString(edition) {
		return fmt.Errorf("a client is named like %s, its edition like %s", clients, editions)
	}
	return change(ctx, conn, func(tx pgx.Tx) error {
		var place *int64
		if tenant != "" {
			if err := tx.QueryRow(ctx, "select place from tenants where slug = $1", tenant).Scan(&place); errors.Is(err, pgx.ErrNoRows) {
				return fmt.Errorf("there is no tenant %q", tenant)
			} else if err != nil {
				return fmt.Errorf("documents: finding the tenant: %w", err)
			}
		}
		if _, err := tx.Exec(ctx, "delete from trusted_documents where client = $1 and edition = $2", client, edition); err != nil {
			return fmt.Errorf("documents: making room: %w", err)
		}
		rows := make([][]any, 0, len(documents))
		for hash, text := range documents {
			rows = append(rows, []any{client, edition, hash, text, now, place})
		}
		columns := []string{"client", "edition", "sha256", "document", "loaded_at", "tenant"}
		if _, err := tx.CopyFrom(ctx, pgx.Identifier{"trusted_documents"}, columns, pgx.CopyFromRows(rows)); err != nil {
			return fmt.Errorf("documents: loading: %w", err)
		}
		return nil
	})
}

// Forget throws away the documents of an edition of a client, and says how many there were.
func Forget(ctx context.Context, conn *pgx.Conn, client, edition string) (gone int64, err error) {
	err = change(ctx, conn, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, "delete from trusted_documents where client = $1 and edition = $2", client, edition)
		if err != nil {
			return fmt.Errorf("documents: forgetting: %w", err)
		}
		gone = tag.RowsAffected()
		return nil
	})
	return gone, err
}

// change does something and raises the version in one transaction. Two changes come one after the other.
func change(ctx context.Context, conn *pgx.Conn, do func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "update trusted_documents_version set version = version + 1"); err != nil {
			return fmt.Errorf("documents: raising the version: %w", err)
		}
		return do(tx)
	})
}

// List tells what is loaded.
func List(ctx context.Context, conn *pgx.Conn) ([]Batch, error) {
	rows, err := conn.Query(ctx, `select d.client, d.edition, coalesce(max(t.slug), ''), count(*), max(d.loaded_at)
		from trusted_documents d left join tenants t on t.place = d.tenant group by d.client, d.edition order by d.client, d.edition`)
	if err != nil {
		return nil, fmt.Errorf("documents: listing: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Batch])
	if err != nil {
		return nil, fmt.Errorf("documents: listing: %w", err)
	}
	return list, nil
}
