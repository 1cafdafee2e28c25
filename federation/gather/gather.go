// SPDX-License-Identifier: EUPL-1.2

package gather

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/ozg-cloud/platform/federation/ask"
	"github.com/ozg-cloud/platform/federation/charter"
	"github.com/ozg-cloud/platform/statistics"
)

// State is what became of asking a member. Each member of the charter has exactly one, always.
type State string

// The states.
const (
	Answered    State = "ANSWERED"
	Cached      State = "CACHED"      // it has said so before, and what it said is kept
	Declined    State = "DECLINED"    // its Land has not agreed to tell this
	Unsupported State = "UNSUPPORTED" // its edition does not know the measure or the table; it is never counted as zero
	Unreachable State = "UNREACHABLE"
	TimedOut    State = "TIMED_OUT"
	Rejected    State = "REJECTED" // what it sent cannot be believed
	Suspended   State = "SUSPENDED"
)

// Counts tells whether a member in this state is part of the sums.
func (s State) Counts() bool { return s == Answered || s == Cached }

// Options say how everybody is asked.
type Options struct {
	// Members are those that are asked; nil: all of the charter.
	Members []charter.MemberID
	// MaxAge is from what age on what was said before is asked for again; zero: never. Where the member does not answer then, it counts all the same.
	MaxAge time.Duration
	// Deadline is how long everything may take; zero: two seconds.
	Deadline time.Duration
	Purpose  string
	Actor    ask.Actor
}

// Member is what became of asking a member.
type Member struct {
	charter.Member
	Answer State
	Reason string
	// AsOf is the instant up to which the member has counted, ReceivedAt when it said so; both are zero where it is not part of the sums.
	AsOf, ReceivedAt time.Time
	// Edition is the one in which it was asked.
	Edition int
	Took    time.Duration
	// Statement is what it has signed.
	Statement []byte
}

// Answer is what all have said together.
type Answer struct {
	// Question is its name in the newest edition.
	Question string
	Plan     *statistics.Plan
	Part     statistics.Part
	// Members are everybody who was asked, in the order of the charter.
	Members  []Member
	Expected int
	Answered int
	// Coverage is the part of all cases that the answer counts, by what each member had last, or else by their shares; nil where neither is known.
	Coverage *float64
}

// Complete tells whether everybody is part of the sums.
func (a Answer) Complete() bool { return a.Answered == a.Expected }

// Setup is what a gatherer needs. Behind and Client (see Outside) have a default.
type Setup struct {
	Self     charter.InstanceID
	Member   charter.MemberID
	Roll     func() ask.Roll
	Signer   ask.Signer
	Editions []ask.Edition // the newest first
	// Own is what this house itself says, see ask.Desk.
	Own    func(ctx context.Context, e ask.Edition, v ask.Vars) ([]byte, error)
	Shelf  Shelf
	Behind func()
	Client *http.Client
	Clock  func() time.Time
}

// Gatherer asks everybody.
type Gatherer struct {
	o     Setup
	purse purse
	under sync.WaitGroup

	mu    sync.Mutex
	peers map[charter.InstanceID]*peer
}

// New makes a gatherer.
func New(o Setup) *Gatherer {
	if o.Behind == nil {
		o.Behind = func() {}
	}
	if o.Client == nil {
		o.Client = Outside(false)
	}
	return &Gatherer{o: o, peers: map[charter.InstanceID]*peer{}, purse: purse{has: saved / 2}}
}

// Load tells how many questions were asked, and how many a second time because the first took long.
func (g *Gatherer) Load() (asked, hedged int64) {
	g.purse.mu.Lock()
	defer g.purse.mu.Unlock()
	return g.purse.asked, g.purse.spent
}

// Settle waits until nobody is being asked any more: after an answer at the deadline some still are, for a moment.
func (g *Gatherer) Settle() { g.under.Wait() }

