// SPDX-License-Identifier: EUPL-1.2

package ask_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ozg-cloud/platform/federation/ask"
	"github.com/ozg-cloud/platform/federation/ask/asktest"
	"github.com/ozg-cloud/platform/federation/charter"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/statistics"
)

var decided = []statistics.Measure{statistics.DecidedCases, statistics.FullyDigital, statistics.TimeToDecision}

// pair is a house 0 that asks and a house 1 that answers.
type pair struct {
	roll    *asktest.Roll
	signers []*charter.Signer
	books   *asktest.Books
	cases   []asktest.Case
	desk    *ask.Desk
}

func newPair(t testing.TB) *pair {
	t.Helper()
	roll, signers, err := asktest.NewRoll(3)
	if err != nil {
		t.Fatal(err)
	}
	p := &pair{roll: roll, signers: signers, books: &asktest.Books{}, cases: asktest.History(1, 500)}
	p.restart()
	return p
}

// restart puts a new desk in front of the same books.
func (p *pair) restart() {
	p.desk = asktest.Desk(1, p.roll, p.signers[1], p.books, func() []asktest.Case { return p.cases })
}

func sign(t testing.TB, s *charter.Signer, q ask.Question) []byte {
	t.Helper()
	sent, err := q.Sign(s)
	if err != nil {
		t.Fatal(err)
	}
	return sent
}

// asks sends a question of house 0, and reads receipt and statement.
func (p *pair) asks(t testing.TB, q ask.Question, seen ask.Head) (ask.Receipt, ask.Answer) {
	t.Helper()
	q.Seen = seen.Size
	sent := sign(t, p.signers[0], q)
	a, err := p.desk.Answer(t.Context(), sent)
	if err != nil {
		t.Fatal(err)
	}
	r, err := ask.OpenReceipt(a, q, sent, p.roll, asktest.Now, seen)
	if err != nil {
		t.Fatal(err)
	}
	return r, a
}

func TestWhatIsAskedIsAnsweredBySomethingThatDoesNotDependOnWhoAsks(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	v := asktest.Asked(decided, statistics.Land, statistics.Service, statistics.Month)
	q := asktest.Ask(0, 1, v, asktest.Now)
	r, first := p.asks(t, q, ask.Head{})
	if r.Outcome != ask.Answered || first.Statement == "" {
		t.Fatalf("outcome %s for reason %s", r.Outcome, r.Reason)
	}
	s, payload, err := ask.OpenStatement([]byte(first.Statement), p.roll, asktest.Now)
	if err != nil {
		t.Fatal(err)
	}
	plan, _, err := ask.Current().Plan(v, asktest.Now)
	if err != nil {
		t.Fatal(err)
	}
	part, err := s.Part(plan, asktest.Land(1))
	if err != nil || len(part.Rows) == 0 {
		t.Fatalf("%d rows, %v", len(part.Rows), err)
	}
	if bytes.Contains(payload, []byte("land-00")) || bytes.Contains(payload, []byte(q.ID)) {
		t.Error("the statement tells who asked")
	}

	p.cases = nil // whatever becomes of the cells
	p.restart()
	for _, asker := range []int{0, 2} {
		q := asktest.Ask(asker, 1, v, asktest.Now)
		a, err := p.desk.Answer(t.Context(), sign(t, p.signers[asker], q))
		if err != nil || a.Statement != first.Statement {
			t.Errorf("house %d is told something else after a restart (%v)", asker, err)
		}
		if a.Receipt == first.Receipt {
			t.Errorf("house %d got the receipt of somebody else", asker)
		}
	}
	// Without what was kept, the same cells give the same bytes too.
	p.cases, p.books = asktest.History(1, 500), &asktest.Books{}
	p.restart()
	if _, again := p.asks(t, asktest.Ask(0, 1, v, asktest.Now), ask.Head{}); again.Statement != first.Statement {
		t.Error("the same cells gave another statement")
	}
}

