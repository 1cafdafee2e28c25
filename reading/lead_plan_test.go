// SPDX-License-Identifier: EUPL-1.2

package reading_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/extension"
)

// planned is how PostgreSQL would run a statement in a viewer's scope after some changes to the database, which are taken back.
func (b *balcony) planned(t *testing.T, v viewer, statement pgx.TraceBatchQueryData, changes ...string) string {
	t.Helper()
	conn, err := pgx.ConnectConfig(t.Context(), b.db.Config())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s := v.Scope()
	// What is few is read and sorted, whatever indexes there are.
	changes = append(changes, "set local enable_seqscan = off", "set local enable_bitmapscan = off", "set local enable_sort = off",
		"set local role ozg_serving", fmt.Sprintf("select ozg_enter(%d, %d, '')", s.Lo, s.Hi))
	for _, c := range changes {
		if _, err := tx.Exec(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := tx.Query(t.Context(), "explain (costs off) "+statement.SQL, statement.Args...)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}

func TestAnAuthoritysPageIsNotReadOffWhatIsOfItsWholeLand(t *testing.T) {
	t.Parallel()
	shared := withBalcony()
	// They are only taken for broken: dropping one would lock what other tests read.
	own := []string{`update pg_index set indisvalid = false where indexrelid = any(array['extension_entries_text', 'extension_entries_number',
		'extension_entries_ranked', 'extension_entries_target', 'cases_extension_1']::regclass[])`}
	faulty := append(own[:len(own):len(own)], "create index extension_entries_all_faulty on extension_entries (field, text, ranked_at, target_id) where text is not null",
		"create index extension_entries_all_ranked_faulty on extension_entries (field, number, ranked_at, target_id)",
		"create index cases_land_extension_faulty on cases (extension_1, received_at desc, id desc) where extension_1 is not null")
	ofLand := regexp.MustCompile("extension_entries_all|cases_land_extension")
	seen := &statements{}
	b := &balcony{world: shared.world, chain: shared.chain, values: shared.values, pool: shared.tracedBy(t, seen), witness: &noted{}}
	for document, index := range map[string]string{
		`{ cases(first: 5, where: {extension: {flurstueck: {eq: "03/0"}}}) { nodes { id } } }`:                                     "cases_land_extension_1",
		`{ cases(first: 5, where: {extension: {bauherr: {name: {eq: "B3"}}}}) { nodes { id } } }`:                                  "extension_entries_all_text",
		`{ cases(first: 5, where: {extension: {geschosse: {gt: 1}}}) { nodes { id } } }`:                                           "extension_entries_all_ranked",
		`{ cases(first: 5, orderBy: [{extension: {geschosse: ASC}}], where: {extension: {geschosse: {gt: 1}}}) { nodes { id } } }`: "extension_entries_all_number",
		`{ cases(first: 5, where: {or: [{extension: {flurstueck: {eq: "03/0"}}}]}) { nodes { id } } }`:                             "",
	} {
		of := func(name string) (viewer, pgx.TraceBatchQueryData) {
			v := b.viewer(name, authz.Substantial)
			seen.sent = nil
			if _, err := b.ask(t, v, b.chain, document, nil); err != "" {
				t.Fatal(err)
			}
			for _, s := range seen.sent {
				if strings.Contains(s.SQL, "extension_") {
					return v, s
				}
			}
			t.Fatalf("%s: %v", document, seen.texts)
			return viewer{}, pgx.TraceBatchQueryData{}
		}
		v, s := of("kiel-caseworker")
		if plan := b.planned(t, v, s, own...); ofLand.MatchString(plan) {
			t.Errorf("%s of an authority:\n%s", document, plan)
		}
		if plan := b.planned(t, v, s, faulty...); !ofLand.MatchString(plan) {
			t.Errorf("%s: an index of the Land that an authority can use: nobody would notice\n%s", document, plan)
		}
		v, s = of("sh-admin")
		if plan := b.planned(t, v, s); !strings.Contains(plan, index) {
			t.Errorf("%s of a Land:\n%s", document, plan)
		}
	}
}

func TestAPageOfAnEqualValueIsNotSorted(t *testing.T) {
	t.Parallel()
	shared := withBalcony()
	seen := &statements{}
	b := &balcony{world: shared.world, chain: shared.chain, values: shared.values, pool: shared.tracedBy(t, seen), witness: &noted{}}
	for _, name := range []string{"kiel-caseworker", "sh-admin"} {
		v := b.viewer(name, authz.Substantial)
		seen.sent = nil
		if _, err := b.ask(t, v, b.chain, `{ cases(first: 5, where: {extension: {bauherr: {name: {eq: "B3"}}}}) { nodes { id number } } }`, nil); err != "" {
			t.Fatal(err)
		}
		page := seen.sent[len(seen.sent)-1]
		if plan := b.planned(t, v, page); strings.Contains(plan, "Sort") {
			t.Errorf("%s:\n%s", name, plan)
		}
		page.SQL = page.SQL[:strings.LastIndex(page.SQL, " order by ")] + " order by t1.received_at desc, t1.id desc"
		if plan := b.planned(t, v, page); !strings.Contains(plan, "Sort") {
			t.Errorf("%s: were it asked for in the order of the cases, nobody would notice:\n%s", name, plan)
		}
	}
}

func TestWhatStandsBesideTheCasesIsReadOffAnIndexInTheOrderOfTheList(t *testing.T) {
	t.Parallel()
	shared := withBalcony()
	seen := &statements{}
	b := &balcony{world: shared.world, chain: shared.chain, values: shared.values, pool: shared.tracedBy(t, seen), witness: &noted{}}
	plan := func(v viewer, chain extension.Chain, document string) string {
		seen.sent = nil
		if _, err := b.ask(t, v, chain, document, nil); err != "" {
			t.Fatal(document, err)
		}
		return b.planned(t, v, seen.sent[len(seen.sent)-1])
	}
	for name, index := range map[string]string{"kiel-caseworker": "using cases_extension_1 ", "sh-admin": "using cases_land_extension_1 "} {
		v := b.viewer(name, authz.Substantial)
		for document, times := range map[string]int{
			`{ cases(first: 5, where: {extension: {flurstueck: {eq: "03/0"}}}) { nodes { id number } } }`:                                        1,
			`{ cases(last: 5, where: {extension: {flurstueck: {eq: "03/0"}}, state: [NEW]}) { nodes { id number } } }`:                           1,
			`{ cases(first: 5, where: {and: [{extension: {flurstueck: {in: ["03/0", "17/2", "03/0"]}}}]}) { nodes { id number } } }`:             2,
			`{ cases(first: 5, where: {extension: {flurstueck: {in: ["03/0", "17/2"]}, bauherr: {name: {eq: "B3"}}}}) { nodes { id number } } }`: 2,
			`{ cases(first: 5, where: {extension: {flurstueck: {eq: "03/0"}}}) { totalCount } }`:                                                 1,
			`{ cases(first: 5, where: {extension: {flurstueck: {in: ["03/0", "17/2"]}}}) { statistics { byState { value count } } } }`:           1,
			`{ cases(first: 5, where: {extension: {flurstueck: {startsWith: "03"}}}) { nodes { id number } } }`:                                  0,
			`{ cases(first: 5, where: {extension: {flurstueck: {eq: "03/0", contains: "3"}}}) { nodes { id number } } }`:                         0,
			`{ cases(first: 5, orderBy: [{field: NUMBER}], where: {extension: {flurstueck: {eq: "03/0"}}}) { nodes { id number } } }`:            0,
			`{ cases(first: 5, where: {not: {extension: {flurstueck: {eq: "03/0"}}}}) { nodes { id number } } }`:                                 0,
			`{ cases(first: 5, where: {extension: {bauherr: {name: {eq: "B3"}}}}) { nodes { id number } } }`:                                     0,
		} {
			got := plan(v, b.chain, document)
			if strings.Count(got, index) != times || times > 0 && (strings.Contains(got, "->  Sort") && !strings.Contains(document, "statistics") || strings.Contains(document, "flurstueck") && !strings.Contains(document, "bauherr") && strings.Contains(got, "extension_entries")) {
				t.Errorf("%s, %s: not read %d times off it in its order:\n%s", name, document, times, got)
			}
		}
		// The twin: of values that stand nowhere else, the entries are read.
		if got := plan(v, b.withoutColumns(t), `{ cases(first: 5, where: {extension: {flurstueck: {eq: "03/0"}}}) { nodes { id number } } }`); strings.Contains(got, index) || !strings.Contains(got, "extension_entries") {
			t.Errorf("%s: nobody would notice that the entries are read:\n%s", name, got)
		}
	}
}

// withoutColumns is the chain of a house in which nothing stands beside the cases.
func (b *balcony) withoutColumns(t *testing.T) (out extension.Chain) {
	t.Helper()
	for _, d := range b.chain {
		n := d.Numbers()
		n.Columns = nil
		bare, err := extension.Kept(d.SDL, []byte(n.String()), d.Owner, b.contract, out...)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, bare)
	}
	return out
}

func TestAnOrderByWhatIsAddedAndValuesBesideTheCasesArePlannedOnceAndNothingElseIs(t *testing.T) {
	t.Parallel()
	shared := withBalcony()
	b := &balcony{world: shared.world, chain: shared.chain, values: shared.values, pool: shared.tracedBy(t, &statements{}), witness: &noted{}}
	v := b.viewer("kiel-caseworker", authz.Substantial)
	const times = 4
	for range times {
		for _, document := range []string{
			`{ cases(first: 5, orderBy: [{extension: {geschosse: DESC}}]) { totalCount nodes { id messages(first: 2) { nodes { id } } } } }`,
			`{ cases(first: 5, where: {extension: {flurstueck: {in: ["03/0", "17/2"]}}}) { nodes { id } } }`,
			`{ cases(first: 5, where: {extension: {flurstueck: {eq: "03/0"}}}) { nodes { id } } }`,
		} {
			if _, err := b.ask(t, v, b.chain, document, nil); err != "" {
				t.Fatal(err)
			}
		}
	}
	conn, err := b.pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	rows, err := conn.Query(t.Context(), "select statement like '%order by%', generic_plans, custom_plans from pg_prepared_statements where statement like '/*authority*/%'")
	if err != nil {
		t.Fatal(err)
	}
	var ordered, once bool
	var generic, custom int
	lists, counts := 0, 0
	if _, err := pgx.ForEachRow(rows, []any{&ordered, &generic, &custom}, func() error {
		if once = generic == times && custom == 0; once != ordered {
			t.Errorf("ordered: %t, with one plan %d times, with a new one %d times", ordered, generic, custom)
		}
		if ordered {
			lists++
		} else {
			counts++
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if lists != 4 || counts != 1 {
		t.Errorf("%d lists and %d counts", lists, counts)
	}
	var mode string
	if err := conn.QueryRow(t.Context(), "show plan_cache_mode").Scan(&mode); err != nil || mode != "auto" {
		t.Errorf("afterwards plans are made %s: %v", mode, err)
	}
}
