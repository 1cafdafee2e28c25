// SPDX-License-Identifier: EUPL-1.2

package graph_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent/catalog"
	"github.com/ozg-cloud/platform/graph"
	"github.com/ozg-cloud/platform/internal/housetest"
	"github.com/ozg-cloud/platform/reading"
	"github.com/ozg-cloud/platform/schema"
)

// telling is the contract with one change: that a viewer may not read what a message says is told (onDeny: ERROR).
func telling(t *testing.T) *ast.Schema {
	t.Helper()
	const silent = `@policy(object: "message.body", action: "read")`
	text := schema.SDL()
	if strings.Count(text, silent) < 2 {
		t.Fatal("the contract no longer says this of messages")
	}
	s, err := gqlparser.LoadSchema(&ast.Source{Input: strings.ReplaceAll(text, silent, `@policy(object: "message.body", action: "read", onDeny: ERROR)`)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// blind takes no note of who reads what.
type blind struct{}

func (blind) Witness(context.Context, []reading.Access) error { return nil }

// rehearsal is a house in which operations are carried out on any contract, as any principal.
type rehearsal struct {
	*housetest.House
	resolver *graph.Resolver
	who      *authz.Principal
}

// newRehearsal gives one with demo cases. In it is somebody who sees the messages of all of Kiel and may read those of one office.
func newRehearsal(t *testing.T) *rehearsal {
	t.Helper()
	h := housetest.New(t)
	h.Seed(120, 3)
	db := h.Database()
	pool, err := pgxpool.New(t.Context(), db.Config().ConnString())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	kiel := authz.TenantRef{Slug: "kiel", Kind: authz.Authority}
	if err := db.QueryRow(t.Context(), "select id, place from tenants where slug = 'kiel'").Scan(&kiel.ID, &kiel.Place); err != nil {
		t.Fatal(err)
	}
	var unit uuid.UUID
	err = db.QueryRow(t.Context(), `select unit_id from cases where tenant_id = $1 and unit_id is not null group by unit_id order by count(*) desc, unit_id limit 1`, kiel.ID).Scan(&unit)
	if err != nil {
		t.Fatal(err)
	}
	who := policy.Principal("user:dev:somebody", authz.High, []authz.Assignment{{Role: "AUDITOR", Tenant: kiel}, {Role: "CASEWORKER", Tenant: kiel, Units: []uuid.UUID{unit}}})
	link := func(*authz.Principal, uuid.UUID) string { return "/" }
	return &rehearsal{h, &graph.Resolver{Reading: reading.New(pool, make([]byte, 32), link, blind{})}, who}
}

// ask carries out an operation and gives data and the paths of the errors, all of which must say that something is forbidden.
func (s *rehearsal) ask(contract *ast.Schema, document string, variables map[string]any) (data any, paths []string) {
	s.Helper()
	e := graph.Engine(s.resolver, contract, nil, slog.New(slog.DiscardHandler))
	response := carryOut(authz.With(s.Context(), s.who), e, document, variables)
	if err := json.Unmarshal(response.Data, &data); err != nil {
		s.Fatalf("%s: %v %v", response.Data, err, response.Errors)
	}
	for _, e := range response.Errors {
		if e.Extensions["code"] != "FORBIDDEN" || e.Extensions["rule"] != "notAllowed" {
			s.Errorf("an error says %v", e)
		}
		paths = append(paths, e.Path.String())
	}
	return data, paths
}

func carryOut(ctx context.Context, e *executor.Executor, document string, variables map[string]any) *graphql.Response {
	ctx = graphql.StartOperationTrace(ctx)
	op, errs := e.CreateOperationContext(ctx, &graphql.RawParams{Query: document, Variables: variables})
	if len(errs) > 0 {
		return &graphql.Response{Data: []byte("null"), Errors: errs}
	}
	next, within := e.DispatchOperation(ctx, op)
	return next(within)
}

// missing gives the paths, in no order, at which an answer has null under one of the names.
func missing(at ast.Path, v any, names string, into map[string]int) {
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			path := append(at[:len(at):len(at)], ast.PathName(name))
			if inner == nil && strings.Contains(names, " "+name+" ") {
				into[path.String()]++
			}
			missing(path, inner, names, into)
		}
	case []any:
		for i, inner := range v {
			missing(append(at[:len(at):len(at)], ast.PathIndex(i)), inner, names, into)
		}
	}
}

func TestARefusedFieldIsToldAtItsExactPlace(t *testing.T) {
	t.Parallel()
	s := newRehearsal(t)
	contract := telling(t)
	var all []any
	found, _ := s.ask(whole, `{ cases(first: 100) { nodes { id messages(first: 3) { nodes { id } } } } }`, nil)
	for _, c := range dig(found, "cases", "nodes") {
		all = append(all, c.(map[string]any)["id"])
		for _, m := range dig(c, "messages", "nodes") {
			all = append(all, m.(map[string]any)["id"])
		}
	}
	entities := []any{map[string]any{"__typename": "Tenant", "id": "no id"}}
	for _, c := range dig(found, "cases", "nodes") {
		entity := map[string]any{"__typename": "Case", "id": c.(map[string]any)["id"]}
		entities = append(entities, entity, map[string]any{"__typename": "Service", "leikaKey": "99108001001000"})
		if len(entities)%3 == 0 {
			entities = append(entities, entity) // once more
		}
	}
	if len(all) > 90 {
		all = all[:90]
	}
	entities = entities[:min(len(entities), 150)]
	all = append(all, "no id", schema.ID(catalog.Types["Message"].Number, uuid.New()), all[1], all[1])
	for name, asked := range map[string]string{
		"a field":                   `{ cases(first: 100) { nodes { messages(first: 10) { nodes { body } } } } }`,
		"two fields under aliases":  `{ all: cases(first: 50) { nodes { talk: messages(first: 5) { nodes { about: subject text: body id } } } } }`,
		"edges and the end of each": `{ cases(last: 20) { edges { cursor node { messages(last: 1) { edges { node { body } } pageInfo { hasPreviousPage } } } } } }`,
		"single objects":            `{ cases(first: 100) { nodes { submission { case { messages(first: 10) { totalCount nodes { inReplyTo { text: body inReplyTo { body } } } } } } } } }`,
		"one list twice": `{ cases(first: 30) { totalCount nodes { a: messages(first: 1) { nodes { body } } number b: messages(last: 2) { nodes { body } }
			decisions(first: 2) { nodes { message { subject } replaces { message { subject } } } } } } }`,
		"a fragment, fields merged": `query { cases(first: 40) { ...f nodes { messages(first: 2) { nodes { body } } } } } fragment f on CaseConnection { nodes { id messages(first: 2) { nodes { id subject } } } }`,
		"things by their ids":       `query($ids: [ID!]!) { nodes(ids: $ids) { id ... on Message { body inReplyTo { subject } } ... on Case { messages(first: 2) { nodes { text: body } } } } }`,
		"things by their keys":      `query($entities: [_Any!]!) { _entities(representations: $entities) { ... on Case { id messages(first: 3) { nodes { text: body inReplyTo { subject } } } } ... on Tenant { id } } }`,
		"one thing by its id":       `query($id: ID!) { first: node(id: $id) { ... on Message { text: body } ... on Case { messages(first: 9) { nodes { text: body } } } } }`,
		"two fields at the root":    `{ a: cases(first: 9) { nodes { messages(first: 1) { nodes { body } } } } b: cases(last: 9) { nodes { messages(first: 1) { nodes { body } } } } }`,
	} {
		variables := map[string]any{"ids": all, "id": all[0], "entities": entities}
		silent, errors := s.ask(whole, asked, variables)
		if errors != nil {
			t.Fatalf("%s: the contract as it is tells %v", name, errors)
		}
		data, told := s.ask(contract, asked, variables)
		if !reflect.DeepEqual(data, silent) {
			t.Errorf("%s: the data are others where refusals are told", name)
		}
		want := map[string]int{}
		missing(nil, data, " body subject text about ", want)
		got := map[string]int{}
		for _, path := range told {
			got[path]++
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: told at %v, not at %v", name, got, want)
		}
		if len(want) == 0 && name != "one thing by its id" || len(want) == strings.Count(fmt.Sprint(data), "map[") {
			t.Errorf("%s: %d places prove nothing", name, len(want))
		}
	}
}

func dig(v any, steps ...string) []any {
	for _, s := range steps {
		m, _ := v.(map[string]any)
		v = m[s]
	}
	list, _ := v.([]any)
	return list
}

func TestWhoMayReadEverythingIsToldNothing(t *testing.T) {
	t.Parallel()
	s := newRehearsal(t)
	s.who = policy.Principal("user:dev:somebody", authz.High, []authz.Assignment{{Role: "MAIL_ROOM", Tenant: s.who.Assignments[0].Tenant}})
	data, told := s.ask(telling(t), `{ cases(first: 100) { nodes { messages(first: 10) { nodes { body } } } } }`, nil)
	nulls := map[string]int{}
	missing(nil, data, " body ", nulls)
	if told != nil || len(nulls) > 0 || len(dig(data, "cases", "nodes")) == 0 {
		t.Errorf("told %v, missing %v", told, nulls)
	}
}
