// SPDX-License-Identifier: EUPL-1.2

package graph_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/cmd"
	"github.com/ozg-cloud/platform/ent/catalog"
	"github.com/ozg-cloud/platform/graph"
	"github.com/ozg-cloud/platform/internal/housetest"
)

var batches = flag.Int("batches", 10, "how many random batches of representations each role asks a house for")

// entity is a type that gateways can ask for: where it is listed, its key, and what is compared.
type entity struct{ list, key, fields string }

var entities = map[string]entity{
	"Case":            {"cases", "id", "id number state revision service { leikaKey } messages(first: 1) { totalCount }"},
	"Service":         {"services", "leikaKey", "id leikaKey title"},
	"ServiceOffering": {"offerings", "id", "id territory tenant { slug }"},
	"Tenant":          {"tenants", "id", "id slug parent { name }"},
}

// gateway asks on behalf of somebody, in that person's own contract.
type gateway struct {
	*rehearsal
	contract *ast.Schema
	listed   map[string]map[string]string // by type and key: what the lists show
	all      map[string][]string          // keys of everything there is, by type
}

// everybody is a gateway for each role, on one house with demo cases.
func everybody(t *testing.T) map[string]*gateway {
	t.Helper()
	s := newRehearsal(t)
	db := s.Database()
	all := map[string][]string{}
	for name, e := range entities {
		stored := catalog.Types[name]
		rows, err := db.Query(t.Context(), "select id::text, "+stored.Columns[e.key].Name+"::text from "+stored.Table)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var id, key string
			if err := rows.Scan(&id, &key); err != nil {
				t.Fatal(err)
			}
			if e.key == "id" {
				key = idOf(name, uuid.MustParse(id))
			}
			all[name] = append(all[name], key)
		}
		if rows.Err() != nil || len(all[name]) == 0 {
			t.Fatalf("there is no %s: %v", name, rows.Err())
		}
	}
	var owner string
	if err := db.QueryRow(t.Context(), "select owner from cases where owner is not null group by owner order by count(*) desc limit 1").Scan(&owner); err != nil {
		t.Fatal(err)
	}
	out, known := map[string]*gateway{}, contracts()
	add := func(name, subject string, role authz.Role, at authz.TenantRef) {
		mine := *s
		var roles []authz.Assignment
		if role != authz.Applicant {
			roles = []authz.Assignment{{Role: role, Tenant: at}}
		}
		mine.who = policy.Principal(subject, authz.High, roles)
		g := &gateway{&mine, known.For(with(role)), map[string]map[string]string{}, all}
		if role == authz.Applicant {
			g.contract = known.For(authz.With(t.Context(), mine.who))
		}
		for name, e := range entities {
			g.listed[name] = g.list(e)
		}
		out[name] = g
	}
	for _, role := range policy.Roles() {
		if role == authz.Applicant {
			add("APPLICANT", owner, role, authz.TenantRef{})
			continue
		}
		for _, slug := range []string{"kiel", "sh"} {
			at := authz.TenantRef{Slug: slug}
			if err := db.QueryRow(t.Context(), "select id, place, kind from tenants where slug = $1", slug).Scan(&at.ID, &at.Place, &at.Kind); err != nil {
				t.Fatal(err)
			}
			add(string(role)+" of "+slug, "user:dev:somebody", role, at)
		}
	}
	return out
}

// list reads a list to its end, by key.
func (g *gateway) list(e entity) map[string]string {
	g.Helper()
	out := map[string]string{}
	if g.contract.Query.Fields.ForName(e.list) == nil {
		return out
	}
	document := "query($after: Cursor) { " + e.list + "(first: 100, after: $after) { pageInfo { hasNextPage endCursor } nodes { __typename " + e.fields + " } } }"
	for after := any(nil); ; {
		data := g.plays(document, map[string]any{"after": after})
		for _, v := range dig(data, e.list, "nodes") {
			text, _ := json.Marshal(v)
			out[fmt.Sprint(v.(map[string]any)[e.key])] = string(text)
		}
		page := data.(map[string]any)[e.list].(map[string]any)["pageInfo"].(map[string]any)
		if page["hasNextPage"] != true {
			return out
		}
		after = page["endCursor"]
	}
}

// plays carries out an operation that works.
func (g *gateway) plays(document string, variables map[string]any) (data any) {
	g.Helper()
	e := graph.Engine(g.resolver, g.contract, nil, slog.New(slog.DiscardHandler))
	response := carryOut(authz.With(g.Context(), g.who), e, document, variables)
	if err := json.Unmarshal(response.Data, &data); err != nil || len(response.Errors) > 0 {
		g.Fatalf("%s: %s %v", document, response.Data, response.Errors)
	}
	return data
}

// document asks for all entities that the contract has.
func (g *gateway) document() (text string, types []string) {
	text = "query($r: [_Any!]!) { _entities(representations: $r) { __typename"
	types = slices.Sorted(slices.Values(g.contract.Types["_Entity"].Types))
	for _, name := range types {
		text += " ... on " + name + " { " + entities[name].fields + " }"
	}
	return text + " } }", types
}

