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

// Message (Postfach-Nachricht) goes between authority and applicant. Once sent it is immutable: the database grants
// updates of its delivery only.
type Message struct{ ent.Schema }

func (Message) Annotations() []schema.Annotation {
	return []schema.Annotation{contract.As("Message", 9)}
}
func (Message) Mixin() []ent.Mixin { return []ent.Mixin{identity{}, owned{}, ofCase{"messages"}} }

func (Message) Fields() []ent.Field {
	return []ent.Field{
		field.Enum("direction").Values("TO_APPLICANT", "FROM_APPLICANT").Immutable(),
		field.String("subject").Immutable().Sensitive(),
		field.String("body").Immutable().Sensitive(),
		field.Enum("reply_policy").Values("POSSIBLE", "MANDATORY", "FORBIDDEN").Immutable(),
		field.UUID("in_reply_to_id", uuid.UUID{}).Optional().Nillable().Immutable(),
		field.Enum("trust_level").Values("BASIC", "SUBSTANTIAL", "HIGH").Immutable().Comment("Readable only with at least this level."),
		field.String("author").Immutable().Comment("Subject of the sender."),
		field.Time("sent_at").Immutable(),
		field.Time("provided_at").Optional().Nillable().Comment("Made available for retrieval in the mailbox."),
		field.Time("opened_at").Optional().Nillable().Comment("First retrieved by the applicant."),
		field.Enum("delivery_state").Values("PENDING", "PROVIDED", "FAILED", "ELSEWHERE"),
	}
}

func (Message) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("replies", Message.Type).Immutable().From("inReplyTo").Field("in_reply_to_id").Unique().Immutable(),
		edge.From("attachments", Attachment.Type).Ref("message"),
	}
}
