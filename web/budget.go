// SPDX-License-Identifier: EUPL-1.2

package web

import (
	"context"
	"fmt"
	"hash/maphash"
	"maps"
	"net/http"
	"sync"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/ozg-cloud/platform/internal/problem"
)

// Caller is what the door has to know of a principal to be fair to the others.
type Caller struct {
	// Subject and Tenant name whose budgets the operations are paid from. Empty: nobody's.
	Subject, Tenant string
	// Applies: the mutations bring applications in, which go before everything else.
	Applies bool
	// Counts: whatever is asked for are figures, which go behind everything else.
	Counts bool
}

// class is the rank of the caller's operations of a kind.
func (c Caller) class(kind ast.Operation) class {
	switch {
	case c.Counts:
		return statistical
	case kind == ast.Subscription:
		return following
	case kind == ast.Mutation && c.Applies:
		return applying
	case kind == ast.Mutation:
		return working
	}
	return looking
}

// priceOfRefusal is what a document costs that is refused: reading it was work, too.
const priceOfRefusal = 10

// budgets are how much may still be asked for: a bucket for each name, which fills up again within a minute. A bucket that is full is not
// kept, so nobody is remembered for longer than that, and names are kept as hashes alone.
type budgets struct {
	perMinute float64
	seed      maphash.Seed

	mu    sync.Mutex
	of    map[uint64]bucket
	sweep int // the number of buckets at which the full ones are thrown away
}

type bucket struct {
	left float64
	at   time.Time
}

// fewBuckets is how many buckets nobody cares about.
const fewBuckets = 1000

func newBudgets(perMinute int) *budgets {
	return &budgets{perMinute: float64(perMinute), seed: maphash.MakeSeed(), of: map[uint64]bucket{}, sweep: fewBuckets}
}

// filled is a bucket as it is now.
func (b *budgets) filled(was bucket, now time.Time) bucket {
	return bucket{min(b.perMinute, was.left+now.Sub(was.at).Minutes()*b.perMinute), now}
}

// take pays a cost. Where less is left, nothing is paid, and wait says after what time there will be enough.
func (b *budgets) take(name string, cost int, now time.Time) (left int, wait time.Duration) {
	key := maphash.String(b.seed, name)
	b.mu.Lock()
	defer b.mu.Unlock()
	was, ok := b.of[key]
	if !ok {
		was = bucket{b.perMinute, now}
	}
	is := b.filled(was, now)
	if missing := min(float64(cost), b.perMinute) - is.left; missing > 0 {
		return int(is.left), time.Duration(missing / b.perMinute * float64(time.Minute))
	}
	is.left -= float64(cost)
	b.of[key] = is
	if len(b.of) > b.sweep {
		maps.DeleteFunc(b.of, func(_ uint64, k bucket) bool { return b.filled(k, now).left >= b.perMinute })
		b.sweep = max(fewBuckets, 2*len(b.of))
	}
	return int(is.left), 0
}

// spent is a refusal for a budget that is used up.
type spent struct {
	*problem.Problem
	policy string
	left   int
}

// Unwrap leads to the problem.
func (s *spent) Unwrap() error { return s.Problem }

// tell says in headers which budget it is and what is left of it (draft-ietf-httpapi-ratelimit-headers-10).
func (s *spent) tell(h http.Header, l Limits) {
	h.Set("RateLimit-Policy", fmt.Sprintf(`"caller";q=%d;w=60, "tenant";q=%d;w=60`, l.CallerPerMinute, l.TenantPerMinute))
	h.Set("RateLimit", fmt.Sprintf(`%q;r=%d;t=%d`, s.policy, s.left, s.RetryAfterSeconds))
}

// pay takes the cost of what the principal in ctx asks for out of the budgets.
func (d *Door) pay(ctx context.Context, cost int) error {
	who, now := d.caller(ctx), time.Now()
	for _, b := range []struct {
		policy, name string
		of           *budgets
	}{{"caller", who.Subject, d.perCaller}, {"tenant", who.Tenant, d.perTenant}} {
		if b.name == "" {
			continue
		}
		if left, wait := b.of.take(b.name, max(1, cost), now); wait > 0 {
			p := problem.New(problem.Busy, "quotaExceeded")
			p.RetryAfterSeconds = seconds(wait)
			return &spent{p, b.policy, left}
		}
	}
	return nil
}

// caller is who is asking, as far as fairness goes.
func (d *Door) caller(ctx context.Context) Caller {
	if d.o.Caller == nil {
		return Caller{}
	}
	return d.o.Caller(ctx)
}
