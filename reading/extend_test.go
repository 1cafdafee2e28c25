// SPDX-License-Identifier: EUPL-1.2

package reading_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/extension"
	"github.com/ozg-cloud/platform/extension/inforce"
	"github.com/ozg-cloud/platform/graph"
	"github.com/ozg-cloud/platform/reading"
	"github.com/ozg-cloud/platform/schema"
)

const balconyOfSH = `
"How something is built."
enum Bauart {
  "New."
  NEUBAU
  "Added."
  ANBAU
  "Changed."
  UMBAU
}
"Somebody who builds."
type Bauherr {
  "Name."
  name: String @filterable @sortable @dataClass(class: PERSONAL)
  "Since when."
  seit: Date @filterable @sortable
}
"A part of a building."
type Bauteil {
  "What it is."
  bezeichnung: String
  "Area."
  flaeche: Float
}
extend type Case {
  "Parcel."
  flurstueck: String @filterable @sortable
  "How it is built."
  bauart: Bauart @filterable @sortable
  "Storeys."
  geschosse: Int @filterable @sortable
  "Share."
  anteil: Float @filterable @sortable
  "Whether it is a monument."
  denkmal: Boolean @filterable
  "Seen last."
  begehung: DateTime @filterable @sortable
  "Who builds."
  bauherr: Bauherr
  "The parts."
  bauteile: [Bauteil!]
  "Words."
  merkmale: [String!]
  "A note that nobody filters by."
  vermerk: String
}`

const balconyOfKiel = `
extend type Case {
  "Quarter."
  kiel_stadtteil: String @filterable @sortable
}`

// balcony is the shared house with what Schleswig-Holstein and Kiel add, and values for most of its cases.
type balcony struct {
	*world
	chain   extension.Chain
	values  map[uuid.UUID]map[string]any // by case: as they were handed in
	pool    *pgxpool.Pool
	witness *noted
	engines sync.Map // of a viewer's chain
}

type noted struct {
	mu   sync.Mutex
	seen []reading.Access
}

func (n *noted) Witness(_ context.Context, seen []reading.Access) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.seen = append(n.seen, seen...)
	return nil
}

var withBalcony = sync.OnceValue(func() *balcony {
	w := shared()
	b := &balcony{world: w, values: map[uuid.UUID]map[string]any{}, witness: &noted{}}
	for _, d := range []struct{ slug, sdl string }{{"sh", balconyOfSH}, {"kiel", balconyOfKiel}} {
		var o extension.Owner
		if err := w.db.QueryRow(w.Context(), "select id, place, kind, slug from tenants where slug = $1", d.slug).Scan(&o.ID, &o.Place, &o.Kind, &o.Slug); err != nil {
			w.Fatal(err)
		}
		read, problems := extension.Read(d.sdl, o, w.contract, b.chain...)
		if len(problems) == 0 {
			problems = read.Follow(nil)
		}
		if len(problems) > 0 {
			w.Fatal(problems[0], problems[0].Path)
		}
		b.chain = append(b.chain, read)
		placed(w, read)
	}
	for i, r := range w.rows["Case"] {
		place, _ := r.values["place"].(int64)
		if authz.Place(place).Land() != 1 || i%7 == 0 {
			continue
		}
		given := map[string]any{
			"flurstueck": fmt.Sprintf("%02d/%d", i%40, i%3), "bauart": []string{"NEUBAU", "ANBAU", "UMBAU"}[i%3], "geschosse": json.Number(fmt.Sprint(i%9 - 4)),
			"denkmal": i%2 == 0, "begehung": fmt.Sprintf("2026-0%d-01T10:00:00.000001Z", 1+i%9),
			"bauherr":  map[string]any{"name": fmt.Sprintf("B%d \"x\"\n", i%10), "seit": fmt.Sprintf("20%02d-05-01", i%30)},
			"bauteile": []any{map[string]any{"bezeichnung": "Dach", "flaeche": json.Number("1.5")}, map[string]any{"bezeichnung": "Keller"}},
			"merkmale": []any{"a", "b"}, "vermerk": "x",
		}
		if i%4 == 0 {
			delete(given, "flurstueck")
			delete(given, "bauherr")
		}
		if i%5 > 0 {
			given["anteil"] = json.Number(fmt.Sprintf("%d.25", i%11))
		}
		chain := b.chain[:1]
		if authz.Place(place) == w.place("kiel") {
			given["kiel_stadtteil"] = []string{"GAARDEN", "WIK"}[i%2]
			chain = b.chain
		}
		b.keep(r, chain, given)
	}
	for _, s := range []string{"analyze extension_records", "analyze extension_entries", "analyze cases"} {
		if _, err := w.db.Exec(w.Context(), s); err != nil {
			w.Fatal(err)
		}
	}
	config := w.Serving().Config().ConnString()
	pool, err := pgxpool.New(context.Background(), config)
	if err != nil {
		w.Fatal(err)
	}
	b.pool = pool
	whole.Cleanup(pool.Close)
	return b
})

