// SPDX-License-Identifier: EUPL-1.2

package gather_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/ozg-cloud/platform/federation/ask"
	"github.com/ozg-cloud/platform/federation/ask/asktest"
	"github.com/ozg-cloud/platform/federation/charter"
	"github.com/ozg-cloud/platform/federation/gather"
	"github.com/ozg-cloud/platform/federation/gather/gathertest"
	"github.com/ozg-cloud/platform/statistics"
)

// every tries every number of faulty houses, instead of 1, 8 and 15.
var every = flag.Bool("every", false, "try every number of faulty houses")

const members = 16

var (
	measures = []statistics.Measure{statistics.TimeToDecision, statistics.DecidedCases, statistics.FullyDigital}
	byMonth  = asktest.Asked(measures, statistics.Land, statistics.Month)
)

func country(t testing.TB, n int) *gathertest.Country {
	t.Helper()
	c, err := gathertest.New(n, func(i int) []asktest.Case { return asktest.History(uint64(i), 60+20*i) })
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func asks(t testing.TB, g *gather.Gatherer, v ask.Vars, o gather.Options) gather.Answer {
	t.Helper()
	a, err := g.Ask(t.Context(), v, o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// patient is a deadline that no answer misses, however busy the machine is.
var patient = gather.Options{Deadline: 25 * time.Second, Purpose: "PLANUNG"}

// holds checks what has to hold of every answer: each member once, in its order, and sums of those who answered and of nobody else.
func holds(t testing.TB, c *gathertest.Country, v ask.Vars, a gather.Answer) {
	t.Helper()
	if len(a.Members) != len(c.Houses) || a.Expected != len(c.Houses) {
		t.Fatalf("%d of %d members are told", len(a.Members), len(c.Houses))
	}
	want, counted := statistics.Part{}, 0
	for i, m := range a.Members {
		if m.ID != asktest.Land(i) {
			t.Errorf("member %d is %s", i, m.ID)
		}
		part := a.Plan.Absent(string(m.ID), string(m.Answer))
		if m.Answer.Counts() {
			counted++
			s, _, err := ask.OpenStatement(m.Statement, c.Roll, asktest.Now)
			if err != nil {
				t.Fatalf("%s counts by a statement that does not hold: %v", m.ID, err)
			}
			plan, _, err := ask.Current().Plan(v, asktest.Now)
			if err != nil {
				t.Fatal(err)
			}
			if part, err = s.Part(plan, m.ID); err != nil {
				t.Fatal(err)
			}
			for r := range part.Rows { // into the order asked for
				figures := part.Rows[r].Figures
				part.Rows[r].Figures = nil
				for _, asked := range a.Plan.Measures {
					part.Rows[r].Figures = append(part.Rows[r].Figures, figures[slices.Index(plan.Measures, asked)])
				}
			}
			part.Frame = a.Plan.Frame
		}
		if i == 0 {
			want = part
			continue
		}
		var err error
		if want, err = statistics.Merge(want, part); err != nil {
			t.Fatal(err)
		}
	}
	if a.Answered != counted || a.Complete() != (counted == len(c.Houses)) {
		t.Errorf("%d have answered, %d are told", counted, a.Answered)
	}
	have, _ := a.Part.Bytes()
	if wanted, _ := want.Bytes(); !bytes.Equal(have, wanted) {
		t.Errorf("the sums are not those of the members who answered")
	}
}

func TestFaultyMembersAreNamedAndOnlyTheOthersAreCounted(t *testing.T) {
	t.Parallel()
	for _, f := range []struct {
		name  string
		fault gathertest.Fault
		// before makes a house that is to be faulty so.
		before func(c *gathertest.Country, i int)
		state  gather.State
		reason string
		slow   bool // it costs the deadline
	}{
		{name: "cut", fault: gathertest.Cut, state: gather.Unreachable, reason: "connection"},
		{name: "slow", fault: gathertest.Slow, state: gather.TimedOut, reason: "deadline", slow: true},
		{name: "slow body", fault: gathertest.SlowBody, state: gather.TimedOut, reason: "deadline", slow: true},
		{name: "bad signature", fault: gathertest.BadSignature, state: gather.Rejected, reason: "signature"},
		{name: "wrong audience", fault: gathertest.WrongAudience, state: gather.Rejected, reason: "otherAudience"},
		{name: "replay", fault: gathertest.Replay, state: gather.Rejected, reason: "otherAnswer"},
		{name: "old charter", fault: gathertest.OldCharter, state: gather.Rejected, reason: "key"},
		{name: "suspended", before: func(c *gathertest.Country, i int) { c.Roll.Suspend(asktest.Land(i)) }, state: gather.Suspended},
		{name: "older edition", before: func(c *gathertest.Country, i int) {
			c.Roll.Change(asktest.House(i), func(at *charter.Instance) { at.Editions = []int{0} })
		}, state: gather.Unsupported, reason: "edition"},
		{name: "lying shape", fault: gathertest.OtherShape, state: gather.Rejected, reason: "malformed"},
		{name: "contradictory", fault: gathertest.Otherwise, state: gather.Rejected, reason: "contradiction"},
		{name: "implausible", fault: gathertest.Implausible, state: gather.Rejected, reason: "implausible"},
	} {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			c := country(t, members)
			c.Listen(t)
			fresh := &gathertest.Shelf{}
			a := asks(t, c.Gatherer(0, fresh), byMonth, patient) // everybody is well
			holds(t, c, byMonth, a)
			if !a.Complete() {
				t.Fatalf("of %d healthy members %d answered", a.Expected, a.Answered)
			}
			for faulty := 1; faulty < members; faulty++ {
				// From the highest number on, so that each is made faulty once.
				i := members - faulty
				if f.before != nil {
					f.before(c, i)
				}
				c.Houses[i].Ail(f.fault)
				if !*every && (faulty%7 != 1 || f.slow && faulty != members-1) {
					continue
				}
				o := patient
				if f.slow {
					o.Deadline = 3 * time.Second
				}
				shelf := &gathertest.Shelf{}
				if f.state == gather.Rejected && f.reason == "contradiction" {
					shelf, o.MaxAge = older(t, fresh), time.Second
				}
				begun := time.Now()
				a := asks(t, c.Gatherer(0, shelf), byMonth, o)
				if f.slow {
					t.Logf("%d of %d %s: told %s after the deadline", faulty, members, f.name, time.Since(begun)-o.Deadline)
				}
				holds(t, c, byMonth, a)
				for n, m := range a.Members {
					wanted, reason := gather.Answered, ""
					if n >= i {
						wanted, reason = f.state, f.reason
					}
					if m.Answer != wanted || m.Reason != reason {
						t.Errorf("%d faulty: member %d is %s for reason %q", faulty, n, m.Answer, m.Reason)
					}
				}
				if f.reason == "contradiction" {
					proven(t, c, shelf, faulty)
				}
			}
		})
	}
}

// older is a shelf on which everything that is kept was received an hour earlier.
func older(t testing.TB, from *gathertest.Shelf) *gathertest.Shelf {
	t.Helper()
	plan, v, err := ask.Current().Plan(byMonth, asktest.Now)
	if err != nil {
		t.Fatal(err)
	}
	name, err := ask.Current().Name(v)
	if err != nil {
		t.Fatal(err)
	}
	known, err := from.Look(t.Context(), []string{name}, plan.Measures[0])
	if err != nil {
		t.Fatal(err)
	}
	out := &gathertest.Shelf{}
	for _, k := range known.Statements {
		k.ReceivedAt = asktest.Now.Add(-time.Hour)
		if _, err := out.Learn(t.Context(), gather.Learned{From: k.Statement.Issuer, Kept: k, Head: known.Heads[k.Statement.Issuer]}); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// proven checks that a third party finds each contradiction by the roll and the two statements alone.
func proven(t testing.TB, c *gathertest.Country, shelf *gathertest.Shelf, faulty int) {
	t.Helper()
	proofs := shelf.Proofs()
	if len(proofs) != faulty {
		t.Errorf("%d contradictions of %d are proven", len(proofs), faulty)
	}
	for _, p := range proofs {
		a, first, err := ask.OpenStatement(p.First, c.Roll, asktest.Now)
		if err != nil {
			t.Fatal(err)
		}
		b, second, err := ask.OpenStatement(p.Second, c.Roll, asktest.Now)
		if err != nil {
			t.Fatal(err)
		}
		if !ask.Contradict(a, b, first, second) || ask.Contradict(a, a, first, first) {
			t.Error("what is kept as a proof proves nothing")
		}
	}
}

func TestWhatWasSaidOnceIsKnownWithoutAskingAgain(t *testing.T) {
	t.Parallel()
	c, shelf := country(t, members), &gathertest.Shelf{}
	first := asks(t, c.Gatherer(0, shelf), byMonth, patient)
	for _, h := range c.Houses[1:] {
		h.Ail(gathertest.Cut)
	}
	g := c.Gatherer(0, shelf)
	second := asks(t, g, byMonth, patient)
	holds(t, c, byMonth, second)
	for i, m := range second.Members[1:] {
		if m.Answer != gather.Cached || !bytes.Equal(m.Statement, first.Members[i+1].Statement) {
			t.Errorf("%s is %s", m.ID, m.Answer)
		}
	}
	if asked, _ := g.Load(); asked != 0 {
		t.Errorf("%d houses were asked again", asked)
	}
	c.Roll.Suspend(asktest.Land(3))
	if third := asks(t, g, byMonth, patient); third.Members[3].Answer != gather.Suspended {
		t.Errorf("what a suspended member said before still counts: %s", third.Members[3].Answer)
	}
}

func TestAMemberThatIsSuspendedWhileItAnswersIsNotCounted(t *testing.T) {
	t.Parallel()
	c := country(t, 4)
	c.Houses[2].Ail(func(h *gathertest.House, w http.ResponseWriter, r *http.Request) {
		if err := h.Desk().Serve(w, r); err != nil {
			t.Error(err)
		}
		c.Roll.Suspend(asktest.Land(2))
	})
	a := asks(t, c.Gatherer(0, &gathertest.Shelf{}), byMonth, patient)
	holds(t, c, byMonth, a)
	if a.Members[2].Answer != gather.Suspended {
		t.Errorf("it is %s", a.Members[2].Answer)
	}
}

func TestEveryAskerGetsTheSameBytesAlsoAfterARestart(t *testing.T) {
	t.Parallel()
	c := country(t, members)
	said := map[int][]byte{}
	for round := range 3 {
		for _, asker := range []int{round, members - 1} {
			a := asks(t, c.Gatherer(asker, &gathertest.Shelf{}), byMonth, patient)
			for i, m := range a.Members {
				if said[i] == nil {
					said[i] = m.Statement
				}
				if !bytes.Equal(said[i], m.Statement) {
					t.Fatalf("round %d: house %d is told something else by house %d", round, asker, i)
				}
			}
		}
		for _, h := range c.Houses {
			h.Restart(round == 1)
		}
	}
}

func TestFinerFiguresThatContradictCoarserOnesAreRejected(t *testing.T) {
	t.Parallel()
	decided := []statistics.Measure{statistics.DecidedCases}
	coarse, fine := asktest.Asked(decided, statistics.Land, statistics.Month), asktest.Asked(decided, statistics.Land, statistics.Service, statistics.Month)
	for name, order := range map[string][]ask.Vars{"coarse first": {coarse, fine}, "fine first": {fine, coarse}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, shelf := country(t, 4), &gathertest.Shelf{}
			asks(t, c.Gatherer(0, shelf), order[0], patient)
			many := asktest.History(7, 30_000)
			c.Houses[2].Counts(many)
			a := asks(t, c.Gatherer(0, shelf), order[1], patient)
			holds(t, c, order[1], a)
			if m := a.Members[2]; m.Answer != gather.Rejected || m.Reason != "implausible" {
				t.Errorf("it is %s for reason %q", m.Answer, m.Reason)
			}
			if a.Answered != 3 {
				t.Errorf("%d of the other 3 are counted", a.Answered)
			}
		})
	}
}

func TestAMemberOfAnOlderEditionIsAskedInItsOwnVariantAndNeverCountsAsZero(t *testing.T) {
	t.Parallel()
	c := country(t, 4)
	cubes := statistics.Standard().Cubes()
	for i := range cubes { // the older edition did not measure how much is digital
		if cubes[i].Population == statistics.Digital {
			cubes = slices.Delete(cubes, i, i+1)
			break
		}
	}
	catalogue, err := statistics.Declare(statistics.SmallestHierarchy(), cubes...)
	if err != nil {
		t.Fatal(err)
	}
	older := ask.Edition{Number: 0, Catalogue: catalogue, Document: ask.Hash([]byte("an older document"))}
	c.Roll.Change(asktest.House(2), func(at *charter.Instance) { at.Editions = []int{0} })
	desk := ask.NewDesk(ask.Options{
		Self: asktest.House(2), Member: asktest.Land(2), Roll: func() ask.Roll { return c.Roll }, Signer: c.Signers[2], Editions: []ask.Edition{older},
		Count: asktest.Counting(2, func() []asktest.Case { return asktest.History(2, 100) }), Books: &asktest.Books{}, Consent: asktest.Consent(),
		Clock: func() time.Time { return asktest.Now },
	})
	c.Houses[2].Ail(func(_ *gathertest.House, w http.ResponseWriter, r *http.Request) {
		if err := desk.Serve(w, r); err != nil {
			t.Error(err)
		}
	})
	both := func(s *gather.Setup) { s.Editions = append(s.Editions, older) }
	known := asktest.Asked([]statistics.Measure{statistics.DecidedCases}, statistics.Land, statistics.Month)
	a := asks(t, c.Gatherer(0, &gathertest.Shelf{}, both), known, patient)
	if m := a.Members[2]; m.Answer != gather.Answered || m.Edition != 0 || !a.Complete() {
		t.Errorf("it is %s for reason %q in edition %d", m.Answer, m.Reason, m.Edition)
	}
	if !slices.ContainsFunc(a.Part.Rows, func(r statistics.Row) bool { return r.At[0] == string(asktest.Land(2)) }) {
		t.Error("it counts for nothing")
	}
	a = asks(t, c.Gatherer(0, &gathertest.Shelf{}, both), byMonth, patient)
	holds(t, c, byMonth, a)
	if m := a.Members[2]; m.Answer != gather.Unsupported || m.Reason != "unknownValue" {
		t.Errorf("of what it does not measure it is %s for reason %q", m.Answer, m.Reason)
	}
	if slices.ContainsFunc(a.Part.Missing, func(g statistics.Gap) bool { return g.Member == string(asktest.Land(2)) && g.Reason == "UNSUPPORTED" }) == false {
		t.Error("it is not told as missing")
	}
}

func TestCoverageIsByCasesAndNotByHeads(t *testing.T) {
	t.Parallel()
	c, shelf := country(t, 4), &gathertest.Shelf{}
	c.Houses[3].Counts(asktest.History(3, 10_000))
	c.Houses[3].Restart(true)
	total := asktest.Asked([]statistics.Measure{statistics.DecidedCases}, statistics.Land, statistics.Month)
	if a := asks(t, c.Gatherer(0, shelf), total, patient); a.Coverage == nil || *a.Coverage != 1 {
		t.Fatalf("everybody has answered, and that is %v", a.Coverage)
	}
	c.Houses[3].Ail(gathertest.Cut)
	other := asktest.Asked([]statistics.Measure{statistics.DecidedCases}, statistics.Land, statistics.Service, statistics.Month)
	a := asks(t, c.Gatherer(0, shelf), other, patient)
	if a.Coverage == nil || *a.Coverage > 0.1 {
		t.Errorf("without the Land that has nearly all cases it is %v", *a.Coverage)
	}
	// Where nobody knows how many cases there are, the shares of the charter tell.
	a = asks(t, c.Gatherer(0, &gathertest.Shelf{}), total, patient)
	if a.Coverage == nil || *a.Coverage != 0.75 {
		t.Errorf("three quarters of the shares are %v", a.Coverage)
	}
}

func TestABrokenMemberIsNotAskedAgainAndAgainButStaysNamed(t *testing.T) {
	t.Parallel()
	c := country(t, 3)
	c.Houses[2].Ail(func(_ *gathertest.House, w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadGateway)
	})
	g := c.Gatherer(0, &gathertest.Shelf{})
	reasons := map[string]int{}
	for month := range 20 {
		v := asktest.Asked([]statistics.Measure{statistics.DecidedCases}, statistics.Land, statistics.Month)
		v.From = fmt.Sprintf("20%02d-01", 5+month)
		v.To = v.From
		a := asks(t, g, v, patient)
		if a.Members[2].Answer != gather.Unreachable || len(a.Members) != 3 {
			t.Fatalf("it is %s", a.Members[2].Answer)
		}
		reasons[a.Members[2].Reason]++
	}
	if reasons["busy"] != 5 || reasons["breaker"] != 15 {
		t.Errorf("it was asked %v", reasons)
	}
}

func TestWhoeverHasLeftIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	c := country(t, 3)
	c.Houses[1].Ail(gathertest.Slow)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Gatherer(0, &gathertest.Shelf{}).Ask(ctx, byMonth, gather.Options{Deadline: time.Second}); err == nil {
		t.Error("somebody who has left is answered")
	}
}