// wrong asks for random batches and says of the first place that shows something else than the lists do. change may do harm to an answer.
func (g *gateway) wrong(r *rand.Rand, n int, change func([]any) []any) string {
	g.Helper()
	document, types := g.document()
	for range n {
		var (
			asked []any
			want  []string
		)
		for range 1 + r.IntN(60) {
			name := types[r.IntN(len(types))]
			e := entities[name]
			var key string
			switch r.IntN(8) {
			case 0: // what never was
				if key = never(name); e.key != "id" {
					key = fmt.Sprintf("99%012d", r.IntN(1e6))
				}
			case 1: // an id of something else
				if key = g.all["Tenant"][r.IntN(len(g.all["Tenant"]))]; name == "Tenant" {
					key = g.all["Case"][r.IntN(len(g.all["Case"]))]
				}
			default:
				key = g.all[name][r.IntN(len(g.all[name]))]
			}
			asked = append(asked, map[string]any{"__typename": name, e.key: key, "title": "another"})
			want = append(want, g.listed[name][key])
		}
		got := change(dig(g.plays(document, map[string]any{"r": asked}), "_entities"))
		if len(got) != len(want) {
			return fmt.Sprintf("%d answers to %d representations", len(got), len(want))
		}
		for i := range got {
			text, _ := json.Marshal(got[i])
			if want[i] == "" {
				want[i] = "null"
			}
			if string(text) != want[i] {
				return fmt.Sprintf("%v at %d: %s, not %s", asked[i], i, text, want[i])
			}
		}
	}
	return ""
}

func production(g *cmd.Ground) { g.Development = false }

func asIs(all []any) []any { return all }

func TestEveryRoleSeesByKeysExactlyWhatItsListsShow(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	for name, g := range everybody(t) {
		document, types := g.document()
		for _, typ := range types { // all of a type, whoever may see it
			shown := map[string]string{}
			for keys := range slices.Chunk(g.all[typ], 200) {
				asked := make([]any, len(keys))
				for i, key := range keys {
					asked[i] = map[string]any{"__typename": typ, entities[typ].key: key}
				}
				for i, v := range dig(g.plays(document, map[string]any{"r": asked}), "_entities") {
					if v != nil {
						text, _ := json.Marshal(v)
						shown[keys[i]] = string(text)
					}
				}
			}
			if !maps.Equal(shown, g.listed[typ]) {
				t.Errorf("%s sees %d of type %s by keys and %d in lists", name, len(shown), typ, len(g.listed[typ]))
			}
		}
		if fault := g.wrong(rand.New(rand.NewPCG(seed, 0)), *batches, asIs); fault != "" {
			t.Errorf("%s, seed %d: %s", name, seed, fault)
		}
	}
}

// TestTheBatchesFindAHouseThatMixesThingsUp is the twin.
func TestTheBatchesFindAHouseThatMixesThingsUp(t *testing.T) {
	t.Parallel()
	g := everybody(t)["CASEWORKER of kiel"]
	if len(g.listed["Case"]) == 0 || len(g.listed["Case"]) == len(g.all["Case"]) {
		t.Fatalf("%d of %d cases prove nothing", len(g.listed["Case"]), len(g.all["Case"]))
	}
	for name, change := range map[string]func([]any) []any{
		"what is missing is left out, and the rest moves up": func(all []any) []any {
			out := slices.DeleteFunc(slices.Clone(all), func(v any) bool { return v == nil })
			return append(out, make([]any, len(all)-len(out))...)
		},
		"two things have changed places": func(all []any) []any {
			if len(all) > 1 {
				all[0], all[len(all)-1] = all[len(all)-1], all[0]
			}
			return all
		},
		"one thing is not shown": func(all []any) []any {
			if i := slices.IndexFunc(all, func(v any) bool { return v != nil }); i >= 0 {
				all[i] = nil
			}
			return all
		},
	} {
		if g.wrong(rand.New(rand.NewPCG(1, 0)), 20, change) == "" {
			t.Errorf("nobody notices that %s", name)
		}
	}
}

