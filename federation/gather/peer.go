// SPDX-License-Identifier: EUPL-1.2

package gather

import (
	"slices"
	"sync"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
)

const (
	// A breaker opens when five of the last ten questions failed, and lets one through again after ten seconds.
	failures, of = 5, 10
	rest         = 10 * time.Second
	// remembered is how many times of answering are remembered of a house, enough from how many on its usual time is known.
	remembered, enough = 100, 10
	// hedges is how many second questions come to one question at most, and saved how many are saved up.
	hedges, saved = 0.05, 20.0
)

// peer is what is known of a house.
type peer struct {
	breaker circuitbreaker.CircuitBreaker[any]

	mu    sync.Mutex
	times []time.Duration // the last ones, in a ring
	next  int
}

func newPeer() *peer {
	return &peer{breaker: circuitbreaker.NewBuilder[any]().WithFailureThresholdRatio(failures, of).WithDelay(rest).WithSuccessThreshold(1).Build()}
}

// took remembers how long an answer took.
func (p *peer) took(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.times) < remembered {
		p.times = append(p.times, d)
		return
	}
	p.times[p.next] = d
	p.next = (p.next + 1) % remembered
}

// usual is the time within which 95 of 100 answers came; false while too few are known.
func (p *peer) usual() (time.Duration, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.times) < enough {
		return 0, false
	}
	sorted := slices.Clone(p.times)
	slices.Sort(sorted)
	return sorted[len(sorted)*95/100], true
}

// purse pays for second questions.
type purse struct {
	mu    sync.Mutex
	has   float64
	asked int64
	spent int64
}

func (p *purse) earn() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.has = min(saved, p.has+hedges)
	p.asked++
}

func (p *purse) spend() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.has < 1 {
		return false
	}
	p.has--
	p.spent++
	return true
}
