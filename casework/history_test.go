// SPDX-License-Identifier: EUPL-1.2

package casework_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"github.com/ozg-cloud/platform/casework"
	"github.com/ozg-cloud/platform/internal/housetest"
)

// asker is what a question can be asked of: a connection, or a transaction in which a fault was seeded.
type asker interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// written is a line of history as it is stored, with its event where there is one.
type written struct {
	Sequence                        int
	At                              time.Time
	Actor, Action, From, To, Reason string
	Previous, Hash                  string
	EventSequence, EventRevision    *int
	EventType                       *string
	EventAt                         *time.Time
}

// filed is the row of a case.
type filed struct {
	State                     string
	Revision, Events, Decided int
	Head                      string
	UpdatedAt                 time.Time
}

func rowsOf[T any](t testing.TB, db asker, question string, args ...any) []T {
	t.Helper()
	rows, err := db.Query(t.Context(), question, args...)
	if err != nil {
		t.Fatal(err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowToStructByPos[T])
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// whole says what is wrong with what was written down of a case.
func whole(t testing.TB, db asker, id uuid.UUID) (wrong error) {
	t.Helper()
	fault := func(format string, args ...any) { wrong = errors.Join(wrong, fmt.Errorf(format, args...)) }
	file := rowsOf[filed](t, db, `select state, revision, (select count(*) from events where case_id = c.id),
		(select count(*) from decisions where case_id = c.id), history_head, updated_at from cases c where id = $1`, id)[0]
	lines := rowsOf[written](t, db, `select h.sequence, h.at, actor, action, coalesce(from_state, ''), to_state, coalesce(reason, ''), previous_hash, hash,
		e.sequence, e.revision, e.type, e.at from history_events h left join events e on e.case_id = h.case_id and e.sequence = h.sequence
		where h.case_id = $1 order by h.sequence`, id)
	if file.Revision != len(lines) || file.Revision != file.Events {
		fault("revision %d, %d lines of history, %d events", file.Revision, len(lines), file.Events)
	}
	before, state, at := casework.NoHash, casework.State(""), time.Time{}
	for i, l := range lines {
		line := casework.Line{
			Case: id, Sequence: l.Sequence, At: l.At, Actor: l.Actor, Action: casework.Action(l.Action),
			From: casework.State(l.From), To: casework.State(l.To), Reason: l.Reason,
		}
		switch {
		case l.Sequence != i+1:
			fault("line %d has the number %d", i+1, l.Sequence)
		case l.Previous != before || l.Hash != line.Hash(before):
			fault("the chain breaks at line %d", l.Sequence)
		case line.From != state || line.At.Before(at):
			fault("line %d does not follow on the one before", l.Sequence)
		case i > 0 && line.From != line.To && !way(line.From, line.To):
			fault("there is no way from %s to %s", line.From, line.To)
		case l.EventSequence == nil || *l.EventRevision != l.Sequence || *l.EventType != l.Action || !l.EventAt.Equal(l.At):
			fault("line %d has no event of its own", l.Sequence)
		}
		before, state, at = l.Hash, line.To, line.At
	}
	if file.Head != before || file.State != string(state) || !file.UpdatedAt.Equal(at) {
		fault("the case is not where its history ends")
	}
	if file.Decided == 0 && (state == casework.Decided || state == casework.Closed) {
		fault("a case is decided without a decision")
	}
	return wrong
}

func way(from, to casework.State) bool {
	return slices.ContainsFunc(casework.Ways, func(w casework.Way) bool { return slices.Contains(w.From, from) && slices.Contains(w.To, to) })
}

// walk is a case on its way through the hands of people who do what comes to their minds.
type walk struct {
	*scene
	people              []*housetest.Caller
	c                   *housetest.Case
	messages, followUps []string
}

// step lets somebody do something and fails when the revision did not rise exactly when it worked.
func (w *walk) step(rt *rapid.T) {
	state := casework.State(one[string](w.scene, "select state from cases where id = $1", key(w.c.ID)))
	verbs := append(slices.Sorted(maps.Keys(taken)), "openMessage")
	for verb, t := range taken { // more often what is possible, so that walks go far
		if slices.ContainsFunc(casework.Ways, func(w casework.Way) bool { return w.Transition == t && slices.Contains(w.From, state) }) {
			verbs = append(verbs, verb, verb, verb, verb)
		}
	}
	slices.Sort(verbs)
	verb := rapid.SampledFrom(verbs).Draw(rt, "verb")
	who := rapid.SampledFrom(w.people).Draw(rt, "who")
	seen := *w.c
	if rapid.IntRange(0, 9).Draw(rt, "outdated") == 0 {
		seen.Revision--
	}
	some := func(ids []string) string {
		if len(ids) == 0 {
			return w.c.ID
		}
		return rapid.SampledFrom(ids).Draw(rt, "which")
	}
	var a housetest.Answer
	switch verb {
	case "replyToMessage":
		a = who.Say(verb, map[string]any{"messageId": some(w.messages), "subject": "Antwort", "body": "Anbei."})
	case "openMessage":
		a = who.Say(verb, map[string]any{"messageId": some(w.messages)})
	case "completeFollowUp":
		a = who.Do(verb, &seen, map[string]any{"followUpId": some(w.followUps)})
	default:
		a = who.Do(verb, &seen, input[verb])
	}
	worked := !a.Unknown() && a.Works().Rule() == "" // not everybody knows every verb
	revision := one[int](w.scene, "select revision from cases where id = $1", key(w.c.ID))
	if revision != w.c.Revision && !worked || revision > w.c.Revision+1 || revision == w.c.Revision && worked && verb != "openMessage" {
		rt.Fatalf("%s by %s: revision %d became %d: %s", verb, who.Name, w.c.Revision, revision, a.Raw)
	}
	w.c.Revision = revision
	if m := a.Text(verb + ".message.id"); m != "" {
		w.messages = append(w.messages, m)
	}
	if f := a.Text(verb + ".followUp.id"); f != "" {
		w.followUps = append(w.followUps, f)
	}
}

func TestEveryChangeRaisesTheRevisionAndWritesOneEvent(t *testing.T) {
	t.Parallel()
	s := play(t)
	people := []*housetest.Caller{
		s.caseworker, s.caseworker, s.applicant, s.mailroom, s.As("kiel-admin"), s.As("luebeck-caseworker"), s.As("partner"), s.Give("ordnungsamt", "CASEWORKER", "kiel", "32"),
	}
	conn := s.Database()
	reached := map[string]bool{}
	rapid.Check(t, func(rt *rapid.T) {
		c := s.applicant.Submit(parking, kiel)
		w := &walk{scene: s, people: people, c: &c}
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			w.step(rt)
		}
		if err := whole(t, conn, key(c.ID)); err != nil {
			rt.Fatal(err)
		}
		for _, state := range one[[]string](s, "select array_agg(distinct to_state) from history_events where case_id = $1", key(c.ID)) {
			reached[state] = true
		}
	})
	if len(reached) < 5 {
		t.Errorf("the walks have only led to %v", slices.Sorted(maps.Keys(reached)))
	}
}

func TestABreakInTheHistoryIsFound(t *testing.T) {
	t.Parallel()
	s := play(t)
	c := s.in(casework.Closed)
	id := key(c.ID)
	conn := s.Database()
	if err := whole(t, conn, id); err != nil {
		t.Fatal(err)
	}
	// Whoever changes a line and seals it again breaks the chain at the next one.
	second := rowsOf[written](t, conn, `select sequence, at, actor, action, from_state, to_state, '', previous_hash, hash, null, null, null, null from history_events where case_id = $1 and sequence = 2`, id)[0]
	forged := casework.Line{Case: id, Sequence: 2, At: second.At, Actor: "user:dev:somebody", Action: casework.Action(second.Action), From: casework.State(second.From), To: casework.State(second.To)}
	for name, fault := range map[string]string{
		"another actor":             "update history_events set actor = 'user:dev:somebody' where sequence = 2",
		"a reason more":             "update history_events set reason = 'x' where sequence = 2",
		"a microsecond":             "update history_events set at = at + interval '1 microsecond' where sequence = 2; update events set at = at + interval '1 microsecond' where sequence = 2",
		"another action":            "update history_events set action = 'CASE_DISCARDED' where sequence = 2; update events set type = 'CASE_DISCARDED' where sequence = 2",
		"a line sealed again":       fmt.Sprintf("update history_events set actor = '%s', hash = '%s' where sequence = 2", forged.Actor, forged.Hash(second.Previous)),
		"no event":                  "delete from events where sequence = 2",
		"another event":             "update events set type = 'CASE_CLOSED' where sequence = 2",
		"the last line is gone":     "delete from events where sequence = 5; delete from history_events where sequence = 5",
		"it is gone, and counted":   "delete from events where sequence = 5; delete from history_events where sequence = 5; update cases set revision = 4",
		"a line between is gone":    "delete from events where sequence = 3; delete from history_events where sequence = 3",
		"a revision more":           "update cases set revision = revision + 1",
		"another state":             "update cases set state = 'DECIDED'",
		"another end":               "update cases set history_head = repeat('0', 64)",
		"a decision that went away": "delete from announcements; delete from decisions",
	} {
		tx, err := conn.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(t.Context(), fault); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if whole(t, tx, id) == nil {
			t.Errorf("%s is not found", name)
		}
		if err := tx.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestEveryFieldOfALineIsSealed(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 29, 1, 0, 0, 123456000, time.UTC)
	line := casework.Line{Case: uuid.UUID{1}, Sequence: 2, At: at, Actor: "ab", Action: "cd", From: "ef", To: "gh", Reason: "ij"}
	sealed := map[string]string{}
	add := func(name string, change func(*casework.Line), before string) {
		l := line
		change(&l)
		h := l.Hash(before)
		if other, ok := sealed[h]; ok {
			t.Errorf("%s and %s have the same seal", name, other)
		}
		sealed[h] = name
	}
	add("nothing", func(*casework.Line) {}, "0")
	add("the hash before", func(*casework.Line) {}, "1")
	add("the case", func(l *casework.Line) { l.Case[15]++ }, "0")
	add("the number", func(l *casework.Line) { l.Sequence++ }, "0")
	add("the time", func(l *casework.Line) { l.At = l.At.Add(time.Microsecond) }, "0")
	add("the actor", func(l *casework.Line) { l.Actor = "aB" }, "0")
	add("the action", func(l *casework.Line) { l.Action = "cD" }, "0")
	add("the state before", func(l *casework.Line) { l.From = "eF" }, "0")
	add("the state after", func(l *casework.Line) { l.To = "gH" }, "0")
	add("the reason", func(l *casework.Line) { l.Reason = "iJ" }, "0")
	add("a letter from action to actor", func(l *casework.Line) { l.Actor, l.Action = "abc", "d" }, "0")
	add("a letter from actor to action", func(l *casework.Line) { l.Actor, l.Action = "a", "bcd" }, "0")
	add("a state from before to after", func(l *casework.Line) { l.From, l.To = "", "efgh" }, "0")
	berlin := line
	berlin.At = at.In(time.FixedZone("CEST", 7200))
	if berlin.Hash("0") != line.Hash("0") {
		t.Error("the same instant on another clock has another seal")
	}
	if h := line.Hash(""); len(h) != 64 || strings.Trim(h, "0123456789abcdef") != "" {
		t.Errorf("%q is no SHA-256 in hex", h)
	}
}
