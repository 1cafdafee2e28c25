// SPDX-License-Identifier: EUPL-1.2

package casework_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/ozg-cloud/platform/casework"
	"github.com/ozg-cloud/platform/internal/housetest"
)

// oneWon says what is wrong when of many who changed a case at once not exactly one has done so and all others have learned its revision.
func oneWon(answers []housetest.Answer, revision int) (wrong error) {
	won := 0
	for _, a := range answers {
		switch p := a.Works().Problem(); {
		case p == nil:
			won++
		case p["__typename"] != "ConflictProblem" || p["rule"] != "staleRevision" || fmt.Sprint(p["currentRevision"]) != fmt.Sprint(revision):
			wrong = errors.Join(wrong, fmt.Errorf("told %v, not that the revision is %d", p, revision))
		}
	}
	if won != 1 {
		wrong = errors.Join(wrong, fmt.Errorf("%d of %d have won", won, len(answers)))
	}
	return wrong
}

func TestOfTwentyWhoChangeACaseAtOnceOneWins(t *testing.T) {
	t.Parallel()
	s := play(t)
	c := s.in(casework.InProgress)
	verbs := []string{"commentOnCase", "addFollowUp", "assignCase", "sendMessage", "askApplicant", "decideCase"}
	answers := make([]housetest.Answer, 20)
	for round := range 3 {
		seen := *c
		c = &housetest.Case{ID: c.ID, Revision: seen.Revision + 1}
		made := func() int {
			return one[int](s, `select (select count(*) from comments) + (select count(*) from follow_ups) + (select count(*) from assignments) + (select count(*) from messages)`)
		}
		before := made()
		queue(s, "cases", len(answers), func(i int) {
			verb := verbs[i%len(verbs)]
			if round > 0 {
				verb = "commentOnCase"
			}
			mine := seen
			answers[i] = s.caseworker.Do(verb, &mine, input[verb])
		})
		if err := oneWon(answers, c.Revision); err != nil {
			t.Error(err)
		}
		if n := made(); n > before+1 {
			t.Errorf("one has won, and %d things were made", n-before)
		}
		if err := whole(t, s.Database(), key(c.ID)); err != nil {
			t.Error(err)
		}
	}
	// One after the other, each with the revision that the one before has left, all win: the count can fail.
	for i := range answers {
		answers[i] = s.caseworker.Do("commentOnCase", c, input["commentOnCase"])
	}
	if oneWon(answers, c.Revision) == nil {
		t.Error("twenty winners are taken for one")
	}
}

func TestOneMessageAnsweredByManyAtOnceTakesEachUploadOnce(t *testing.T) {
	t.Parallel()
	s := play(t)
	c := s.in(casework.InProgress)
	m := s.caseworker.Must("askApplicant", c, input["askApplicant"]).Text("askApplicant.message.id")
	up := s.applicant.Upload("Nachweis.txt", []byte("Nachweis"))
	answers := make([]housetest.Answer, 10)
	queue(s, "cases", len(answers), func(i int) {
		answers[i] = s.applicant.Say("replyToMessage", map[string]any{"messageId": m, "subject": "Antwort", "body": "Anbei.", "uploadIds": []string{up}})
	})
	won := 0
	for _, a := range answers {
		if a.Works().Rule() == "" {
			won++
		} else if r := a.Rule(); r != "notFound" && r != "attachmentUsed" {
			t.Errorf("%s", a.Raw)
		}
	}
	if n := one[int](s, "select count(*) from attachments"); won != 1 || n != 1 {
		t.Errorf("%d answers took the upload, %d attachments", won, n)
	}
	if n := one[int](s, "select count(*) from messages where direction = 'FROM_APPLICANT'"); n != 1 {
		t.Errorf("%d answers", n)
	}
	if err := whole(t, s.Database(), key(c.ID)); err != nil {
		t.Error(err)
	}
}
