// SPDX-License-Identifier: EUPL-1.2

package schema

import (
	"encoding/json"

	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/ent/contract"
)

// ExtensionDefinition (Balkon) is one version of the fields that a tenant adds to the types of the standard house. A tenant has one definition for
// all types that it extends; at most one version of it is ACTIVE or DEPRECATED at a time.
type ExtensionDefinition struct{ ent.Schema }

func (ExtensionDefinition) Annotations() []schema.Annotation {
	return []schema.Annotation{contract.As("ExtensionDefinition", 20)}
}
func (ExtensionDefinition) Mixin() []ent.Mixin { return []ent.Mixin{identity{}, owned{}} }

func (ExtensionDefinition) Fields() []ent.Field {
	return []ent.Field{
		field.Int("version").Immutable().Comment("From 1, without gaps in a tenant."),
		field.Enum("state").Values("DRAFT", "ACTIVE", "DEPRECATED", "RETIRED"),
		field.String("sdl").Immutable().Comment("As it was handed in."),
		field.String("hash").Immutable().Comment("SHA-256 of what it means, in hex: equal definitions have equal ones."),
		field.JSON("numbers", json.RawMessage{}).Immutable().
			Comment("The number of each field, by coordinate. A number stays with its field through every rename and is never given away again."),
		field.Time("created_at").Default(Now).Immutable(),
		field.String("created_by").Immutable(),
		field.Time("activated_at").Optional().Nillable(),
		field.String("activated_by").Optional().Nillable(),
		field.Time("retired_at").Optional().Nillable(),
		field.String("retired_by").Optional().Nillable(),
		field.UUID("indexed_to", uuid.UUID{}).Optional().Nillable().Comment("The record up to which what was there before can be found by its fields."),
		field.Time("indexed_at").Optional().Nillable().Comment("When that was true of the last one."),
		field.Time("erase_ordered_at").Optional().Nillable(),
		field.String("erase_ordered_by").Optional().Nillable(),
		field.UUID("erased_to", uuid.UUID{}).Optional().Nillable().Comment("The record up to which values of what has gone are erased."),
		field.Time("erased_at").Optional().Nillable(),
	}
}