func (g *Gatherer) peer(id charter.InstanceID) *peer {
	g.mu.Lock()
	defer g.mu.Unlock()
	p := g.peers[id]
	if p == nil {
		p = newPeer()
		g.peers[id] = p
	}
	return p
}

// deadline is how long everything takes at most where nothing else is said, longest what can be said.
const (
	deadline = 2 * time.Second
	longest  = 30 * time.Second
)

// Ask asks all members at once and returns when all have answered, at the latest at the deadline. Whoever fails is named with the reason; the error is
// for questions that nobody could answer (see ask.Edition), and for what is wrong in this house.
func (g *Gatherer) Ask(ctx context.Context, v ask.Vars, o Options) (Answer, error) {
	begun := time.Now()
	if o.Deadline == 0 {
		o.Deadline = deadline
	}
	until := begun.Add(min(o.Deadline, longest))
	roll, now := g.o.Roll(), g.o.Clock()
	all, err := variants(g.o.Editions, v, now)
	if err != nil {
		return Answer{}, err
	}
	var names []string
	for _, one := range all {
		if one.unsupported == "" {
			names = append(names, one.name)
		}
		for _, n := range one.beside {
			names = append(names, n.name)
		}
	}
	look, err := g.o.Shelf.Look(ctx, names, all[0].vars.Measures[0])
	if err != nil {
		return Answer{}, err
	}
	known := shelve(look.Statements)

	asked := slices.DeleteFunc(slices.Clone(roll.Members()), func(m charter.Member) bool {
		return m.State == charter.Left || o.Members != nil && !slices.Contains(o.Members, m.ID)
	})
	type numbered struct {
		at int
		reply
		house   charter.Instance
		variant *variant
	}
	replies := make(chan numbered, len(asked))
	work, cancel := context.WithDeadline(context.WithoutCancel(ctx), until)
	var open sync.WaitGroup
	results := make([]numbered, len(asked))
	waiting := map[int]bool{}
	for i, m := range asked {
		house, variant, early := g.whom(roll, m, all, now)
		results[i] = numbered{at: i, reply: early, house: house, variant: variant}
		if early.state != "" {
			continue
		}
		if old, ok := g.before(known, house, variant, roll); ok {
			results[i].reply = old
			if o.MaxAge == 0 || now.Sub(old.kept.ReceivedAt) <= o.MaxAge {
				continue
			}
		}
		waiting[i] = true
		t := target{house: house, variant: variant, known: known, head: look.Heads[house.ID], options: o, roll: roll, until: until}
		open.Add(1)
		g.under.Go(func() {
			defer open.Done()
			r := g.one(work, m, t)
			if r.err == nil && r.state != "" {
				r = g.learn(work, m, t, r)
			}
			replies <- numbered{i, r, house, variant}
		})
	}
	g.under.Go(func() { open.Wait(); cancel() })
	late := time.NewTimer(time.Until(until))
	defer late.Stop()
	for len(waiting) > 0 {
		select {
		case r := <-replies:
			delete(waiting, r.at)
			if r.err != nil {
				return Answer{}, r.err
			}
			if results[r.at].state == Cached && r.silent() {
				continue // what it said before still counts
			}
			results[r.at] = r
		case <-late.C:
			for i := range waiting {
				if results[i].state == "" {
					results[i].reply = reply{state: TimedOut, reason: "deadline", took: time.Since(begun)}
				}
			}
			clear(waiting)
		case <-ctx.Done():
			return Answer{}, fmt.Errorf("gather: %w", ctx.Err())
		}
	}

	out := Answer{Question: all[0].name, Expected: len(asked)}
	if out.Plan, err = toldBy(all[0], v, now); err != nil {
		return Answer{}, err
	}
	// Who was suspended meanwhile is not merged.
	roll = g.o.Roll()
	sum := statistics.Part{Frame: all[0].plan.Frame, Counted: []statistics.Contribution{}, Missing: []statistics.Gap{}, Rows: []statistics.Row{}}
	for i, r := range results {
		if r.state.Counts() && r.house.ID != g.o.Self && errors.Is(roll.Standing(r.house.ID, g.o.Clock()), charter.ErrSuspended) {
			r.reply = reply{state: Suspended}
		}
		m := Member{Member: asked[i], Answer: r.state, Reason: r.reason, Took: r.took}
		if r.variant != nil {
			m.Edition = r.variant.edition.Number
		}
		part := all[0].plan.Absent(string(m.ID), string(r.state))
		if r.state.Counts() {
			part = r.part
			part.Frame = all[0].plan.Frame // another edition counts the same under another scheme
			m.AsOf, m.ReceivedAt, m.Statement = r.kept.Statement.AsOf, r.kept.ReceivedAt, r.kept.Document
			out.Answered++
		}
		if sum, err = statistics.Merge(sum, part); err != nil {
			return Answer{}, err
		}
		out.Members = append(out.Members, m)
	}
	out.Part = reordered(sum, all[0].plan, out.Plan)
	volumes := map[charter.MemberID]float64{}
	for i, m := range out.Members {
		if v, ok := look.Volumes[m.ID]; ok {
			volumes[m.ID] = v
		}
		if m.Answer.Counts() && len(all[0].vars.Where) == 0 {
			volumes[m.ID] = perMonth(all[0].vars, results[i].part)
		}
	}
	out.Coverage = coverage(out.Members, volumes)
	return out, nil
}

