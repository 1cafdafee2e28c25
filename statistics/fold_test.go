// SPDX-License-Identifier: EUPL-1.2

package statistics_test

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent/store"
	"github.com/ozg-cloud/platform/internal/housetest"
	"github.com/ozg-cloud/platform/statistics"
)

// A life of a house is counted after each of so many rounds.
var (
	lives  = flag.Int("lives", 2, "how many random lives of a house are counted")
	rounds = flag.Int("rounds", 4, "how many rounds a random life has")
)

var berlin, _ = time.LoadLocation("Europe/Berlin")

// ledger is a house whose cases are changed past its desks, and the tallies that count them.
type ledger struct {
	*housetest.House
	db     *pgx.Conn
	chance *rand.Rand
	now    time.Time
	keys   *statistics.Keys
	books  *store.Store
	at     string        // the address of its database for serving
	pace   time.Duration // time between two changes, at most
	erase  int           // how many cases may still be erased
}

func newLedger(t testing.TB, seed uint64, cases int) *ledger {
	t.Helper()
	h := housetest.New(t)
	l := &ledger{House: h, db: h.Database(), chance: rand.New(rand.NewPCG(seed, 1)), now: h.Clock.Now().UTC().Truncate(time.Microsecond)}
	var inward []byte
	if err := l.db.QueryRow(t.Context(), "select inward from statistics_secret").Scan(&inward); err != nil {
		t.Fatal(err)
	}
	for i := range inward {
		inward[i] ^= 0x36
	}
	l.keys = statistics.NewKeys(inward)
	h.Seed(cases, seed)
	_, address := h.Login("in role ozg_serving")
	var err error
	l.at, l.pace, l.erase = address, 72*time.Hour, cases/2
	l.books, err = openBooks(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.books.Close)
	l.exec("set session_replication_role = replica")
	return l
}

// openBooks opens a database as serving does.
func openBooks(ctx context.Context, address string) (*store.Store, error) {
	return store.Open(ctx, address, store.Options{Scope: func(ctx context.Context) (store.Scope, error) {
		p, err := authz.From(ctx)
		if err != nil {
			return store.Scope{}, err
		}
		s := p.Scope()
		return store.Scope{Lo: int64(s.Lo), Hi: int64(s.Hi), Owner: s.Owner}, nil
	}})
}

func (l *ledger) tally(books statistics.Books) *statistics.Tally {
	return statistics.NewTally(l.books.Reading, books, func() time.Time { return l.now }, slog.New(slog.DiscardHandler))
}

func (l *ledger) exec(statement string, args ...any) {
	l.Helper()
	if _, err := l.db.Exec(l.Context(), statement, args...); err != nil {
		l.Fatalf("%s: %v", statement, err)
	}
}

// line writes a line of history and its event, and the case's new state and revision.
func (l *ledger) line(id uuid.UUID, action, state string) {
	l.exec(`with k as (update cases set state = $2, revision = revision + 1, updated_at = $4 where id = $1 returning *),
		h as (insert into history_events (id, tenant_id, place, case_id, sequence, at, actor, action, to_state, previous_hash, hash)
			select gen_random_uuid(), tenant_id, place, id, revision, $4, 'user:dev:somebody', $3, state, '', gen_random_uuid()::text from k)
		insert into events (id, tenant_id, place, type, case_id, sequence, revision, at)
			select gen_random_uuid(), tenant_id, place, $3, id, revision, revision, $4 from k`, id, state, action, l.now)
}

