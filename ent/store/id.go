// SPDX-License-Identifier: EUPL-1.2

package store

import (
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgtype"
)

// ids writes a uuid.UUID as it stands, alone, behind a pointer or in a slice: pgx would make a text of it first, and read that again.
type ids struct{ pgtype.UUIDCodec }

// PlanEncode knows ids; whatever else is a uuid is left to pgx.
func (c ids) PlanEncode(m *pgtype.Map, oid uint32, format int16, value any) pgtype.EncodePlan {
	switch value.(type) {
	case uuid.UUID, *uuid.UUID:
		if format == pgtype.BinaryFormatCode {
			return asItStands{}
		}
	}
	return c.UUIDCodec.PlanEncode(m, oid, format, value)
}

type asItStands struct{}

func (asItStands) Encode(value any, buf []byte) ([]byte, error) {
	switch id := value.(type) {
	case uuid.UUID:
		return append(buf, id[:]...), nil
	case *uuid.UUID: // nil is NULL, and is not asked about
		return append(buf, id[:]...), nil
	}
	return nil, fmt.Errorf("store: a %T is no id", value)
}
