// SPDX-License-Identifier: EUPL-1.2

package ask

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/ozg-cloud/platform/federation/charter"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/statistics"
)

// Line is a question that was asked of this house, as its own staff reads it.
type Line struct {
	Index    int64
	At       time.Time
	By       charter.InstanceID
	Member   charter.MemberID
	ID       string // the question's, unique for the house that asked
	Question string // its name; empty where the edition or the document is not known
	Document string
	Measures []statistics.Measure
	Purpose  string
	Role     string
	Cells    int
	Outcome  Outcome
	Reason   string
	// Request is the question as it was signed.
	Request []byte
}

// ErrAsked is a question that stands in the books already.
var ErrAsked = errors.New("ask: this question was asked before")

// Books keep what a house has said, and what it was asked.
type Books interface {
	// Said is the payload of the statement of a house to a question, where there is one.
	Said(ctx context.Context, by charter.InstanceID, question string) (payload []byte, ok bool, err error)
	// Say keeps a statement of this house unless there is one, and gives the one that is kept.
	Say(ctx context.Context, s Statement, payload []byte) (kept []byte, err error)
	// Enter adds a line to the log, with record as its text, for somebody who saw the log when it had seen lines. The line's Index is not looked at.
	// Errors: ErrAsked.
	Enter(ctx context.Context, l Line, record []byte, seen int64) (Spot, error)
}

// Options are what a desk needs. Behind and Quota have a default.
type Options struct {
	Self     charter.InstanceID
	Member   charter.MemberID
	Roll     func() Roll
	Signer   Signer
	Editions []Edition
	// Count counts this house's part, see Counting.
	Count   func(context.Context, *statistics.Plan) (statistics.Part, error)
	Books   Books
	Consent *Consent
	// Quota is how many questions a member may ask in a minute; zero: 600.
	Quota int
	// Behind is told when another house knows a newer charter or list of suspensions.
	Behind func()
	Clock  func() time.Time
	Log    *slog.Logger
}

// Desk answers the questions of other houses.
type Desk struct {
	o     Options
	once  once
	quota quota
}

// NewDesk makes a desk.
func NewDesk(o Options) *Desk {
	if o.Quota == 0 {
		o.Quota = 600
	}
	if o.Behind == nil {
		o.Behind = func() {}
	}
	return &Desk{o: o, quota: quota{most: o.Quota}}
}

const (
	// longestWork bounds what a question may cost, whatever its budget says.
	longestWork = 10 * time.Second
	// mostRows is how many rows a statement has at most.
	mostRows = 10_000
)

// Answer answers a question as it came over the wire. It looks at things in this order: size; type and algorithm; audience and time; who the house is; its
// signature; whether the question came before; edition and document; consent; and only then it counts. A question that fails before its signature holds is a
// problem (malformed, tooLarge, otherAudience, questionExpired, strangerHouse, suspendedHouse, badSignature), one that comes twice too (askedBefore).
// Every other one is answered with a receipt, stands in the log, and is never answered again.
func (d *Desk) Answer(ctx context.Context, document []byte) (Answer, error) {
	now, roll := d.o.Clock(), d.o.Roll()
	if roll == nil {
		return Answer{}, problem.New(problem.Missing, "notFound")
	}
	q, err := d.open(document, roll, now)
	if err != nil {
		return Answer{}, err
	}
	if q.Charter > roll.Version() || q.Suspensions > roll.SuspensionSeq() {
		d.o.Behind()
	}
	if !d.once.first(q.Issuer, q.ID, time.Unix(q.Expires, 0).Add(Skew), now) {
		return Answer{}, problem.New(problem.Conflict, "askedBefore")
	}
	by, _ := roll.Instance(q.Issuer)
	line := Line{
		At: now, By: q.Issuer, Member: by.Member, ID: q.ID, Document: q.Document, Measures: q.Vars.Measures, Purpose: q.Purpose, Role: q.Actor.Role,
		Request: document,
	}
	said, err := d.decide(ctx, q, &line)
	if err != nil {
		return Answer{}, err
	}
	return d.receipt(ctx, q, line, said, roll)
}

// open reads a question whose sender, time and signature are good.
func (d *Desk) open(document []byte, roll Roll, now time.Time) (q Question, err error) {
	if len(document) > LongestQuestion {
		return q, problem.New(problem.Invalid, "tooLarge")
	}
	_, err = charter.Open(document, QuestionType, func(kid string, unchecked []byte) (charter.Key, error) {
		if err := read(unchecked, &q); err != nil {
			return nil, err
		}
		issued, expires := time.Unix(q.IssuedAt, 0), time.Unix(q.Expires, 0)
		switch {
		case q.Audience != d.o.Self:
			return nil, problem.New(problem.Unauthenticated, "otherAudience")
		case issued.After(now.Add(Skew)), now.After(expires.Add(Skew)), expires.Sub(issued) > Life, expires.Before(issued):
			return nil, problem.New(problem.Unauthenticated, "questionExpired")
		case q.ID == "" || len(q.ID) > longestName || len(q.Purpose) > longestName || len(q.Actor.Role) > longestName || len(q.Actor.Ref) > longestName:
			return nil, problem.New(problem.Invalid, "malformed")
		}
		return roll.Key(q.Issuer, kid, now)
	})
	return q, refusal(err)
}

