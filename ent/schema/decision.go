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

// Decision (Bescheid) grants or refuses what a case asks for. It is final once sent and only ever replaced by a new one.
type Decision struct{ ent.Schema }

func (Decision) Annotations() []schema.Annotation {
	return []schema.Annotation{contract.As("Decision", 11)}
}
func (Decision) Mixin() []ent.Mixin { return []ent.Mixin{identity{}, owned{}, ofCase{"decisions"}} }

func (Decision) Fields() []ent.Field {
	return []ent.Field{
		field.Enum("outcome").Values("GRANTED", "PARTLY_GRANTED", "REJECTED", "OTHER").Immutable(),
		field.String("reason").Optional().Nillable().Immutable().Sensitive(),
		field.UUID("document_id", uuid.UUID{}).Optional().Nillable().Immutable(),
		field.UUID("message_id", uuid.UUID{}).Immutable().Comment("The message that carries it to the applicant."),
		field.UUID("replaces_id", uuid.UUID{}).Optional().Nillable().Immutable(),
		field.String("author").Immutable(),
		field.Time("sent_at").Immutable(),
	}
}

func (Decision) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("document", Attachment.Type).Field("document_id").Unique().Immutable(),
		edge.To("message", Message.Type).Field("message_id").Unique().Required().Immutable(),
		edge.To("replacedBy", Decision.Type).Immutable().Unique().From("replaces").Field("replaces_id").Unique().Immutable(),
		edge.To("announcement", Announcement.Type).Unique(),
	}
}
