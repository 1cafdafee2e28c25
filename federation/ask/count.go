// SPDX-License-Identifier: EUPL-1.2

package ask

import (
	"context"
	"slices"
	"time"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/federation/charter"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/statistics"
)

// settled is how long after its end a month is told for the first time: what is told then is told for ever, and until then everything that was under way
// has been counted.
const settled = time.Hour

// Counting counts for statements: the Land of this house, as whose member it speaks. The instant of counting is no part of what it gives, so that what is
// counted later gives the same bytes. A period that is over for less than an hour, or that is not counted to its end, is busy (notCountedYet).
func Counting(t *statistics.Tally, at authz.TenantRef, member charter.MemberID) func(context.Context, *statistics.Plan) (statistics.Part, error) {
	return func(ctx context.Context, p *statistics.Plan) (statistics.Part, error) {
		part, err := t.Count(authz.With(ctx, authz.System(authz.Counting)), p, at)
		if err != nil {
			return statistics.Part{}, err
		}
		return Spoken(p, part, member)
	}
}

// Spoken makes what a house has counted itself a part that it tells others: its member speaks, up to the end of the period, and is itself the value of Land.
func Spoken(p *statistics.Plan, part statistics.Part, member charter.MemberID) (statistics.Part, error) {
	end := EndOf(Vars{To: p.To})
	for _, c := range part.Counted {
		if c.AsOf.Before(end.Add(settled)) {
			return statistics.Part{}, problem.New(problem.Busy, "notCountedYet")
		}
	}
	part.Counted = []statistics.Contribution{{Member: string(member), AsOf: end}}
	if i := slices.Index(p.Axes, statistics.Land); i >= 0 {
		rows := slices.Clone(part.Rows)
		for r := range rows {
			rows[r].At = slices.Clone(rows[r].At)
			rows[r].At[i] = string(member)
		}
		part.Rows = rows
	}
	return part, nil
}
