// SPDX-License-Identifier: EUPL-1.2

package demo_test

import (
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ozg-cloud/platform/casework"
	"github.com/ozg-cloud/platform/ent/schema"
	"github.com/ozg-cloud/platform/internal/demo"
	"github.com/ozg-cloud/platform/law"
)

// few are enough for every state.
const few = 2_000

func TestTheSameSeedGivesTheSameRowsAndAnotherSeedOthers(t *testing.T) {
	t.Parallel()
	one, other, third := house(t), house(t), house(t)
	seed(t, one, 400, 1)
	seed(t, other, 400, 1)
	seed(t, third, 400, 2)
	if d := differing(content(t, one), content(t, other)); d != nil {
		t.Errorf("the same seed gave other rows: %v", d)
	}
	all := []string{
		"announcements", "applicants", "assignments", "cases", "comments", "decisions", "events", "follow_ups", "history_events", "messages", "submissions",
	}
	if d := differing(content(t, one), content(t, third)); !slices.Equal(d, all) {
		t.Errorf("another seed gave other rows in %v alone", d)
	}
	if err := demo.Cases(context.Background(), one, 400, 1, until, nil); err == nil {
		t.Error("the same cases were stored twice")
	}
	seed(t, one, 400, 3) // others join them
	if n := ask[int](t, one, "select count(*) from cases"); n != 800 {
		t.Errorf("%d cases", n)
	}
}

func TestEachStateOccursWhateverTheSeed(t *testing.T) {
	t.Parallel()
	for s := range uint64(3) {
		conn := house(t)
		seed(t, conn, few, s)
		for _, state := range schema.CaseStates {
			if n := ask[int](t, conn, "select count(*) from cases where state = $1", state); n == 0 {
				t.Errorf("with seed %d no case is %s", s, state)
			}
		}
	}
}

func TestNothingIsStoredWhereTheWorldDoesNotLie(t *testing.T) {
	t.Parallel()
	conn := house(t)
	must(t, conn, "delete from connectors where subject = 'user:dev:gover-by'")
	if err := demo.Cases(context.Background(), conn, 10, 1, until, nil); err == nil {
		t.Error("cases were stored")
	}
	if n := ask[int](t, conn, "select count(*) from cases"); n != 0 {
		t.Errorf("%d cases", n)
	}
}

func TestProgressIsToldUpToTheLastCase(t *testing.T) {
	t.Parallel()
	var told []int
	conn := house(t)
	if err := demo.Cases(context.Background(), conn, 5_200, 1, until, func(done int) { told = append(told, done) }); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(told, []int{5_000, 5_200}) {
		t.Errorf("told of %v", told)
	}
}

// broken asks the database whether each foreign key and each check holds for the rows that are there.
func broken(t *testing.T, conn *pgx.Conn) []string {
	t.Helper()
	must(t, conn, "update pg_constraint set convalidated = false where contype in ('f', 'c') and connamespace = 'public'::regnamespace")
	var out []string
	for _, c := range list(t, conn, "select format('alter table %s validate constraint %I', conrelid::regclass, conname) from pg_constraint where not convalidated", pgx.RowTo[string]) {
		if _, err := conn.Exec(context.Background(), c); err != nil {
			out = append(out, err.Error())
		}
	}
	return out
}

func TestEveryForeignKeyAndCheckHolds(t *testing.T) {
	t.Parallel()
	conn := house(t)
	seed(t, conn, few, 1)
	for _, b := range broken(t, conn) {
		t.Error(b)
	}
	must(t, conn, `set session_replication_role = replica; update messages set case_id = gen_random_uuid() where id = (select id from messages limit 1);
		reset session_replication_role`)
	if len(broken(t, conn)) == 0 {
		t.Error("the twin, a message on a case that is not there, was not noticed")
	}
}

