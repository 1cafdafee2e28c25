// SPDX-License-Identifier: EUPL-1.2

package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/ent/contract"
)

// RoleAssignment gives a subject a role at a tenant, narrowed to a unit's subtree or to named services where it says so.
type RoleAssignment struct{ ent.Schema }

func (RoleAssignment) Annotations() []schema.Annotation {
	return []schema.Annotation{contract.As("RoleAssignment", 17)}
}
func (RoleAssignment) Mixin() []ent.Mixin { return []ent.Mixin{identity{}, owned{}} }

func (RoleAssignment) Fields() []ent.Field {
	return []ent.Field{
		field.String("subject").Immutable(),
		field.String("role").Immutable(),
		field.UUID("unit_id", uuid.UUID{}).Optional().Nillable().Immutable(),
		field.JSON("service_ids", []uuid.UUID{}).Optional().Immutable(),
		field.String("assigned_by").Immutable(),
		field.Time("assigned_at").Default(Now).Immutable(),
	}
}

func (RoleAssignment) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("unit", OrganisationalUnit.Type).Field("unit_id").Unique().Immutable(),
	}
}