// silent tells whether a reply says nothing: nobody was there, or nobody who could prove who it was.
func (r reply) silent() bool {
	switch r.state {
	case Unreachable, TimedOut:
		return true
	case Rejected:
		return r.reason != contradiction && r.reason != "implausible" && r.reason != "logChanged"
	case Answered, Cached, Declined, Unsupported, Suspended:
	}
	return false
}

// coverage is which part of all cases is in the sums.
func coverage(members []Member, volumes map[charter.MemberID]float64) *float64 {
	for _, weight := range []func(Member) (float64, bool){
		func(m Member) (float64, bool) { v, ok := volumes[m.ID]; return v, ok },
		func(m Member) (float64, bool) { return m.Share, true },
	} {
		var counted, all float64
		every := true
		for _, m := range members {
			w, ok := weight(m)
			every = every && ok
			all += w
			if m.Answer.Counts() {
				counted += w
			}
		}
		if every && all > 0 {
			share := counted / all
			return &share
		}
	}
	return nil
}

// whom says which house of a member is asked, and in which edition; a reply with a state says why none is. The houses of a member hold the same.
func (g *Gatherer) whom(roll ask.Roll, m charter.Member, all []variant, now time.Time) (charter.Instance, *variant, reply) {
	if m.State == charter.Suspended {
		return charter.Instance{}, nil, reply{state: Suspended}
	}
	if m.ID == g.o.Member {
		return charter.Instance{ID: g.o.Self, Member: m.ID}, &all[0], reply{}
	}
	reason := reply{state: Unreachable, reason: "noHouse"}
	for _, house := range roll.Instances(m.ID) {
		switch err := roll.Standing(house.ID, now); {
		case errors.Is(err, charter.ErrSuspended):
			reason = reply{state: Suspended}
			continue
		case err != nil:
			continue
		}
		v := highest(all, house.Editions)
		switch {
		case v == nil:
			reason = reply{state: Unsupported, reason: "edition"}
		case v.unsupported != "":
			return house, v, reply{state: Unsupported, reason: v.unsupported}
		default:
			return house, v, reply{}
		}
	}
	return charter.Instance{}, nil, reason
}

// before is what a house has said before, if it can still be believed.
func (g *Gatherer) before(known *shelved, house charter.Instance, v *variant, roll ask.Roll) (reply, bool) {
	k, ok := known.of(house.ID, v.name)
	if !ok || house.ID == g.o.Self {
		return reply{}, false
	}
	part, _, _, err := v.read(k.Document, house, roll, k.ReceivedAt)
	if err != nil {
		return reply{}, false
	}
	return reply{state: Cached, part: part, kept: k}, true
}

