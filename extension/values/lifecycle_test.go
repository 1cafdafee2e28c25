// SPDX-License-Identifier: EUPL-1.2

package values_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ozg-cloud/platform/internal/housetest"
)

// land is a house with many cases of Schleswig-Holstein whose extension fields hold something.
type land struct {
	*house
	sh      string
	version int
}

const (
	unfound = `
"How." enum Bauart { "New." NEUBAU "Changed." UMBAU }
"Who." type Bauherr { "Name." name: String "Since." seit: Date }
extend type Case { "Number." nummer: Int "How it is built." bauart: Bauart @filterable "Who builds." bauherr: Bauherr }`
	found = `
"How." enum Bauart { "New." NEUBAU "Changed." UMBAU }
"Who." type Bauherr { "Name." name: String "Since." seit: Date @filterable }
extend type Case { "Number." nummer: Int @filterable @sortable "How it is built." bauart: Bauart @filterable "Who builds." bauherr: Bauherr }`
	counted = `
"How." enum Bauart { "New." NEUBAU "Changed." UMBAU }
"Who." type Bauherr { "Name." name: String "Since." seit: Date }
extend type Case { "Number." nummer: Int @aggregatable "How it is built." bauart: Bauart @filterable @aggregatable "Who builds." bauherr: Bauherr }`
	fewer = `
"Who." type Bauherr { "Since." seit: Date @filterable }
extend type Case { "Number." nummer: Int @filterable @sortable "Who builds." bauherr: Bauherr }`
)

// settled is a house in which a definition was brought into force by the desk, and rows were filled by it before another version came.
func settled(t *testing.T) *land {
	t.Helper()
	l := &land{house: &house{House: housetest.New(t)}}
	l.Seed(300, 7)
	l.worker, l.shAdmin = l.As("kiel-caseworker"), l.As("sh-admin")
	l.sh = l.shAdmin.Ask(`{ tenant(slug: "sh") { id } }`, nil).Works().Text("tenant.id")
	l.activates(unfound)
	var n int
	if err := l.Database().QueryRow(t.Context(), `with numbers as (select numbers -> 'of' as of from extension_definitions where state = 'ACTIVE'),
		kept as (insert into extension_records (id, tenant_id, place, case_id, target, target_id, owner, document, updated_at)
			select gen_random_uuid(), c.tenant_id, c.place, c.id, 'CASE', c.id, t.place, jsonb_build_object(of ->> 'Case.nummer', row_number() over (order by c.id), of ->> 'Case.bauart', 'UMBAU',
				of ->> 'Case.bauherr', jsonb_build_object(of ->> 'Bauherr.name', 'Beispiel', of ->> 'Bauherr.seit', '2020-01-01')), now()
			from numbers, cases c, tenants t where t.slug = 'sh' and c.land = 1 returning 1) select count(*) from kept`).Scan(&n); err != nil || n < 110 {
		t.Fatalf("%d rows are filled: %v", n, err)
	}
	return l
}

// activates brings a text into force, as the desk does.
func (l *land) activates(sdl string) (id string) {
	l.Helper()
	id = l.shAdmin.Say("defineExtension", map[string]any{"tenantId": l.sh, "sdl": sdl, "expectedVersion": l.version, "dryRun": false}).Works().Text("defineExtension.extensionDefinition.id")
	l.shAdmin.Say("activateExtension", map[string]any{"extensionDefinitionId": id, "acceptBreaking": true}).Works()
	l.version++
	return id
}

// tends lets the caretaker work until an instant of a version is told, or there is nothing to do.
func (l *land) tends(definition, instant string) {
	l.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		if _, err := l.Caretaker.Step(l.Context()); err != nil {
			l.Fatal(err)
		}
		a := l.shAdmin.Ask(`query($id: ID!) { node(id: $id) { ... on ExtensionDefinition { at: `+instant+` } } }`, map[string]any{"id": definition}).Works()
		if a.Text("node.at") != "" {
			return
		}
	}
	l.Fatalf("%s is not told", instant)
}

const (
	recordsKept = "select count(*) from extension_records"
	entriesKept = "select count(*) from extension_entries"
)

