// SPDX-License-Identifier: EUPL-1.2

package casework_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/casework"
	"github.com/ozg-cloud/platform/ent"
	"github.com/ozg-cloud/platform/ent/store"
	"github.com/ozg-cloud/platform/internal/housetest"
	"github.com/ozg-cloud/platform/internal/problem"
)

// relay is a desk beside the house's own, and the relay in front of it.
func (s *scene) relay() (*casework.Desk, context.Context) {
	s.Helper()
	opened, err := store.Open(s.Context(), s.Serving().Config().ConnString(), store.Options{Scope: func(ctx context.Context) (store.Scope, error) {
		p, err := authz.From(ctx)
		if err != nil {
			return store.Scope{}, err
		}
		at := p.Scope()
		return store.Scope{Lo: int64(at.Lo), Hi: int64(at.Hi), Owner: at.Owner}, nil
	}})
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(opened.Close)
	return casework.NewDesk(ent.NewClient(ent.Driver(opened.Writing)), s.Clock.Now), authz.With(s.Context(), authz.System(authz.Relay))
}

// elsewhere is a case that is worked on, of somebody with a mailbox elsewhere.
func (s *scene) elsewhere(kind, address string) *housetest.Case {
	s.Helper()
	c := s.in(casework.InProgress)
	s.exec("update applicants set mailbox_kind = $2, mailbox_address = $3 where case_id = $1", key(c.ID), kind, address)
	s.exec("update cases set owner = null where id = $1", key(c.ID))
	return c
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// all takes all letters of a kind off the desk, page by page.
func all(t testing.TB, ctx context.Context, d *casework.Desk, kind string, page int) (out []casework.Letter) {
	t.Helper()
	var after casework.Letter
	for {
		got, err := d.Letters(ctx, kind, after, page)
		must(t, err)
		if len(got) == 0 {
			return out
		}
		out = append(out, got...)
		after = got[len(got)-1]
	}
}

func TestALetterSaysWhatTheMailboxHasToKnow(t *testing.T) {
	t.Parallel()
	s := play(t)
	desk, relay := s.relay()
	c := s.elsewhere("OSI", "bk-4711")
	sent := s.caseworker.Must("sendMessage", c, map[string]any{
		"subject": "Eingang", "body": "Ihr Antrag ist da.", "replyPolicy": "POSSIBLE",
		"uploadIds": []string{s.caseworker.Upload("Merkblatt.txt", []byte("Parken")), s.caseworker.Upload("Gebühren.txt", []byte("30 Euro"))},
	}).Text("sendMessage.message.id")
	got := all(t, relay, desk, "OSI", 10)
	if len(got) != 1 {
		t.Fatalf("%d letters", len(got))
	}
	l := got[0]
	if l.Message != key(sent) || l.Case != key(c.ID) || l.MailboxKind != "OSI" || l.MailboxAddress != "bk-4711" || l.Subject != "Eingang" ||
		l.Body != "Ihr Antrag ist da." || l.ReplyPolicy != "POSSIBLE" || l.TrustLevel == "" || time.Since(l.SentAt) > time.Minute {
		t.Errorf("got %+v", l)
	}
	if len(l.Attachments) != 2 || l.Attachments[0].Name != "Merkblatt.txt" || l.Attachments[1].Name != "Gebühren.txt" || l.Attachments[1].Size != 7 {
		t.Errorf("attached is %v", l.Attachments)
	}
}

func TestLettersComeOldestFirstEachOnceAndForTheirKindOnly(t *testing.T) {
	t.Parallel()
	s := play(t)
	desk, relay := s.relay()
	osi, bayern := s.elsewhere("OSI", "bk-1"), s.elsewhere("BAYERN_ID", "by-1")
	own := s.in(casework.InProgress)
	var want []uuid.UUID
	for range 7 {
		want = append(want, key(s.message(osi, "POSSIBLE")))
		s.message(bayern, "POSSIBLE")
		s.message(own, "POSSIBLE") // is there already
	}
	s.exec("update messages set sent_at = $1 where case_id = $2", s.Clock.Now(), key(osi.ID)) // all at the same instant
	for _, page := range []int{1, 2, 3, 7, 100} {
		var have []uuid.UUID
		for _, l := range all(t, relay, desk, "OSI", page) {
			have = append(have, l.Message)
		}
		if !slices.Equal(have, want) {
			t.Errorf("%d by %d: %v, not %v", page, page, have, want)
		}
	}
	if n := len(all(t, relay, desk, "BAYERN_ID", 3)); n != 7 {
		t.Errorf("%d letters for the other mailbox", n)
	}
	s.exec("update applicants set mailbox_address = null where case_id = $1", key(bayern.ID))
	if n := len(all(t, relay, desk, "BAYERN_ID", 3)); n != 0 {
		t.Errorf("%d letters to nowhere", n)
	}
}

func TestALetterWithMalwareStaysHere(t *testing.T) {
	t.Parallel()
	s := play(t)
	desk, relay := s.relay()
	c := s.elsewhere("OSI", "bk-1")
	s.caseworker.Must("sendMessage", c, with("sendMessage", map[string]any{"replyPolicy": "FORBIDDEN", "uploadIds": []string{s.caseworker.Upload("a.txt", []byte("a"))}}))
	clean := s.message(c, "FORBIDDEN")
	if n := len(all(t, relay, desk, "OSI", 10)); n != 2 {
		t.Fatalf("%d letters", n)
	}
	s.exec("update attachments set scan_state = 'INFECTED' where message_id is not null")
	if got := all(t, relay, desk, "OSI", 10); len(got) != 1 || got[0].Message != key(clean) {
		t.Errorf("%d letters", len(got))
	}
}

func TestNobodyButTheRelayCarriesLetters(t *testing.T) {
	t.Parallel()
	s := play(t)
	desk, relay := s.relay()
	message := key(s.message(s.elsewhere("OSI", "bk-1"), "POSSIBLE"))
	policy, err := authz.NewPolicy()
	must(t, err)
	everywhere := func(role authz.Role) *authz.Principal {
		return policy.Principal("user:dev:somebody", authz.High, []authz.Assignment{{Role: role, Tenant: authz.TenantRef{Kind: authz.Federation}}})
	}
	others := []*authz.Principal{authz.System(authz.Doorkeeping), authz.System(authz.Sweeping)}
	for _, role := range policy.Roles() {
		others = append(others, everywhere(role))
	}
	before := s.Stored()
	now := s.Clock.Now()
	for _, p := range others {
		ctx := authz.With(s.Context(), p)
		if got, err := desk.Letters(ctx, "OSI", casework.Letter{}, 10); len(got) > 0 || err != nil {
			t.Errorf("%s %v gets %d letters: %v", p.Subject, p.Assignments, len(got), err)
		}
		for verb, err := range map[string]error{"provide": desk.Provided(ctx, message, now, now), "refuse": desk.Refused(ctx, message)} {
			if q, ok := problem.Of(err); !ok || q.Kind != problem.Missing && q.Kind != problem.Forbidden {
				t.Errorf("%s %v may %s: %v", p.Subject, p.Assignments, verb, err)
			}
		}
	}
	same(t, before, s.Stored())
	if _, err := desk.Letters(s.Context(), "OSI", casework.Letter{}, 10); !errors.Is(err, &problem.Problem{Kind: problem.Unauthenticated}) {
		t.Errorf("nobody gets: %v", err)
	}
	must(t, desk.Provided(relay, message, now, now)) // it was possible all the time
	if err := desk.Provided(relay, uuid.New(), now, now); !errors.Is(err, &problem.Problem{Kind: problem.Missing}) {
		t.Errorf("a message that never was: %v", err)
	}
}

func TestADecisionInAMailboxElsewhereIsAnnouncedWhenItHasBeenProvided(t *testing.T) {
	t.Parallel()
	s := play(t)
	desk, relay := s.relay()
	c := s.elsewhere("OSI", "bk-1")
	s.caseworker.Must("decideCase", c, input["decideCase"])
	seen := `revision state messages(last: 1) { nodes { deliveryState providedAt } }
		decisions(last: 1) { nodes { announcement { announcedOn rule providedAt notifiedAt explanation { de } } } } history(last: 1) { nodes { action actor sequence } }`
	is(t, s.look(s.caseworker, c, seen), map[string]any{
		"case.messages.nodes.0.deliveryState": "PENDING", "case.messages.nodes.0.providedAt": nil,
		"case.decisions.nodes.0.announcement.announcedOn": nil, "case.history.nodes.0.action": "CASE_DECIDED",
	})
	s.caseworker.Must("closeCase", c, nil) // what happens outside happens to a closed case, too
	letter := all(t, relay, desk, "OSI", 10)[0]
	provided := letter.SentAt.Add(30 * time.Minute)
	must(t, desk.Provided(relay, letter.Message, provided, provided.Add(time.Minute)))
	berlin, err := time.LoadLocation("Europe/Berlin")
	must(t, err)
	after := s.look(s.caseworker, c, seen)
	is(t, after, map[string]any{
		"case.revision": c.Revision + 1, "case.state": "CLOSED",
		"case.messages.nodes.0.deliveryState": "PROVIDED", "case.messages.nodes.0.providedAt": provided.Format(time.RFC3339Nano),
		"case.decisions.nodes.0.announcement.announcedOn": provided.In(berlin).AddDate(0, 0, 3).Format(time.DateOnly),
		"case.decisions.nodes.0.announcement.rule":        "ozg-9-1",
		"case.decisions.nodes.0.announcement.notifiedAt":  provided.Add(time.Minute).Format(time.RFC3339Nano),
		"case.history.nodes.0.action":                     "MESSAGE_PROVIDED", "case.history.nodes.0.actor": "system:relay",
		"case.history.nodes.0.sequence": c.Revision + 1,
	})
	if n := one[int](s, "select count(*) from events where case_id = $1 and type = 'MESSAGE_PROVIDED' and subject_id = $2", key(c.ID), letter.Message); n != 1 {
		t.Errorf("%d events", n)
	}

	before := s.Stored()
	must(t, desk.Provided(relay, letter.Message, provided.Add(48*time.Hour), provided.Add(48*time.Hour)))
	must(t, desk.Refused(relay, letter.Message))
	same(t, before, s.Stored())
	if n := len(all(t, relay, desk, "OSI", 10)); n != 0 {
		t.Errorf("%d letters still wait", n)
	}
}

func TestAMailboxAddsNothingToADecisionByPost(t *testing.T) {
	t.Parallel()
	s := play(t)
	desk, relay := s.relay()
	c := s.elsewhere("OSI", "bk-1")
	s.caseworker.Must("decideCase", c, with("decideCase", map[string]any{"channel": "POST"}))
	seen := "decisions(last: 1) { nodes { announcement { announcedOn rule providedAt notifiedAt } } }"
	before := s.look(s.caseworker, c, seen)
	now := s.Clock.Now()
	must(t, desk.Provided(relay, all(t, relay, desk, "OSI", 10)[0].Message, now, now))
	after := s.look(s.caseworker, c, seen)
	if before.Text("case.decisions.nodes.0.announcement.announcedOn") == "" || string(before.Raw) != string(after.Raw) {
		t.Errorf("%s became %s", before.Raw, after.Raw)
	}
}

func TestARefusedMessageHasFailedUntilItIsProvidedAfterAll(t *testing.T) {
	t.Parallel()
	s := play(t)
	desk, relay := s.relay()
	c := s.elsewhere("OSI", "bk-1")
	message := key(s.message(c, "POSSIBLE"))
	must(t, desk.Refused(relay, message))
	seen := "revision messages(last: 1) { nodes { deliveryState providedAt } } history(last: 1) { nodes { action } }"
	is(t, s.look(s.caseworker, c, seen), map[string]any{
		"case.revision": c.Revision + 1, "case.messages.nodes.0.deliveryState": "FAILED", "case.messages.nodes.0.providedAt": nil,
		"case.history.nodes.0.action": "MESSAGE_REFUSED",
	})
	before := s.Stored()
	must(t, desk.Refused(relay, message))
	same(t, before, s.Stored())
	if n := len(all(t, relay, desk, "OSI", 10)); n != 0 {
		t.Errorf("%d letters still wait", n)
	}
	now := s.Clock.Now()
	must(t, desk.Provided(relay, message, now, now))
	is(t, s.look(s.caseworker, c, seen), map[string]any{
		"case.revision": c.Revision + 2, "case.messages.nodes.0.deliveryState": "PROVIDED", "case.history.nodes.0.action": "MESSAGE_PROVIDED",
	})
}

func TestAMessageThatWaitsForNoMailboxIsLeftAlone(t *testing.T) {
	t.Parallel()
	s := play(t)
	desk, relay := s.relay()
	here, byPost := s.in(casework.InProgress), s.in(casework.InProgress)
	s.exec("update cases set owner = null where id = $1", key(byPost.ID)) // and no mailbox
	message := s.message(here, "POSSIBLE")
	s.reply(message)
	s.caseworker.Must("decideCase", byPost, with("decideCase", map[string]any{"channel": "POST"}))
	before := s.Stored()
	now := s.Clock.Now()
	n := 0
	for _, id := range one[[]uuid.UUID](s, "select array_agg(id) from messages where case_id = any($1)", []uuid.UUID{key(here.ID), key(byPost.ID)}) {
		must(t, desk.Provided(relay, id, now, now))
		must(t, desk.Refused(relay, id))
		n++
	}
	if n != 3 {
		t.Errorf("%d messages", n)
	}
	same(t, before, s.Stored())
}

func TestSeveralRelaysRecordAMessageOnce(t *testing.T) {
	t.Parallel()
	s := play(t)
	desk, relay := s.relay()
	c := s.elsewhere("OSI", "bk-1")
	message := key(s.message(c, "POSSIBLE"))
	now := s.Clock.Now()
	var together sync.WaitGroup
	errs := make([]error, 16)
	for i := range errs {
		together.Go(func() {
			if i%4 == 0 {
				errs[i] = desk.Refused(relay, message)
			} else {
				errs[i] = desk.Provided(relay, message, now, now)
			}
		})
	}
	together.Wait()
	must(t, errors.Join(errs...))
	lines := one[[]string](s, "select array_agg(action order by sequence) from history_events where case_id = $1 and sequence > $2", key(c.ID), c.Revision)
	if got := fmt.Sprint(lines); got != "[MESSAGE_PROVIDED]" && got != "[MESSAGE_REFUSED MESSAGE_PROVIDED]" {
		t.Errorf("the history says %s", got)
	}
	if state := one[string](s, "select delivery_state from messages where id = $1", message); state != "PROVIDED" {
		t.Errorf("it is %s", state)
	}
}
