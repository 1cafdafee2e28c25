// SPDX-License-Identifier: EUPL-1.2

package gather

import (
	"slices"
	"strings"
	"time"

	"github.com/ozg-cloud/platform/federation/ask"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/statistics"
)

// parts is into how many values an axis divides what is above it at most. A value of which nothing is told may still have cases, so what cannot be counted
// is reckoned high: nobody who tells the truth is ever rejected.
var parts = map[statistics.Axis]int{
	statistics.District: 100, statistics.Authority: 5_000, statistics.ServiceGroup: 1_000, statistics.Service: 1_000, statistics.Day: 31, statistics.State: 12,
	statistics.Channel: 3, statistics.TrustLevel: 4, statistics.Outcome: 5,
}

// above is the next coarser axis of the same hierarchy.
var above = map[statistics.Axis]statistics.Axis{
	statistics.Service: statistics.ServiceGroup, statistics.Day: statistics.Month,
}

// neighbour is a question that tells the same cases by one axis more or less.
type neighbour struct {
	plan  *statistics.Plan
	name  string
	axis  statistics.Axis // the one that only the finer of both has
	up    statistics.Axis // what it becomes in the coarser one; empty: it falls away
	finer bool            // the neighbour is the finer one
}

// neighbours are the published ones.
func neighbours(e ask.Edition, v ask.Vars, now time.Time) (out []neighbour, err error) {
	try := func(by []statistics.Axis, n neighbour) error {
		w := v
		w.By = by
		plan, vars, err := e.Plan(w, now)
		if _, told := problem.Of(err); told {
			return nil
		}
		if err != nil {
			return err
		}
		n.plan = plan
		if n.name, err = e.Name(vars); err != nil {
			return err
		}
		out = append(out, n)
		return nil
	}
	for a := range parts {
		without := slices.DeleteFunc(slices.Clone(v.By), func(b statistics.Axis) bool { return a == b })
		up := above[a]
		switch {
		case len(without) < len(v.By):
			if a != statistics.Day {
				err = try(without, neighbour{axis: a})
			}
			if err == nil && up != "" && !slices.Contains(without, up) {
				err = try(append(slices.Clone(without), up), neighbour{axis: a, up: up})
			}
		case up != "" && slices.Contains(v.By, up):
			err = try(append(slices.DeleteFunc(slices.Clone(v.By), func(b statistics.Axis) bool { return b == up }), a), neighbour{axis: a, up: up, finer: true})
		default:
			err = try(append(slices.Clone(v.By), a), neighbour{axis: a, finer: true})
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// lift is the value on the coarser axis of a value on a finer one.
func lift(axis statistics.Axis, value string) string {
	if axis == statistics.Service {
		return statistics.Group(value)
	}
	return value[:min(len("2026-10"), len(value))] // of a day
}

// plausible tells whether a part can be true beside another part of the same house: what the finer one has in all may differ from the coarser one by no
// more than the noise of its values, told or not, and that of the coarser one.
func (n neighbour) plausible(p *statistics.Plan, mine, other statistics.Part) bool {
	fine, coarse, finePlan, coarsePlan := mine, other, p, n.plan
	if n.finer {
		fine, coarse, finePlan, coarsePlan = other, mine, n.plan, p
	}
	type sum struct {
		n        []int64
		children int
	}
	sums := map[string]*sum{}
	at := func(key string) *sum {
		if sums[key] == nil {
			sums[key] = &sum{n: make([]int64, len(p.Measured))}
		}
		return sums[key]
	}
	for _, r := range fine.Rows {
		var key []string
		for _, a := range coarsePlan.Axes {
			from := a
			if a == n.up {
				from = n.axis
			}
			value := r.At[slices.Index(finePlan.Axes, from)]
			if a == n.up {
				value = lift(n.axis, value)
			}
			key = append(key, value)
		}
		s := at(strings.Join(key, "\x00"))
		s.children++
		for i, f := range r.Figures {
			s.n[i] += f.N
		}
	}
	for _, r := range coarse.Rows {
		s := at(strings.Join(r.At, "\x00"))
		for i, f := range r.Figures {
			s.n[i] -= f.N
		}
	}
	for _, s := range sums {
		if !within(s.n, max(s.children, parts[n.axis])) {
			return false
		}
	}
	return true
}

// within tells whether differences can be noise of so many values and of their sum.
func within(differences []int64, children int) bool {
	most := int64(children+1) * statistics.Deviation
	return !slices.ContainsFunc(differences, func(d int64) bool { return d > most || d < -most })
}

// possible tells whether a part can be true by itself: durations lie in as many bins as there are cases, and a share is not larger than its whole.
func possible(p *statistics.Plan, part statistics.Part) bool {
	bins := statistics.Coarse(len(statistics.Bounds())) + 1
	for _, r := range part.Rows {
		for i, f := range r.Figures {
			switch p.Measured[i].Kind {
			case statistics.Durations:
				d := -f.N
				for _, b := range f.Bins {
					d += b.N
				}
				if f.Bins != nil && !within([]int64{d}, bins) {
					return false
				}
			case statistics.Share:
				if f.N-f.Of.N > 2*statistics.Deviation {
					return false
				}
			case statistics.Number:
			}
		}
	}
	return true
}
