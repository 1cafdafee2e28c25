// SPDX-License-Identifier: EUPL-1.2

package store

import (
	stdsql "database/sql"
	"errors"

	"entgo.io/ent/dialect/sql"
	"github.com/jackc/pgx/v5"
)

// result lets ent read rows of pgx.
type result struct {
	rows  pgx.Rows
	end   func() error // gives the connection back and tells what went wrong
	ended bool
	err   error
}

var _ sql.ColumnScanner = (*result)(nil)

func (r *result) Next() bool {
	if r.rows.Next() {
		return true
	}
	_ = r.Close() // Err tells
	return false
}

func (r *result) Scan(dest ...any) error { return failure(r.rows.Scan(dest...)) }

func (r *result) Columns() ([]string, error) {
	fields := r.rows.FieldDescriptions()
	names := make([]string, len(fields))
	for i := range fields {
		names[i] = fields[i].Name
	}
	return names, nil
}

// Close may be called again and then tells the same. The last Next has closed already.
func (r *result) Close() error {
	if !r.ended {
		r.ended = true
		r.rows.Close()
		r.err = r.end()
	}
	return r.err
}

func (r *result) Err() error { return r.err }

// NextResultSet is false: one statement has one.
func (r *result) NextResultSet() bool { return false }

// ColumnTypes is refused. ent does not ask, its types are printed.
func (r *result) ColumnTypes() ([]*stdsql.ColumnType, error) {
	return nil, errors.New("store: column types are not told")
}
