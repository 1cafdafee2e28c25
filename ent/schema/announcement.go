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

// Announcement (Bekanntgabe) holds the facts from which law computes when a decision counts as announced, and what it computed.
// It is written afresh from the facts whenever one of them becomes known; the same facts always give the same date.
type Announcement struct{ ent.Schema }

func (Announcement) Annotations() []schema.Annotation {
	return []schema.Annotation{contract.As("Announcement", 12)}
}
func (Announcement) Mixin() []ent.Mixin { return []ent.Mixin{identity{}, owned{}, ofCase{""}} }

func (Announcement) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("decision_id", uuid.UUID{}).Immutable(),
		field.Enum("channel").Values("PORTAL", "POST", "ELECTRONIC").Immutable(),
		field.Time("sent_at").Immutable(),
		field.Time("provided_at").Optional().Nillable(),
		field.Time("notified_at").Optional().Nillable(),
		field.Time("first_retrieved_at").Optional().Nillable(),
		field.String("rule").Comment("Id of the rule in law."),
		field.Time("announced_on").SchemaType(asDate).Optional().Nillable(),
		field.JSON("explanation", []ExplanationStep{}),
	}
}

// ExplanationStep is one sentence of why a date is what it is.
type ExplanationStep struct {
	De string `json:"de"`
	En string `json:"en"`
}

func (Announcement) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("decision", Decision.Type).Ref("announcement").Field("decision_id").Unique().Required().Immutable(),
	}
}
