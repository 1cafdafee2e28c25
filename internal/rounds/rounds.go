// SPDX-License-Identifier: EUPL-1.2

// Package rounds lets work that nobody waits for be done step by step, for as long as the program runs.
// What a step does, and what is said where it fails, belongs to the rooms whose work it is.
package rounds

import (
	"context"
	"time"
)

// Pauses are how long nothing is looked for: Calm after there was nothing more to do, and twice as long after each failure, up to Longest.
type Pauses struct{ Calm, Longest time.Duration }

// Go takes one step after another until ctx ends: the next one at once where step says that there is more, otherwise after a pause. A step that
// fails is told to failed, and taken again.
func Go(ctx context.Context, p Pauses, step func(context.Context) (more bool, err error), failed func(error)) {
	for pause := p.Calm; ctx.Err() == nil; {
		more, err := step(ctx)
		switch {
		case err == nil && more:
			continue
		case err == nil:
			pause = p.Calm
		case ctx.Err() == nil:
			failed(err)
			pause = min(2*pause, p.Longest)
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// never is when a timer rings that is set later: its function must not begin before it is known to itself.
const never = 1000 * time.Hour

// Every does something again and again, as long as it says so, until it is stopped. It needs no goroutine in between.
func Every(pause time.Duration, do func() (more bool)) (stop func()) {
	var t *time.Timer
	t = time.AfterFunc(never, func() {
		if do() {
			t.Reset(pause)
		}
	})
	t.Reset(pause)
	return func() { t.Stop() }
}