func TestWhatWasKeptBeforeAFieldBecameFilterableIsFoundByIt(t *testing.T) {
	t.Parallel()
	l := settled(t)
	all := l.counts(recordsKept)
	id := l.activates(found)
	l.knows(l.shAdmin, "CaseExtension", "bauherr")
	if l.counts(entriesKept) != 0 {
		t.Error("there is an index before anybody made one: the test would prove nothing")
	}
	if more, err := l.Caretaker.Step(t.Context()); more || err != nil {
		t.Errorf("the caretaker does not wait for those who write by the version before: %v, %v", more, err)
	}
	l.Clock.Forward(16 * time.Second)
	l.tends(id, "indexedAt")
	if got := l.counts(entriesKept); got != 3*all {
		t.Errorf("%d entries of %d records", got, all)
	}
	if got := l.counts(`select count(*) from extension_entries e where e.ranked_at is distinct from (select received_at from cases c where c.id = e.case_id) or e.place <> (select place from cases c where c.id = e.case_id)`); got != 0 {
		t.Errorf("%d entries do not lie with their cases", got)
	}
	if wrong, beside := l.counts(misplaced), l.counts("select count(*) from cases where extension_1 is not null and extension_2 is not null and extension_3 is not null"); wrong != 0 || beside != all {
		t.Errorf("%d cases have all three values beside them, %d values are misplaced", beside, wrong)
	}
	const ask = `{ cases(first: 1, where: {extension: {bauherr: {seit: {eq: "2020-01-01"}}}}, orderBy: [{extension: {nummer: DESC}}]) { totalCount nodes { extension { nummer } } } }`
	for end := time.Now().Add(20 * time.Second); ; { // the schema may still be the one before
		a := l.shAdmin.Ask(ask, nil)
		if len(a.Errors) == 0 {
			if got := a.Number("cases.totalCount"); got != all || a.Number("cases.nodes.0.extension.nummer") != all {
				t.Errorf("%d of %d are found: %s", got, all, a.Raw)
			}
			break
		}
		if time.Now().After(end) {
			t.Fatal(string(a.Raw))
		}
	}
	// What adds nothing to the index needs no caretaker.
	next := l.activates(strings.Replace(found, `"Number."`, `"The number."`, 1))
	l.tends(next, "indexedAt")
}

func TestValuesThatHaveGoneAreErasedOnOrderAndNothingElseIs(t *testing.T) {
	t.Parallel()
	l := settled(t)
	all := l.counts(recordsKept)
	second := l.activates(found)
	l.knows(l.shAdmin, "CaseExtension", "bauherr")
	l.Clock.Forward(16 * time.Second)
	l.tends(second, "indexedAt")
	erase := func(id string) housetest.Answer {
		l.Helper()
		return l.shAdmin.Say("eraseExtensionValues", map[string]any{"extensionDefinitionId": id})
	}
	erase(second).Wants("notRetired")
	third := l.activates(fewer)
	if l.counts("select count(*) from extension_records where document::text like '%UMBAU%'") != all {
		t.Error("what has gone was erased without an order")
	}
	erase(second).Works()
	erase(second).Wants("alreadyDone")
	if a := l.worker.Ask(`mutation($id: ID!) { eraseExtensionValues(input: {extensionDefinitionId: $id}) { problems { __typename } } }`, map[string]any{"id": second}); !a.Unknown() {
		t.Errorf("a caseworker knows the verb: %s", a.Raw)
	}
	l.Clock.Forward(16 * time.Second)
	l.tends(second, "erasedAt")
	l.tends(third, "indexedAt")
	for what, want := range map[string]int{
		recordsKept: all,
		"select count(*) from extension_records where document::text like '%UMBAU%' or document::text like '%Beispiel%'": 0,
		"select count(*) from extension_records where document::text like '%2020-01-01%'":                                all,
		"select count(*) from extension_entries where text is not null":                                                  0,
		"select count(*) from cases where concat(extension_1, extension_2, extension_3) like '%UMBAU%'":                  0,
		misplaced: 0,
		"select count(*) from extension_entries where time is not null":                                   all,
		"select count(*) from extension_entries where number is not null":                                 all,
		"select count(*) from audit_entries where action = 'EXTENSION_ERASED' and actor like '%sh-admin'": 1,
	} {
		if got := l.counts(what); got != want {
			t.Errorf("%s: %d, not %d", what, got, want)
		}
	}
	// Once nothing is in force, nothing is left.
	l.shAdmin.Say("retireExtension", map[string]any{"extensionDefinitionId": third, "acceptBreaking": true}).Works()
	erase(third).Works()
	l.Clock.Forward(16 * time.Second)
	l.tends(third, "erasedAt")
	beside := l.counts("select count(*) from cases where num_nonnulls(extension_1, extension_2, extension_3, extension_4, extension_5, extension_6, extension_7, extension_8, extension_9, extension_10) > 0")
	if records, entries := l.counts(recordsKept), l.counts(entriesKept); records+entries+beside != 0 {
		t.Errorf("%d records, %d entries and values beside %d cases are left", records, entries, beside)
	}
}

