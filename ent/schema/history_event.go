// SPDX-License-Identifier: EUPL-1.2

package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"

	"github.com/ozg-cloud/platform/ent/contract"
)

// HistoryEvent (Historie) is one line in the history of a case: append-only, without gaps, each line sealed with the
// hash of the one before. The database grants neither update nor delete of it.
type HistoryEvent struct{ ent.Schema }

func (HistoryEvent) Annotations() []schema.Annotation {
	return []schema.Annotation{contract.As("HistoryEvent", 16)}
}
func (HistoryEvent) Mixin() []ent.Mixin { return []ent.Mixin{identity{}, owned{}, ofCase{"history"}} }

func (HistoryEvent) Fields() []ent.Field {
	return []ent.Field{
		field.Int("sequence").Immutable().Comment("From 1, without gaps."),
		field.Time("at").Immutable(),
		field.String("actor").Immutable(),
		field.String("action").Immutable().Comment("What happened, the type of the event: CASE_ACCEPTED ..."),
		field.String("from_state").Optional().Nillable().Immutable(),
		field.String("to_state").Immutable(),
		field.String("reason").Optional().Nillable().Immutable().Sensitive(),
		field.String("previous_hash").Immutable(),
		field.String("hash").Immutable(),
	}
}
