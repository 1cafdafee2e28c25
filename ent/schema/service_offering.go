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

// ServiceOffering says that an authority is responsible (zuständig) for a service in a territory.
// Responsibility is a function: at most one offering holds for a service, a territory and a day; the longest territory wins.
type ServiceOffering struct{ ent.Schema }

func (ServiceOffering) Annotations() []schema.Annotation {
	return []schema.Annotation{contract.As("ServiceOffering", 4)}
}
func (ServiceOffering) Mixin() []ent.Mixin { return []ent.Mixin{identity{}, owned{}} }

func (ServiceOffering) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("service_id", uuid.UUID{}).Immutable(),
		field.UUID("unit_id", uuid.UUID{}).Optional().Nillable(),
		field.String("territory").Immutable().Comment("Prefix of the regional key (ARS) that the offering covers; empty: everywhere."),
		field.Time("valid_from").SchemaType(asDate).Immutable(),
		field.Time("valid_to").SchemaType(asDate).Optional().Nillable().Comment("First day on which it no longer holds."),
	}
}

func (ServiceOffering) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("service", Service.Type).Field("service_id").Unique().Required().Immutable(),
		edge.To("unit", OrganisationalUnit.Type).Field("unit_id").Unique(),
	}
}
