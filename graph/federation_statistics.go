// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"context"
	"slices"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/federation/ask"
	"github.com/ozg-cloud/platform/federation/charter"
	"github.com/ozg-cloud/platform/federation/gather"
	"github.com/ozg-cloud/platform/graph/model"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/statistics"
)

// Together asks all houses, and keeps what others have asked this one. The zero value belongs to a house that asks nobody.
type Together struct {
	Gather *gather.Gatherer
	Asked  interface {
		// Lines are what was asked of this house, newest first, at most most, from before the line with an index; negative: from the newest one.
		Lines(ctx context.Context, before int64, most int) ([]ask.Line, error)
		Contradictions(ctx context.Context) ([]ask.Contradiction, error)
	}
	// Consent is what this house tells others.
	Consent *ask.Consent
	// Pseudonym is what other houses read instead of a subject.
	Pseudonym func(subject string) string
}

// PurposeOfFigures is what figures are for where nobody says so.
const PurposeOfFigures = "STATISTICS"

// Actor is what other houses read of a principal: the first of its roles, and a pseudonym.
func (t Together) Actor(p *authz.Principal) ask.Actor {
	out := ask.Actor{Ref: t.Pseudonym(p.Subject)}
	if len(p.Assignments) > 0 {
		out.Role = string(p.Assignments[0].Role)
	}
	return out
}

// federated tells whether this house asks others.
func (r *Resolver) federated() bool { return r.roll() != nil && r.Together.Gather != nil }

// may asks for a right that is held anywhere.
func may(ctx context.Context, o authz.Object) (*authz.Principal, error) {
	p, err := authz.From(ctx)
	if err != nil {
		return nil, err
	}
	if !p.MayAnywhere(o, authz.Read) {
		return nil, authz.Refusal(o, authz.Read)
	}
	return p, nil
}

func (r federation) Cubes(ctx context.Context, _ *model.Federation) ([]model.Cube, error) {
	if _, err := may(ctx, "statistics"); err != nil {
		return nil, err
	}
	var out []model.Cube
	for _, c := range ask.Current().Catalogue.Cubes() {
		cube := model.Cube{Name: string(c.Population), Measures: []model.CubeMeasure{}, Tables: []model.PublishedTable{}}
		for _, m := range c.Measures {
			levels, err := r.Together.Consent.Anybody(m.Measure)
			if err != nil {
				return nil, err
			}
			measure := model.CubeMeasure{
				Measure: model.StatisticsMeasure(statistics.Constant(string(m.Measure))), Kind: model.StatisticsKind(m.Kind), Told: []model.StatisticsLevel{},
			}
			for _, l := range levels {
				measure.Told = append(measure.Told, model.StatisticsLevel(statistics.Constant(string(l))))
			}
			cube.Measures = append(cube.Measures, measure)
		}
		for _, t := range c.Published {
			table := model.PublishedTable{Axes: []string{}}
			for _, a := range t {
				if a == statistics.Duration {
					table.Durations = true
					continue
				}
				table.Axes = append(table.Axes, statistics.Constant(string(a)))
			}
			cube.Tables = append(cube.Tables, table)
		}
		out = append(out, cube)
	}
	return out, nil
}

// The shortest and the longest deadline that can be asked for.
const (
	shortestDeadline = 100 * time.Millisecond
	longestDeadline  = 9 * time.Second // an operation has ten
	longestPurpose   = 64
)

// optionsOf reads how the members are asked.
func (r *Resolver) optionsOf(p *authz.Principal, o *model.FederatedOptions) (gather.Options, error) {
	out := gather.Options{Purpose: PurposeOfFigures, Actor: r.Together.Actor(p)}
	if o == nil {
		return out, nil
	}
	if o.DeadlineMillis != nil {
		out.Deadline = time.Duration(*o.DeadlineMillis) * time.Millisecond
		if *o.DeadlineMillis < 0 || out.Deadline < shortestDeadline || out.Deadline > longestDeadline {
			return out, problem.New(problem.Invalid, "range", "options", "deadlineMillis")
		}
	}
	if o.MaxAgeSeconds != nil {
		if *o.MaxAgeSeconds < 0 {
			return out, problem.New(problem.Invalid, "range", "options", "maxAgeSeconds")
		}
		out.MaxAge = max(time.Nanosecond, time.Duration(*o.MaxAgeSeconds)*time.Second)
	}
	if o.Purpose != nil {
		if out.Purpose = *o.Purpose; len(out.Purpose) > longestPurpose {
			return out, problem.New(problem.Invalid, "maxLength", "options", "purpose")
		}
	}
	if o.Members != nil {
		out.Members = []charter.MemberID{}
		for _, id := range o.Members {
			if !slices.ContainsFunc(r.roll().Members(), func(m charter.Member) bool { return string(m.ID) == id }) {
				return out, problem.New(problem.Invalid, "unknownValue", "options", "members")
			}
			out.Members = append(out.Members, charter.MemberID(id))
		}
		if len(out.Members) == 0 {
			return out, problem.New(problem.Invalid, "required", "options", "members")
		}
	}
	return out, nil
}

