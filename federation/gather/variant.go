// SPDX-License-Identifier: EUPL-1.2

package gather

import (
	"slices"
	"time"

	"github.com/ozg-cloud/platform/federation/ask"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/statistics"
)

// variant is a question as an edition understands it.
type variant struct {
	edition ask.Edition
	plan    *statistics.Plan
	vars    ask.Vars
	name    string
	// unsupported is the rule by which the edition cannot answer; then the rest is empty.
	unsupported string
	// beside are the questions that tell the same cases less or more finely.
	beside []neighbour
}

// variants gives a question in every edition, the newest first. It has to be one of the newest.
func variants(editions []ask.Edition, v ask.Vars, now time.Time) ([]variant, error) {
	out := make([]variant, 0, len(editions))
	for i, e := range editions {
		plan, vars, err := e.Plan(v, now)
		if p, told := problem.Of(err); told && i > 0 {
			out = append(out, variant{edition: e, unsupported: p.Rule})
			continue
		}
		if err != nil {
			return nil, err
		}
		name, err := e.Name(vars)
		if err != nil {
			return nil, err
		}
		if i > 0 && !alike(out[0].plan, plan) {
			out = append(out, variant{edition: e, unsupported: "measuredOtherwise"})
			continue
		}
		one := variant{edition: e, plan: plan, vars: vars, name: name}
		if one.beside, err = neighbours(e, vars, now); err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

// alike tells whether two plans count the same: then parts of both can be added up, whatever else the editions publish.
func alike(a, b *statistics.Plan) bool {
	return slices.Equal(a.Measured, b.Measured) && slices.Equal(a.Axes, b.Axes)
}

// highest is the newest variant that a house answers.
func highest(all []variant, editions []int) *variant {
	for i := range all {
		if slices.Contains(editions, all[i].edition.Number) {
			return &all[i]
		}
	}
	return nil
}
