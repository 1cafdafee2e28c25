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

// Submission (Eingang) is what a form server delivered, kept as it came. The database grants no update of it.
type Submission struct{ ent.Schema }

func (Submission) Annotations() []schema.Annotation {
	return []schema.Annotation{contract.As("Submission", 6)}
}
func (Submission) Mixin() []ent.Mixin { return []ent.Mixin{identity{}, owned{}, ofCase{"submission"}} }

func (Submission) Fields() []ent.Field {
	return []ent.Field{
		field.String("source").Immutable().Comment("Subject of who delivered: a form server's machine principal, or the applicant at the portal."),
		field.UUID("connector_id", uuid.UUID{}).Optional().Nillable().Immutable(),
		field.Enum("channel").Values("FORM_SERVER", "PORTAL").Immutable(),
		field.String("transaction_id").Immutable(),
		field.String("payload_hash").Immutable().Comment("SHA-256 over everything delivered, in hex."),
		field.JSON("form_data", []FormItem{}).Immutable(),
		field.Time("received_at").Immutable(),
	}
}

// FormItem is a node of a form: a value or further items.
type FormItem struct {
	Name    string     `json:"name"`
	Label   string     `json:"label,omitempty"`
	String  *string    `json:"stringValue,omitempty"`
	Number  *float64   `json:"numberValue,omitempty"`
	Date    *string    `json:"dateValue,omitempty"`
	Boolean *bool      `json:"booleanValue,omitempty"`
	Items   []FormItem `json:"formItems,omitempty"`
}

func (Submission) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("attachments", Attachment.Type).Ref("submission"),
	}
}