// change does something to a case that can happen to one, or a correction.
func (l *ledger) change(id uuid.UUID) {
	l.now = l.now.Add(time.Duration(l.chance.Int64N(int64(l.pace))).Truncate(time.Minute))
	var state string
	if err := l.db.QueryRow(l.Context(), "select state from cases where id = $1", id).Scan(&state); err != nil {
		l.Fatal(err)
	}
	decide := func() {
		outcome := outcomes[l.chance.IntN(4)]
		channel := []string{"PORTAL", "POST", "ELECTRONIC"}[l.chance.IntN(3)]
		l.exec(`with d as (insert into decisions (id, tenant_id, place, case_id, outcome, message_id, author, sent_at)
				select gen_random_uuid(), tenant_id, place, id, $2, gen_random_uuid(), 'user:dev:somebody', $3 from cases where id = $1 returning *)
			insert into announcements (id, tenant_id, place, case_id, decision_id, channel, sent_at, rule, explanation)
				select gen_random_uuid(), tenant_id, place, case_id, id, $4, $3, 'test', '{}' from d`, id, outcome, l.now, channel)
		l.exec("update cases set decided_at = coalesce(decided_at, $2) where id = $1", id, l.now)
		l.line(id, "CASE_DECIDED", "DECIDED")
	}
	switch n := l.chance.IntN(13); {
	case n == 10 && (l.erase == 0 || l.chance.IntN(4) > 0):
		l.line(id, "FOLLOW_UP_ADDED", state)
	case state == "ERASED": // nothing happens to it any more
	case n < 2:
		l.line(id, "COMMENT_ADDED", state)
	case n == 2:
		l.line(id, "CASE_ACCEPTED", "ACCEPTED")
	case n == 3:
		l.line(id, "APPLICANT_ASKED", "WAITING_FOR_APPLICANT")
	case n == 4:
		l.line(id, "MESSAGE_REFUSED", state)
	case n < 7:
		decide()
	case n == 7:
		l.line(id, "CASE_DISCARDED", "DISCARDED")
	case n == 8:
		l.line(id, "CASE_RESTORED", "NEW")
	case n == 9: // corrected: it came through another door, on another day, for another service, and is due later
		l.exec(`update cases set channel = case channel when 'PORTAL' then 'FORM_SERVER' else 'PORTAL' end, received_at = received_at - interval '3 days',
			service_id = (select id from services order by leika_key offset $2 limit 1), due_at = $3 where id = $1`, id, l.chance.IntN(10), l.now.AddDate(0, 0, l.chance.IntN(60)-30))
		l.line(id, "CASE_ASSIGNED", state)
	case n == 11:
		l.fill(id)
		l.line(id, "EXTENSION_CHANGED", state)
	case n == 12: // a definition has changed, of which no event tells
		l.fill(id)
		l.exec("select ozg_count_again(array[$1::uuid])", id)
	case n == 10:
		l.erase--
		l.exec("delete from extension_entries where target_id = $1", id)
		l.line(id, "COMMENT_ADDED", "ERASED")
	}
}

// fill gives a case other values of extension fields, or none: an enumeration, a boolean, a number, and a text that is not counted.
func (l *ledger) fill(id uuid.UUID) {
	l.exec("delete from extension_entries where target_id = $1", id)
	entry := func(field int64, text, number, counted any) {
		if l.chance.IntN(4) > 0 {
			l.exec(`insert into extension_entries (id, tenant_id, place, case_id, target_id, field, text, number, counted)
				select gen_random_uuid(), tenant_id, place, id, id, $2, $3, $4, $5 from cases where id = $1`, id, field, text, number, counted)
		}
	}
	entry(1, []string{"NEUBAU", "UMBAU", "ANBAU"}[l.chance.IntN(3)], nil, "VALUE")
	entry(2, nil, l.chance.IntN(2), "VALUE")
	entry(3, nil, float64(l.chance.IntN(1000))/4, "SUM")
	entry(4, "something", nil, nil)
}

// folds counts everything there is. Transactions of other databases of the cluster hold the end of the log up for a moment.
func (l *ledger) folds() {
	l.Helper()
	for left := true; left; {
		for more := true; more; {
			var err error
			if more, err = l.tally(l.books.Writing).Fold(l.Context()); err != nil {
				l.Fatal(err)
			}
		}
		err := l.db.QueryRow(l.Context(), "select exists (select from events e, statistics_offset o where o.answers and (e.xid, e.seq) > (o.xid, o.seq)) from pg_sleep(0.002)").Scan(&left)
		if err != nil {
			l.Fatal(err)
		}
	}
}

// told is where a cell stands.
type told struct {
	level, population, shape, detail int
	lo                               int64
	period                           string
	service                          uuid.UUID
	field                            int64 // of cells of an extension field, with its value
	value                            string
}

// The numbers that migration 0007 gives populations and shapes.
const (
	ofReceived = 1 + iota
	ofActed
	ofDecided
	ofDigital
	ofOpen
	ofOverdue
	ofAsked
	ofFailed

	byMonth = iota - 8
	byMarks
	byBin
	byDay
	atPresent
	byState
)

