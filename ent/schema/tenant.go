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

// Tenant (Mandant) is a node of the tree of all who share the house: the federation, a Land, a district, an authority.
type Tenant struct{ ent.Schema }

func (Tenant) Annotations() []schema.Annotation { return []schema.Annotation{contract.As("Tenant", 1)} }
func (Tenant) Mixin() []ent.Mixin               { return []ent.Mixin{identity{}, shared{}} }

func (Tenant) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("place").Immutable().Comment("Its place in the tree, see authz.Place."),
		field.Int64("place_end").Immutable().Comment("Last place that it covers."),
		field.String("slug").Immutable(),
		field.String("name"),
		field.Enum("kind").Values("FEDERATION", "LAND", "DISTRICT", "AUTHORITY").Immutable(),
		field.String("regional_key").Optional().Nillable().Immutable().Comment("ARS, 12 digits."),
		field.UUID("parent_id", uuid.UUID{}).Optional().Nillable().Immutable(),
		field.Time("created_at").Default(Now).Immutable(),
	}
}

func (Tenant) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("children", Tenant.Type).From("parent").Field("parent_id").Unique().Immutable(),
		edge.From("offerings", ServiceOffering.Type).Ref("tenant"),
		edge.From("units", OrganisationalUnit.Type).Ref("tenant"),
	}
}
