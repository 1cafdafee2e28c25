// SPDX-License-Identifier: EUPL-1.2

package schema

import (
	"encoding/json"

	"entgo.io/ent"
	"entgo.io/ent/schema/field"
	"github.com/google/uuid"
)

// IdempotencyKey remembers what a repeated request was answered the first time. It is stored with the effect.
type IdempotencyKey struct{ ent.Schema }

func (IdempotencyKey) Mixin() []ent.Mixin { return []ent.Mixin{identity{}, personal{}} }

func (IdempotencyKey) Fields() []ent.Field {
	return []ent.Field{
		field.String("subject").Immutable().Comment("Who sent the request; keys of different subjects never meet."),
		field.String("key").Immutable(),
		field.String("request_hash").Immutable(),
		field.UUID("tenant_id", uuid.UUID{}).Immutable().Comment("Where the effect lies."),
		field.UUID("result_id", uuid.UUID{}).Immutable().Comment("What the first request made or changed."),
		field.JSON("made", json.RawMessage{}).Optional().Immutable().Comment("All that it made or changed: ids, as its desk names them."),
		field.Time("created_at").Default(Now).Immutable(),
		field.Time("expires_at").Optional().Nillable().Immutable().Comment("Never for submissions."),
	}
}
