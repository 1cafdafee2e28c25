// SPDX-License-Identifier: EUPL-1.2

package store

import (
	"context"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"
)

// Copy writes rows, in PostgreSQL's binary format of COPY, to where into says ("table (columns)"), as one transaction in the scope of ctx. When it returns an error
// nothing is stored. Unlike the parameters of statements, what is copied is written to no log of the database.
func (d *Driver) Copy(ctx context.Context, into string, rows io.Reader) error {
	s, err := d.scope(ctx)
	if err != nil {
		return err
	}
	return d.failure(ctx, pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error {
		b := &pgx.Batch{}
		s.Enter(b)
		answers := tx.SendBatch(ctx, b)
		err := s.entered(answers)
		if closing := answers.Close(); err == nil {
			err = closing
		}
		if err != nil {
			return err
		}
		if _, err := tx.Conn().PgConn().CopyFrom(ctx, rows, "copy "+into+" from stdin (format binary)"); err != nil {
			return fmt.Errorf("copying: %w", err)
		}
		for _, l := range s.leaving() {
			if _, err := tx.Exec(ctx, l.query, l.args...); err != nil {
				return err
			}
		}
		return nil
	}))
}