// cells are those that are stored.
func (l *ledger) cells() map[told]statistics.Cell {
	l.Helper()
	rows, err := l.db.Query(l.Context(), "select level, lo, population, shape, period::text, service_id, detail, n, k from statistics_cells where n <> 0 and generation = (select generation from statistics_offset where answers)")
	if err != nil {
		l.Fatal(err)
	}
	out := map[told]statistics.Cell{}
	var at told
	var c statistics.Cell
	if _, err := pgx.ForEachRow(rows, []any{&at.level, &at.lo, &at.population, &at.shape, &at.period, &at.service, &at.detail, &c.N, &c.K}, func() error {
		out[at] = c
		return nil
	}); err != nil {
		l.Fatal(err)
	}
	// Cells of fields have no keys: in their place stands what is summed, in quarters.
	rows, err = l.db.Query(l.Context(), `select level, lo, population, shape, period::text, service_id, detail, field, value, n, (total * 4)::bigint from statistics_field_cells
		where (n <> 0 or total <> 0) and generation = (select generation from statistics_offset where answers)`)
	if err != nil {
		l.Fatal(err)
	}
	if _, err := pgx.ForEachRow(rows, []any{&at.level, &at.lo, &at.population, &at.shape, &at.period, &at.service, &at.detail, &at.field, &at.value, &c.N, &c.K}, func() error {
		out[at] = c
		return nil
	}); err != nil {
		l.Fatal(err)
	}
	return out
}

var (
	states     = []string{"NEW", "ACCEPTED", "IN_PROGRESS", "WAITING_FOR_APPLICANT", "FORWARDED", "DECIDED", "CLOSED", "DISCARDED", "TO_BE_DELETED", "ERASED"}
	openStates = states[:5]
	outcomes   = []string{"GRANTED", "PARTLY_GRANTED", "REJECTED", "OTHER"}
)

// counted are the cells that counting the cases one by one gives: the oracle, which knows neither facts nor the log.
func (l *ledger) counted() map[told]statistics.Cell {
	l.Helper()
	type step struct {
		at            time.Time
		action, state string
	}
	type file struct {
		id, service                    uuid.UUID
		place                          int64
		state, channel, trust, outcome string
		received                       time.Time
		due                            *time.Time
		post                           bool
		steps                          []step
		fields                         map[told]statistics.Cell // field and value, and what is summed in quarters
	}
	files := map[uuid.UUID]*file{}
	rows, err := l.db.Query(l.Context(), `select k.id, k.place, k.service_id, k.state, k.channel, k.trust_level, k.received_at, k.due_at,
		coalesce((select outcome from decisions d where d.case_id = k.id order by sent_at desc, id desc limit 1), ''),
		exists (select from announcements a where a.case_id = k.id and a.channel = 'POST') from cases k`)
	if err != nil {
		l.Fatal(err)
	}
	var f file
	if _, err := pgx.ForEachRow(rows, []any{&f.id, &f.place, &f.service, &f.state, &f.channel, &f.trust, &f.received, &f.due, &f.outcome, &f.post}, func() error {
		kept := f
		if f.due != nil {
			due := *f.due
			kept.due = &due
		}
		files[f.id] = &kept
		return nil
	}); err != nil {
		l.Fatal(err)
	}
	if rows, err = l.db.Query(l.Context(), "select case_id, at, action, to_state from history_events order by case_id, sequence"); err != nil {
		l.Fatal(err)
	}
	var id uuid.UUID
	var s step
	if _, err := pgx.ForEachRow(rows, []any{&id, &s.at, &s.action, &s.state}, func() error {
		files[id].steps = append(files[id].steps, s)
		return nil
	}); err != nil {
		l.Fatal(err)
	}
	if rows, err = l.db.Query(l.Context(), `select case_id, field, case counted when 'SUM' then '' else coalesce(text, case number when 1 then 'true' else 'false' end) end,
		case counted when 'SUM' then (number * 4)::bigint else 0 end from extension_entries where counted is not null`); err != nil {
		l.Fatal(err)
	}
	var with told
	var sum int64
	if _, err := pgx.ForEachRow(rows, []any{&id, &with.field, &with.value, &sum}, func() error {
		if f := files[id]; f.fields == nil {
			f.fields = map[told]statistics.Cell{}
		}
		files[id].fields[with] = statistics.Cell{N: 1, K: sum}
		return nil
	}); err != nil {
		l.Fatal(err)
	}
	out := map[told]statistics.Cell{}
	for _, f := range files {
		record := l.keys.Record(f.id)
		add := func(population, shape int, period string, detail int) {
			for level, width := range []int64{1, 10_000_000_000, 10_000_000_000_000, 1_000_000_000_000_000} {
				at := told{level: level, population: population, shape: shape, detail: detail, lo: f.place / width * width, period: period, service: f.service}
				out[at] = out[at].Plus(record)
				for with, c := range f.fields {
					if shape != byMarks && shape != byBin && shape != atPresent {
						continue
					}
					at.field, at.value = with.field, with.value
					out[at] = statistics.Cell{N: out[at].N + c.N, K: out[at].K + c.K}
				}
			}
		}
		state, due := f.state, f.due
		marks := func(state string) int {
			return 1 + slices.Index(states, state) + 16*(1+slices.Index([]string{"FORM_SERVER", "PORTAL"}, f.channel)) +
				64*(1+slices.Index([]string{"BASIC", "SUBSTANTIAL", "HIGH"}, f.trust)) + 256*(1+slices.Index(outcomes, f.outcome))
		}
		flow := func(population int, at time.Time, lasted bool) {
			first := at.In(berlin).Format("2006-01") + "-01"
			add(population, byMonth, first, 0)
			add(population, byMarks, first, marks(state))
			add(population, byState, first, 1+slices.Index(states, state))
			add(population, byDay, at.In(berlin).Format(time.DateOnly), 0)
			if lasted {
				add(population, byBin, first, statistics.BinOf(at.Sub(f.received)))
			}
		}
		first := func(actions ...string) (time.Time, bool) {
			for _, s := range f.steps {
				if slices.Contains(actions, s.action) {
					return s.at, true
				}
			}
			return time.Time{}, false
		}
		flow(ofReceived, f.received, false)
		if at, ok := first("CASE_ACCEPTED", "CASE_DISCARDED", "CASE_STARTED", "CASE_ASSIGNED", "COMMENT_ADDED", "FOLLOW_UP_ADDED", "APPLICANT_ASKED", "MESSAGE_SENT", "CASE_DECIDED"); ok {
			flow(ofActed, at, true)
		}
		if at, ok := first("CASE_DECIDED"); ok {
			flow(ofDecided, at, true)
			if !f.post {
				flow(ofDigital, at, false)
			}
		}
		if at, ok := first("APPLICANT_ASKED"); ok {
			flow(ofAsked, at, false)
		}
		if at, ok := first("MESSAGE_REFUSED"); ok {
			flow(ofFailed, at, false)
		}
		// At the end of each month that is over: the state in which the last line before has left it.
		begin := f.steps[0].at.In(berlin)
		for from := time.Date(begin.Year(), begin.Month(), 1, 0, 0, 0, 0, berlin); ; from = from.AddDate(0, 1, 0) {
			end := from.AddDate(0, 1, 0)
			if end.After(l.now) {
				break
			}
			in := ""
			for _, s := range f.steps {
				if s.at.Before(end) {
					in = s.state
				}
			}
			if !slices.Contains(openStates, in) {
				continue
			}
			period := from.Format(time.DateOnly)
			add(ofOpen, byMonth, period, 0)
			add(ofOpen, byMarks, period, marks(in))
			add(ofOpen, byState, period, 1+slices.Index(states, in))
			add(ofOpen, byBin, period, statistics.BinOf(end.Sub(f.received)))
			if due != nil && due.Before(end) {
				add(ofOverdue, byMonth, period, 0)
				add(ofOverdue, byMarks, period, marks(in))
				add(ofOverdue, byState, period, 1+slices.Index(states, in))
			}
		}
		if slices.Contains(openStates, state) {
			add(ofOpen, atPresent, f.received.In(berlin).Format(time.DateOnly), marks(state))
			if due != nil {
				add(ofOverdue, atPresent, due.In(berlin).Format(time.DateOnly), marks(state))
			}
		}
	}
	return out
}

