// SPDX-License-Identifier: EUPL-1.2

package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"

	"github.com/ozg-cloud/platform/ent/contract"
)

// Connector (Anschluss) is a form server, mailbox, DMS or specialist system that a tenant has connected.
type Connector struct{ ent.Schema }

func (Connector) Annotations() []schema.Annotation {
	return []schema.Annotation{contract.As("Connector", 5)}
}
func (Connector) Mixin() []ent.Mixin { return []ent.Mixin{identity{}, owned{}} }

func (Connector) Fields() []ent.Field {
	return []ent.Field{
		field.Enum("kind").Values("FORM", "MAILBOX", "DMS", "SPECIALIST_SYSTEM").Immutable(),
		field.Enum("direction").Values("INBOUND", "OUTBOUND", "BOTH").Immutable(),
		field.String("name"),
		field.String("subject").Immutable().Comment("The machine principal that speaks for the connector."),
		field.Bool("active").Default(true),
	}
}
