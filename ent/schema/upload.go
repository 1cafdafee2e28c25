// SPDX-License-Identifier: EUPL-1.2

package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/field"
)

// Upload is content that somebody handed in and nobody has used yet. It belongs to the subject that handed it in, to no tenant;
// a verb that takes it turns it into an Attachment, and what is not taken within a day is thrown away.
type Upload struct{ ent.Schema }

func (Upload) Mixin() []ent.Mixin { return []ent.Mixin{identity{}, personal{}} }

func (Upload) Fields() []ent.Field {
	return []ent.Field{
		field.String("subject").Immutable(),
		field.String("name").Immutable().Sensitive(),
		field.String("media_type").Immutable(),
		field.Int64("size").Immutable(),
		field.String("sha256").Immutable(),
		field.Time("created_at").Default(Now).Immutable(),
		field.Time("expires_at").Immutable(),
	}
}
