// SPDX-License-Identifier: EUPL-1.2

package ask

import (
	"sync"
	"time"

	"github.com/ozg-cloud/platform/federation/charter"
)

// mostOpen is how many questions of one house may be within their time at once.
const mostOpen = 10_000

// once remembers which questions came, as long as they could come again. The books remember it for ever and for all replicas; this spares them the work.
type once struct {
	mu   sync.Mutex
	seen map[charter.InstanceID]map[string]time.Time
}

// first tells whether a question comes for the first time. Of a house that asks more than mostOpen at once the rest do not.
func (o *once) first(by charter.InstanceID, id string, until, now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.seen == nil {
		o.seen = map[charter.InstanceID]map[string]time.Time{}
	}
	of := o.seen[by]
	if of == nil {
		of = map[string]time.Time{}
		o.seen[by] = of
	}
	if _, again := of[id]; again {
		return false
	}
	if len(of) >= mostOpen {
		for known, end := range of {
			if end.Before(now) {
				delete(of, known)
			}
		}
		if len(of) >= mostOpen {
			return false
		}
	}
	of[id] = until
	return true
}

// quota counts how often a member has asked in the current minute.
type quota struct {
	mu    sync.Mutex
	most  int
	begun time.Time
	asked map[charter.MemberID]int
}

func (q *quota) take(by charter.MemberID, now time.Time) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.asked == nil || now.Sub(q.begun) >= time.Minute {
		q.begun, q.asked = now, map[charter.MemberID]int{}
	}
	q.asked[by]++
	return q.asked[by] <= q.most
}