// figuresOf are how many cases were ever told by a field of the Land, and what another field of theirs adds up to.
func (l *land) figuresOf() (cases, total int) {
	l.Helper()
	for more := true; more; {
		var err error
		if more, err = l.Tally.Fold(l.Context()); err != nil {
			l.Fatal(err)
		}
	}
	err := l.Database().QueryRow(l.Context(), `select coalesce(sum(n) filter (where value = 'UMBAU'), 0), coalesce(sum(total), 0)::bigint from statistics_field_cells
		where generation = (select generation from statistics_offset where answers) and level = 2 and population = 1 and shape = 1`).Scan(&cases, &total)
	if err != nil {
		l.Fatal(err)
	}
	return cases, total
}

func TestWhatWasKeptBeforeAFieldBecameAggregatableIsCountedAndUncountedWhenItIsErased(t *testing.T) {
	t.Parallel()
	for _, forgets := range []bool{false, true} { // the twin forgets that what the caretaker does changes figures
		l := settled(t)
		all := l.counts(recordsKept)
		for facts, end := 0, time.Now().Add(20*time.Second); facts < all; { // what other tests have open holds the tally up
			if cases, _ := l.figuresOf(); cases != 0 {
				t.Fatal("it is counted before anybody said so")
			}
			if facts = l.counts(`select count(*) from statistics_facts`); time.Now().After(end) {
				t.Fatalf("%d of %d cases are counted", facts, all)
			}
		}
		if forgets {
			if _, err := l.Database().Exec(t.Context(), "drop trigger tended on extension_definitions; drop trigger taken_away on extension_records"); err != nil {
				t.Fatal(err)
			}
		}
		second := l.activates(counted)
		l.Clock.Forward(16 * time.Second)
		l.knows(l.shAdmin, "CaseExtension", "bauherr")
		l.tends(second, "indexedAt")
		cases, total := l.figuresOf()
		if right := cases == all && total == all*(all+1)/2; right == forgets {
			t.Errorf("forgetting %v: %d of %d cases are counted, and the sum is %d", forgets, cases, all, total)
		}
		l.shAdmin.Say("retireExtension", map[string]any{"extensionDefinitionId": second, "acceptBreaking": true}).Works()
		l.shAdmin.Say("eraseExtensionValues", map[string]any{"extensionDefinitionId": second}).Works()
		l.Clock.Forward(16 * time.Second)
		l.tends(second, "erasedAt")
		if cases, total := l.figuresOf(); !forgets && cases+total != 0 {
			t.Errorf("after everything was erased %d cases are counted, and the sum is %d", cases, total)
		}
	}
}

func TestTheCaretakerGoesOnWhereItWasAndSharesItsWork(t *testing.T) {
	t.Parallel()
	l := settled(t)
	all := l.counts(recordsKept)
	l.activates(found)
	other := l.Another()
	l.Clock.Forward(16 * time.Second)
	pages := 0
	for end := time.Now().Add(20 * time.Second); pages < 1; {
		if more, err := l.Caretaker.Step(t.Context()); err != nil || time.Now().After(end) {
			t.Fatal(more, err)
		} else if more {
			pages++
		}
	}
	if got := l.counts(entriesKept); got != 3*50 {
		t.Errorf("the first page has made %d entries", got)
	}
	for l.counts("select count(*) from extension_definitions where state = 'ACTIVE' and indexed_at is null") > 0 {
		if _, err := other.Caretaker.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
		if pages++; pages > 10_000 {
			t.Fatal("the other replica does not finish it")
		}
	}
	if got := l.counts(entriesKept); got != 3*all {
		t.Errorf("%d entries of %d records", got, all)
	}
}

