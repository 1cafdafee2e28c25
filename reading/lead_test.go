// SPDX-License-Identifier: EUPL-1.2

package reading_test

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/extension"
	"github.com/ozg-cloud/platform/internal/housetest"
	"github.com/ozg-cloud/platform/reading"
	"github.com/ozg-cloud/platform/schema"
)

// asksFor is a random one on what is added, as an input and as the oracle has it.
type asksFor struct {
	input map[string]any // of CaseExtensionFilter
	meets func(map[string]any) bool
}

func draws(rt *rapid.T, leaves []leafOf) asksFor {
	l := rapid.SampledFrom(leaves).Draw(rt, "leaf")
	op := rapid.SampledFrom(l.ops).Draw(rt, "op")
	value := rapid.SampledFrom(l.values).Draw(rt, "value")
	switch op {
	case "isNull":
		value = rapid.Bool().Draw(rt, "null")
	case "in":
		value = []any{value, rapid.SampledFrom(l.values).Draw(rt, "other")}
	}
	input, _ := nestedIn(l.path, map[string]any{op: value}).(map[string]any)
	return asksFor{input, func(given map[string]any) bool { return l.meets(op, value, given) }}
}

// both joins conditions in one of the ways in which a filter can say that all of them hold.
func both(rt *rapid.T, all []asksFor) map[string]any {
	var list []any
	for _, a := range all {
		list = append(list, map[string]any{"extension": a.input})
	}
	outer, _ := list[0].(map[string]any)
	switch rapid.SampledFrom([]string{"list", "beside", "nested"}).Draw(rt, "joined") {
	case "list":
		return map[string]any{"and": list}
	case "beside":
		return map[string]any{"extension": outer["extension"], "and": list[1:]}
	}
	return map[string]any{"and": []any{map[string]any{"and": list[1:], "not": map[string]any{"not": outer}}}}
}

// read reads all pages of a list, from its start or from its end.
func (b *balcony) read(t testing.TB, v viewer, chain extension.Chain, where, orderBy any, backward bool, size int) []string {
	t.Helper()
	document := `query ($n: Int, $c: Cursor, $w: CaseFilter, $o: [CaseOrder!]) { cases(first: $n, after: $c, where: $w, orderBy: $o) { nodes { id } pageInfo { endCursor hasNextPage } } }`
	end, more := "endCursor", "hasNextPage"
	if backward {
		document = strings.NewReplacer("first", "last", "after", "before", "endCursor", "startCursor", "hasNextPage", "hasPreviousPage").Replace(document)
		end, more = "startCursor", "hasPreviousPage"
	}
	var got []string
	for cursor := any(nil); ; {
		data, err := b.ask(t, v, chain, document, map[string]any{"n": json.Number(fmt.Sprint(size)), "c": cursor, "w": where, "o": orderBy})
		if err != "" {
			t.Fatalf("%v %v: %s", where, orderBy, err)
		}
		list := data["cases"].(map[string]any)
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
		if cursor = info[end]; info[more] != true {
			return got
		}
	}
}

// count asks how many cases there are.
func (b *balcony) count(t testing.TB, v viewer, chain extension.Chain, where any) int {
	t.Helper()
	data, err := b.ask(t, v, chain, `query ($w: CaseFilter) { cases(first: 1, where: $w) { totalCount } }`, map[string]any{"w": where})
	if err != "" {
		t.Fatalf("%v: %s", where, err)
	}
	n, _ := data["cases"].(map[string]any)["totalCount"].(float64)
	return int(n)
}

// byReceipt is the natural order of cases, or its opposite.
func byReceipt(desc bool) func(x, y *row) int {
	return func(x, y *row) int {
		n := cmp.Or(cmp.Compare(x.rank["received_at"], y.rank["received_at"]), slices.Compare(x.id[:], y.id[:]))
		if desc {
			return -n
		}
		return n
	}
}