func TestAQuestionIsRefusedForTheFirstThingThatIsWrongWithIt(t *testing.T) {
	t.Parallel()
	v := asktest.Asked(decided, statistics.Month)
	forged := func(header string, sent []byte) []byte {
		parts := strings.Split(string(sent), ".")
		return []byte(base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + parts[1] + "." + parts[2])
	}
	for name, c := range map[string]struct {
		wrong func(q *ask.Question)
		sent  func(p *pair, q ask.Question) []byte
		rule  string
		kind  problem.Kind
	}{
		"too large":          {sent: func(*pair, ask.Question) []byte { return bytes.Repeat([]byte("a"), ask.LongestQuestion+1) }, rule: "tooLarge", kind: problem.Invalid},
		"no signed document": {sent: func(*pair, ask.Question) []byte { return []byte("a.b") }, rule: "malformed", kind: problem.Invalid},
		"a statement instead of a question": {sent: func(p *pair, q ask.Question) []byte {
			payload, _ := json.Marshal(q)
			sent, _ := p.signers[0].Sign(ask.StatementType, payload)
			return sent
		}, rule: "malformed", kind: problem.Invalid},
		"alg none": {sent: func(p *pair, q ask.Question) []byte {
			return forged(`{"alg":"none","kid":"x","typ":"ozg-ask+jwt"}`, sign(t, p.signers[0], q))
		}, rule: "malformed", kind: problem.Invalid},
		"alg HS256": {sent: func(p *pair, q ask.Question) []byte {
			return forged(`{"alg":"HS256","kid":"x","typ":"ozg-ask+jwt"}`, sign(t, p.signers[0], q))
		}, rule: "malformed", kind: problem.Invalid},
		"for another house":                  {wrong: func(q *ask.Question) { q.Audience = asktest.House(2) }, rule: "otherAudience", kind: problem.Unauthenticated},
		"too late":                           {wrong: func(q *ask.Question) { q.IssuedAt -= 120; q.Expires -= 120 }, rule: "questionExpired", kind: problem.Unauthenticated},
		"from the future":                    {wrong: func(q *ask.Question) { q.IssuedAt += 120; q.Expires += 120 }, rule: "questionExpired", kind: problem.Unauthenticated},
		"for longer than allowed":            {wrong: func(q *ask.Question) { q.Expires += 60 }, rule: "questionExpired", kind: problem.Unauthenticated},
		"without an id":                      {wrong: func(q *ask.Question) { q.ID = "" }, rule: "malformed", kind: problem.Invalid},
		"of a house that nobody vouches for": {wrong: func(q *ask.Question) { q.Issuer = "https://stranger.example/ozg" }, rule: "strangerHouse", kind: problem.Unauthenticated},
		"signed by another house": {sent: func(p *pair, q ask.Question) []byte {
			return sign(t, p.signers[2], q)
		}, rule: "strangerHouse", kind: problem.Unauthenticated},
		"with another's signature": {sent: func(p *pair, q ask.Question) []byte {
			mine, other := sign(t, p.signers[0], q), sign(t, p.signers[2], q)
			return append(mine[:bytes.LastIndexByte(mine, '.')], other[bytes.LastIndexByte(other, '.'):]...)
		}, rule: "badSignature", kind: problem.Unauthenticated},
		"of a suspended house": {sent: func(p *pair, q ask.Question) []byte {
			p.roll.Suspend(asktest.Land(0))
			return sign(t, p.signers[0], q)
		}, rule: "suspendedHouse", kind: problem.Unauthenticated},
		"a second time": {sent: func(p *pair, q ask.Question) []byte {
			sent := sign(t, p.signers[0], q)
			if _, err := p.desk.Answer(t.Context(), sent); err != nil {
				t.Error(err)
			}
			return sent
		}, rule: "askedBefore", kind: problem.Conflict},
		"a second time, after a restart": {sent: func(p *pair, q ask.Question) []byte {
			sent := sign(t, p.signers[0], q)
			if _, err := p.desk.Answer(t.Context(), sent); err != nil {
				t.Error(err)
			}
			p.restart()
			return sent
		}, rule: "askedBefore", kind: problem.Conflict},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPair(t)
			q := asktest.Ask(0, 1, v, asktest.Now)
			if c.wrong != nil {
				c.wrong(&q)
			}
			sent := sign(t, p.signers[0], q)
			if c.sent != nil {
				sent = c.sent(p, q)
			}
			before := len(p.books.Lines())
			_, err := p.desk.Answer(t.Context(), sent)
			if !errors.Is(err, problem.New(c.kind, c.rule)) {
				t.Errorf("refused with %v", err)
			}
			if len(p.books.Lines()) != before {
				t.Error("it stands in the log")
			}
		})
	}
}