// differences tells where cells differ.
func differences(got, want map[told]statistics.Cell) (out []string) {
	for at := range maps.Keys(want) {
		if got[at] != want[at] {
			out = append(out, fmt.Sprintf("%+v: %+v instead of %+v", at, got[at], want[at]))
		}
	}
	for at, c := range got {
		if _, ok := want[at]; !ok {
			out = append(out, fmt.Sprintf("%+v: %+v instead of nothing", at, c))
		}
	}
	slices.Sort(out)
	return out
}

func (l *ledger) agrees(when string) bool {
	l.Helper()
	wrong := differences(l.cells(), l.counted())
	for _, w := range wrong[:min(len(wrong), 5)] {
		l.Errorf("%s: %s", when, w)
	}
	return len(wrong) == 0
}

func (l *ledger) cases() []uuid.UUID {
	l.Helper()
	rows, err := l.db.Query(l.Context(), "select id from cases order by id")
	if err != nil {
		l.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		l.Fatal(err)
	}
	return all
}

func TestCellsAreWhatCountingTheCasesGives(t *testing.T) {
	t.Parallel()
	for history := range *lives {
		t.Run(strconv.Itoa(history), func(t *testing.T) {
			t.Parallel()
			l := newLedger(t, uint64(history)+1, 80)
			all := l.cases()
			changes := 40
			if *rounds > 10 { // of a long life each round is shorter, so that it is not one of centuries
				changes, l.pace = 12, 20*time.Hour
			}
			for round := range *rounds {
				for range changes {
					l.change(all[l.chance.IntN(len(all))])
				}
				if round == 2 { // a month ends
					l.now = l.now.AddDate(0, 1, 3)
				}
				if round%3 == 1 { // what was told already is told again
					l.exec(`update statistics_offset o set xid = e.xid, seq = e.seq
						from (select xid, seq from events order by xid, seq offset $1 limit 1) e where o.answers and (e.xid, e.seq) < (o.xid, o.seq)`, l.chance.IntN(200))
				}
				// Two replicas count at the same time, and each breaks off at some moment.
				var wait sync.WaitGroup
				for range 2 {
					broken, stop := context.WithTimeout(t.Context(), time.Duration(l.chance.IntN(60))*time.Millisecond)
					wait.Go(func() {
						defer stop()
						for more := true; more; {
							var err error
							if more, err = l.tally(l.books.Writing).Fold(broken); err != nil {
								return // what was begun has to be as if it had never been
							}
						}
					})
				}
				wait.Wait()
				l.folds()
				if !l.agrees(fmt.Sprintf("in round %d", round)) {
					return
				}
			}
			for _, keeping := range []int{1_000_000, 1 + l.chance.IntN(3_000)} {
				if err := l.tally(l.books.Writing).Keeping(keeping).Rebuild(t.Context(), func(int) {}); err != nil {
					t.Fatal(err)
				}
				l.agrees(fmt.Sprintf("counted anew, keeping %d cells in memory", keeping))
			}
			// What was counted anew is taken back like anything else.
			for range 40 {
				l.change(all[l.chance.IntN(len(all))])
			}
			l.folds()
			l.agrees("after it was counted anew")
		})
	}
}