// one asks a member: this house itself without a detour over the network.
func (g *Gatherer) one(ctx context.Context, m charter.Member, t target) reply {
	if m.ID != g.o.Member {
		return g.fetch(ctx, t)
	}
	begun := time.Now()
	document, err := g.o.Own(ctx, t.variant.edition, t.variant.vars)
	if ctx.Err() != nil {
		return reply{state: TimedOut, reason: "deadline", took: time.Since(begun)}
	}
	if err != nil {
		return reply{err: err}
	}
	part, s, payload, err := t.variant.read(document, t.house, t.roll, g.o.Clock())
	if err != nil {
		return rejected(err) // its voucher has expired, it is suspended itself: others would not believe it either
	}
	kept := Kept{Member: m.ID, Statement: s, Payload: payload, Document: document, ReceivedAt: g.o.Clock()}
	return reply{state: Answered, part: part, kept: kept, took: time.Since(begun)}
}

// learn keeps what an answer has taught. Of two that came at the same time and contradict each other the second one counts for nothing.
func (g *Gatherer) learn(ctx context.Context, m charter.Member, t target, r reply) reply {
	if m.ID == g.o.Member {
		return r
	}
	ctx = context.WithoutCancel(ctx) // it is known by now
	proof := func(first Kept) reply {
		c := ask.Contradiction{Member: m.ID, Question: t.variant.name, First: first.Document, Second: r.kept.Document, FoundAt: g.o.Clock()}
		if err := g.o.Shelf.Contradicted(ctx, c); err != nil {
			return reply{err: err}
		}
		return reply{state: Rejected, reason: contradiction, took: r.took}
	}
	if r.reason == contradiction {
		first, _ := t.known.of(t.house.ID, t.variant.name)
		return proof(first)
	}
	if r.head.Size == 0 {
		return r
	}
	l := Learned{From: t.house.ID, Head: r.head}
	if r.state == Answered {
		l.Kept = r.kept
		if len(t.variant.vars.Where) == 0 {
			l.Measure, l.Volume = t.variant.vars.Measures[0], perMonth(t.variant.vars, r.part)
		}
	}
	first, err := g.o.Shelf.Learn(ctx, l)
	if err != nil {
		return reply{err: err}
	}
	if r.state == Answered && ask.Contradict(first.Statement, r.kept.Statement, first.Payload, r.kept.Payload) {
		return proof(first)
	}
	return r
}

// toldBy is the plan of the answer: measures in the order in which they were asked for.
func toldBy(newest variant, v ask.Vars, now time.Time) (*statistics.Plan, error) {
	return newest.edition.Catalogue.Plan(statistics.Question{
		Product: statistics.Protected, Measures: v.Measures, By: v.By, Where: v.Where, Scope: statistics.Land, From: v.From, To: v.To, Now: now,
	})
}

// reordered gives a part that was counted by one plan to another one, which has the same measures in another order.
func reordered(part statistics.Part, from, to *statistics.Plan) statistics.Part {
	part.Frame = to.Frame
	rows := make([]statistics.Row, len(part.Rows))
	for i, r := range part.Rows {
		rows[i] = statistics.Row{At: r.At}
		for _, m := range to.Measures {
			rows[i].Figures = append(rows[i].Figures, r.Figures[slices.Index(from.Measures, m)])
		}
	}
	part.Rows = rows
	return part
}

// perMonth is how many cases of the first measure a part has in a month.
func perMonth(v ask.Vars, part statistics.Part) float64 {
	from, _ := statistics.EndOf(v.From)
	to, _ := statistics.EndOf(v.To)
	months := (to.Year()-from.Year())*12 + int(to.Month()-from.Month()) + 1
	var all int64
	for _, r := range part.Rows {
		all += r.Figures[0].N
	}
	return float64(all) / float64(months)
}