func TestWhatCannotBeToldIsToldInAReceiptAndStandsInTheLog(t *testing.T) {
	t.Parallel()
	v := asktest.Asked(decided, statistics.Month)
	with := func(text string) func(*ask.Options) {
		return func(o *ask.Options) {
			c, err := ask.ReadConsent(text)
			if err != nil {
				t.Fatal(err)
			}
			o.Consent = c
		}
	}
	for name, c := range map[string]struct {
		desk    func(*ask.Options)
		asked   func(*ask.Question)
		outcome ask.Outcome
		reason  string
	}{
		"without consent":                 {desk: func(o *ask.Options) { o.Consent = nil }, outcome: ask.Declined, reason: "consent"},
		"with consent for one of three":   {desk: with("p, role:member, figures.decided.land, ask, federation"), outcome: ask.Declined, reason: "consent"},
		"with consent for another member": {desk: with("p, role:member/land-02.example, figures.decided.land, ask, federation"), asked: func(q *ask.Question) { q.Vars.Measures = decided[:1] }, outcome: ask.Declined, reason: "consent"},
		"with consent for this member":    {desk: with("p, role:member/land-00.example, figures.decided.land, ask, federation"), asked: func(q *ask.Question) { q.Vars.Measures = decided[:1] }, outcome: ask.Answered},
		"at a finer level": {desk: with("p, role:member, figures.decided.land, ask, federation"), asked: func(q *ask.Question) {
			q.Vars = asktest.Asked(decided[:1], statistics.Land, statistics.District, statistics.Month)
		}, outcome: ask.Declined, reason: "consent"},
		"too often":               {desk: func(o *ask.Options) { o.Quota = -1 }, outcome: ask.Declined, reason: "quota"},
		"another edition":         {asked: func(q *ask.Question) { q.Edition = 7 }, outcome: ask.Unsupported, reason: "edition"},
		"another document":        {asked: func(q *ask.Question) { q.Document = ask.Hash([]byte("{ cases { nodes { id } } }")) }, outcome: ask.Unsupported, reason: "document"},
		"an unknown measure":      {asked: func(q *ask.Question) { q.Vars.Measures = []statistics.Measure{"shoeSize"} }, outcome: ask.Unsupported, reason: "unknownValue"},
		"a table that is not one": {asked: func(q *ask.Question) { q.Vars.By = []statistics.Axis{statistics.Channel, statistics.Month} }, outcome: ask.Unsupported, reason: "tableNotPublished"},
		"a month that runs":       {asked: func(q *ask.Question) { q.Vars.To = "2026-11" }, outcome: ask.Unsupported, reason: "openPeriod"},
		"not in its one form": {asked: func(q *ask.Question) {
			q.Vars.Measures = []statistics.Measure{statistics.TimeToDecision, statistics.DecidedCases}
		}, outcome: ask.Unsupported, reason: "form"},
		"districts of nobody": {asked: func(q *ask.Question) { q.Vars.By = []statistics.Axis{statistics.District, statistics.Month} }, outcome: ask.Unsupported, reason: "required"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPair(t)
			o := ask.Options{
				Self: asktest.House(1), Member: asktest.Land(1), Roll: func() ask.Roll { return p.roll }, Signer: p.signers[1], Editions: []ask.Edition{ask.Current()},
				Count: asktest.Counting(1, func() []asktest.Case { return p.cases }), Books: p.books, Consent: asktest.Consent(), Clock: func() time.Time { return asktest.Now },
			}
			if c.desk != nil {
				c.desk(&o)
			}
			p.desk = ask.NewDesk(o)
			q := asktest.Ask(0, 1, v, asktest.Now)
			if c.asked != nil {
				c.asked(&q)
			}
			r, _ := p.asks(t, q, ask.Head{})
			if r.Outcome != c.outcome || r.Reason != c.reason {
				t.Errorf("%s for reason %q", r.Outcome, r.Reason)
			}
			lines := p.books.Lines()
			if len(lines) != 1 || lines[0].Outcome != c.outcome || lines[0].Member != asktest.Land(0) || lines[0].Purpose != "PLANUNG" {
				t.Errorf("the log says %+v", lines)
			}
		})
	}
}

func TestAConsentThatAgreesToNothingIsRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "p, role:member, figures.decided, ask, federation", "p, role:member, figures.decided.land, read, federation",
		"p, role:caseworker, figures.decided.land, ask, federation", "p, role:member, case, ask, federation",
	} {
		if _, err := ask.ReadConsent(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

func TestALogThatLosesALineIsFoundOutByTheNextReceipt(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	v := asktest.Asked(decided[:1], statistics.Month)
	var seen ask.Head
	for range 20 {
		r, _ := p.asks(t, asktest.Ask(0, 1, v, asktest.Now), seen)
		seen = ask.Head{Size: r.Log.Size, Root: r.Log.Root}
	}
	tries := func() error {
		q := asktest.Ask(0, 1, v, asktest.Now)
		q.Seen = seen.Size
		sent := sign(t, p.signers[0], q)
		a, err := p.desk.Answer(t.Context(), sent)
		if err != nil {
			t.Fatal(err)
		}
		_, err = ask.OpenReceipt(a, q, sent, p.roll, asktest.Now, seen)
		return err
	}
	if err := tries(); err != nil {
		t.Fatal(err)
	}
	p.books.Forget(7) // and asked by others as often as is missing
	for range 20 {
		q := asktest.Ask(2, 1, v, asktest.Now)
		if _, err := p.desk.Answer(t.Context(), sign(t, p.signers[2], q)); err != nil {
			t.Fatal(err)
		}
	}
	if err := tries(); !errors.Is(err, problem.New(problem.Invalid, "logChanged")) {
		t.Errorf("a log that was rewritten is believed: %v", err)
	}
}

func TestAnAnswerToAnotherQuestionIsNoAnswer(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	v := asktest.Asked(decided, statistics.Month)
	q, other := asktest.Ask(0, 1, v, asktest.Now), asktest.Ask(0, 1, v, asktest.Now)
	sent, sentOther := sign(t, p.signers[0], q), sign(t, p.signers[0], other)
	a, err := p.desk.Answer(t.Context(), sent)
	if err != nil {
		t.Fatal(err)
	}
	foreign := asktest.Ask(2, 1, v, asktest.Now)
	b, err := p.desk.Answer(t.Context(), sign(t, p.signers[2], foreign))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		answer ask.Answer
		q      ask.Question
		sent   []byte
		now    time.Time
		rule   string
	}{
		"the receipt of an earlier question": {a, other, sentOther, asktest.Now, "otherAnswer"},
		"the receipt of another house":       {b, q, sent, asktest.Now, "otherAudience"},
		"much later":                         {a, q, sent, asktest.Now.Add(time.Hour), "questionExpired"},
		"without the statement":              {ask.Answer{Receipt: a.Receipt}, q, sent, asktest.Now, "otherAnswer"},
		"with another statement":             {ask.Answer{Receipt: a.Receipt, Statement: a.Statement + "A"}, q, sent, asktest.Now, "otherAnswer"},
	} {
		if _, err := ask.OpenReceipt(c.answer, c.q, c.sent, p.roll, c.now, ask.Head{}); err == nil {
			t.Errorf("%s is taken", name)
		} else if told, ok := problem.Of(err); !ok || told.Rule != c.rule {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheDoorTellsWhateverIsWrongAndNeverBreaks(t *testing.T) {
	t.Parallel()
	p := newPair(t)
	post := func(contentType string, body []byte) error {
		r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, ask.Path, bytes.NewReader(body))
		r.Header.Set("Content-Type", contentType)
		return p.desk.Serve(httptest.NewRecorder(), r)
	}
	good := sign(t, p.signers[0], asktest.Ask(0, 1, asktest.Asked(decided, statistics.Month), asktest.Now))
	if err := post(ask.MediaType, good); err != nil {
		t.Fatal(err)
	}
	bad := map[string][]byte{"empty": nil, "large": make([]byte, 1<<20), "dots": []byte("..."), "text": []byte("a.b.c"), "again": good}
	for i := range 200 {
		broken := bytes.Clone(good)
		broken[(i*37)%len(broken)] ^= byte(1 + i%255)
		bad[string(rune('A'+i))] = broken
	}
	for name, body := range bad {
		if err := post(ask.MediaType, body); err == nil {
			t.Errorf("%q is answered", name)
		} else if _, told := problem.Of(err); !told {
			t.Errorf("%q: %v", name, err)
		}
	}
	if err := post("application/json", good); !errors.Is(err, problem.New(problem.Invalid, "mediaType")) {
		t.Error(err)
	}
}
