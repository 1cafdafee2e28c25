// SPDX-License-Identifier: EUPL-1.2

package reading_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/ozg-cloud/platform/authz"
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
	own := []string{"drop index extension_entries_text", "drop index extension_entries_number", "drop index extension_entries_ranked", "drop index extension_entries_target"}
	faulty := append(own[:len(own):len(own)], "create index extension_entries_all_faulty on extension_entries (field, text, ranked_at, target_id) where text is not null",
		"create index extension_entries_all_ranked_faulty on extension_entries (field, number, ranked_at, target_id)")
	seen := &statements{}
	b := &balcony{world: shared.world, chain: shared.chain, values: shared.values, pool: shared.tracedBy(t, seen), witness: &noted{}}
	for document, index := range map[string]string{
		`{ cases(first: 5, where: {extension: {flurstueck: {eq: "03/0"}}}) { nodes { id } } }`:                                     "extension_entries_all_text",
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
				if strings.Contains(s.SQL, "extension_entries") {
					return v, s
				}
			}
			t.Fatalf("%s: %v", document, seen.texts)
			return viewer{}, pgx.TraceBatchQueryData{}
		}
		v, s := of("kiel-caseworker")
		if plan := b.planned(t, v, s, own...); strings.Contains(plan, "extension_entries_all") {
			t.Errorf("%s of an authority:\n%s", document, plan)
		}
		if plan := b.planned(t, v, s, faulty...); !strings.Contains(plan, "extension_entries_all") {
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
		if _, err := b.ask(t, v, b.chain, `{ cases(first: 5, where: {extension: {flurstueck: {eq: "03/0"}}}) { nodes { id number } } }`, nil); err != "" {
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

func TestAnOrderByWhatIsAddedIsPlannedOnceAndNothingElseIs(t *testing.T) {
	t.Parallel()
	shared := withBalcony()
	b := &balcony{world: shared.world, chain: shared.chain, values: shared.values, pool: shared.tracedBy(t, &statements{}), witness: &noted{}}
	v := b.viewer("kiel-caseworker", authz.Substantial)
	const times = 4
	for range times {
		if _, err := b.ask(t, v, b.chain, `{ cases(first: 5, orderBy: [{extension: {geschosse: DESC}}]) { totalCount nodes { id messages(first: 2) { nodes { id } } } } }`, nil); err != "" {
			t.Fatal(err)
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
	if lists != 2 || counts != 1 {
		t.Errorf("%d lists and %d counts", lists, counts)
	}
	var mode string
	if err := conn.QueryRow(t.Context(), "show plan_cache_mode").Scan(&mode); err != nil || mode != "auto" {
		t.Errorf("afterwards plans are made %s: %v", mode, err)
	}
}
