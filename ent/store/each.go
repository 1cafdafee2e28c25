// SPDX-License-Identifier: EUPL-1.2

package store

import (
	"context"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"
)

// Each runs a statement that ent cannot write and hands each of its rows to scan, whose first error ends it.
func Each(ctx context.Context, on dialect.ExecQuerier, scan func(row func(...any) error) error, statement string, args ...any) (err error) {
	if args == nil {
		args = []any{} // which the driver wants
	}
	var rows sql.Rows
	if err := on.Query(ctx, statement, args, &rows); err != nil {
		return err
	}
	defer func() {
		if closing := rows.Close(); err == nil {
			err = closing
		}
	}()
	for rows.Next() {
		if err := scan(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}
