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

// OrganisationalUnit (Organisationseinheit) is a part of an authority. Units form a tree inside one tenant;
// a unit is retired, never deleted while cases of it exist.
type OrganisationalUnit struct{ ent.Schema }

func (OrganisationalUnit) Annotations() []schema.Annotation {
	return []schema.Annotation{contract.As("OrganisationalUnit", 2)}
}
func (OrganisationalUnit) Mixin() []ent.Mixin { return []ent.Mixin{identity{}, owned{}} }

func (OrganisationalUnit) Fields() []ent.Field {
	return []ent.Field{
		field.String("external_id").Immutable(),
		field.String("name"),
		field.UUID("parent_id", uuid.UUID{}).Optional().Nillable(),
		field.Time("retired_at").Optional().Nillable(),
	}
}

func (OrganisationalUnit) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("children", OrganisationalUnit.Type).From("parent").Field("parent_id").Unique(),
	}
}