// refusal is what is told of a document that cannot be trusted.
func refusal(err error) error {
	_, told := problem.Of(err)
	switch {
	case err == nil || told:
		return err
	case errors.Is(err, charter.ErrMalformed), errors.Is(err, charter.ErrType), errors.Is(err, charter.ErrAlgorithm):
		return problem.New(problem.Invalid, "malformed")
	case errors.Is(err, charter.ErrSuspended):
		return problem.New(problem.Unauthenticated, "suspendedHouse")
	case errors.Is(err, charter.ErrUnknown), errors.Is(err, charter.ErrExpired):
		return problem.New(problem.Unauthenticated, "strangerHouse")
	case errors.Is(err, charter.ErrSignature), errors.Is(err, charter.ErrRevoked):
		return problem.New(problem.Unauthenticated, "badSignature")
	}
	return fmt.Errorf("ask: opening a question: %w", err)
}

// decide says what becomes of a question, and gives the statement where there is one.
func (d *Desk) decide(ctx context.Context, q Question, line *Line) (statement []byte, err error) {
	outcome := func(o Outcome, reason string) ([]byte, error) {
		line.Outcome, line.Reason = o, reason
		return nil, nil
	}
	e, ok := d.edition(q.Edition)
	if !ok {
		return outcome(Unsupported, "edition")
	}
	if e.Document != q.Document {
		return outcome(Unsupported, "document")
	}
	plan, vars, err := e.Plan(q.Vars, d.o.Clock())
	if p, told := problem.Of(err); told {
		return outcome(Unsupported, p.Rule)
	}
	if err != nil {
		return nil, err
	}
	if line.Question, err = e.Name(vars); err != nil {
		return nil, err
	}
	if asked, err := e.Name(q.Vars); err != nil || asked != line.Question {
		return outcome(Unsupported, "form") // equal questions would not be equal bytes
	}
	if !d.quota.take(line.Member, line.At) {
		return outcome(Declined, "quota")
	}
	for _, m := range vars.Measures {
		ok, err := d.o.Consent.Permits(line.Member, m, levelOf(vars))
		if err != nil {
			return nil, err
		}
		if !ok {
			return outcome(Declined, "consent")
		}
	}
	ctx, cancel := context.WithTimeout(ctx, min(longestWork, max(0, time.Duration(q.Budget)*time.Millisecond)))
	defer cancel()
	statement, cells, err := d.state(ctx, e, plan, vars)
	if p, told := problem.Of(err); told && p.Rule == "tooMany" {
		return outcome(Unsupported, p.Rule)
	}
	if err != nil {
		return nil, err
	}
	line.Outcome, line.Cells = Answered, cells
	return statement, nil
}

func (d *Desk) edition(number int) (Edition, bool) {
	for _, e := range d.o.Editions {
		if e.Number == number {
			return e, true
		}
	}
	return Edition{}, false
}

// Own is what this house says to a question of its own, signed as for everybody. Consent is for others.
func (d *Desk) Own(ctx context.Context, e Edition, v Vars) ([]byte, error) {
	plan, vars, err := e.Plan(v, d.o.Clock())
	if err != nil {
		return nil, err
	}
	statement, _, err := d.state(ctx, e, plan, vars)
	return statement, err
}

// state gives the signed statement to a question, and how many cells it has. What was said once is said again, whatever has changed in what was counted.
func (d *Desk) state(ctx context.Context, e Edition, plan *statistics.Plan, v Vars) (statement []byte, cells int, err error) {
	name, err := e.Name(v)
	if err != nil {
		return nil, 0, err
	}
	payload, ok, err := d.o.Books.Said(ctx, d.o.Self, name)
	if err != nil {
		return nil, 0, err
	}
	if !ok {
		part, err := d.o.Count(ctx, plan)
		if err != nil {
			return nil, 0, err
		}
		if len(part.Rows) > mostRows {
			return nil, 0, problem.New(problem.Invalid, "tooMany", "groupBy")
		}
		if payload, err = StatementOf(d.o.Self, e, v, part); err != nil {
			return nil, 0, err
		}
		s := Statement{Issuer: d.o.Self, Question: name, Edition: e.Number, AsOf: EndOf(v), Status: Final}
		if payload, err = d.o.Books.Say(ctx, s, payload); err != nil {
			return nil, 0, err
		}
	}
	statement, err = d.o.Signer.Sign(StatementType, payload)
	return statement, bytes.Count(payload, []byte(`"noisy":`)), err // every number that is told says so
}

// receipt writes a question down and tells where.
func (d *Desk) receipt(ctx context.Context, q Question, l Line, statement []byte, roll Roll) (Answer, error) {
	r := Receipt{
		Issuer: d.o.Self, Audience: q.Issuer, IssuedAt: l.At.Unix(), Request: Hash(l.Request), Outcome: l.Outcome, Reason: l.Reason,
		Charter: roll.Version(), Suspensions: roll.SuspensionSeq(),
	}
	if statement != nil {
		r.Statement = Hash(statement)
	}
	// What was decided is written down even where whoever asked has left meanwhile.
	spot, err := d.o.Books.Enter(context.WithoutCancel(ctx), l, record(q.Issuer, r.Request, r.Outcome, r.Statement, r.IssuedAt), q.Seen)
	if errors.Is(err, ErrAsked) {
		return Answer{}, problem.New(problem.Conflict, "askedBefore")
	}
	if err != nil {
		return Answer{}, err
	}
	r.Log = spot
	signed, err := signed(d.o.Signer, ReceiptType, r)
	if err != nil {
		return Answer{}, err
	}
	return Answer{Statement: string(statement), Receipt: string(signed)}, nil
}
