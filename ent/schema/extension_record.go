// SPDX-License-Identifier: EUPL-1.2

package schema

import (
	"encoding/json"

	"entgo.io/ent"
	"entgo.io/ent/dialect"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"github.com/google/uuid"
)

// ExtensionRecord holds what one owner's extension fields say of one row of the standard house. It lies with the tenant of that row; what extends
// the shared catalogue lies with the owner.
type ExtensionRecord struct{ ent.Schema }

func (ExtensionRecord) Mixin() []ent.Mixin { return []ent.Mixin{identity{}, owned{}} }

func (ExtensionRecord) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("case_id", uuid.UUID{}).Optional().Nillable().Immutable().Comment("The case that the row is or hangs on."),
		field.Enum("target").Values("CASE", "SERVICE", "SERVICE_OFFERING", "MESSAGE", "APPLICANT", "DECISION").Immutable(),
		field.UUID("target_id", uuid.UUID{}).Immutable(),
		field.Int64("owner").Immutable().Comment("Place of the tenant whose fields these are."),
		field.JSON("document", json.RawMessage{}).Sensitive().Comment("The values, by the numbers of their fields."),
		field.Time("updated_at").Default(Now).UpdateDefault(Now),
	}
}

func (ExtensionRecord) Edges() []ent.Edge {
	return []ent.Edge{edge.To("case", CaseFile.Type).Field("case_id").Unique().Immutable()}
}

// ExtensionEntry is one value of an ExtensionRecord by which rows are found or ordered: exactly one of text, number and time is set.
// Entries are thrown away and written anew with their record.
type ExtensionEntry struct{ ent.Schema }

func (ExtensionEntry) Mixin() []ent.Mixin { return []ent.Mixin{identity{}, owned{}} }

func (ExtensionEntry) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("case_id", uuid.UUID{}).Optional().Nillable().Immutable(),
		field.UUID("target_id", uuid.UUID{}).Immutable(),
		field.Int64("of_field").StorageKey("field").Immutable().Comment("See extension.Key."),
		field.String("text").Optional().Nillable().Immutable().Sensitive().Comment("At most 1,000 bytes. Names of enum values as well."),
		field.Float("number").SchemaType(map[string]string{dialect.Postgres: "double precision"}).Optional().Nillable().Immutable().Comment("Booleans are 0 and 1."),
		field.Time("time").Optional().Nillable().Immutable().Comment("A date is its beginning in UTC."),
		field.Enum("counted").Values("VALUE", "SUM").Optional().Nillable().Immutable().Comment("What figures are told by of it."),
	}
}

func (ExtensionEntry) Edges() []ent.Edge {
	return []ent.Edge{edge.To("case", CaseFile.Type).Field("case_id").Unique().Immutable()}
}