func TestCountingAnewGivesTheSameCells(t *testing.T) {
	t.Parallel()
	l := newLedger(t, 7, 300)
	l.folds()
	before := l.cells()
	l.exec("update statistics_cells set n = n + 1 where level = 2")
	l.exec("delete from statistics_facts where get_byte(uuid_send(case_id), 15) < 100")
	if wrong := differences(l.cells(), before); len(wrong) == 0 {
		t.Fatal("nothing was spoilt")
	}
	stopped, stop := context.WithCancel(t.Context())
	if err := l.tally(l.books.Writing).Rebuild(stopped, func(int) { stop() }); err == nil {
		t.Fatal("it was not broken off")
	}
	if len(differences(l.cells(), before)) == 0 {
		t.Fatal("what was broken off has changed something")
	}
	if err := l.tally(l.books.Writing).Rebuild(t.Context(), func(int) {}); err != nil {
		t.Fatal(err)
	}
	if wrong := differences(l.cells(), before); len(wrong) > 0 {
		t.Errorf("%d cells differ, the first: %s", len(wrong), wrong[0])
	}
}

// A message, a comment or a follow-up counts the first time, for when somebody first dealt with the case; after that nothing is counted for it. The twin takes
// the first for a later one.
func TestThatSomebodyDealsWithACaseCountsTheFirstTime(t *testing.T) {
	t.Parallel()
	touch := func(l *ledger) {
		for _, id := range l.cases() {
			l.now = l.now.Add(time.Minute)
			l.line(id, touches[l.chance.IntN(len(touches))], l.state(id))
		}
		l.folds()
	}
	l := newLedger(t, 11, 60)
	touch(l)
	l.agrees("after the first time")
	l.exec(`create or replace function ozg_count(into_generation integer, ids uuid[], present timestamptz, bounds bigint[]) returns void language plpgsql
		as $$ begin raise exception 'what had been counted is counted again'; end $$`)
	touch(l)
	faulty := newLedger(t, 12, 60)
	var text string
	if err := faulty.db.QueryRow(t.Context(), "select pg_get_functiondef(oid) from pg_proc where proname = 'ozg_fold'").Scan(&text); err != nil {
		t.Fatal(err)
	}
	wrong := strings.ReplaceAll(text, "f.acted_at is not null and", "")
	if wrong == text {
		t.Fatal("the twin has no fault")
	}
	faulty.exec(wrong)
	faulty.folds()
	touch(faulty)
	if len(differences(faulty.cells(), faulty.counted())) == 0 {
		t.Error("a first time that is not counted goes unnoticed: the test is of no use")
	}
}

var touches = []string{"MESSAGE_SENT", "COMMENT_ADDED", "FOLLOW_UP_ADDED"}

func (l *ledger) state(id uuid.UUID) (state string) {
	l.Helper()
	if err := l.db.QueryRow(l.Context(), "select state from cases where id = $1", id).Scan(&state); err != nil {
		l.Fatal(err)
	}
	return state
}
