// SPDX-License-Identifier: EUPL-1.2

package gather

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/ozg-cloud/platform/federation/ask"
	"github.com/ozg-cloud/platform/federation/charter"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/statistics"
)

// target is a house that is asked, with what is known of it.
type target struct {
	house   charter.Instance
	variant *variant
	known   *shelved
	head    ask.Head
	options Options
	roll    ask.Roll
	until   time.Time
}

// reply is what became of asking a house.
type reply struct {
	state  State
	reason string
	part   statistics.Part
	kept   Kept
	head   ask.Head
	took   time.Duration
	err    error // of this house itself
}

// fetch asks a house, at most twice.
func (g *Gatherer) fetch(ctx context.Context, t target) reply {
	p := g.peer(t.house.ID)
	if !p.breaker.TryAcquirePermit() {
		return reply{state: Unreachable, reason: "breaker"}
	}
	g.purse.earn()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	begun := time.Now()
	replies := make(chan reply, 2)
	send := func() {
		sent := time.Now()
		r := g.once(ctx, t)
		if r.state == Answered {
			p.took(time.Since(sent))
		}
		replies <- r
	}
	go send()
	var late <-chan time.Time
	if usual, ok := p.usual(); ok {
		timer := time.NewTimer(usual)
		defer timer.Stop()
		late = timer.C
	}
	var out reply
	for open := 1; open > 0; {
		select {
		case out = <-replies:
			if open--; sound(out) {
				open = 0
			}
		case <-late:
			if p.breaker.IsClosed() && g.purse.spend() {
				open++
				go send()
			}
			late = nil
		}
	}
	if out.took = time.Since(begun); sound(out) {
		p.breaker.RecordSuccess()
	} else {
		p.breaker.RecordFailure()
	}
	return out
}

// sound tells whether a reply says nothing against the house. What it declines or does not know is an answer.
func sound(r reply) bool {
	return r.state == Answered || r.state == Declined || r.state == Unsupported || r.err != nil
}

// once asks a house once, and reads what comes back.
func (g *Gatherer) once(ctx context.Context, t target) reply {
	now := g.o.Clock()
	q := ask.Question{
		Issuer: g.o.Self, Audience: t.house.ID, IssuedAt: now.Unix(), Expires: now.Add(ask.Life).Unix(), ID: ask.NewID(), Edition: t.variant.edition.Number,
		Document: t.variant.edition.Document, Vars: t.variant.vars, Purpose: t.options.Purpose, Actor: t.options.Actor,
		Budget: max(1, time.Until(t.until).Milliseconds()*95/100), Charter: t.roll.Version(), Suspensions: t.roll.SuspensionSeq(), Seen: t.head.Size,
	}
	sent, err := q.Sign(g.o.Signer)
	if err != nil {
		return reply{err: err}
	}
	body, r, ok := g.post(ctx, t.house.Endpoint+ask.Path, sent)
	if !ok {
		return r
	}
	a, err := ask.ReadAnswer(body)
	if err != nil {
		return reply{state: Rejected, reason: "form"}
	}
	receipt, err := ask.OpenReceipt(a, q, sent, t.roll, g.o.Clock(), t.head)
	if err != nil {
		return rejected(err)
	}
	if receipt.Charter > t.roll.Version() || receipt.Suspensions > t.roll.SuspensionSeq() {
		g.o.Behind()
	}
	head := ask.Head{Size: receipt.Log.Size, Root: receipt.Log.Root}
	switch receipt.Outcome {
	case ask.Declined:
		return reply{state: Declined, reason: receipt.Reason, head: head}
	case ask.Unsupported:
		return reply{state: Unsupported, reason: receipt.Reason, head: head}
	case ask.Answered:
	}
	return g.believe(t, []byte(a.Statement), head)
}

