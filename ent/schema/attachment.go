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

// Attachment (Anlage) names content that lies in the blob store under its SHA-256. It belongs to a case from the start,
// and there to a submission, a message or a decision, which is set once.
type Attachment struct{ ent.Schema }

func (Attachment) Annotations() []schema.Annotation {
	return []schema.Annotation{contract.As("Attachment", 10)}
}
func (Attachment) Mixin() []ent.Mixin { return []ent.Mixin{identity{}, owned{}, ofCase{"attachments"}} }

func (Attachment) Fields() []ent.Field {
	return []ent.Field{
		field.Enum("purpose").Values("REPRESENTATION", "ENCLOSURE", "DOCUMENT").Immutable().Comment("The form in readable shape, an enclosure, or a document of the authority."),
		field.UUID("submission_id", uuid.UUID{}).Optional().Nillable().Immutable(),
		field.UUID("message_id", uuid.UUID{}).Optional().Nillable().Immutable(),
		field.String("name").Immutable().Sensitive(),
		field.String("media_type").Immutable(),
		field.Int64("size").Immutable().Comment("In bytes."),
		field.String("sha256").Immutable().Comment("In hex; the key of the content in the blob store."),
		field.Enum("scan_state").Values("PENDING", "CLEAN", "INFECTED").Default("PENDING"),
		field.Time("created_at").Default(Now).Immutable(),
	}
}

func (Attachment) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("submission", Submission.Type).Field("submission_id").Unique().Immutable(),
		edge.To("message", Message.Type).Field("message_id").Unique().Immutable(),
	}
}
