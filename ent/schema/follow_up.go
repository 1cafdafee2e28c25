// SPDX-License-Identifier: EUPL-1.2

package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"

	"github.com/ozg-cloud/platform/ent/contract"
)

// FollowUp (Wiedervorlage) brings a case back to the desk on a day. Overdue is derived, never stored.
type FollowUp struct{ ent.Schema }

func (FollowUp) Annotations() []schema.Annotation {
	return []schema.Annotation{contract.As("FollowUp", 14)}
}
func (FollowUp) Mixin() []ent.Mixin { return []ent.Mixin{identity{}, owned{}, ofCase{"followUps"}} }

func (FollowUp) Fields() []ent.Field {
	return []ent.Field{
		field.Time("due_on").SchemaType(asDate).Immutable(),
		field.String("note").Immutable().Sensitive(),
		field.String("author").Immutable(),
		field.Time("created_at").Default(Now).Immutable(),
		field.Time("done_at").Optional().Nillable(),
	}
}
