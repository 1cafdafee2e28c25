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

// AuditEntry is a line of the audit log: who gave or took which right, or shut an account out. The database grants neither update nor
// delete of it. What concerns an account as a whole stands with the root of the tree.
type AuditEntry struct{ ent.Schema }

func (AuditEntry) Annotations() []schema.Annotation {
	return []schema.Annotation{contract.As("AuditEntry", 18)}
}
func (AuditEntry) Mixin() []ent.Mixin { return []ent.Mixin{identity{}, owned{}} }

func (AuditEntry) Fields() []ent.Field {
	return []ent.Field{
		field.Time("at").Immutable(),
		field.String("actor").Immutable().Comment("Subject of who did it."),
		field.Enum("action").Values("ROLE_ASSIGNED", "ROLE_REMOVED", "SUBJECT_BLOCKED", "SUBJECT_UNBLOCKED",
			"EXTENSION_DEFINED", "EXTENSION_ACTIVATED", "EXTENSION_DEPRECATED", "EXTENSION_RETIRED", "EXTENSION_ERASED", "EXTENSION_EXPORTED", "EXTENSION_WRITTEN").Immutable(),
		field.String("subject").Immutable().Comment("Subject of whose rights changed; of a definition of extension fields, its hash; of what was written to, its global id."),
		field.String("role").Optional().Nillable().Immutable().Comment("Missing where the account as a whole is concerned."),
		field.UUID("unit_id", uuid.UUID{}).Optional().Nillable().Immutable(),
		field.JSON("service_ids", []uuid.UUID{}).Optional().Immutable(),
	}
}

func (AuditEntry) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("unit", OrganisationalUnit.Type).Field("unit_id").Unique().Immutable(),
	}
}