// placed tells the database which values stand beside cases, as it notes itself of a definition that comes into force.
func placed(w *world, d *extension.Definition) {
	w.Helper()
	for number, column := range d.Numbers().Columns {
		if _, err := w.db.Exec(w.Context(), "insert into extension_columns (field, beside) values ($1, $2)", extension.Key(d.Owner, number), column); err != nil {
			w.Fatal(err)
		}
	}
}

// keep writes values as the desk does.
func (b *balcony) keep(r *row, chain extension.Chain, given map[string]any) {
	records, problems := chain.Apply("Case", nil, given)
	if len(problems) > 0 {
		b.Fatal(problems[0], problems[0].Path)
	}
	b.values[r.id] = given
	tenant, _ := r.ref("tenant_id")
	for _, rec := range records {
		i := slices.IndexFunc(chain, func(d *extension.Definition) bool { return d.Owner.ID == rec.Owner })
		owner := chain[i].Owner
		if _, err := b.db.Exec(b.Context(), `insert into extension_records (id, tenant_id, place, case_id, target, target_id, owner, document, updated_at)
			values (gen_random_uuid(), $1, $2, $3, 'CASE', $3, $4, $5, now())`, tenant, r.values["place"], r.id, owner.Place, string(rec.Values)); err != nil {
			b.Fatal(err)
		}
		for _, e := range rec.Entries {
			if _, err := b.db.Exec(b.Context(), `insert into extension_entries (id, tenant_id, place, case_id, target_id, field, text, number, time)
				values (gen_random_uuid(), $1, $2, $3, $3, $4, $5, $6, $7)`, tenant, r.values["place"], r.id, extension.Key(owner, e.Number), e.Text, e.Amount, e.Time); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// ask answers a document for a viewer in the schema of a chain; errors come as they are told.
func (b *balcony) ask(t testing.TB, v viewer, chain extension.Chain, document string, variables map[string]any) (map[string]any, string) {
	t.Helper()
	key := chain.Hash()
	made, ok := b.engines.Load(key)
	if !ok {
		r := reading.New(b.pool, []byte("0123456789abcdef0123456789abcdef"), func(*authz.Principal, uuid.UUID) string { return "" }, b.witness)
		r.ExtendedBy(graph.Added)
		made, _ = b.engines.LoadOrStore(key, graph.Engine(&graph.Resolver{Reading: r}, chain.Overlay(b.contract), &inforce.Held{Chain: chain}, slog.New(slog.DiscardHandler)))
	}
	e := made.(*executor.Executor)
	ctx := graphql.StartOperationTrace(authz.With(t.Context(), v.Principal))
	oc, found := e.CreateOperationContext(ctx, &graphql.RawParams{Query: document, Variables: variables})
	if len(found) > 0 {
		return nil, found.Error()
	}
	next, ctx := e.DispatchOperation(ctx, oc)
	response := next(ctx)
	var data map[string]any
	if err := json.Unmarshal(response.Data, &data); err != nil && len(response.Errors) == 0 {
		t.Fatal(err)
	}
	if len(response.Errors) > 0 {
		return data, response.Errors.Error()
	}
	return data, ""
}

func TestWhatATenantAddsIsSelectedLikeEverythingElse(t *testing.T) {
	t.Parallel()
	b := withBalcony()
	v := b.viewer("kiel-caseworker", authz.Substantial)
	document := `query ($yes: Boolean!) { cases(first: 100, where: {extension: {flurstueck: {isNull: false}}}) { nodes { id number
		extension { __typename a: flurstueck ...more bauherr { __typename wer: name seit } leer: bauteile @skip(if: $yes) { flaeche } } } } }
		fragment more on CaseExtension { bauart geschosse anteil denkmal begehung merkmale kiel_stadtteil vermerk @include(if: $yes) bauteile { bezeichnung ... on Bauteil { flaeche } } }`
	data, err := b.ask(t, v, b.chain, document, map[string]any{"yes": true})
	if err != "" {
		t.Fatal(err)
	}
	nodes := data["cases"].(map[string]any)["nodes"].([]any)
	if len(nodes) == 0 {
		t.Fatal("no cases")
	}
	for _, n := range nodes {
		n := n.(map[string]any)
		_, id, _ := schema.ParseID(n["id"].(string))
		given := b.values[id]
		want := map[string]any{"__typename": "CaseExtension", "a": given["flurstueck"], "kiel_stadtteil": given["kiel_stadtteil"], "anteil": given["anteil"]}
		for _, name := range []string{"bauart", "geschosse", "denkmal", "begehung", "merkmale", "vermerk"} {
			want[name] = given[name]
		}
		of, _ := given["bauherr"].(map[string]any)
		want["bauherr"] = map[string]any{"__typename": "Bauherr", "wer": of["name"], "seit": of["seit"]}
		want["bauteile"] = []any{map[string]any{"bezeichnung": "Dach", "flaeche": 1.5}, map[string]any{"bezeichnung": "Keller", "flaeche": nil}}
		wanted, _ := json.Marshal(want)
		got, _ := json.Marshal(n["extension"])
		if string(got) != string(wanted) {
			t.Fatalf("got %s\nwant %s", got, wanted)
		}
	}
}

// ordered gives a viewer's cases by the number of the case in the order that the oracle expects.
func (b *balcony) ordered(v viewer, meets func(map[string]any) bool, less func(x, y *row) int) []string {
	var out []*row
	for _, r := range b.seen(v, b.rows["Case"]) {
		if meets(b.values[r.id]) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, less)
	ids := make([]string, len(out))
	for i, r := range out {
		ids[i] = schema.ID(7, r.id)
	}
	return ids
}

// comparable turns a value as it was handed in into one that can be compared.
func comparableOf(given map[string]any, path ...string) any {
	var v any = given
	for _, name := range path {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	switch n := v.(type) {
	case nil:
		return nil
	case json.Number:
		f, _ := n.Float64()
		return f
	case bool:
		if n {
			return 1.0
		}
		return 0.0
	}
	return v
}

func compared(x, y any) int {
	if f, ok := x.(float64); ok {
		return cmp.Compare(f, y.(float64))
	}
	return strings.Compare(x.(string), y.(string)) // in the tests texts, dates and instants are ordered like their letters
}

type leafOf struct {
	path   []string
	values []any // as literals of GraphQL
	ops    []string
	sorts  bool
}

var leaves = []leafOf{
	{[]string{"flurstueck"}, []any{"03/0", "17/2", "39/0", "none"}, []string{"eq", "ne", "in", "startsWith", "contains", "isNull"}, true},
	{[]string{"bauart"}, []any{"NEUBAU", "UMBAU"}, []string{"eq", "ne", "in", "isNull"}, true},
	{[]string{"geschosse"}, []any{json.Number("0"), json.Number("-4"), json.Number("3")}, []string{"eq", "ne", "in", "gt", "gte", "lt", "lte", "isNull"}, true},
	{[]string{"anteil"}, []any{json.Number("0.25"), json.Number("3.25"), json.Number("7")}, []string{"eq", "gt", "gte", "lt", "lte", "in", "isNull"}, true},
	{[]string{"denkmal"}, []any{true, false}, []string{"eq", "isNull"}, false},
	{[]string{"begehung"}, []any{"2026-03-01T10:00:00.000001Z", "2026-09-01T10:00:00Z"}, []string{"eq", "gt", "gte", "lt", "lte", "isNull"}, true},
	{[]string{"bauherr", "seit"}, []any{"2007-05-01", "2029-05-01"}, []string{"eq", "gt", "gte", "lt", "lte", "isNull"}, true},
	{[]string{"bauherr", "name"}, []any{"B3 \"x\"\n", "B9"}, []string{"eq", "ne", "contains", "startsWith", "isNull"}, true},
}

// meets is the oracle of one condition.
func (l leafOf) meets(op string, value any, given map[string]any) bool {
	have := comparableOf(given, l.path...)
	if op == "isNull" {
		return (have == nil) == value.(bool)
	}
	if op == "in" {
		return slices.ContainsFunc(value.([]any), func(v any) bool { return have != nil && compared(have, comparableOf(map[string]any{"v": v}, "v")) == 0 })
	}
	v := comparableOf(map[string]any{"v": value}, "v")
	if have == nil {
		return op == "ne"
	}
	switch op {
	case "startsWith":
		return strings.HasPrefix(have.(string), v.(string))
	case "contains":
		return strings.Contains(strings.ToLower(have.(string)), strings.ToLower(v.(string)))
	}
	if text, ok := have.(string); ok { // a time is kept as an instant
		if x, err := time.Parse(time.RFC3339Nano, text); err == nil {
			y, _ := time.Parse(time.RFC3339Nano, v.(string))
			have, v = x.Format("2006-01-02T15:04:05.000000000"), y.Format("2006-01-02T15:04:05.000000000")
		}
	}
	n := compared(have, v)
	return map[string]bool{"eq": n == 0, "ne": n != 0, "gt": n > 0, "gte": n >= 0, "lt": n < 0, "lte": n <= 0}[op]
}

func nestedIn(path []string, v any) any {
	for _, name := range slices.Backward(path) {
		v = map[string]any{name: v}
	}
	return v
}

func TestFiltersAndOrdersByWhatATenantAddsAreThoseOfTheOracle(t *testing.T) {
	t.Parallel()
	b := withBalcony()
	chains := map[string]extension.Chain{"kiel-caseworker": b.chain, "luebeck-caseworker": b.chain[:1]}
	seen := map[string]viewer{}
	for name := range chains {
		if v := b.viewer(name, authz.Substantial); len(b.seen(v, b.rows["Case"])) > 0 {
			seen[name] = v
		}
	}
	names := make([]string, 0, len(seen))
	for n := range seen {
		names = append(names, n)
	}
	if slices.Sort(names); len(names) < 2 {
		t.Fatalf("only %v see anything", names)
	}
	rapid.Check(t, func(rt *rapid.T) {
		name := rapid.SampledFrom(names).Draw(rt, "viewer")
		v, chain := seen[name], chains[name]
		l := rapid.SampledFrom(leaves).Draw(rt, "leaf")
		op := rapid.SampledFrom(l.ops).Draw(rt, "op")
		value := rapid.SampledFrom(l.values).Draw(rt, "value")
		switch op {
		case "isNull":
			value = rapid.Bool().Draw(rt, "null")
		case "in":
			value = []any{value, rapid.SampledFrom(l.values).Draw(rt, "other")}
		}
		where := map[string]any{"extension": nestedIn(l.path, map[string]any{op: value})}
		meets := func(given map[string]any) bool { return l.meets(op, value, given) }
		switch rapid.SampledFrom([]string{"", "not", "or", "none"}).Draw(rt, "around") {
		case "not":
			where = map[string]any{"not": where}
			inner := meets
			meets = func(g map[string]any) bool { return !inner(g) }
		case "or":
			where = map[string]any{"or": []any{where, map[string]any{"extension": map[string]any{"geschosse": map[string]any{"eq": json.Number("1")}}}}}
			inner := meets
			meets = func(g map[string]any) bool { return inner(g) || comparableOf(g, "geschosse") == 1.0 }
		case "none":
			where, meets = map[string]any{}, func(map[string]any) bool { return true }
		}
		sortable := slices.DeleteFunc(slices.Clone(leaves), func(l leafOf) bool { return !l.sorts })
		o := rapid.SampledFrom(sortable).Draw(rt, "order")
		desc := rapid.Bool().Draw(rt, "desc")
		direction := map[bool]string{false: "ASC", true: "DESC"}[desc]
		orderBy := []any{map[string]any{"extension": nestedIn(o.path, direction)}}
		second := rapid.Bool().Draw(rt, "second")
		if second {
			orderBy = append(orderBy, map[string]any{"field": "RECEIVED_AT", "direction": direction})
		}
		want := b.ordered(v, meets, func(x, y *row) int {
			p, q := comparableOf(b.values[x.id], o.path...), comparableOf(b.values[y.id], o.path...)
			n := 0
			switch {
			case p == nil && q == nil:
			case p == nil:
				return 1
			case q == nil:
				return -1
			default:
				n = compared(p, q)
			}
			if n == 0 { // equal values run as the list does of itself, whether that is said or not
				n = cmp.Compare(x.rank["received_at"], y.rank["received_at"])
			}
			if n == 0 {
				n = slices.Compare(x.id[:], y.id[:])
			}
			if desc {
				return -n
			}
			return n
		})
		backward := rapid.Bool().Draw(rt, "backward")
		size := rapid.SampledFrom([]int{3, 17, 60, 100}).Draw(rt, "size")
		document := `query ($n: Int, $c: Cursor, $w: CaseFilter, $o: [CaseOrder!]) { cases(first: $n, after: $c, where: $w, orderBy: $o) { totalCount nodes { id } pageInfo { endCursor hasNextPage hasPreviousPage } } }`
		end, more := "endCursor", "hasNextPage"
		if backward {
			document = strings.NewReplacer("first", "last", "after", "before").Replace(document)
			document = strings.Replace(document, "endCursor", "startCursor", 1)
			end, more = "startCursor", "hasPreviousPage"
		}
		var got []string
		var cursor any
		for pages := 0; ; pages++ {
			data, err := b.ask(t, v, chain, document, map[string]any{"n": json.Number(fmt.Sprint(size)), "c": cursor, "w": where, "o": orderBy})
			if err != "" {
				rt.Fatalf("%v %v: %s", where, orderBy, err)
			}
			list := data["cases"].(map[string]any)
			if list["totalCount"] != float64(len(want)) {
				rt.Fatalf("%v: %v in all, want %d", where, list["totalCount"], len(want))
			}
			var page []string
			for _, n := range list["nodes"].([]any) {
				page = append(page, n.(map[string]any)["id"].(string))
			}
			if backward {
				got = append(page, got...)
			} else {
				got = append(got, page...)
			}
			info := list["pageInfo"].(map[string]any)
			cursor = info[end]
			if info[more] != true {
				break
			}
			if pages == 3 { // the rest comes like the rest
				break
			}
		}
		if n := len(got); n < len(want) {
			if backward {
				want = want[len(want)-n:]
			} else {
				want = want[:n]
			}
		}
		if !slices.Equal(got, want) {
			rt.Fatalf("%v by %v (backward %v, %d at a time):\ngot  %v\nwant %v", where, orderBy, backward, size, got, want)
		}
	})
}

func TestTheOracleOfExtensionsNoticesAConditionThatIsAnother(t *testing.T) {
	t.Parallel()
	b := withBalcony()
	v := b.viewer("kiel-caseworker", authz.Substantial)
	byID := func(x, y *row) int { return slices.Compare(x.id[:], y.id[:]) }
	total := func(where map[string]any) int {
		data, err := b.ask(t, v, b.chain, `query ($w: CaseFilter) { cases(first: 1, where: $w) { totalCount } }`, map[string]any{"w": where})
		if err != "" {
			t.Fatal(err)
		}
		return int(data["cases"].(map[string]any)["totalCount"].(float64))
	}
	for _, seed := range []struct {
		leaf         leafOf
		asked, taken string
		value        any
	}{
		{leaves[2], "gt", "gte", json.Number("0")},
		{leaves[2], "lte", "lt", json.Number("0")},
		{leaves[0], "ne", "eq", "03/0"},
		{leaves[5], "gte", "gt", "2026-03-01T10:00:00.000001Z"},
	} {
		where := map[string]any{"extension": nestedIn(seed.leaf.path, map[string]any{seed.asked: seed.value})}
		got := total(where)
		if right := b.ordered(v, func(g map[string]any) bool { return seed.leaf.meets(seed.asked, seed.value, g) }, byID); got != len(right) {
			t.Errorf("%v: %d, the oracle has %d", where, got, len(right))
		}
		if wrong := b.ordered(v, func(g map[string]any) bool { return seed.leaf.meets(seed.taken, seed.value, g) }, byID); got == len(wrong) {
			t.Errorf("%v: taken for %s, nobody would notice", where, seed.taken)
		}
	}
}

func TestWhoIsShownPersonalFieldsOfATenantIsWrittenDown(t *testing.T) {
	t.Parallel()
	b := withBalcony()
	v := b.viewer("kiel-caseworker", authz.Substantial)
	for document, want := range map[string]bool{
		`{ cases(first: 20, where: {extension: {bauherr: {seit: {isNull: false}}}}) { nodes { wer: extension { bauherr { name } } } } }`: true,
		`{ cases(first: 20, where: {extension: {bauherr: {seit: {isNull: false}}}}) { nodes { extension { bauherr { seit } } } } }`:      false,
		`{ cases(first: 20, where: {extension: {bauherr: {seit: {isNull: true}}}}) { nodes { extension { bauherr { name } } } } }`:       false,
	} {
		own := &balcony{world: b.world, chain: b.chain, values: b.values, pool: b.pool, witness: &noted{}}
		if _, err := own.ask(t, v, b.chain, document, nil); err != "" {
			t.Fatal(err)
		}
		told := slices.ContainsFunc(own.witness.seen, func(a reading.Access) bool { return slices.Contains(a.Fields, "Bauherr.name") })
		if told != want {
			t.Errorf("%s: written down %v, want %v: %v", document, told, want, own.witness.seen)
		}
	}
}

func TestWhereNothingIsAddedNobodyLearnsThatSomethingIsElsewhere(t *testing.T) {
	t.Parallel()
	b := withBalcony()
	v := b.viewer("kiel-caseworker", authz.Substantial)
	for _, form := range []string{
		`{ cases(first: 1, where: {extension: {%s: {eq: "1"}}}) { nodes { id } } }`,
		`{ cases(first: 1, where: {not: {extension: {%s: {isNull: true}}}}) { nodes { id } } }`,
		`{ cases(first: 1, orderBy: [{extension: {%s: ASC}}]) { nodes { id } } }`,
		`{ cases(first: 1, orderBy: [{extension: {bauherr: {%s: ASC}}}]) { nodes { id } } }`,
		`{ cases(first: 1) { nodes { extension { %s } } } }`,
		`{ cases(first: 1) { nodes { ... on CaseExtension { %s } } } }`,
	} {
		_, known := b.ask(t, v, nil, fmt.Sprintf(form, "flurstueck"), nil)
		_, unknown := b.ask(t, v, nil, fmt.Sprintf(form, "flurstuecx"), nil)
		if known == "" || strings.ReplaceAll(known, "flurstueck", "flurstuecx") != unknown || strings.Contains(unknown, "Bau") {
			t.Errorf("%s: %q, and of a name that never existed %q", form, known, unknown)
		}
	}
	if data, err := b.ask(t, v, nil, `{ cases(first: 1) { nodes { extension } } }`, nil); err != "" || fmt.Sprint(data) != "map[cases:map[nodes:[map[extension:<nil>]]]]" {
		t.Errorf("%v %s", data, err)
	}
}

func TestAReaderThatSharesWhatIsNotSharedWouldBeNoticed(t *testing.T) {
	t.Parallel()
	b := withBalcony()
	v := b.viewer("kiel-caseworker", authz.Substantial)
	const document = `{ cases(first: 100) { nodes { extensionValues { owner name path text } } } }`
	told := func(share func(*authz.Principal, string) []extension.Owned) string {
		r := reading.New(b.pool, []byte("0123456789abcdef0123456789abcdef"), func(*authz.Principal, uuid.UUID) string { return "" }, &noted{})
		r.ExtendedBy(graph.Added)
		r.SharedBy(share)
		own := &balcony{world: b.world, pool: b.pool}
		own.engines.Store(extension.Chain(nil).Hash(), graph.Engine(&graph.Resolver{Reading: r}, b.contract, &inforce.Held{}, slog.New(slog.DiscardHandler)))
		data, err := own.ask(t, v, nil, document, nil)
		if err != "" {
			t.Fatal(err)
		}
		return fmt.Sprint(data)
	}
	nothing := told(nil)
	if strings.Contains(nothing, "owner") {
		t.Errorf("told although nobody shares: %s", nothing)
	}
	some := told(func(_ *authz.Principal, target string) []extension.Owned {
		f, _ := b.chain.Field(target, "bauart")
		return []extension.Owned{f}
	})
	if !strings.Contains(some, "name:bauart") || strings.Contains(some, "flurstueck") {
		t.Errorf("of one shared field is told: %.300s", some)
	}
	if everything := told(func(_ *authz.Principal, target string) []extension.Owned { return b.chain.Fields(target) }); everything == some || !strings.Contains(everything, "flurstueck") {
		t.Errorf("nobody would notice a reader that shares everything: %.300s", everything)
	}
}