type line struct {
	Case           [16]byte
	Sequence       int
	At             time.Time
	Actor, Action  string
	From, To       string
	Reason         string
	Previous, Hash string
	Revision       int
	Head, State    string
	UpdatedAt      time.Time
}

// faults says what is wrong with the histories: seals, gaps, order, steps that casework does not draw, a case that says otherwise.
func faults(t *testing.T, conn *pgx.Conn) map[string]int {
	t.Helper()
	drawn := map[string]bool{}
	for _, w := range casework.Ways {
		for _, from := range w.From {
			for _, to := range w.To {
				drawn[string(from)+">"+string(to)] = true
			}
		}
	}
	lines := list(t, conn, `select h.case_id, h.sequence, h.at, h.actor, h.action, coalesce(h.from_state, ''), h.to_state, coalesce(h.reason, ''), h.previous_hash, h.hash,
		c.revision, c.history_head, c.state, c.updated_at from history_events h join cases c on c.id = h.case_id order by h.case_id, h.sequence`, pgx.RowToStructByPos[line])
	out := map[string]int{}
	var before line
	for i, l := range lines {
		if l.Case != before.Case {
			before = line{}
		}
		if l.Sequence != before.Sequence+1 {
			out["gap"]++
		}
		if l.At.Before(before.At) {
			out["backwards"]++
		}
		if l.From != before.To || l.From != l.To && l.From != "" && !drawn[l.From+">"+l.To] || l.From == "" && l.To != "NEW" {
			out["step "+l.From+">"+l.To]++
		}
		sealed := casework.Line{
			Case: l.Case, Sequence: l.Sequence, At: l.At, Actor: l.Actor, Action: casework.Action(l.Action), From: casework.State(l.From), To: casework.State(l.To), Reason: l.Reason,
		}
		if l.Previous != before.Hash || l.Hash != sealed.Hash(before.Hash) {
			out["seal"]++
		}
		if last := i == len(lines)-1 || lines[i+1].Case != l.Case; last && (l.Revision != l.Sequence || l.Head != l.Hash || l.State != l.To || !l.UpdatedAt.Equal(l.At)) {
			out["case"]++
		}
		before = l
	}
	if len(lines) == 0 {
		out["no lines"]++
	}
	return out
}

func TestTheHistoryOfEveryCaseIsWholeAndWalksDrawnWays(t *testing.T) {
	t.Parallel()
	conn := house(t)
	seed(t, conn, few, 1)
	if f := faults(t, conn); len(f) > 0 {
		t.Errorf("%v", f)
	}
	for _, twin := range []struct{ fault, want string }{
		{"update history_events set actor = overlay(actor placing '!' from 9) where sequence = 2", "seal"},
		{"update history_events set reason = reason || ' ' where reason is not null", "seal"},
		{"update history_events set to_state = 'CLOSED' where sequence = 1", "step >CLOSED"},
		{"update history_events set at = at - interval '9 years' where sequence = 2", "backwards"},
		{"update cases set revision = revision + 1", "case"},
		{"delete from events where sequence = 2; delete from history_events where sequence = 2", "gap"},
	} {
		must(t, conn, "begin; "+twin.fault)
		if faults(t, conn)[twin.want] == 0 {
			t.Errorf("%s was not noticed", twin.fault)
		}
		must(t, conn, "rollback")
	}
}