func TestARepresentationIsRefusedOrMissingAndNeverTellsWhich(t *testing.T) {
	t.Parallel()
	h := housetest.New(t, production)
	c := h.As("kiel-applicant").Submit(parking, kiel)
	ask := func(who *housetest.Caller, document string, representations ...any) housetest.Answer {
		return who.Ask("query($r: [_Any!]!) { _entities(representations: $r) { "+document+" } }", map[string]any{"r": representations})
	}
	kielers, luebeckers := h.As("kiel-caseworker"), h.As("luebeck-caseworker")
	one := func(typ, key, value string) any { return map[string]any{"__typename": typ, key: value} }
	if a := ask(kielers, "... on Case { id }", one("Case", "id", c.ID)).Works(); a.Text("_entities.0.id") != c.ID {
		t.Errorf("who works on it: %s", a.Raw)
	}
	const nothing = `{"data":{"_entities":[null]}}`
	for name, key := range map[string]string{"of Kiel": c.ID, "that never was": never("Case"), "that is none": canary, "of something else": never("Tenant"), "that is empty": ""} {
		if a := ask(luebeckers, "... on Case { id }", one("Case", "id", key)); a.Status != 200 || strings.TrimSpace(string(a.Raw)) != nothing {
			t.Errorf("an id %s is answered %d: %s", name, a.Status, a.Raw)
		}
	}
	for name, key := range map[string]string{"that never was": "99999999999999", "in other digits": "９９１０８００１００１０００", "with a sign": "+9108001001000", "with an end": parking + "\n"} {
		if a := ask(luebeckers, "... on Service { id }", one("Service", "leikaKey", key)); a.Status != 200 || strings.TrimSpace(string(a.Raw)) != nothing {
			t.Errorf("a key %s is answered %d: %s", name, a.Status, a.Raw)
		}
	}
	for name, bad := range map[string]any{
		"of a type that never was":    one(canary, "id", c.ID),
		"of a type without a key":     one("Message", "id", never("Message")),
		"of a hidden type":            one("Comment", "id", never("Comment")),
		"without a key":               map[string]any{"__typename": "Case"},
		"by another field":            one("Case", "number", canary),
		"by the key of another house": one("Tenant", "slug", "kiel"),
	} {
		a := ask(luebeckers, "__typename", bad)
		if len(a.Errors) != 1 || a.Errors[0].Extensions["rule"] != "badEntity" || a.Status != 200 || strings.Contains(string(a.Raw), canary) {
			t.Errorf("a representation %s is answered %d: %s", name, a.Status, a.Raw)
		}
	}
	for name, bad := range map[string]any{"a text": canary, "a list": []any{canary}, "null": nil, "a number": 7} {
		if a := ask(luebeckers, "__typename", bad); len(a.Errors) == 0 || a.Status >= 500 || strings.Contains(string(a.Raw), canary) {
			t.Errorf("%s is answered %d: %s", name, a.Status, a.Raw)
		}
	}
	many := slices.Repeat([]any{one("Case", "id", c.ID)}, 201)
	if a := ask(luebeckers, "__typename", many...); len(a.Errors) != 1 || a.Errors[0].Extensions["rule"] != "tooMany" {
		t.Errorf("201 are answered %d: %s", a.Status, a.Raw)
	}
	if a := ask(luebeckers, "... on Case { history(first: 50) { nodes { id } } }", many[:200]...); len(a.Errors) != 1 || a.Errors[0].Extensions["rule"] != "tooCostly" {
		t.Errorf("200 dear ones are answered %d: %s", a.Status, a.Raw)
	}
	if a := ask(h.Anonymous(), "__typename", many[:1]...); a.Status != 401 {
		t.Errorf("nobody is answered %d: %s", a.Status, a.Raw)
	}
}

// sdl is what somebody's composer is told.
func sdl(who *housetest.Caller) string {
	return who.Ask("{ _service { sdl } }", nil).Text("_service.sdl")
}

func TestAComposerIsToldTheContractOfWhoAsks(t *testing.T) {
	t.Parallel()
	h := balconies(t, production)
	applicant, kieler, municher := sdl(h.As("somebody-who-applies")), sdl(h.As("kiel-caseworker")), sdl(h.As("muenchen-caseworker"))
	names := regexp.MustCompile(`(?s)""".*?"""`).ReplaceAllString(applicant, "")
	if m := foreignWords.FindString(names); m != "" || applicant == "" {
		t.Errorf("an applicant is told of %q", m)
	}
	for text, knows := range map[string]bool{applicant: false, kieler: true, municher: false} {
		if strings.Contains(text, "Bauart") != knows {
			t.Errorf("what Schleswig-Holstein has added is told: %v", !knows)
		}
	}
	if !strings.Contains(municher, "flurstueck: Int") || !strings.Contains(kieler, "flurstueck: String") || !strings.Contains(kieler, "type Comment ") {
		t.Error("somebody is not told their own contract")
	}
	if a := h.Anonymous().Ask("{ _service { sdl } }", nil); a.Status != 401 {
		t.Errorf("nobody is told something: %d %s", a.Status, a.Raw)
	}
}

func TestWhoIsShownPersonalDataByKeysIsWrittenDown(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	c := h.As("kiel-applicant").Submit(parking, kiel)
	before := h.Stored("access_entries")
	a := h.As("kiel-caseworker").Ask("query($r: [_Any!]!) { _entities(representations: $r) { ... on Case { applicant { name } } } }",
		map[string]any{"r": []any{map[string]any{"__typename": "Case", "id": c.ID}}}).Works()
	if a.Text("_entities.0.applicant.name") == "" {
		t.Fatalf("%s", a.Raw)
	}
	if maps.Equal(before, h.Stored("access_entries")) {
		t.Error("nobody knows of it")
	}
}
