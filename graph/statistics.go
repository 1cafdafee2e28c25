// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"context"
	"slices"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/ozg-cloud/platform/events"
	"github.com/ozg-cloud/platform/extension"
	"github.com/ozg-cloud/platform/graph/model"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/statistics"
)

// CaseStatistics asks the tally, which knows who may.
func (r query) CaseStatistics(
	ctx context.Context, scope string, product model.StatisticsProduct, measures []model.StatisticsMeasure, groupBy []string,
	where []model.StatisticsWhere, sums []string, from, to, atLeast *string,
) (*model.CaseStatistics, error) {
	q := inquiryOf(ctx, scope, product, measures, groupBy, where, sums, from, to)
	after, err := r.Reading.Position(text(atLeast), "atLeast")
	if err != nil {
		return nil, err
	}
	if after != nil {
		q.AtLeast = &statistics.Position{XID: after.XID, Seq: after.Seq}
	}
	_, told, err := r.Tally.Ask(ctx, q)
	if err != nil {
		return nil, err
	}
	return r.figures(ctx, told)
}

// longestBetween is in seconds.
const longestBetween = 300

// CaseStatistics watches the tally. What ends the stream before its time is told as its last answer, see streamEnd.
func (r subscription) CaseStatistics(
	ctx context.Context, scope string, measures []model.StatisticsMeasure, groupBy []string, where []model.StatisticsWhere, sums []string, from, to *string, everySeconds int,
) (<-chan *model.CaseStatistics, error) {
	if everySeconds < 1 || everySeconds > longestBetween {
		return nil, problem.New(problem.Invalid, "range", "everySeconds")
	}
	answers := make(chan *model.CaseStatistics)
	go func() {
		defer close(answers)
		q := inquiryOf(ctx, scope, model.StatisticsProductExact, measures, groupBy, where, sums, from, to)
		err := r.Tally.Watch(ctx, q, time.Duration(everySeconds)*time.Second, func(told statistics.Answer) error {
			out, err := r.figures(ctx, told)
			if err != nil {
				return err
			}
			select {
			case answers <- out:
			case <-ctx.Done():
			}
			return nil
		})
		if err != nil {
			stopped(ctx, err)
		}
	}()
	return answers, nil
}

// figures writes an answer in the words of the contract.
func (r *Resolver) figures(ctx context.Context, told statistics.Answer) (*model.CaseStatistics, error) {
	out := figuresOf(told)
	out.Cursor = r.Reading.Checkpoint(events.Position{XID: told.Position.XID, Seq: told.Position.Seq})
	if slices.Contains(graphql.CollectAllFields(ctx), "names") {
		names, err := r.Tally.Labels(ctx, told)
		if err != nil {
			return nil, err
		}
		for _, n := range names {
			out.Names = append(out.Names, model.StatisticsName{Axis: statistics.Constant(string(n.Axis)), Value: n.Value, Name: n.Name})
		}
	}
	return out, nil
}

func inquiryOf(
	ctx context.Context, scope string, product model.StatisticsProduct, measures []model.StatisticsMeasure, groupBy []string, where []model.StatisticsWhere, sums []string, from, to *string,
) statistics.Inquiry {
	q := statistics.Inquiry{Scope: scope, Product: statistics.Product(product), From: text(from), To: text(to)}
	q.Measures, q.By, q.Where = named(measures, groupBy, where)
	for _, a := range sums {
		q.Sums = append(q.Sums, statistics.Axis(a))
	}
	q.Fields = q.Told(FieldsCounted(Added(ctx), extension.ByValue, extension.Summed))
	return q
}

// named gives what is counted, and by what, the names of statistics.
func named(measures []model.StatisticsMeasure, groupBy []string, where []model.StatisticsWhere) (of []statistics.Measure, by []statistics.Axis, only []statistics.Filter) {
	for _, m := range measures {
		of = append(of, statistics.Measure(statistics.Named(string(m))))
	}
	for _, a := range groupBy {
		by = append(by, statistics.Axis(statistics.Named(a)))
	}
	for _, w := range where {
		only = append(only, statistics.Filter{Axis: statistics.Axis(statistics.Named(w.Axis)), Values: w.Values})
	}
	return of, by, only
}

// FieldsCounted are the extension fields that figures are told by in one of some ways, where a chain holds.
func FieldsCounted(c extension.Chain, ways ...extension.Counted) map[statistics.Axis]int64 {
	out := map[statistics.Axis]int64{}
	for _, how := range ways {
		for _, a := range c.Axes(how) {
			out[statistics.Axis(a.Name)] = a.Key
		}
	}
	return out
}

func figuresOf(a statistics.Answer) *model.CaseStatistics {
	d := a.Disclosure
	out := &model.CaseStatistics{
		Product: model.StatisticsProduct(a.Product), AsOf: a.AsOf, Method: string(d.Method), Margin: d.Margin, Smallest: int(d.Smallest), Suppressed: d.Suppressed,
		Scheme: a.Scheme, Contributions: []model.StatisticsContribution{}, Missing: []model.StatisticsGap{}, Axes: []string{},
		Rows: make([]model.StatisticsRow, 0, len(a.Rows)), Names: []model.StatisticsName{},
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
		out.Axes = append(out.Axes, statistics.Constant(string(axis)))
	}
	for _, r := range a.Rows {
		row := model.StatisticsRow{At: r.At, Figures: make([]model.StatisticsFigure, 0, len(r.Figures))}
		for _, f := range r.Figures {
			row.Figures = append(row.Figures, figureOf(f, a.Sums))
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

func figureOf(f statistics.FigureTold, fields []statistics.Axis) model.StatisticsFigure {
	out := model.StatisticsFigure{
		Measure: model.StatisticsMeasure(statistics.Constant(string(f.Measure))), Count: int(f.Count), Margin: f.Margin, Share: f.Share, ShareMargin: f.ShareMargin,
		MedianMinutes: f.Median, P90Minutes: f.P90, RankMargin: f.RankMargin, Histogram: make([]model.StatisticsBin, 0, len(f.Histogram)), Suppressed: f.Suppressed,
		Sums: make([]model.StatisticsSummed, 0, len(f.Sums)),
	}
	for i, s := range f.Sums {
		told := model.StatisticsSummed{Field: string(fields[i]), Cases: int(s.N), Sum: s.Total}
		if s.N > 0 {
			mean := s.Total / float64(s.N)
			told.Mean = &mean
		}
		out.Sums = append(out.Sums, told)
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
