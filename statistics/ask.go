// SPDX-License-Identifier: EUPL-1.2

package statistics

import (
	"context"
	"maps"
	"slices"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/internal/problem"
)

// mostRows is how many rows an answer may have.
const mostRows = 10_000

// standard is what is measured and published here.
var standard = Standard()

// Inquiry (Anfrage) is a question in the words of the contract, whichever door it came through.
type Inquiry struct {
	Scope    string // slug of a tenant
	Product  Product
	Measures []Measure
	By       []Axis
	Where    []Filter
	From, To string
	// Sums are extension fields whose values are added up.
	Sums []Axis
	// Fields are the extension fields that whoever asks knows of, as far as the question is told by them; see Question.
	Fields map[Axis]int64
	// AtLeast is a position up to which everything has to be counted; nil: whatever is.
	AtLeast *Position
}

// Told are the fields of a list that the question is told by.
func (q *Inquiry) Told(fields map[Axis]int64) map[Axis]int64 {
	asked := slices.Concat(q.By, q.Sums)
	for _, f := range q.Where {
		asked = append(asked, f.Axis)
	}
	out := maps.Clone(fields)
	maps.DeleteFunc(out, func(a Axis, _ int64) bool { return !slices.Contains(asked, a) })
	return out
}

// Elsewhere gives the part of all houses together of an inquiry about the whole federation; ok is false in a house that asks nobody.
type Elsewhere func(ctx context.Context, a Inquiry) (part Part, ok bool, err error)

// AskElsewhere has protected figures of the whole federation counted by all its houses. It is called before the first question.
func (t *Tally) AskElsewhere(e Elsewhere) { t.elsewhere = e }

// ExtendedBy has questions that come without a contract told by the extension fields that somebody knows of, each with its key in the index. It is called
// before the first question.
func (t *Tally) ExtendedBy(added func(*authz.Principal) map[Axis]int64) { t.added = added }

// whole counts a plan about a tenant: the whole federation in all its houses, everything else here.
func (t *Tally) whole(ctx context.Context, p *Plan, at authz.TenantRef, a Inquiry) (Part, error) {
	if t.elsewhere != nil && at.Kind == authz.Federation && p.Product == Protected {
		if part, ok, err := t.elsewhere(ctx, a); ok || err != nil {
			return part, err
		}
	}
	return t.Count(ctx, p, at)
}

// Ask answers a question for the principal in ctx, out of what this house has counted. Exact figures are for whoever may read the statistics of the
// whole of the scope by one role alone: the second wall would let a principal through to everything between two roles that lie apart. Protected figures
// are for everybody who may read statistics somewhere. Nobody is answered by rights that are older than the figures.
// Refusals are problems: notAllowed, notFound, those of Catalogue.Plan, tooMany where there are more than 10000 rows, and stillCounting.
func (t *Tally) Ask(ctx context.Context, q Inquiry) (plan *Plan, told Answer, err error) {
	if q.AtLeast != nil {
		if err := t.await(ctx, *q.AtLeast); err != nil {
			return nil, Answer{}, err
		}
	}
	err = authz.Current(ctx, func() error {
		plan, told, err = t.ask(ctx, q, func(_ Position, count func() (*Plan, Answer, error)) (*Plan, Answer, error) { return count() })
		return err
	})
	return plan, told, err
}

// ask asks for rights and counts. through is handed the position up to which is counted at least, and the counting: whoever has counted the same already may
// leave it. Its error is one for authz.Current where rights have changed meanwhile.
func (t *Tally) ask(ctx context.Context, q Inquiry, through func(Position, func() (*Plan, Answer, error)) (*Plan, Answer, error)) (*Plan, Answer, error) {
	p, err := authz.From(ctx)
	if err != nil {
		return nil, Answer{}, err
	}
	refusal := authz.Refusal("statistics", authz.Read)
	position, version, err := t.standing(ctx)
	if err == nil {
		err = p.Knows(version)
	}
	if err != nil {
		return nil, Answer{}, err
	}
	if !p.MayAnywhere("statistics", authz.Read) {
		return nil, Answer{}, refusal
	}
	at, ok, err := t.At(ctx, q.Scope)
	if err != nil {
		return nil, Answer{}, err
	}
	if !ok {
		return nil, Answer{}, problem.New(problem.Missing, "notFound", "scope")
	}
	if q.Product == Exact && !readsAllOf(p, at) {
		return nil, Answer{}, refusal
	}
	plan, told, err := through(position, func() (*Plan, Answer, error) {
		plan, err := standard.Plan(Question{
			Product: q.Product, Measures: q.Measures, By: q.By, Where: q.Where, Scope: LevelOf(at.Kind), From: q.From, To: q.To, Now: t.clock(), Fields: q.Fields, Sums: q.Sums,
		})
		if err != nil {
			return nil, Answer{}, err
		}
		part, err := t.whole(ctx, plan, at, q)
		if err != nil {
			return nil, Answer{}, err
		}
		if len(part.Rows) > mostRows {
			return nil, Answer{}, problem.New(problem.Invalid, "tooMany", "groupBy")
		}
		told := plan.Answer(part)
		told.Position = position
		if len(part.Counted) == 0 {
			told.AsOf, _ = EndOf(q.To) // nobody has counted, up to the end of the period
		}
		return plan, told, nil
	})
	if err != nil {
		return nil, Answer{}, err
	}
	// The figures may be younger than the position.
	if _, version, err = t.standing(ctx); err == nil {
		err = p.Knows(version)
	}
	if err != nil {
		return nil, Answer{}, err
	}
	return plan, told, nil
}

// readsAllOf tells whether the statistics of the whole of a tenant are a principal's, by one role alone.
func readsAllOf(p *authz.Principal, at authz.TenantRef) bool {
	return slices.ContainsFunc(p.Rows("statistics").Any, func(c authz.Condition) bool {
		return c.Units == nil && c.Services == nil && c.Owner == "" && !c.ViaPointOfContact && c.Place.Covers(authz.Cover(at.Kind, at.Place))
	})
}
