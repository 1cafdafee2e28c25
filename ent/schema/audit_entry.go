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

// AuditEntry is a line of the audit log: who gave or took which right. The database grants neither update nor delete of it.
type AuditEntry struct{ ent.Schema }

func (AuditEntry) Annotations() []schema.Annotation {
	return []schema.Annotation{contract.As("AuditEntry", 18)}
}
func (AuditEntry) Mixin() []ent.Mixin { return []ent.Mixin{identity{}, owned{}} }

func (AuditEntry) Fields() []ent.Field {
	return []ent.Field{
		field.Time("at").Immutable(),
		field.String("actor").Immutable().Comment("Subject of who did it."),
		field.Enum("action").Values("ROLE_ASSIGNED", "ROLE_REMOVED").Immutable(),
		field.String("subject").Immutable().Comment("Subject of whose rights changed."),
		field.String("role").Immutable(),
		field.UUID("unit_id", uuid.UUID{}).Optional().Nillable().Immutable(),
		field.JSON("service_ids", []uuid.UUID{}).Optional().Immutable(),
	}
}

func (AuditEntry) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("unit", OrganisationalUnit.Type).Field("unit_id").Unique().Immutable(),
	}
}
