// SPDX-License-Identifier: EUPL-1.2

package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"

	"github.com/ozg-cloud/platform/ent/contract"
)

// Service (Verwaltungsleistung) is an entry of the shared catalogue of what the administration does for people.
type Service struct{ ent.Schema }

func (Service) Annotations() []schema.Annotation {
	return []schema.Annotation{contract.As("Service", 3)}
}
func (Service) Mixin() []ent.Mixin { return []ent.Mixin{identity{}, shared{}} }

func (Service) Fields() []ent.Field {
	return []ent.Field{
		field.String("leika_key").Immutable().Comment("LeiKa key, 14 digits beginning with 99."),
		field.String("title"),
		field.Int("type").Comment("LeiKa type of the service, 1 to 5."),
		field.Int("maturity").Comment("Maturity of the online service (Reifegrad), 0 to 7."),
		field.Enum("required_trust_level").Values("BASIC", "SUBSTANTIAL", "HIGH").Default("BASIC"),
		field.Int("deadline_days").Optional().Nillable().Comment("Service deadline: days from the complete application to the decision."),
		field.Bool("fiction_of_approval").Default(false).Comment("§ 42a VwVfG applies."),
		field.Int("retention_days").Default(3650).Comment("Days from closing to erasure (Löschfrist)."),
		field.Int("version").Default(1),
	}
}