func TestAnActivationThatForgetsTheIndexWouldBeNoticed(t *testing.T) {
	t.Parallel()
	l := settled(t)
	l.activates(found)
	if _, err := l.Database().Exec(t.Context(), "update extension_definitions set indexed_at = now() where state = 'ACTIVE'"); err != nil { // the seeded fault
		t.Fatal(err)
	}
	l.knows(l.shAdmin, "CaseExtension", "bauherr")
	l.Clock.Forward(16 * time.Second)
	if more, err := l.Caretaker.Step(t.Context()); more || err != nil || l.counts(entriesKept) != 0 {
		t.Errorf("what was forgotten is done all the same (%v, %v), so the tests of the index prove nothing of the desk", more, err)
	}
}

// searched is how many cases are found by the last of seven values, of which six stand beside the case.
func (l *land) searched() int {
	l.Helper()
	return l.shAdmin.Ask(`{ cases(first: 1, where: {extension: {f6: {eq: "found"}}}) { totalCount } }`, nil).Works().Number("cases.totalCount")
}

func TestAValueThatComesBesideTheCasesIsFoundAllTheWhile(t *testing.T) {
	t.Parallel()
	const texts = `"A." %s "B." f1: String @filterable "C." f2: String @filterable "D." f3: String @filterable "E." f4: String @filterable "F." f5: String @filterable "G." f6: String @filterable`
	begin := func() *land {
		l := &land{house: &house{House: housetest.New(t)}}
		l.worker, l.shAdmin = l.As("kiel-caseworker"), l.As("sh-admin")
		l.sh = l.shAdmin.Ask(`{ tenant(slug: "sh") { id } }`, nil).Works().Text("tenant.id")
		l.activates("extend type Case { " + fmt.Sprintf(texts, "f0: String @filterable") + " }")
		l.knows(l.worker, "CaseExtension", "f6")
		c := l.As("kiel-applicant").Submit(parking, kiel)
		l.worker.Must("acceptCase", &c, map[string]any{"documentsComplete": true, "fileReference": "1"})
		l.worker.Must("setCaseExtension", &c, map[string]any{"extension": map[string]any{"f0": "gone", "f6": "found"}})
		if l.searched() != 1 || l.counts("select count(*) from cases where extension_1 like '%=gone' and concat(extension_2, extension_3, extension_4, extension_5, extension_6) = ''") != 1 {
			t.Error("it is not the value without a column that is searched for")
		}
		l.activates("extend type Case { " + fmt.Sprintf(texts, "g0: String") + " }")
		l.knows(l.shAdmin, "CaseExtension", "g0")
		return l
	}
	l := begin()
	if n := l.searched(); n != 1 {
		t.Errorf("%d are found before it stands beside the cases", n)
	}
	l.Clock.Forward(16 * time.Second)
	for end := time.Now().Add(20 * time.Second); l.counts("select count(*) from cases where extension_1 like '%=found'") != 1; {
		if _, err := l.Caretaker.Step(t.Context()); err != nil || time.Now().After(end) {
			t.Fatal("it never comes there", err)
		}
	}
	for end := time.Now().Add(2 * time.Second); time.Now().Before(end); { // the house comes to know of it meanwhile
		if n := l.searched(); n != 1 {
			t.Fatalf("%d are found where it stands beside the cases", n)
		}
	}
	// The twin: taken to be there before it is, it is not found.
	l = begin()
	if _, err := l.Database().Exec(t.Context(), "update extension_definitions set indexed_at = now() where state = 'ACTIVE'"); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(20 * time.Second); l.searched() == 1; {
		if time.Now().After(end) {
			t.Fatal("nobody would notice a column that is not filled")
		}
	}
}
