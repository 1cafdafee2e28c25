// SPDX-License-Identifier: EUPL-1.2

package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"

	"github.com/ozg-cloud/platform/ent/contract"
)

// Assignment (Zuweisung) says who works on a case. At most one of a case has not ended.
type Assignment struct{ ent.Schema }

func (Assignment) Annotations() []schema.Annotation {
	return []schema.Annotation{contract.As("Assignment", 15)}
}
func (Assignment) Mixin() []ent.Mixin { return []ent.Mixin{identity{}, owned{}, ofCase{"assignments"}} }

func (Assignment) Fields() []ent.Field {
	return []ent.Field{
		field.String("assignee").Immutable().Comment("Subject of the caseworker."),
		field.String("assigned_by").Immutable(),
		field.Time("assigned_at").Default(Now).Immutable(),
		field.Time("ended_at").Optional().Nillable(),
	}
}
