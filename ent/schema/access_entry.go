// SPDX-License-Identifier: EUPL-1.2

package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"

	"github.com/ozg-cloud/platform/ent/contract"
)

// AccessEntry says that somebody read personal data of a case, for the data protection officer and for the applicant's own report (Art. 15 GDPR).
// The database grants neither update nor delete of it.
type AccessEntry struct{ ent.Schema }

func (AccessEntry) Annotations() []schema.Annotation {
	return []schema.Annotation{contract.As("AccessEntry", 19)}
}
func (AccessEntry) Mixin() []ent.Mixin {
	return []ent.Mixin{identity{}, owned{}, ofCase{"accessEntries"}}
}

func (AccessEntry) Fields() []ent.Field {
	return []ent.Field{
		field.Time("at").Immutable(),
		field.String("reader").Immutable().Comment("Subject of who read."),
		field.String("purpose").Optional().Nillable().Immutable().Comment("Why, as the reader's front end said."),
		field.JSON("fields", []string{}).Immutable().Comment("What was read: type and field in the contract."),
	}
}
