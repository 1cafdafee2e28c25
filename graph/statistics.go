// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"context"
	"slices"
	"strings"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/graph/model"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/statistics"
)

// mostRows is how many rows an answer may have.
const mostRows = 10_000

// catalogue is what is measured and published here.
var catalogue = statistics.Standard()

// CaseStatistics asks the tally. The second wall would let a principal through to everything between two roles that lie apart, so exact figures are
// refused here.
func (r query) CaseStatistics(
	ctx context.Context, scope string, product model.StatisticsProduct, measures []model.StatisticsMeasure, groupBy []model.StatisticsAxis,
	where []model.StatisticsWhere, from, to *string,
) (*model.CaseStatistics, error) {
	p, err := authz.From(ctx)
	if err != nil {
		return nil, err
	}
	refusal := authz.Refusal("statistics", authz.Read)
	if !p.MayAnywhere("statistics", authz.Read) {
		return nil, refusal
	}
	at, ok, err := r.Tally.At(ctx, scope)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, problem.New(problem.Missing, "notFound", "scope")
	}
	if product == model.StatisticsProductExact && !readsAllOf(p, at) {
		return nil, refusal
	}
	q := statistics.Question{
		Product: statistics.Product(product), Scope: statistics.LevelOf(at.Kind), From: text(from), To: text(to), Now: r.Tally.Now(),
	}
	for _, m := range measures {
		q.Measures = append(q.Measures, statistics.Measure(camel(string(m))))
	}
	for _, a := range groupBy {
		q.By = append(q.By, statistics.Axis(camel(string(a))))
	}
	for _, w := range where {
		q.Where = append(q.Where, statistics.Filter{Axis: statistics.Axis(camel(string(w.Axis))), Values: w.Values})
	}
	plan, err := catalogue.Plan(q)
	if err != nil {
		return nil, err
	}
	part, err := r.Tally.Count(ctx, plan, at)
	if err != nil {
		return nil, err
	}
	if len(part.Rows) > mostRows {
		return nil, problem.New(problem.Invalid, "tooMany", "groupBy")
	}
	return figuresOf(plan.Answer(part)), nil
}

// readsAllOf tells whether the statistics of the whole of a tenant are a principal's, by one role alone.
func readsAllOf(p *authz.Principal, at authz.TenantRef) bool {
	return slices.ContainsFunc(p.Rows("statistics").Any, func(c authz.Condition) bool {
		return c.Units == nil && c.Services == nil && c.Owner == "" && !c.ViaPointOfContact && c.Place.Covers(authz.Cover(at.Kind, at.Place))
	})
}

func figuresOf(a statistics.Answer) *model.CaseStatistics {
	d := a.Disclosure
	out := &model.CaseStatistics{
		Product: model.StatisticsProduct(a.Product), AsOf: a.AsOf, Method: string(d.Method), Margin: d.Margin, Smallest: int(d.Smallest), Suppressed: d.Suppressed,
		Scheme: a.Scheme, Contributions: []model.StatisticsContribution{}, Missing: []model.StatisticsGap{}, Axes: []model.StatisticsAxis{},
		Rows: make([]model.StatisticsRow, 0, len(a.Rows)),
	}
	if d.Noise != "" {
		out.Noise = &d.Noise
	}
	for _, c := range a.Counted {
		out.Contributions = append(out.Contributions, model.StatisticsContribution{Member: c.Member, AsOf: c.AsOf})
	}
	for _, g := range a.Missing {
		out.Missing = append(out.Missing, model.StatisticsGap{Member: g.Member, Reason: g.Reason})
	}
	for _, axis := range a.Axes {
		out.Axes = append(out.Axes, model.StatisticsAxis(constant(string(axis))))
	}
	for _, r := range a.Rows {
		row := model.StatisticsRow{At: r.At, Figures: make([]model.StatisticsFigure, 0, len(r.Figures))}
		for _, f := range r.Figures {
			row.Figures = append(row.Figures, figureOf(f))
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

func figureOf(f statistics.FigureTold) model.StatisticsFigure {
	out := model.StatisticsFigure{
		Measure: model.StatisticsMeasure(constant(string(f.Measure))), Count: int(f.Count), Margin: f.Margin, Share: f.Share, ShareMargin: f.ShareMargin,
		MedianMinutes: f.Median, P90Minutes: f.P90, RankMargin: f.RankMargin, Histogram: make([]model.StatisticsBin, 0, len(f.Histogram)), Suppressed: f.Suppressed,
	}
	for _, b := range f.Histogram {
		bin := model.StatisticsBin{FromMinutes: int(b.FromMinutes), Count: int(b.Count), Margin: b.Margin}
		if b.ToMinutes != nil {
			end := int(*b.ToMinutes)
			bin.ToMinutes = &end
		}
		out.Histogram = append(out.Histogram, bin)
	}
	return out
}

// camel is the name of an axis or a measure for a value of the contract: timeToDecision for TIME_TO_DECISION.
func camel(constant string) string {
	words := strings.Split(strings.ToLower(constant), "_")
	for i, w := range words[1:] {
		words[i+1] = strings.ToUpper(w[:1]) + w[1:]
	}
	return strings.Join(words, "")
}

// constant is the value of the contract for a name.
func constant(camel string) string {
	var out strings.Builder
	for _, c := range camel {
		if c >= 'A' && c <= 'Z' {
			out.WriteByte('_')
		}
		out.WriteRune(c)
	}
	return strings.ToUpper(out.String())
}