// Invariants, each as the question for rows that break it, and the fault that makes such a row.
var invariants = []struct{ name, exceptions, twin string }{
	{"each line has one event, in the same order", `
		select from history_events h full join events e using (tenant_id, case_id, sequence)
		where h.id is null or e.id is null or e.type <> h.action or e.at <> h.at or e.revision <> h.sequence
		union all select from events a join events b using (case_id) where a.sequence < b.sequence and (a.xid, a.seq) > (b.xid, b.seq)`,
		"update events set type = 'CASE_OPENED' where sequence = 2"},
	{"everything that hangs on a case has its tenant and place", `
		select from cases c join messages m on m.case_id = c.id where (m.tenant_id, m.place) <> (c.tenant_id, c.place)
		union all select from cases c join tenants t on t.id = c.tenant_id where c.place <> t.place or t.kind <> 'AUTHORITY'`,
		"set session_replication_role = replica; update messages set place = place + 1 where id = (select id from messages limit 1)"},
	{"a case belongs to an offering of its authority", `
		select from cases c where not exists (select from service_offerings o where (o.tenant_id, o.service_id, o.unit_id) = (c.tenant_id, c.service_id, c.unit_id))`,
		"update cases set service_id = (select service_id from service_offerings o where o.tenant_id <> cases.tenant_id and o.unit_id <> cases.unit_id and o.service_id <> cases.service_id limit 1)"},
	{"of an erased case nothing personal is left", `
		select from cases c where state = 'ERASED' and (owner is not null
			or exists (select from applicants x where x.case_id = c.id) or exists (select from submissions x where x.case_id = c.id)
			or exists (select from messages x where x.case_id = c.id) or exists (select from decisions x where x.case_id = c.id)
			or exists (select from comments x where x.case_id = c.id) or exists (select from follow_ups x where x.case_id = c.id))`,
		"update cases set owner = 'user:dev:kiel-applicant' where state = 'ERASED'"},
	{"every other case has an applicant and a submission", `
		select from cases c where state <> 'ERASED' and not (exists (select from applicants x where x.case_id = c.id) and exists (select from submissions x where x.case_id = c.id))`,
		"delete from applicants"},
	{"what is decided has a decision with its announcement", `
		select from cases c where state in ('DECIDED', 'CLOSED') and not exists (select from decisions d join announcements a on a.decision_id = d.id where d.case_id = c.id and d.sent_at = c.decided_at)`,
		"delete from announcements"},
	{"a decision needs a reason unless everything is granted", `select from decisions where outcome <> 'GRANTED' and reason is null`,
		"update decisions set reason = null"},
	{"a decision after the first replaces the one before", `
		select from (select replaces_id, lag(id) over (partition by case_id order by sent_at, id) before from decisions) d where replaces_id is distinct from before`,
		"update decisions set replaces_id = null"},
	{"an answer answers a message to the applicant that may be answered", `
		select from messages a left join messages q on q.id = a.in_reply_to_id
		where (a.direction = 'FROM_APPLICANT') <> (a.in_reply_to_id is not null) or a.in_reply_to_id is not null and (q.direction <> 'TO_APPLICANT' or q.reply_policy = 'FORBIDDEN' or q.sent_at > a.sent_at)`,
		"update messages set reply_policy = 'FORBIDDEN'"},
	{"a message is provided before it is opened, and opened only by somebody who signs in here", `
		select from messages m join cases c on c.id = m.case_id where m.opened_at is not null and (m.opened_at < m.provided_at or m.provided_at is null or c.owner is null)
		union all select from messages where (delivery_state = 'PROVIDED') <> (provided_at is not null)`,
		"update messages set provided_at = null"},
	{"a case has at most six messages, as sure as the case itself", `
		select from messages m join cases c on c.id = m.case_id group by c.id having count(*) > 6 or bool_or(m.trust_level <> c.trust_level)`,
		"update messages set trust_level = 'HIGH'"},
	{"only a caseworker of the authority is assigned", `
		select from assignments a where not exists (select from role_assignments r where r.tenant_id = a.tenant_id and r.subject = a.assignee and r.role = 'CASEWORKER')`,
		"update assignments set assignee = 'user:dev:kiel-applicant'"},
	{"whoever works on a case has a role for it", `
		select from history_events h join cases c on c.id = h.case_id where h.actor not in ('system:relay', coalesce(c.owner, h.actor))
		and h.action not like 'FORWARDING%' and not exists (select from role_assignments r join tenants t on t.id = r.tenant_id
			where r.subject = h.actor and c.place between t.place and t.place_end and (r.unit_id is null or c.unit_id = r.unit_id
				or c.unit_id in (select id from organisational_units u where u.parent_id = r.unit_id)))`,
		"delete from role_assignments where role = 'MAIL_ROOM'"},
	{"kiel-applicant has cases in Kiel alone, and reads what belongs to them", `
		select from cases c join tenants t on t.id = c.tenant_id where c.owner = 'user:dev:kiel-applicant' and (t.slug <> 'kiel' or c.trust_level = 'HIGH')`,
		"update cases set owner = 'user:dev:kiel-applicant' where owner is not null"},
	{"nothing happens before the case came in or after now", `
		select from history_events h join cases c on c.id = h.case_id where h.at < c.received_at or h.at > '2026-11-20 15:00Z'
		union all select from messages where greatest(sent_at, provided_at, opened_at) > '2026-11-20 15:00Z'`,
		"update messages set opened_at = '2026-11-20 15:01Z'"},
	{"a follow-up is not due before it is written", `select from follow_ups where due_on < (created_at at time zone 'Europe/Berlin')::date or done_at < created_at`,
		"update follow_ups set due_on = created_at::date - 1"},
	{"ids are UUIDv7 of their time", `
		select from cases where substr(id::text, 15, 1) <> '7' or ('x' || translate(substr(id::text, 1, 13), '-', ''))::bit(48)::bigint <> floor(extract(epoch from received_at) * 1000)
		union all select from messages where substr(id::text, 15, 1) <> '7' or ('x' || translate(substr(id::text, 1, 13), '-', ''))::bit(48)::bigint <> floor(extract(epoch from sent_at) * 1000)`,
		"update cases set received_at = received_at + interval '1 second'"},
}

