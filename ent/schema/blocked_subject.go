// SPDX-License-Identifier: EUPL-1.2

package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
)

// BlockedSubject is an account whose tokens are refused although they are valid.
type BlockedSubject struct{ ent.Schema }

func (BlockedSubject) Mixin() []ent.Mixin { return []ent.Mixin{identity{}, shared{}} }

func (BlockedSubject) Fields() []ent.Field {
	return []ent.Field{
		field.String("subject").Immutable(),
		field.Time("blocked_at").Default(Now).Immutable(),
	}
}
