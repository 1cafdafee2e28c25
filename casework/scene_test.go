// SPDX-License-Identifier: EUPL-1.2

package casework_test

import (
	"fmt"
	"maps"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/ozg-cloud/platform/casework"
	"github.com/ozg-cloud/platform/ent/catalog"
	"github.com/ozg-cloud/platform/internal/housetest"
	"github.com/ozg-cloud/platform/schema"
)

// Bewohnerparkausweis and Wohngeld, which needs a better sign-in; where they are asked for.
const (
	parking = "99108001001000"
	housing = "99107023017001"
	kiel    = "010020000000"
	luebeck = "010030000000"
)

// scene is a house with those who play in most scenes.
type scene struct {
	*housetest.House
	applicant, mailroom, caseworker *housetest.Caller

	database *pgx.Conn
}

func play(t testing.TB) *scene {
	t.Helper()
	h := housetest.New(t)
	return &scene{h, h.As("kiel-applicant"), h.As("kiel-mailroom"), h.As("kiel-caseworker"), h.Database()}
}

// input is what a verb needs beside the case.
var input = map[string]map[string]any{
	"acceptCase":    {"documentsComplete": true},
	"discardCase":   {"reason": "Doppelt eingereicht."},
	"assignCase":    {"assignee": "user:dev:kiel-caseworker"},
	"commentOnCase": {"body": "Rücksprache halten."},
	"addFollowUp":   {"dueOn": "9000-01-01", "note": "Nachfragen."},
	"askApplicant":  {"subject": "Nachweis", "body": "Bitte senden Sie den Nachweis."},
	"sendMessage":   {"subject": "Eingang", "body": "Ihr Antrag ist da."},
	"decideCase":    {"outcome": "GRANTED"},
	"reopenCase":    {"reason": "Widerspruch."},
	"restoreCase":   {"reason": "War doch ein Antrag."},
}

func with(verb string, more map[string]any) map[string]any {
	out := map[string]any{}
	maps.Copy(out, input[verb])
	maps.Copy(out, more)
	return out
}

// ways lead from a new case to each state that verbs lead to.
var ways = map[casework.State][]string{
	casework.New:                 {},
	casework.Accepted:            {"acceptCase"},
	casework.InProgress:          {"acceptCase", "startCase"},
	casework.WaitingForApplicant: {"acceptCase", "startCase", "askApplicant"},
	casework.Decided:             {"acceptCase", "startCase", "decideCase"},
	casework.Closed:              {"acceptCase", "startCase", "decideCase", "closeCase"},
	casework.Discarded:           {"discardCase"},
}

// in is a case of Kiel in a state. Into a state that no verb leads to it is put past the desk.
func (s *scene) in(state casework.State) *housetest.Case {
	s.Helper()
	c := s.applicant.Submit(parking, kiel)
	return s.into(state, &c)
}

// into takes a new case to a state.
func (s *scene) into(state casework.State, c *housetest.Case) *housetest.Case {
	s.Helper()
	verbs, ok := ways[state]
	if !ok {
		s.exec("update cases set state = $2 where id = $1", key(c.ID), string(state))
	}
	for _, v := range verbs {
		s.caseworker.Must(v, c, input[v])
	}
	return c
}

// message is a message to the applicant that may be answered.
func (s *scene) message(c *housetest.Case, policy string) string {
	s.Helper()
	return s.caseworker.Must("sendMessage", c, with("sendMessage", map[string]any{"replyPolicy": policy})).Text("sendMessage.message.id")
}

func (s *scene) reply(to string) housetest.Answer {
	s.Helper()
	return s.applicant.Say("replyToMessage", map[string]any{"messageId": to, "subject": "Antwort", "body": "Anbei."})
}

func (s *scene) open(message string) housetest.Answer {
	s.Helper()
	return s.applicant.Say("openMessage", map[string]any{"messageId": message})
}

// look reads a case as somebody. what is the selection.
func (s *scene) look(who *housetest.Caller, c *housetest.Case, what string) housetest.Answer {
	s.Helper()
	return who.Ask(`query($id: ID!) { case(id: $id) { `+what+` } }`, map[string]any{"id": c.ID}).Works()
}

// exec changes the house past its walls.
func (s *scene) exec(statement string, args ...any) {
	s.Helper()
	if _, err := s.database.Exec(s.Context(), statement, args...); err != nil {
		s.Fatal(err)
	}
}

// one asks the database for one value, past its walls.
func one[T any](s *scene, question string, args ...any) (out T) {
	s.Helper()
	if err := s.database.QueryRow(s.Context(), question, args...).Scan(&out); err != nil {
		s.Fatalf("%s: %v", question, err)
	}
	return out
}

// key is the row's id in a global id.
func key(global string) uuid.UUID {
	_, id, ok := schema.ParseID(global)
	if !ok {
		panic("not a global id: " + global)
	}
	return id
}

// is compares what was found at paths with what is wanted.
func is(t testing.TB, a housetest.Answer, want map[string]any) {
	t.Helper()
	for path, w := range want {
		if got := a.At(path); fmt.Sprint(got) != fmt.Sprint(w) {
			t.Errorf("%s is %v, not %v: %s", path, got, w, a.Raw)
		}
	}
}

// schemaID is the global id of a thing.
func schemaID(typ, id string) string {
	return schema.ID(catalog.Types[typ].Number, uuid.MustParse(id))
}

// same fails unless nothing was stored between two looks.
func same(t testing.TB, before, after map[string]string) {
	t.Helper()
	for table, was := range before {
		if after[table] != was {
			t.Errorf("%s had %s, and has %s", table, was, after[table])
		}
	}
}