func TestEveryInvariantOfACaseHolds(t *testing.T) {
	t.Parallel()
	conn := house(t)
	seed(t, conn, few, 1)
	for _, i := range invariants {
		question := "select count(*) from (" + i.exceptions + ") x"
		if n := ask[int](t, conn, question); n > 0 {
			t.Errorf("%s: %d exceptions", i.name, n)
		}
		must(t, conn, "begin; "+i.twin)
		if ask[int](t, conn, question) == 0 {
			t.Errorf("%s: the twin was not noticed", i.name)
		}
		must(t, conn, "rollback; reset session_replication_role")
	}
}

func TestNumbersDatesAndDeadlinesAreThoseOfTheDesk(t *testing.T) {
	t.Parallel()
	conn := house(t)
	seed(t, conn, few, 1)
	type file struct {
		ID       [16]byte
		Number   string
		Received time.Time
		Complete *time.Time
		Due      *time.Time
		Days     *int
		Fiction  bool
	}
	due := 0
	for _, f := range list(t, conn, `select c.id, c.number, c.received_at, c.complete_at, c.due_at, s.deadline_days, s.fiction_of_approval
		from cases c join services s on s.id = c.service_id`, pgx.RowToStructByPos[file]) {
		if n := casework.Number(f.ID, f.Received); n != f.Number {
			t.Fatalf("%s has the number %s", n, f.Number)
		}
		var want *time.Time
		if f.Complete != nil {
			want = law.Due(*f.Complete, f.Days, f.Fiction)
			due++
		}
		if (want == nil) != (f.Due == nil) || want != nil && !want.Equal(*f.Due) {
			t.Fatalf("%s is due %v, not %v", f.Number, f.Due, want)
		}
	}
	type announced struct {
		Land                          string
		Channel                       string
		Sent                          time.Time
		Provided, Notified, Retrieved *time.Time
		Rule                          string
		On                            *time.Time
		Why                           []schema.ExplanationStep
	}
	rules := map[string]int{}
	for _, a := range list(t, conn, `select substr(t.regional_key, 1, 2), a.channel, a.sent_at, a.provided_at, a.notified_at, a.first_retrieved_at, a.rule, a.announced_on, a.explanation
		from announcements a join tenants t on t.id = a.tenant_id`, pgx.RowToStructByPos[announced]) {
		want := law.Announce(a.Land, law.Facts{Channel: law.Channel(a.Channel), SentAt: a.Sent, ProvidedAt: a.Provided, NotifiedAt: a.Notified, FirstRetrievedAt: a.Retrieved})
		said, err := json.Marshal(a.Why)
		if err != nil {
			t.Fatal(err)
		}
		if a.Rule != want.Rule || (a.On == nil) != (want.On == nil) || a.On != nil && !a.On.Equal(*want.On) || len(a.Why) != len(want.Steps) {
			t.Fatalf("%+v is announced %v by %s: %s", a, want.On, want.Rule, said)
		}
		rules[a.Rule]++
	}
	if due == 0 || len(rules) < 5 {
		t.Errorf("%d deadlines and the rules %v are too few to prove it", due, rules)
	}
}