func (r federation) Statistics(
	ctx context.Context, _ *model.Federation, measures []model.StatisticsMeasure, groupBy []string, where []model.StatisticsWhere, from, to string,
	options *model.FederatedOptions,
) (*model.FederatedStatistics, error) {
	p, err := may(ctx, "statistics")
	if err != nil {
		return nil, err
	}
	if !r.federated() {
		return nil, problem.New(problem.Invalid, "noFederation")
	}
	o, err := r.optionsOf(p, options)
	if err != nil {
		return nil, err
	}
	v := ask.Vars{From: from, To: to}
	v.Measures, v.By, v.Where = named(measures, groupBy, where)
	a, err := r.Together.Gather.Ask(ctx, v, o)
	if err != nil {
		return nil, err
	}
	figures, err := gathered(a)
	if err != nil {
		return nil, err
	}
	out := &model.FederatedStatistics{
		Meta: r.metaOf(a, figures.AsOf), Margin: figures.Margin, Smallest: figures.Smallest, Suppressed: figures.Suppressed, Noise: text(figures.Noise), Scheme: figures.Scheme,
		Axes: figures.Axes, Rows: figures.Rows,
	}
	if options != nil && options.Partial == model.PartialModeRequireComplete && !a.Complete() {
		out.Rows = nil // who did stands beside it
		graphql.AddError(ctx, gqlerror.WrapPath(append(graphql.GetPath(ctx), ast.PathName("rows")), problem.New(problem.Busy, "notComplete")))
	}
	return out, nil
}

// mostRows is how many rows an answer may have.
const mostRows = 10_000

// gathered are the figures of an answer of many.
func gathered(a gather.Answer) (*model.CaseStatistics, error) {
	if len(a.Part.Rows) > mostRows {
		return nil, problem.New(problem.Invalid, "tooMany", "groupBy")
	}
	told := a.Plan.Answer(a.Part)
	told.AsOf = ask.EndOf(ask.Vars{To: a.Plan.To})
	return figuresOf(told), nil
}

func (r *Resolver) metaOf(a gather.Answer, asOf time.Time) model.AnswerMeta {
	out := model.AnswerMeta{
		Question: a.Question, AsOf: asOf, Complete: a.Complete(), Expected: a.Expected, Answered: a.Answered, Coverage: a.Coverage,
		Members: make([]model.MemberAnswer, 0, len(a.Members)),
	}
	roll := r.roll()
	for _, m := range a.Members {
		took := int(m.Took.Milliseconds())
		one := model.MemberAnswer{Member: memberOf(roll, m.Member), State: model.MemberAnswerState(m.Answer), Reason: filled(m.Reason), TookMillis: &took}
		if m.Answer.Counts() {
			statement := string(m.Statement)
			one.AsOf, one.ReceivedAt, one.Statement = &m.AsOf, &m.ReceivedAt, &statement
		}
		if m.Edition != 0 {
			one.Edition = &m.Edition
		}
		out.Members = append(out.Members, one)
	}
	return out
}

// filled is nil for an empty text.
func filled(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// mostAnswered is how many lines are read at once.
const mostAnswered = 100

func (r federation) Answered(ctx context.Context, _ *model.Federation, first int, before *int) ([]model.AnsweredQuestion, error) {
	if _, err := may(ctx, "federation"); err != nil {
		return nil, err
	}
	if first < 1 || first > mostAnswered {
		return nil, problem.New(problem.Invalid, "range", "first")
	}
	from := int64(-1)
	if before != nil {
		if from = int64(*before); from < 0 {
			return nil, problem.New(problem.Invalid, "range", "before")
		}
	}
	out := []model.AnsweredQuestion{}
	if r.Together.Asked == nil {
		return out, nil
	}
	lines, err := r.Together.Asked.Lines(ctx, from, first)
	if err != nil {
		return nil, err
	}
	for _, l := range lines {
		one := model.AnsweredQuestion{
			Index: int(l.Index), At: l.At, MemberID: string(l.Member), HouseID: string(l.By), Document: l.Document, Question: filled(l.Question), Measures: []string{},
			Purpose: l.Purpose, Role: l.Role, Cells: l.Cells, Outcome: model.MemberAnswerState(l.Outcome), Reason: filled(l.Reason), Request: string(l.Request),
		}
		for _, m := range l.Measures {
			one.Measures = append(one.Measures, string(m))
		}
		out = append(out, one)
	}
	return out, nil
}

func (r federation) Contradictions(ctx context.Context, _ *model.Federation) ([]model.Contradiction, error) {
	if _, err := may(ctx, "federation"); err != nil {
		return nil, err
	}
	out := []model.Contradiction{}
	if r.Together.Asked == nil {
		return out, nil
	}
	proofs, err := r.Together.Asked.Contradictions(ctx)
	for _, c := range proofs {
		out = append(out, model.Contradiction{
			MemberID: string(c.Member), Question: c.Question, First: string(c.First), Second: string(c.Second), FoundAt: c.FoundAt,
		})
	}
	return out, err
}