// post sends a question and gives the body of the answer; where ok is false, the reply says why there is none.
func (g *Gatherer) post(ctx context.Context, url string, question []byte) (body []byte, r reply, ok bool) {
	gone := func(err error) ([]byte, reply, bool) {
		if ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded) {
			return nil, reply{state: TimedOut, reason: "deadline"}, false
		}
		if errors.Is(err, ErrInside) {
			return nil, reply{state: Unreachable, reason: "address"}, false
		}
		return nil, reply{state: Unreachable, reason: "connection"}, false
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(question))
	if err != nil {
		return nil, reply{state: Unreachable, reason: "address"}, false
	}
	request.Header.Set("Content-Type", ask.MediaType)
	response, err := g.o.Client.Do(request)
	if err != nil {
		return gone(err)
	}
	defer func() { _ = response.Body.Close() }() // what it says was read
	switch {
	case response.StatusCode >= 500 || response.StatusCode == http.StatusTooManyRequests:
		return nil, reply{state: Unreachable, reason: "busy"}, false
	case response.StatusCode != http.StatusOK:
		return nil, reply{state: Rejected, reason: "unsigned"}, false // whoever said so did not sign it
	}
	body, err = io.ReadAll(io.LimitReader(response.Body, ask.LongestAnswer+1))
	if err != nil {
		return gone(err)
	}
	if len(body) > ask.LongestAnswer {
		return nil, reply{state: Rejected, reason: "tooLarge"}, false
	}
	return body, reply{}, true
}

// rejected is what is made of a document that cannot be believed.
func rejected(err error) reply {
	if p, told := problem.Of(err); told {
		return reply{state: Rejected, reason: p.Rule}
	}
	for reason, is := range map[string]error{
		"malformed": charter.ErrMalformed, "type": charter.ErrType, "algorithm": charter.ErrAlgorithm, "signature": charter.ErrSignature,
		"key": charter.ErrUnknown, "keyExpired": charter.ErrExpired, "keyRevoked": charter.ErrRevoked,
	} {
		if errors.Is(err, is) {
			return reply{state: Rejected, reason: reason}
		}
	}
	if errors.Is(err, charter.ErrSuspended) {
		return reply{state: Suspended}
	}
	return reply{err: fmt.Errorf("gather: reading an answer: %w", err)}
}

// believe checks a statement that just came, against the question, against what the house has said before, and by itself.
func (g *Gatherer) believe(t target, document []byte, head ask.Head) reply {
	now := g.o.Clock()
	part, s, payload, err := t.variant.read(document, t.house, t.roll, now)
	if err != nil {
		return rejected(err)
	}
	kept := Kept{Member: t.house.Member, Statement: s, Payload: payload, Document: document, ReceivedAt: now}
	if first, ok := t.known.of(t.house.ID, t.variant.name); ok && ask.Contradict(first.Statement, s, first.Payload, payload) {
		return reply{state: Rejected, reason: contradiction, kept: kept, head: head}
	}
	if !possible(t.variant.plan, part) || !t.plausible(part) {
		return reply{state: Rejected, reason: "implausible"}
	}
	return reply{state: Answered, part: part, kept: kept, head: head}
}

// contradiction is the reason of a rejection of which there is a proof.
const contradiction = "contradiction"

// read reads a statement that has to answer a variant.
func (v *variant) read(document []byte, house charter.Instance, roll ask.Roll, at time.Time) (statistics.Part, ask.Statement, []byte, error) {
	s, payload, err := ask.OpenStatement(document, roll, at)
	if err != nil {
		return statistics.Part{}, s, nil, err
	}
	if s.Issuer != house.ID || s.Question != v.name || s.Edition != v.edition.Number || !s.AsOf.Equal(ask.EndOf(v.vars)) || s.Revision != 0 || s.Status != ask.Final ||
		s.Protection != (ask.Protection{Method: statistics.CellKey, Table: statistics.NoiseHash()}) {
		return statistics.Part{}, s, nil, problem.New(problem.Invalid, "otherAnswer")
	}
	part, err := s.Part(v.plan, house.Member)
	return part, s, payload, err
}

// plausible holds a part against everything that the house has said of the same cases.
func (t target) plausible(part statistics.Part) bool {
	for _, n := range t.variant.beside {
		kept, ok := t.known.of(t.house.ID, n.name)
		if !ok {
			continue
		}
		other, err := kept.Statement.Part(n.plan, t.house.Member)
		if err == nil && !n.plausible(t.variant.plan, part, other) {
			return false
		}
	}
	return true
}

// shelved are the statements that are known, by house and question.
type shelved struct{ at map[string]Kept }

func shelve(all []Kept) *shelved {
	out := &shelved{map[string]Kept{}}
	for _, k := range all {
		out.at[key(k.Statement.Issuer, k.Statement.Question)] = k
	}
	return out
}

func key(house charter.InstanceID, question string) string {
	return strings.Join([]string{string(house), question}, " ")
}

func (s *shelved) of(house charter.InstanceID, question string) (Kept, bool) {
	k, ok := s.at[key(house, question)]
	return k, ok
}