func TestAFormHasAboutTwentyFourFields(t *testing.T) {
	t.Parallel()
	conn := house(t)
	seed(t, conn, 500, 1)
	for _, data := range list(t, conn, "select form_data from submissions", pgx.RowTo[[]schema.FormItem]) {
		fields := 0
		for _, group := range data {
			for _, f := range group.Items {
				fields++
				given := 0
				for _, v := range []any{f.String, f.Number, f.Date, f.Boolean} {
					if !reflect.ValueOf(v).IsNil() {
						given++
					}
				}
				if f.Name == "" || f.Label == "" || given != 1 {
					t.Fatalf("%s has %d values", f.Name, given)
				}
			}
		}
		if fields < 22 || fields > 26 {
			t.Fatalf("%d fields", fields)
		}
	}
}

func TestCasesAreSkewedAsInRealAuthorities(t *testing.T) {
	t.Parallel()
	conn := house(t)
	seed(t, conn, 10_000, 1)
	between := func(name string, question string, lo, hi float64) {
		t.Helper()
		got := ask[float64](t, conn, "select ("+question+")::float8")
		if testing.Verbose() {
			t.Logf("%s: %.3f", name, got)
		}
		if got < lo || got > hi {
			t.Errorf("%s: %.3f, not between %.3f and %.3f", name, got, lo, hi)
		}
	}
	between("share of Kiel", "select avg((t.slug = 'kiel')::int) from cases c join tenants t on t.id = c.tenant_id", 0.25, 0.4)
	between("share of the smallest half", `select sum(n) / 10000 from (select n from (select t.id, count(c.id) n from tenants t left join cases c on c.tenant_id = t.id
		where t.kind = 'AUTHORITY' group by t.id) x order by n limit 22) y`, 0.05, 0.3)
	between("share of the most wanted service", "select max(n) / 10000.0 from (select count(*) n from cases group by service_id) x", 0.1, 0.3)
	between("messages for each case", "select (select count(*) from messages)::float8 / count(*) from cases where state <> 'ERASED'", 2.8, 3.3)
	between("share of the last four weeks", "select avg((received_at > '2026-10-23')::int) from cases", 0.2, 0.5)
	between("share on working days from 8 to 18", `select avg((extract(isodow from l) < 6 and extract(hour from l) between 8 and 17)::int)
		from (select received_at at time zone 'Europe/Berlin' l from cases) x`, 0.85, 0.97)
	between("share that is closed among the old", "select avg((state in ('CLOSED', 'TO_BE_DELETED', 'ERASED', 'DISCARDED'))::int) from cases where received_at < '2026-01-01'", 0.9, 0.99)
	between("share that is under way among the new", "select avg((state in ('NEW', 'ACCEPTED', 'IN_PROGRESS', 'WAITING_FOR_APPLICANT'))::int) from cases where received_at > '2026-11-13'", 0.5, 1)
	between("cases of kiel-applicant", "select count(*) from cases where owner = 'user:dev:kiel-applicant'", 10, 45)
}
