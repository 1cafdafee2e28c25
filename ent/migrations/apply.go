// SPDX-License-Identifier: EUPL-1.2

// Package migrations holds the database's structure as a sequence of SQL files and applies what is missing.
// How Go sees the rows does not belong here (ent/schema), nor do demo data (the seed).
package migrations

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed *.sql
var files embed.FS

// house is the number of the migration that makes the roles.
const house = 1

// Apply brings the database at url up to the newest migration, each in a transaction of its own. Applied ones are left alone, and whoever
// comes at the same time waits (up to five minutes) behind an advisory lock.
//
// The login must own the database and be able to create roles, or be a member of ozg_owner where an administrator has made
// the roles. The first migration runs with the login's own rights; all others run as ozg_owner, in the scope of the whole country, so that the
// tables belong to ozg_owner and a data migration sees every row behind the second wall.
func Apply(ctx context.Context, url string) error { return apply(ctx, url, files) }

func apply(ctx context.Context, url string, files fs.FS) error {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return fmt.Errorf("migrations: read the database's address: %w", err)
	}
	config.RuntimeParams["search_path"] = "public"
	if err := up(config, files, func(p *goose.Provider) error { _, err := p.UpTo(ctx, house); return err }); err != nil {
		return fmt.Errorf("migrations: lay the ground: %w", err)
	}
	maps.Copy(config.RuntimeParams, map[string]string{"role": "ozg_owner", "app.lo": "0", "app.hi": "999999999999999", "app.owner": ""})
	if err := up(config, files, func(p *goose.Provider) error { _, err := p.Up(ctx); return err }); err != nil {
		return fmt.Errorf("migrations: apply: %w", err)
	}
	return nil
}

func up(config *pgx.ConnConfig, files fs.FS, run func(*goose.Provider) error) error {
	db := stdlib.OpenDB(*config)
	defer db.Close()
	// Trying again each second; a session that waits inside pg_advisory_lock would hold up CREATE INDEX CONCURRENTLY for ever.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithSessionLocker(locker), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	return run(provider)
}

// Reader is what Version asks: a pool or a connection of pgx. The serving login may.
type Reader interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Version tells which migration the database has reached and which one this program wants. They are equal when it is ready;
// current is 0 in a database that was never migrated.
func Version(ctx context.Context, db Reader) (current, wanted int64, err error) {
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return 0, 0, fmt.Errorf("migrations: list: %w", err)
	}
	for _, name := range names {
		n, err := goose.NumericComponent(name)
		if err != nil {
			return 0, 0, fmt.Errorf("migrations: read the number of %s: %w", name, err)
		}
		wanted = max(wanted, n)
	}
	var reached sql.NullInt64
	err = db.QueryRow(ctx, "select max(version_id) from public.goose_db_version where is_applied").Scan(&reached)
	var refusal *pgconn.PgError
	switch {
	case errors.As(err, &refusal) && refusal.Code == "42P01": // undefined_table
	case err != nil:
		return 0, 0, fmt.Errorf("migrations: read the database's version: %w", err)
	}
	return reached.Int64, wanted, nil
}
