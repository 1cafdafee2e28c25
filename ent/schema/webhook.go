// SPDX-License-Identifier: EUPL-1.2

package schema

import (
	"encoding/json"

	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"

	"github.com/ozg-cloud/platform/ent/contract"
)

// Webhook is a subscription whose frames are sent to an address of a partner's. It is read under the rights that its subject has at each moment.
type Webhook struct{ ent.Schema }

func (Webhook) Annotations() []schema.Annotation {
	return []schema.Annotation{contract.As("Webhook", 22)}
}
func (Webhook) Mixin() []ent.Mixin { return []ent.Mixin{identity{}, owned{}, kept{}} }

func (Webhook) Fields() []ent.Field {
	return []ent.Field{
		field.String("name"),
		field.String("url").Immutable().Sensitive().Comment("May hold a secret: written once, never shown."),
		field.String("host").Immutable().Comment("What of the address is shown."),
		field.String("document").Immutable(),
		field.Enum("state").Values("ACTIVE", "PAUSED", "STOPPED").Default("ACTIVE"),
		field.String("stopped_because").Optional().Nillable().Comment("The rule of the problem that stopped it."),
		field.Int64("mark_xid").Comment("Everything up to this position of the log was sent, or given up."),
		field.Int64("mark_seq"),
		field.JSON("held", json.RawMessage{}).Optional().Comment("The assignments by which the last frame was read: what is missing later was lost."),
		field.Int("dead_in_row").Default(0).Comment("Dead letters since the last delivery."),
		field.Time("created_at").Default(Now).Immutable(),
		field.Time("delivered_at").Optional().Nillable(),
		field.Time("caught_up_at").Optional().Nillable(),
		field.Time("waiting_since").Optional().Nillable().Comment("Since when a frame could not be delivered."),
		field.Time("next_at").Optional().Nillable().Comment("Before this nothing is tried."),
		field.String("lease").Optional().Nillable().Comment("Who works on it: what that one writes under another lease is not stored."),
		field.Time("leased_until").Optional().Nillable(),
	}
}

func (Webhook) Edges() []ent.Edge {
	return []ent.Edge{edge.To("deliveries", WebhookDelivery.Type)}
}
