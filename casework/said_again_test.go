// SPDX-License-Identifier: EUPL-1.2

package casework_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/casework"
	"github.com/ozg-cloud/platform/internal/housetest"
)

// under says a verb under a key.
func under(who *housetest.Caller, key, verb string, in map[string]any) housetest.Answer {
	document := strings.Replace(housetest.Mutation(verb), "(input: $in)", "(input: $in) @idempotent(key: $key)", 1)
	return who.Ask(strings.Replace(document, "mutation(", "mutation($key: String!, ", 1), map[string]any{"in": in, "key": key})
}

func on(c *housetest.Case, verb string) map[string]any {
	return with(verb, map[string]any{"caseId": c.ID, "expectedRevision": c.Revision})
}

func TestAVerbSaidAgainUnderItsKeyIsCarriedOutOnceAndAnsweredAlike(t *testing.T) {
	t.Parallel()
	s := play(t)
	done := func() string {
		return one[string](s, `select concat_ws(' ', (select count(*) from history_events), (select count(*) from messages), (select count(*) from comments),
			(select count(*) from follow_ups), (select count(*) from decisions), (select sum(revision) from cases))`)
	}
	type said struct {
		who  *housetest.Caller
		verb string
		in   map[string]any
	}
	var all []said
	for verb, state := range map[string]casework.State{
		"acceptCase": casework.New, "discardCase": casework.New, "restoreCase": casework.Discarded, "startCase": casework.Accepted,
		"assignCase": casework.InProgress, "commentOnCase": casework.InProgress, "addFollowUp": casework.InProgress, "askApplicant": casework.InProgress,
		"decideCase": casework.InProgress, "closeCase": casework.Decided, "reopenCase": casework.Closed,
	} {
		all = append(all, said{s.caseworker, verb, on(s.in(state), verb)})
	}
	c := s.in(casework.InProgress)
	all = append(all, said{s.applicant, "replyToMessage", map[string]any{"messageId": s.message(c, "POSSIBLE"), "subject": "Antwort", "body": "Anbei."}})
	all = append(all, said{s.applicant, "openMessage", map[string]any{"messageId": s.message(c, "POSSIBLE")}})
	c = s.in(casework.InProgress)
	followUp := s.caseworker.Must("addFollowUp", c, input["addFollowUp"]).Text("addFollowUp.followUp.id")
	all = append(all, said{s.caseworker, "completeFollowUp", map[string]any{"caseId": c.ID, "expectedRevision": c.Revision, "followUpId": followUp}})
	c = s.in(casework.InProgress)
	all = append(all, said{s.caseworker, "sendMessage", with("sendMessage", map[string]any{"caseId": c.ID, "expectedRevision": c.Revision, "replyPolicy": "POSSIBLE"})})

	for i, v := range all {
		key := fmt.Sprintf("%s %d", v.verb, i)
		first := under(v.who, key, v.verb, v.in).Works()
		if first.Rule() != "" {
			t.Errorf("%s: %s", v.verb, first.Raw)
			continue
		}
		after := done()
		if again := under(v.who, key, v.verb, v.in).Works(); !bytes.Equal(again.Raw, first.Raw) {
			t.Errorf("%s is answered %s, and then %s", v.verb, first.Raw, again.Raw)
		}
		if now := done(); now != after {
			t.Errorf("%s was carried out again: %s, and then %s", v.verb, after, now)
		}
		// The twin: under another key it is something else, and noticed.
		if v.verb != "openMessage" {
			if other := under(v.who, key+"!", v.verb, v.in).Works(); bytes.Equal(other.Raw, first.Raw) {
				t.Errorf("nobody would notice that %s was carried out again", v.verb)
			}
		}
	}
}

func TestAKeyUsedForSomethingElseIsAConflict(t *testing.T) {
	t.Parallel()
	s := play(t)
	c := s.in(casework.InProgress)
	in := on(c, "commentOnCase")
	if rule := under(s.caseworker, "k", "commentOnCase", in).Works().Rule(); rule != "" {
		t.Fatal(rule)
	}
	in["body"] = "Etwas anderes."
	if p := under(s.caseworker, "k", "commentOnCase", in).Wants("keyReused"); p["code"] != "IDEMPOTENCY_CONFLICT" {
		t.Error(p)
	}
	c.Revision++
	under(s.caseworker, "k", "closeCase", on(c, "closeCase")).Wants("keyReused")
	if n := one[int](s, "select count(*) from comments"); n != 1 {
		t.Errorf("%d comments", n)
	}
	// It concerns nobody else.
	if rule := under(s.As("kiel-mailroom"), "k", "commentOnCase", on(c, "commentOnCase")).Works().Rule(); rule == "keyReused" {
		t.Error("a key is taken from somebody else")
	}
}

