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

// WebhookDelivery (Zustellung) says what became of one frame. It holds nothing of what the frame said: that is read anew for each attempt.
type WebhookDelivery struct{ ent.Schema }

func (WebhookDelivery) Annotations() []schema.Annotation {
	return []schema.Annotation{contract.As("WebhookDelivery", 23)}
}
func (WebhookDelivery) Mixin() []ent.Mixin { return []ent.Mixin{identity{}, owned{}, kept{}} }

func (WebhookDelivery) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("webhook_id", uuid.UUID{}).Immutable(),
		field.Enum("frame").Values("EVENT", "GAP", "REVOCATION").Immutable(),
		field.Int64("xid").Immutable().Comment("Where it stands in the log."),
		field.Int64("seq").Immutable(),
		field.Enum("state").Values("PENDING", "DELIVERED", "DEAD", "REPLAYING"),
		field.Int("attempts").Default(0),
		field.Enum("failure").Values("CONNECTION", "TIMEOUT", "ADDRESS", "STATUS", "GONE").Optional().Nillable().Comment("Of the last attempt."),
		field.Int("status").Optional().Nillable().Comment("What the receiver last answered."),
		field.Time("created_at").Default(Now).Immutable(),
		field.Time("attempted_at").Optional().Nillable(),
		field.Time("next_at").Optional().Nillable(),
		field.Time("delivered_at").Optional().Nillable(),
	}
}

func (WebhookDelivery) Edges() []ent.Edge {
	return []ent.Edge{edge.From("webhook", Webhook.Type).Ref("deliveries").Field("webhook_id").Unique().Required().Immutable()}
}
