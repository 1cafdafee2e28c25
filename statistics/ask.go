// SPDX-License-Identifier: EUPL-1.2

package statistics

import (
	"context"
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
}

// Elsewhere gives the part of all houses together of an inquiry about the whole federation; ok is false in a house that asks nobody.
type Elsewhere func(ctx context.Context, a Inquiry) (part Part, ok bool, err error)

// AskElsewhere has protected figures of the whole federation counted by all its houses. It is called before the first question.
func (t *Tally) AskElsewhere(e Elsewhere) { t.elsewhere = e }

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
// are for everybody who may read statistics somewhere.
// Refusals are problems: notAllowed, notFound, those of Catalogue.Plan, and tooMany where there are more than 10000 rows.
func (t *Tally) Ask(ctx context.Context, a Inquiry) (*Plan, Answer, error) {
	p, err := authz.From(ctx)
	if err != nil {
		return nil, Answer{}, err
	}
	refusal := authz.Refusal("statistics", authz.Read)
	if !p.MayAnywhere("statistics", authz.Read) {
		return nil, Answer{}, refusal
	}
	at, ok, err := t.At(ctx, a.Scope)
	if err != nil {
		return nil, Answer{}, err
	}
	if !ok {
		return nil, Answer{}, problem.New(problem.Missing, "notFound", "scope")
	}
	if a.Product == Exact && !readsAllOf(p, at) {
		return nil, Answer{}, refusal
	}
	plan, err := standard.Plan(Question{
		Product: a.Product, Measures: a.Measures, By: a.By, Where: a.Where, Scope: LevelOf(at.Kind), From: a.From, To: a.To, Now: t.clock(),
	})
	if err != nil {
		return nil, Answer{}, err
	}
	part, err := t.whole(ctx, plan, at, a)
	if err != nil {
		return nil, Answer{}, err
	}
	if len(part.Rows) > mostRows {
		return nil, Answer{}, problem.New(problem.Invalid, "tooMany", "groupBy")
	}
	out := plan.Answer(part)
	if len(part.Counted) == 0 {
		out.AsOf, _ = EndOf(a.To) // nobody has counted, up to the end of the period
	}
	return plan, out, nil
}

// readsAllOf tells whether the statistics of the whole of a tenant are a principal's, by one role alone.
func readsAllOf(p *authz.Principal, at authz.TenantRef) bool {
	return slices.ContainsFunc(p.Rows("statistics").Any, func(c authz.Condition) bool {
		return c.Units == nil && c.Services == nil && c.Owner == "" && !c.ViaPointOfContact && c.Place.Covers(authz.Cover(at.Kind, at.Place))
	})
}