func TestAPageReadOffTheEntriesOfAFieldIsThatOfTheOracle(t *testing.T) {
	t.Parallel()
	b := withBalcony()
	seen := map[string]viewer{"kiel-caseworker": b.viewer("kiel-caseworker", authz.Substantial), "sh-admin": b.viewer("sh-admin", authz.Substantial)}
	// Who is at home at two authorities has a scope for which no column beside the cases has an index.
	two := append(seen["kiel-caseworker"].Assignments[:1:1], b.viewer("luebeck-caseworker", authz.Substantial).Assignments[0])
	seen["two"] = viewer{Principal: b.policy.Principal("user:dev:two", authz.Substantial, two)}
	rapid.Check(t, func(rt *rapid.T) {
		name := rapid.SampledFrom([]string{"kiel-caseworker", "sh-admin", "two"}).Draw(rt, "viewer")
		v, chain, leaves := seen[name], b.chain[:1], leaves
		if rapid.Bool().Draw(rt, "without columns") {
			chain = b.withoutColumns(t)[:1]
		} else if name == "kiel-caseworker" {
			chain, leaves = b.chain, append(leaves[:len(leaves):len(leaves)], leafOf{[]string{"kiel_stadtteil"}, []any{"GAARDEN", "WIK", "none"}, []string{"eq", "in", "isNull"}, true})
		}
		all := make([]asksFor, rapid.IntRange(1, 3).Draw(rt, "conditions"))
		for i := range all {
			all[i] = draws(rt, leaves)
		}
		where := both(rt, all)
		if rapid.Bool().Draw(rt, "state") {
			where["not"] = map[string]any{"state": []any{"NEW"}}
		}
		var orderBy any
		desc := true
		if said := rapid.SampledFrom([]string{"", "ASC", "DESC"}).Draw(rt, "order"); said != "" {
			orderBy, desc = []any{map[string]any{"field": "RECEIVED_AT", "direction": said}}, said == "DESC"
		}
		var want []string
		for _, id := range b.ordered(v, func(g map[string]any) bool {
			return !slices.ContainsFunc(all, func(a asksFor) bool { return !a.meets(g) })
		}, byReceipt(desc)) {
			_, number, _ := schema.ParseID(id)
			if where["not"] == nil || b.byID[number].text("state") != "NEW" {
				want = append(want, id)
			}
		}
		got := b.read(t, v, chain, where, orderBy, rapid.Bool().Draw(rt, "backward"), rapid.SampledFrom([]int{7, 40, 100}).Draw(rt, "size"))
		if !slices.Equal(got, want) {
			rt.Fatalf("%v by %v:\ngot  %v\nwant %v", where, orderBy, got, want)
		}
		if n := b.count(t, v, chain, where); n != len(want) {
			rt.Fatalf("%v: %d of %d are counted", where, n, len(want))
		}
	})
}

func TestTheOracleOfPagesNoticesAValueThatIsLookedForInTheWrongPlace(t *testing.T) {
	t.Parallel()
	b := withBalcony()
	v, where := b.viewer("kiel-caseworker", authz.Substantial), map[string]any{"extension": map[string]any{"bauart": map[string]any{"eq": "NEUBAU"}}}
	n := b.chain[0].Numbers()
	n.Columns = maps.Clone(n.Columns)
	for number, column := range n.Columns { // the seeded fault
		n.Columns[number] = column%6 + 1
	}
	wrong, err := extension.Kept(b.chain[0].SDL, []byte(n.String()), b.chain[0].Owner, b.contract)
	if err != nil {
		t.Fatal(err)
	}
	chain := extension.Chain{wrong}
	if some, count := b.read(t, v, b.chain, where, nil, false, 100), b.count(t, v, b.chain, where); len(some) == 0 || count != len(some) {
		t.Errorf("%d cases, %d counted", len(some), count)
	}
	if none, count := b.read(t, v, chain, where, nil, false, 100), b.count(t, v, chain, where); len(none)+count != 0 {
		t.Errorf("%d cases, %d counted all the same: nobody would notice", len(none), count)
	}
}

func TestTheOracleOfPagesNoticesAConditionThatTheLeadHasLost(t *testing.T) {
	t.Parallel()
	b := withBalcony()
	v := b.viewer("kiel-caseworker", authz.Substantial)
	bauart := map[string]any{"bauart": map[string]any{"eq": "NEUBAU"}}
	for what, besides := range map[string]map[string]any{
		"another field":     {"and": []any{map[string]any{"extension": map[string]any{"denkmal": map[string]any{"eq": true}}}}},
		"the same field":    {"extension": map[string]any{"bauart": map[string]any{"eq": "NEUBAU", "ne": "NEUBAU"}}},
		"a standard column": {"state": []any{"NEW"}},
	} {
		where := map[string]any{"extension": bauart}
		maps.Copy(where, besides)
		if all, some := b.read(t, v, b.chain, map[string]any{"extension": bauart}, nil, false, 100), b.read(t, v, b.chain, where, nil, false, 100); len(some) >= len(all) {
			t.Errorf("%s: %d of %d; were it lost, nobody would notice", what, len(some), len(all))
		}
	}
}

