// SPDX-License-Identifier: EUPL-1.2

package statistics

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/ozg-cloud/platform/authz"
)

// Watch answers a question about one's own at once, and again whenever its figures have changed, at most once in every; what happens in between is told
// together. Rights are asked for anew with each look, so that who has lost them gets nothing more: Watch ends with what Ask refuses. It ends without an
// error when ctx does, and with that of each.
// Those who watch the same are answered out of one count.
func (t *Tally) Watch(ctx context.Context, q Inquiry, every time.Duration, each func(Answer) error) error {
	q.Product = Exact
	text, err := json.Marshal(q)
	if err != nil {
		return fmt.Errorf("statistics: watching: %w", err)
	}
	key := string(text)
	t.watched.enter(key)
	defer t.watched.leave(key)
	tick := time.NewTicker(every)
	defer tick.Stop()
	var last *Answer
	for {
		var now Answer
		err := authz.Current(ctx, func() error {
			_, answer, err := t.ask(ctx, q, func(at Position, count func() (*Plan, Answer, error)) (*Plan, Answer, error) {
				// Ages grow and deadlines pass from day to day, whatever happens.
				return t.watched.once(key, watchedAt{at, DayOf(t.clock())}, count)
			})
			now = answer
			return err
		})
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if last == nil || !reflect.DeepEqual(last.Rows, now.Rows) {
			if err := each(now); err != nil {
				return err
			}
			last = &now
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// watchedAt is what figures depend on beside the question.
type watchedAt struct {
	Position
	day string
}

// watched are the questions that are watched at present, each with the count of it that was made last.
type watched struct {
	mu sync.Mutex
	of map[string]*watch
}

type watch struct {
	by    int // so many
	at    watchedAt
	count *count
}

// count is made once, however many wait for it.
type count struct {
	made   chan struct{} // closed when what follows is there
	plan   *Plan
	answer Answer
	err    error
}

func (w *watched) enter(key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.of == nil {
		w.of = map[string]*watch{}
	}
	if w.of[key] == nil {
		w.of[key] = &watch{}
	}
	w.of[key].by++
}

func (w *watched) leave(key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.of[key].by--; w.of[key].by == 0 {
		delete(w.of, key)
	}
}

// once gives the count of a question that was made at the same position, or makes it. A count that failed is nobody else's: it may have been broken off by
// whoever made it.
func (w *watched) once(key string, at watchedAt, do func() (*Plan, Answer, error)) (*Plan, Answer, error) {
	w.mu.Lock()
	of := w.of[key]
	c := of.count
	if c != nil && of.at == at {
		w.mu.Unlock()
		<-c.made
		if c.err == nil {
			return c.plan, c.answer, nil
		}
		return do()
	}
	c = &count{made: make(chan struct{})}
	of.at, of.count = at, c
	w.mu.Unlock()
	defer close(c.made)
	c.plan, c.answer, c.err = do()
	if c.err != nil {
		w.mu.Lock()
		if of.count == c {
			of.count = nil
		}
		w.mu.Unlock()
	}
	return c.plan, c.answer, c.err
}
