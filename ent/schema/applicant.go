// SPDX-License-Identifier: EUPL-1.2

package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"

	"github.com/ozg-cloud/platform/ent/contract"
)

// Applicant (Antragsteller:in) holds the personal data of a case, apart from it, so that they can be erased.
type Applicant struct{ ent.Schema }

func (Applicant) Annotations() []schema.Annotation {
	return []schema.Annotation{contract.As("Applicant", 8)}
}
func (Applicant) Mixin() []ent.Mixin { return []ent.Mixin{identity{}, owned{}, ofCase{"applicant"}} }

func (Applicant) Fields() []ent.Field {
	return []ent.Field{
		field.Enum("kind").Values("NATURAL_PERSON", "LEGAL_PERSON"),
		field.String("name").Sensitive(),
		field.String("mailbox_kind").Optional().Nillable().Comment("Service account (Nutzerkonto), e.g. OSI, BAYERN_ID."),
		field.String("mailbox_address").Optional().Nillable().Sensitive(),
		field.String("postal_address").Optional().Nillable().Sensitive(),
		field.Enum("trust_level").Values("BASIC", "SUBSTANTIAL", "HIGH"),
	}
}