func TestAPageOfAnEqualValueIsReadOffAnIndexInItsOrder(t *testing.T) {
	t.Parallel()
	b := withBalcony()
	seen := &statements{}
	b = &balcony{world: b.world, chain: b.chain, values: b.values, pool: b.tracedBy(t, seen), witness: &noted{}}
	for _, viewer := range []string{"kiel-caseworker", "sh-admin"} {
		v := b.viewer(viewer, authz.Substantial)
		for form, lead := range map[string]bool{
			`{ cases(first: 5, where: {extension: {flurstueck: {eq: "03/0"}}}) { nodes { id } } }`:                                               true,
			`{ cases(last: 5, orderBy: [{field: RECEIVED_AT}], where: {and: [{extension: {bauart: {in: [UMBAU]}}}]}) { nodes { id } } }`:         true,
			`{ cases(first: 5, orderBy: [{extension: {geschosse: ASC}}], where: {extension: {geschosse: {gt: 1}}}) { nodes { id } } }`:           true,
			`{ cases(first: 5, where: {not: {extension: {flurstueck: {eq: "03/0"}}}}) { nodes { id } } }`:                                        false,
			`{ cases(first: 5, where: {or: [{extension: {flurstueck: {eq: "03/0"}}}]}) { nodes { id } } }`:                                       false,
			`{ cases(first: 5, where: {extension: {flurstueck: {isNull: true}}}) { nodes { id } } }`:                                             false,
			`{ cases(first: 5, orderBy: [{field: NUMBER}], where: {extension: {flurstueck: {eq: "03/0"}}}) { nodes { id } } }`:                   false,
			`{ cases(first: 5, orderBy: [{extension: {geschosse: ASC}}], where: {extension: {flurstueck: {eq: "03/0"}}}) { nodes { number } } }`: false,
		} {
			seen.texts = nil
			if _, err := b.ask(t, v, b.chain, form, nil); err != "" {
				t.Fatal(err)
			}
			// What leads is not asked for a second time, row by row.
			if led := !slices.ContainsFunc(seen.texts, func(s string) bool { return strings.Contains(s, "exists (select from extension_entries") }); led != lead {
				t.Errorf("%s, %s: led %v, want %v: %v", viewer, form, led, lead, seen.texts)
			}
		}
	}
}

// statements notes what is sent in pipelines, and how long they take.
type statements struct {
	texts []string
	sent  []pgx.TraceBatchQueryData
	began time.Time
	took  time.Duration
}

func (s *statements) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	s.began = time.Now()
	return ctx
}

func (s *statements) TraceBatchQuery(_ context.Context, _ *pgx.Conn, q pgx.TraceBatchQueryData) {
	s.texts, s.sent = append(s.texts, q.SQL), append(s.sent, q)
}

func (s *statements) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {
	s.took += time.Since(s.began)
}

