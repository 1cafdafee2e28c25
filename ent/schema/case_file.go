// SPDX-License-Identifier: EUPL-1.2

package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/ent/contract"
)

// CaseFile is the case (Vorgang): an application on its way through an authority. ent refuses a type named Case.
type CaseFile struct{ ent.Schema }

func (CaseFile) Annotations() []schema.Annotation {
	return []schema.Annotation{contract.As("Case", 7), entsql.Annotation{Table: "cases"}}
}
func (CaseFile) Mixin() []ent.Mixin { return []ent.Mixin{identity{}, owned{}} }

func (CaseFile) Fields() []ent.Field {
	return []ent.Field{
		field.String("number").Immutable().Comment("Unique in its tenant."),
		field.String("file_reference").Optional().Nillable().Comment("Aktenzeichen."),
		field.UUID("service_id", uuid.UUID{}).Immutable(),
		field.UUID("unit_id", uuid.UUID{}).Optional().Nillable(),
		field.Enum("state").Values(CaseStates...).Default("NEW"),
		field.Enum("channel").Values("FORM_SERVER", "PORTAL").Immutable(),
		field.Bool("via_point_of_contact").Default(false).Immutable().Comment("Came through the point of single contact (Einheitlicher Ansprechpartner)."),
		field.Enum("trust_level").Values("BASIC", "SUBSTANTIAL", "HIGH").Immutable(),
		field.String("owner").Optional().Nillable().Comment("Subject of the applicant, where one signed in; emptied on erasure."),
		field.Time("received_at").Immutable(),
		field.Time("complete_at").Optional().Nillable(),
		field.Time("due_at").Optional().Nillable(),
		field.Time("decided_at").Optional().Nillable(),
		field.Time("closed_at").Optional().Nillable(),
		field.Time("updated_at").Default(Now),
		field.Int("revision").Default(1).Comment("Also the number of the last line of its history."),
		field.String("history_head").Comment("Hash of the last line of its history."),
	}
}

// CaseStates are the states of domain.md, section 2; casework draws the transitions.
var CaseStates = []string{"NEW", "ACCEPTED", "IN_PROGRESS", "WAITING_FOR_APPLICANT", "FORWARDED", "DECIDED", "CLOSED", "DISCARDED", "TO_BE_DELETED", "ERASED"}

func (CaseFile) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("service", Service.Type).Field("service_id").Unique().Required().Immutable(),
		edge.To("unit", OrganisationalUnit.Type).Field("unit_id").Unique(),
		edge.To("submission", Submission.Type).Unique(),
		edge.To("applicant", Applicant.Type).Unique(),
		edge.To("messages", Message.Type),
		edge.To("attachments", Attachment.Type),
		edge.To("decisions", Decision.Type),
		edge.To("comments", Comment.Type),
		edge.To("followUps", FollowUp.Type),
		edge.To("assignments", Assignment.Type),
		edge.To("history", HistoryEvent.Type),
		edge.To("accessEntries", AccessEntry.Type),
	}
}
