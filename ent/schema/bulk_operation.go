// SPDX-License-Identifier: EUPL-1.2

package schema

import (
	"encoding/json"

	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"

	"github.com/ozg-cloud/platform/ent/contract"
)

// BulkOperation is an export of a list to its end, made in the background under the rights of its subject.
type BulkOperation struct{ ent.Schema }

func (BulkOperation) Annotations() []schema.Annotation {
	return []schema.Annotation{contract.As("BulkOperation", 24)}
}
func (BulkOperation) Mixin() []ent.Mixin { return []ent.Mixin{identity{}, owned{}, kept{}} }

func (BulkOperation) Fields() []ent.Field {
	return []ent.Field{
		field.String("purpose").Immutable().Comment("Why, in the words of the subject's front end; empty where it said nothing."),
		field.String("document").Immutable(),
		field.Enum("format").Values("JSONL").Immutable(),
		field.Enum("state").Values("CREATED", "RUNNING", "COMPLETED", "FAILED", "CANCELED", "EXPIRED").Default("CREATED"),
		field.String("failed_because").Optional().Nillable().Comment("The rule of the problem that ended it."),
		field.Int64("object_count").Default(0),
		field.Int64("refused_fields").Default(0),
		field.Int64("size").Optional().Nillable().Comment("In bytes."),
		field.String("sha256").Optional().Nillable().Comment("In hex."),
		field.String("blob").Optional().Nillable().Comment("Under which name it lies in the blob store."),
		field.Int64("mark_xid").Optional().Nillable().Comment("How far the log could be read before the first page was."),
		field.Int64("mark_seq").Optional().Nillable(),
		field.JSON("held", json.RawMessage{}).Optional().Comment("The assignments by which it was read: who has lost one of them gets no more of it."),
		field.Int("beginnings").Default(0).Comment("How often it was begun."),
		field.Time("created_at").Default(Now).Immutable(),
		field.Time("started_at").Optional().Nillable(),
		field.Time("completed_at").Optional().Nillable(),
		field.Time("expires_at").Optional().Nillable(),
		field.String("lease").Optional().Nillable().Comment("Who works on it."),
		field.Time("leased_until").Optional().Nillable(),
	}
}