func (*statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return ctx
}
func (*statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// tracedBy is a pool of serving, behind the second wall, that notes its statements.
func (w *world) tracedBy(t testing.TB, s *statements) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(w.Serving().Config().ConnString())
	if err != nil {
		t.Fatal(err)
	}
	config.ConnConfig.Tracer, config.MaxConns = s, 1
	config.ConnConfig.RuntimeParams["enable_bitmapscan"] = "off" // as whatever reads
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

var benchCases = flag.Int("cases", 200_000, "how many cases the benchmark of filters by extension fields has")

// copies are extension fields that hold what a column of the standard house holds, so that the same rows are found by both.
const copies = `extend type Case {
	"A copy of state."
	zustand: String @filterable @sortable
	"A copy of number."
	nummer: String @filterable @sortable
	"A copy of updatedAt."
	geaendert: DateTime @filterable @sortable
	"The revision."
	stand: Int @filterable @sortable
	"What nobody fills, and what has a column all the same."
	nichts: String @filterable
	"The same."
	niemand: String @filterable
	"Another copy of state, which has none."
	lage: String @filterable
}`

// BenchmarkAFilterByWhatIsAddedBesideTheSameByAColumn asks for the newest 50 cases by an extension field and by the column of which it is a copy, in
// turns. The figures are of both: µs in the database (the pipeline with the entry into the scope), of the whole operation, and of the processor in the
// database, which alone means something while others are at work; ratio is the extension field's part to the column's.
func BenchmarkAFilterByWhatIsAddedBesideTheSameByAColumn(b *testing.B) {
	few := *reading.Fewest
	*reading.Fewest = 1000
	defer func() { *reading.Fewest = few }()
	h := housetest.New(b)
	h.Seed(2000, 7)
	w := load(h, h.Database())
	spread(b, w, *benchCases)
	var o extension.Owner
	if err := w.db.QueryRow(b.Context(), "select id, place, kind, slug from tenants where slug = 'sh'").Scan(&o.ID, &o.Place, &o.Kind, &o.Slug); err != nil {
		b.Fatal(err)
	}
	d, problems := extension.Read(copies, o, w.contract)
	if problems = append(problems, d.Follow(nil)...); len(problems) > 0 {
		b.Fatal(problems[0], problems[0].Path)
	}
	chain := extension.Chain{d}
	for name, column := range map[string]string{"zustand": "text) select state", "nummer": "text) select number", "geaendert": "time) select updated_at", "stand": "number) select revision", "lage": "text) select state"} {
		_, key, _ := chain.Leaf("Case", []string{name})
		what, value, _ := strings.Cut(column, ") select ")
		_, err := w.db.Exec(b.Context(), `insert into extension_entries (`+what+`, id, tenant_id, place, case_id, target_id, field, ranked_at)
			select `+value+`, gen_random_uuid(), tenant_id, place, id, id, $1, received_at from cases where land = 1 order by received_at`, key)
		if err != nil {
			b.Fatal(err)
		}
	}
	for number, column := range d.Numbers().Columns {
		key := extension.Key(o, number)
		if _, err := w.db.Exec(b.Context(), fmt.Sprintf("update cases c set extension_%d = ozg_found(e.field, e.text, e.number, e.time) from extension_entries e where e.target_id = c.id and e.field = $1", column), key); err != nil {
			b.Fatal(err)
		}
	}
	for _, s := range []string{"set session_replication_role = origin", "vacuum full analyze cases", "vacuum analyze"} {
		if _, err := w.db.Exec(b.Context(), s); err != nil {
			b.Fatal(err)
		}
	}
	seen := &statements{}
	house := &balcony{world: w, chain: chain, pool: w.tracedBy(b, seen), witness: &noted{}}
	var process int
	if err := house.pool.QueryRow(b.Context(), "select pg_backend_pid()").Scan(&process); err != nil {
		b.Fatal(err)
	}
	atWork := func() time.Duration { return processorTime(process) }
	var one string
	if err := w.db.QueryRow(b.Context(), "select number from cases where place = $1 order by received_at desc offset 5000 limit 1", int64(w.place("kiel"))).Scan(&one); err != nil {
		b.Fatal(err)
	}
	village := authz.Assignment{Role: "CASEWORKER"}
	if err := w.db.QueryRow(b.Context(), `select id, slug, kind, place from tenants join (select place from cases where land = 1 group by place order by count(*), place limit 1) least using (place)`).
		Scan(&village.Tenant.ID, &village.Tenant.Slug, &village.Tenant.Kind, &village.Tenant.Place); err != nil {
		b.Fatal(err)
	}
	for name, v := range map[string]viewer{
		"authority": w.viewer("kiel-caseworker", authz.Substantial), "land": w.viewer("sh-admin", authz.Substantial),
		"village": {Principal: w.policy.Principal("user:dev:village", authz.Substantial, []authz.Assignment{village})},
	} {
		for _, q := range []struct{ what, column, added string }{
			{"one", `where: {number: {eq: "` + one + `"}}`, `where: {extension: {nummer: {eq: "` + one + `"}}}`},
			{"rare", `where: {state: [FORWARDED]}`, `where: {extension: {zustand: {eq: "FORWARDED"}}}`},
			{"some", `where: {state: [IN_PROGRESS]}`, `where: {extension: {zustand: {eq: "IN_PROGRESS"}}}`},
			{"most", `where: {state: [CLOSED]}`, `where: {extension: {zustand: {eq: "CLOSED"}}}`},
			{"several", `where: {state: [IN_PROGRESS, NEW]}`, `where: {extension: {zustand: {in: ["IN_PROGRESS", "NEW"]}}}`},
			{"counted", `where: {state: [IN_PROGRESS]}`, `where: {extension: {zustand: {eq: "IN_PROGRESS"}}}`},
			{"later", `where: {state: [IN_PROGRESS]}`, `where: {extension: {lage: {eq: "IN_PROGRESS"}}}`},
			{"later-several", `where: {state: [IN_PROGRESS, NEW]}`, `where: {extension: {lage: {in: ["IN_PROGRESS", "NEW"]}}}`},
			{"range", `where: {updatedAt: {gt: "2026-06-01T00:00:00Z"}}`, `where: {extension: {geaendert: {gt: "2026-06-01T00:00:00Z"}}}`},
			{"order", `orderBy: [{field: UPDATED_AT, direction: DESC}]`, `orderBy: [{extension: {geaendert: DESC}}]`},
			{"with-another", `where: {channel: [PORTAL], state: [IN_PROGRESS]}`, `where: {channel: [PORTAL], extension: {zustand: {eq: "IN_PROGRESS"}}}`},
		} {
			of := "nodes { id number receivedAt updatedAt }"
			if q.what == "counted" {
				of = "totalCount"
			}
			b.Run(name+"/"+q.what, func(b *testing.B) {
				var whole, inside, busy [2]time.Duration
				ask := func(i int, by string) map[string]any {
					seen.took, seen.texts = 0, nil
					start, before := time.Now(), atWork()
					data, err := house.ask(b, v, chain, `{ cases(first: 50, `+by+`) { `+of+` } }`, nil)
					if err != "" {
						b.Fatal(err)
					}
					whole[i], inside[i], busy[i] = whole[i]+time.Since(start), inside[i]+seen.took, busy[i]+atWork()-before
					return data
				}
				for range 8 { // until plans are kept
					x, y := ask(0, q.column), ask(1, q.added)
					if q.what != "order" && fmt.Sprint(x) != fmt.Sprint(y) {
						b.Fatalf("%s: %v\n%v", q.what, x, y)
					}
				}
				whole, inside, busy = [2]time.Duration{}, [2]time.Duration{}, [2]time.Duration{}
				for b.Loop() { // in turns, so that whatever else the machine does hits both
					ask(0, q.column)
					ask(1, q.added)
				}
				b.ReportMetric(0, "ns/op")
				for i, of := range []string{"column", "added"} {
					b.ReportMetric(float64(inside[i].Microseconds())/float64(b.N), "db-µs/"+of)
					b.ReportMetric(float64(whole[i].Microseconds())/float64(b.N), "µs/"+of)
					b.ReportMetric(float64(busy[i].Microseconds())/float64(b.N), "cpu-µs/"+of)
				}
				b.ReportMetric(float64(busy[1])/float64(max(busy[0], 1)), "cpu-ratio")
				b.ReportMetric(float64(inside[1])/float64(inside[0]), "db-ratio")
				b.ReportMetric(float64(whole[1])/float64(whole[0]), "ratio")
			})
		}
	}
}

// processorTime is how long a process has had a processor so far; nothing where the system does not tell, or the process is on another machine.
func processorTime(process int) time.Duration {
	told, err := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", process))
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(told), " ")
	n, _ := strconv.ParseInt(first, 10, 64)
	return time.Duration(n)
}

// spread lays n cases over two years, most of them in Schleswig-Holstein. Their ids begin with the time, as those do that the house gives.
func spread(b *testing.B, w *world, n int) {
	b.Helper()
	for _, s := range []string{
		"set session_replication_role = replica",
		fmt.Sprintf(`insert into cases (id, tenant_id, place, number, service_id, unit_id, state, channel, via_point_of_contact, trust_level, received_at, complete_at, due_at, decided_at,
				closed_at, updated_at, revision, history_head)
			select overlay(gen_random_uuid()::text placing lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') from 1 for 13)::uuid, tenant_id, place, number || '-' || k, service_id, unit_id, state, channel, via_point_of_contact, trust_level, at, complete_at, due_at, decided_at,
				closed_at, at + (updated_at - received_at), revision, history_head
			from (select c.*, k, c.received_at - random() * interval '700 days' as at from generate_series(1, %d) k, cases c order by at) laid`, n/2000-1),
	} {
		if _, err := w.db.Exec(b.Context(), s); err != nil {
			b.Fatal(err)
		}
	}
}
