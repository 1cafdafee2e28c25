// SPDX-License-Identifier: EUPL-1.2

package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"

	"github.com/ozg-cloud/platform/ent/contract"
)

// Comment (Kommentar) is a note inside the authority. It never reaches the applicant.
type Comment struct{ ent.Schema }

func (Comment) Annotations() []schema.Annotation {
	return []schema.Annotation{contract.As("Comment", 13)}
}
func (Comment) Mixin() []ent.Mixin { return []ent.Mixin{identity{}, owned{}, ofCase{"comments"}} }

func (Comment) Fields() []ent.Field {
	return []ent.Field{
		field.String("body").Immutable().Sensitive(),
		field.String("author").Immutable(),
		field.Time("created_at").Default(Now).Immutable(),
	}
}
