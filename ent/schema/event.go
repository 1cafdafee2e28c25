// SPDX-License-Identifier: EUPL-1.2

package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"github.com/google/uuid"
)

// Event is a line of the log (outbox): what happened, written with the change and told afterwards in commit order.
// It carries identities and versions, never personal data.
type Event struct{ ent.Schema }

func (Event) Mixin() []ent.Mixin { return []ent.Mixin{owned{}} }

func (Event) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("id", uuid.UUID{}).Default(newID).Immutable(),
		field.String("type").Immutable(),
		field.UUID("case_id", uuid.UUID{}).Immutable(),
		field.Int("sequence").Immutable().Comment("The line of history that was written with it; each line has exactly one event."),
		field.Int("revision").Immutable().Comment("The revision of the case after the change."),
		field.UUID("subject_id", uuid.UUID{}).Optional().Nillable().Immutable().Comment("The message, decision ... that the change made."),
		field.UUID("unit_id", uuid.UUID{}).Optional().Nillable().Immutable().Comment("The unit of the case after the change."),
		field.UUID("unit_before", uuid.UUID{}).Optional().Nillable().Immutable().Comment("Its unit before the change; the first event has none."),
		field.Time("at").Immutable(),
	}
}
