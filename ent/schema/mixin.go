// SPDX-License-Identifier: EUPL-1.2

// Package schema models what the house keeps: one file for each thing.
// Rights do not belong here (ent/rule), nor does the shape of the contract (schema/*.graphql).
package schema

import (
	"time"

	"entgo.io/ent"
	"entgo.io/ent/dialect"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/mixin"
	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/ent/rule"
)

// identity gives a thing its id: a UUIDv7, so that ids sort by the time of their making.
type identity struct{ mixin.Schema }

func (identity) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("id", uuid.UUID{}).Default(newID).Immutable(),
	}
}

func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

// Now is the present moment as PostgreSQL keeps it: UTC, microseconds.
func Now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// owned marks a thing as belonging to one tenant for ever. Every owned thing carries its tenant and the tenant's
// place in the tree; ent/rule limits each query and each mutation by them, row level security stands behind it.
type owned struct{ mixin.Schema }

func (owned) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("tenant_id", uuid.UUID{}).Immutable(),
		field.Int64("place").Immutable().
			Comment("The tenant's place in the tree, see authz.Place."),
	}
}

func (owned) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("tenant", Tenant.Type).Field("tenant_id").Unique().Required().Immutable(),
	}
}

func (owned) Interceptors() []ent.Interceptor { return []ent.Interceptor{rule.Limit()} }
func (owned) Hooks() []ent.Hook               { return []ent.Hook{rule.Guard()} }

// shared marks a thing that belongs to nobody in particular: the directory and the catalogue, readable by all who have
// signed in, written by system principals only.
type shared struct{ mixin.Schema }

func (shared) Interceptors() []ent.Interceptor { return []ent.Interceptor{rule.Limit()} }
func (shared) Hooks() []ent.Hook               { return []ent.Hook{rule.KeptBySystem()} }

// personal marks a thing that belongs to the subject who made it, to no tenant; nobody else reads or changes it.
// The field named subject says whose it is.
type personal struct{ mixin.Schema }

func (personal) Interceptors() []ent.Interceptor { return []ent.Interceptor{rule.OwnOnly()} }
func (personal) Hooks() []ent.Hook               { return []ent.Hook{rule.OwnOnlyChanged()} }

// asDate stores a legal date: a day in Europe/Berlin, no instant.
var asDate = map[string]string{dialect.Postgres: "date"}

// ofCase hangs a thing on a case of the same tenant; the foreign key in the database holds both.
// name is the edge of the case that leads back to it, empty where none does.
type ofCase struct{ name string }

func (c ofCase) Fields() []ent.Field {
	return []ent.Field{field.UUID("case_id", uuid.UUID{}).Immutable()}
}

func (c ofCase) Edges() []ent.Edge {
	if c.name == "" {
		return []ent.Edge{edge.To("case", CaseFile.Type).Field("case_id").Unique().Required().Immutable()}
	}
	return []ent.Edge{edge.From("case", CaseFile.Type).Ref(c.name).Field("case_id").Unique().Required().Immutable()}
}
func (ofCase) Indexes() []ent.Index             { return nil }
func (ofCase) Hooks() []ent.Hook                { return nil }
func (ofCase) Interceptors() []ent.Interceptor  { return nil }
func (ofCase) Policy() ent.Policy               { return nil }
func (ofCase) Annotations() []schema.Annotation { return nil }

// kept marks a thing of a tenant that somebody keeps there and that works under the rights of that subject: who has a right in all of the tenant sees
// it, who has a narrower one sees the own ones.
type kept struct{ mixin.Schema }

func (kept) Fields() []ent.Field {
	return []ent.Field{
		field.String("subject").Immutable(),
		field.String("trust_level").Immutable().Comment("How sure the subject's identity was."),
	}
}
