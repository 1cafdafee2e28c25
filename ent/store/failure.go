// SPDX-License-Identifier: EUPL-1.2

package store

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Violates tells whether err is the violation of the named constraint or unique index. In a transaction that may be the answer to a later
// statement than the one that is at fault, or to Commit.
func Violates(err error, constraint string) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && strings.HasPrefix(pg.Code, "23") && pg.ConstraintName == constraint
}

// Stale is the failure of a transaction whose scope was made of older rights than those that it meets. Nothing is stored.
type Stale struct {
	// Version is the one that whoever tries again has to have at least.
	Version int64
}

func (s *Stale) Error() string { return "store: the rights have changed meanwhile" }

// RightsVersion gives the version to those who do not know this room.
func (s *Stale) RightsVersion() int64 { return s.Version }

// failure says what went wrong without saying with which values: they may be personal data. What the database and pgx said
// in full is still there for errors.As.
func failure(err error) error {
	var (
		pg    *pgconn.PgError
		build pgx.ErrPreprocessingBatch
		scan  pgx.ScanArgError
		stale *Stale
	)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &stale):
		return stale
	case errors.As(err, &pg) && pg.Code == "OZG03":
		version, err := strconv.ParseInt(pg.Detail, 10, 64)
		if err != nil {
			return fmt.Errorf("store: reading the version of rights: %w", err)
		}
		return &Stale{version}
	case errors.As(err, &pg):
		return &quiet{refusal(pg), err}
	case errors.As(err, &build):
		return &quiet{"an argument does not fit its place in the statement", err}
	case errors.As(err, &scan):
		return &quiet{fmt.Sprintf("column %s does not fit what it is read into", scan.FieldName), err}
	}
	return fmt.Errorf("store: %w", err)
}

// refusal is a sentence of our own for the classes whose message may hold a value, or that ent (sqlgraph.IsConstraintError) knows
// by an English phrase, which a server that speaks German does not send.
func refusal(pg *pgconn.PgError) string {
	var said string
	switch {
	case pg.Code == "23505":
		said = fmt.Sprintf("violates unique constraint %q", pg.ConstraintName)
	case pg.Code == "23503":
		said = fmt.Sprintf("violates foreign key constraint %q", pg.ConstraintName)
	case pg.Code == "23514":
		said = fmt.Sprintf("violates check constraint %q", pg.ConstraintName)
	case strings.HasPrefix(pg.Code, "22"): // data exception
		said = "a value does not fit"
	default:
		said = pg.Message
	}
	return fmt.Sprintf("%s (SQLSTATE %s)", said, pg.Code)
}

// quiet wraps an error that says too much.
type quiet struct {
	says string
	err  error
}

func (q *quiet) Error() string { return "store: " + q.says }
func (q *quiet) Unwrap() error { return q.err }