func TestTheSameSaidTwentyTimesAtOnceHappensOnce(t *testing.T) {
	t.Parallel()
	s := play(t)
	c := s.in(casework.InProgress)
	round := 0
	check := func() error {
		round++
		in := map[string]any{"messageId": s.message(c, "POSSIBLE"), "subject": "Antwort", "body": "Anbei."}
		answers := make([]housetest.Answer, 20)
		queue(s, "cases", len(answers), func(i int) { answers[i] = under(s.applicant, fmt.Sprint("at once ", round), "replyToMessage", in) })
		var wrong error
		for _, a := range answers {
			if a.Text("replyToMessage.message.id") == "" || a.Text("replyToMessage.message.id") != answers[0].Text("replyToMessage.message.id") {
				wrong = errors.Join(wrong, fmt.Errorf("answered %s and %s", answers[0].Raw, a.Raw))
			}
		}
		c.Revision = one[int](s, "select revision from cases where id = $1", key(c.ID))
		return wrong
	}
	if err := check(); err != nil {
		t.Error(err)
	}
	if n := one[int](s, "select count(*) from messages where direction = 'FROM_APPLICANT'"); n != 1 {
		t.Errorf("%d replies", n)
	}
	// The twin: without the register's unique key, more than one gets through.
	s.exec("alter table idempotency_keys drop constraint idempotency_keys_subject_key_key")
	if check() == nil {
		t.Error("nobody would notice that the same happens more than once")
	}
}

func TestWhatIsSaidAgainIsAnsweredUnderPresentRights(t *testing.T) {
	t.Parallel()
	s := play(t)
	guest := s.Give("guest", authz.Role("CASEWORKER"), "kiel", "")
	c := s.in(casework.InProgress)
	in := on(c, "commentOnCase")
	if under(guest, "k", "commentOnCase", in).Works().Text("commentOnCase.case.id") == "" {
		t.Fatal("nothing is shown")
	}
	s.exec("delete from role_assignments where subject = 'user:dev:guest'")
	if a := under(guest, "k", "commentOnCase", in); strings.Contains(string(a.Raw), c.ID) {
		t.Errorf("a case is still shown: %s", a.Raw)
	}
}

func TestAKeyIsForgottenAfterADay(t *testing.T) {
	t.Parallel()
	s := play(t)
	c := s.in(casework.InProgress)
	say := func() housetest.Answer {
		return under(s.caseworker, "k", "commentOnCase", on(c, "commentOnCase")).Works()
	}
	first := say().Text("commentOnCase.comment.id")
	s.Clock.Forward(24*time.Hour - time.Minute)
	if say().Text("commentOnCase.comment.id") != first {
		t.Error("it was forgotten earlier")
	}
	s.Clock.Forward(time.Minute)
	c.Revision++
	if second := say().Text("commentOnCase.comment.id"); second == "" || second == first {
		t.Error("it is still remembered")
	}
	s.Clock.Forward(24 * time.Hour)
	if err := s.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := one[int](s, "select count(*) from idempotency_keys where key like 'mutation:%'"); n != 0 {
		t.Errorf("%d lines are still there", n)
	}
	if n := one[int](s, "select count(*) from idempotency_keys"); n == 0 {
		t.Error("submissions are forgotten")
	}
}

// headed asks with the header Idempotency-Key.
func headed(s *scene, who *housetest.Caller, document string, variables map[string]any, keys ...string) housetest.Answer {
	s.Helper()
	body, err := json.Marshal(map[string]any{"query": document, "variables": variables})
	if err != nil {
		s.Fatal(err)
	}
	r := s.Request(http.MethodPost, "/graphql")
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	r.Header.Set("Content-Type", "application/json")
	for _, k := range keys {
		r.Header.Add("Idempotency-Key", k)
	}
	return who.Send(r)
}

func TestTheHeaderSpeaksForEachVerbOfARequest(t *testing.T) {
	t.Parallel()
	s := play(t)
	c := s.in(casework.InProgress)
	document := `mutation($a: CommentOnCaseInput!, $b: CommentOnCaseInput!) {
		one: commentOnCase(input: $a) { comment { id } problems { ... on Problem { type } } }
		two: commentOnCase(input: $b) { comment { id } problems { ... on Problem { type } } } }`
	a := on(c, "commentOnCase")
	b := with("commentOnCase", map[string]any{"caseId": c.ID, "expectedRevision": c.Revision + 1})
	both := map[string]any{"a": a, "b": b}
	first := headed(s, s.caseworker, document, both, "k").Works()
	if again := headed(s, s.caseworker, document, both, "k").Works(); !bytes.Equal(first.Raw, again.Raw) || first.Text("two.comment.id") == "" {
		t.Errorf("%s, and then %s", first.Raw, again.Raw)
	}
	if n := one[int](s, "select count(*) from comments"); n != 2 {
		t.Errorf("%d comments", n)
	}
	for name, keys := range map[string][]string{"long": {strings.Repeat("k", 201)}, "not ASCII": {"schlüssel"}, "two": {"a", "b"}} {
		if got := headed(s, s.caseworker, document, both, keys...); len(got.Errors) == 0 || got.Errors[0].Extensions["code"] != "VALIDATION" {
			t.Errorf("%s: %s", name, got.Raw)
		}
	}
	if got := under(s.caseworker, "", "commentOnCase", a); len(got.Errors) == 0 {
		t.Errorf("no key at all is taken: %s", got.Raw)
	}
	if got := headed(s, s.caseworker, housetest.Mutation("commentOnCase"), map[string]any{"in": with("commentOnCase", map[string]any{"caseId": c.ID, "expectedRevision": c.Revision + 2})}, strings.Repeat("~", 200)); got.Works().Rule() != "" {
		t.Errorf("%s", got.Raw)
	}
}
