// SPDX-License-Identifier: EUPL-1.2

package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Driver is ent's driver. It does not know ent's sql.WithVar, which formats values into SQL and leaks the setting to the connection's next user.
type Driver struct {
	pool    *pgxpool.Pool
	scope   func(context.Context) (Scope, error)
	refused func(ctx context.Context, what string)

	committed func()
}

var _ dialect.Driver = (*Driver)(nil)

// Dialect is PostgreSQL's.
func (d *Driver) Dialect() string { return dialect.Postgres }

// Close closes the writing pool.
func (d *Driver) Close() error {
	d.pool.Close()
	return nil
}

// Version tells the version of all rights as it is now.
func (d *Driver) Version(ctx context.Context) (version int64, err error) {
	s, err := d.scope(ctx)
	if err != nil {
		return 0, err
	}
	err = d.pool.QueryRow(ctx, enter, s.Lo, s.Hi, s.Owner).Scan(&version)
	return version, d.failure(ctx, err)
}

// Tx begins a transaction in the scope of ctx, which it keeps whatever the contexts of its statements say. It needs no round trip: the
// beginning travels with the first statement. When ctx ends before Commit, the transaction is rolled back.
func (d *Driver) Tx(ctx context.Context) (dialect.Tx, error) {
	s, err := d.scope(ctx)
	if err != nil {
		return nil, err
	}
	return &transaction{driver: d, ctx: ctx, scope: s}, nil
}

// Exec runs one statement as a transaction of its own, in one round trip. v is nil or a *sql.Result.
func (d *Driver) Exec(ctx context.Context, query string, args, v any) error {
	argv, result, err := execution(args, v)
	if err != nil {
		return err
	}
	answers, err := d.send(ctx, query, argv)
	if err != nil {
		return err
	}
	tag, err := answers.Exec()
	if closing := answers.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return d.failure(ctx, err)
	}
	if result != nil {
		*result = driver.RowsAffected(tag.RowsAffected())
	}
	return nil
}

// Query runs one statement as a transaction of its own, in one round trip. v is a *sql.Rows; until they are closed
// they hold a connection.
func (d *Driver) Query(ctx context.Context, query string, args, v any) error {
	argv, rows, err := question(args, v)
	if err != nil {
		return err
	}
	answers, err := d.send(ctx, query, argv)
	if err != nil {
		return err
	}
	got, err := answers.Query()
	if err != nil {
		_ = answers.Close() // tells the same
		return d.failure(ctx, err)
	}
	rows.ColumnScanner = &result{rows: got, end: func() error { return d.failure(ctx, answers.Close()) }}
	return nil
}

// send sends the statement behind the entrance into the scope. PostgreSQL takes the pipeline for one transaction.
func (d *Driver) send(ctx context.Context, query string, args []any) (pgx.BatchResults, error) {
	s, err := d.scope(ctx)
	if err != nil {
		return nil, err
	}
	b := &pgx.Batch{}
	s.Enter(b)
	b.Queue(query, args...)
	for _, l := range s.leaving() { // answered by Close
		b.Queue(l.query, l.args...)
	}
	answers := d.pool.SendBatch(ctx, b)
	if err := s.entered(answers); err != nil {
		_ = answers.Close() // tells the same, and where rights have changed the database has refused it all
		return nil, d.failure(ctx, err)
	}
	return answers, nil
}

// failure tells of what the database has refused, and says what went wrong.
func (d *Driver) failure(ctx context.Context, err error) error {
	var pg *pgconn.PgError
	if d.refused != nil && errors.As(err, &pg) && pg.Code == "42501" { // insufficient_privilege
		d.refused(ctx, pg.Message)
	}
	return failure(err)
}

// execution checks what ent hands to Exec.
func execution(args, v any) ([]any, *sql.Result, error) {
	argv, ok := args.([]any)
	if !ok {
		return nil, nil, fmt.Errorf("store: arguments are a %T, not a []any", args)
	}
	switch v := v.(type) {
	case nil:
		return argv, nil, nil
	case *sql.Result:
		return argv, v, nil
	}
	return nil, nil, fmt.Errorf("store: a result goes into a *sql.Result, not a %T", v)
}

// question checks what ent hands to Query.
func question(args, v any) ([]any, *sql.Rows, error) {
	argv, ok := args.([]any)
	if !ok {
		return nil, nil, fmt.Errorf("store: arguments are a %T, not a []any", args)
	}
	rows, ok := v.(*sql.Rows)
	if !ok {
		return nil, nil, fmt.Errorf("store: rows go into a *sql.Rows, not a %T", v)
	}
	return argv, rows, nil
}
