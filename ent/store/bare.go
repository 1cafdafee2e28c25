// SPDX-License-Identifier: EUPL-1.2

package store

import (
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"
)

// bare are arguments with ids in a form that pgx writes as it stands: it would make a text of a uuid.UUID first, and read that again. The arguments
// themselves stay as they are.
func bare(args []any) []any {
	out := make([]any, len(args))
	for i, a := range args {
		switch a := a.(type) {
		case uuid.UUID:
			out[i] = pgtype.UUID{Bytes: a, Valid: true}
		case *uuid.UUID:
			if a != nil {
				out[i] = pgtype.UUID{Bytes: *a, Valid: true}
			}
		case []uuid.UUID:
			ids := make(pgtype.FlatArray[pgtype.UUID], len(a))
			for k, id := range a {
				ids[k] = pgtype.UUID{Bytes: id, Valid: true}
			}
			out[i] = ids
		default:
			out[i] = a
		}
	}
	return out
}
