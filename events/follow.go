// SPDX-License-Identifier: EUPL-1.2

package events

import (
	"context"
	"sort"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/internal/rounds"
)

// Story is which events a receiver wants to hear of, and what it is shown of each.
type Story struct {
	// Types are those that are told; nil: all.
	Types map[string]bool
	// Case is the one that the story is about; zero: all.
	Case uuid.UUID
	// Sees tells whether somebody may see what is told of an event, as far as that depends on the case. It is asked often.
	Sees func(p *authz.Principal, at authz.Target) bool
	// Read gives what is shown of events now, in their order, under the rights that the principal of ctx has now. What is not shown is left out.
	// now is the last event of all: as long as it is the same, nothing that is told has changed.
	Read func(ctx context.Context, at []Position, now Position) ([]Told, error)
}

// Told is what is shown of an event.
type Told struct {
	At    Position
	Shown any
}

// tells says whether an event may be part of the story under somebody's rights.
func (s *Story) tells(p *authz.Principal, e *Entry) bool {
	return (s.Types == nil || s.Types[e.Type]) && s.about(e) && s.Sees(p, e.Target)
}

// left tells whether a case has left what somebody sees by an event.
func (s *Story) left(p *authz.Principal, e *Entry) bool {
	return e.moved() && s.about(e) && s.Sees(p, e.Before) && !s.Sees(p, e.Target)
}

func (s *Story) about(e *Entry) bool { return s.Case == uuid.Nil || s.Case == e.Case }

// Kind says what a frame is.
type Kind uint8

// The kinds of frames.
const (
	Happened   Kind = iota // an event
	Checkpoint             // everything before was told
	Gap                    // what lies before is not there any more
	Revocation             // something that may have been shown is not shown any more
)

// Frame is what a receiver is told at a time.
type Frame struct {
	Kind     Kind
	At       Position
	Shown    any       // of Happened: what Story.Read has made of the event
	CaughtUp bool      // of Checkpoint: there is nothing more for now
	Case     uuid.UUID // of Revocation: the case that was taken away; zero where the receiver's own rights have become less
}

// receiver is the little that the log keeps of whoever follows: where it stands, never what it has still to be told.
type receiver struct {
	concerned func(*Entry) bool
	wake      chan struct{}

	arriving bool // it does not know yet of everything that was stored before it came

	// behind the log's lock
	mark   Position
	behind bool // there may be something behind the mark
}

// readAtOnce is how many events are read in one go.
const readAtOnce = 100

// Following is a receiver on its way through a story. One goroutine at a time takes what it tells.
type Following struct {
	log     *Log
	ctx     context.Context
	story   Story
	visitor *receiver // nil until the first step
	after   *Position
	wake    chan struct{}
	still   func()      // ends the heartbeat
	due     atomic.Bool // the next beat
	forget  func() bool

	now     stage
	p       *authz.Principal // by whose rights was told last
	arrived bool             // the checkpoint behind the backlog was told
	reach   reach            // of what is being told
	found   []Entry          // what is left of it
	told    []Told           // what was read of it and comes next
}

// stage is what a receiver does next.
type stage uint8

const (
	looks  stage = iota // for what lies behind its mark
	weighs              // its rights of now
	tells               // what was found
	waits
)

// Follow leads a receiver through a story, from behind a position (nil: from now on), until ctx ends, which it has to. Rights are those that ctx's
// principal has at each moment. A principal that is missing is refused at once.
//
// Where the log does not reach back so far any more, a gap comes first. Then comes what has happened since, then a checkpoint behind everything that was stored before the receiver came (but for what has to wait for a
// transaction that still runs), then what happens, without a seam; a checkpoint comes again with every heartbeat, whatever happens elsewhere. An event comes once and in the order of the log, unless a receiver begins again at an older position. Where a case is handed to a unit
// that the receiver does not see, a revocation stands in the place of the event.
//
// Nobody waits for a receiver that is slow, and nothing is kept for it: it goes on from where it stands.
func (l *Log) Follow(ctx context.Context, after *Position, s Story, heartbeat time.Duration) (*Following, error) {
	ctx, p, err := authz.Near(ctx)
	if err != nil {
		return nil, err
	}
	f := &Following{log: l, ctx: ctx, story: s, after: after, wake: make(chan struct{}, 1), p: p}
	f.still = rounds.Every(heartbeat, func() (more bool) {
		f.due.Store(true)
		signal(f.wake)
		return ctx.Err() == nil
	})
	f.forget = context.AfterFunc(ctx, f.end)
	return f, nil
}

// end is called once, when ctx has ended or an error has been told.
func (f *Following) end() {
	f.still()
	f.log.leave(f)
	signal(f.wake)
}

// Next waits for the frame that comes next. After an error, which that of a context may be, nothing comes.
func (f *Following) Next() (Frame, error) {
	for {
		if len(f.told) > 0 {
			t := f.told[0]
			f.told = f.told[1:]
			return Frame{Kind: Happened, At: t.At, Shown: t.Shown}, nil
		}
		var frame Frame
		var some bool
		var err error
		if f.arrived {
			frame, some, err = f.step()
		} else {
			aside(func() { frame, some, err = f.step() })
		}
		if err != nil {
			if f.forget() {
				f.end()
			}
			return Frame{}, err
		}
		if some {
			return frame, nil
		}
	}
}

// step goes on by one stage, which may have a frame, or leave something to be told.
func (f *Following) step() (frame Frame, some bool, err error) {
	if err := f.ctx.Err(); err != nil {
		return Frame{}, false, err
	}
	if f.visitor == nil {
		select {
		case <-f.log.begun:
			f.log.enter(f)
		case <-f.ctx.Done():
			return Frame{}, false, f.ctx.Err()
		}
	}
	switch f.now {
	case looks:
		return f.look()
	case weighs:
		now, err := authz.From(f.ctx)
		if err != nil {
			return Frame{}, false, err
		}
		lost := f.p != now && authz.Lost(f.p.Assignments, now.Assignments)
		f.p, f.now = now, tells
		return Frame{Kind: Revocation, At: f.visitor.mark}, lost, nil
	case tells:
		if len(f.found) > 0 {
			return f.tell()
		}
		return f.arrive()
	}
	return f.wait()
}

// look finds what lies behind the mark.
func (f *Following) look() (frame Frame, some bool, err error) {
	if f.found, f.reach, err = f.log.next(f.ctx, f.visitor); err != nil {
		return Frame{}, false, err
	}
	f.now = weighs
	if f.reach.oldest.Compare(f.log.stands(f.visitor)) <= 0 {
		return Frame{}, false, nil
	}
	f.found = behind(f.found, f.reach.oldest)
	if f.reach.to.Compare(f.reach.oldest) < 0 { // it goes on behind the gap, however much still lies in it
		f.reach.to, f.reach.more = f.reach.oldest, true
	}
	return Frame{Kind: Gap, At: f.reach.oldest}, true, nil
}

// tell goes through what was found as far as something has to be read or revoked. It decides by rights that are at least as young as the entries.
func (f *Following) tell() (frame Frame, some bool, err error) {
	var at []Position
	for i := range f.found {
		e := &f.found[i]
		switch {
		case f.story.tells(f.p, e):
			if at = append(at, e.At); len(at) < readAtOnce {
				continue
			}
			f.found = f.found[i+1:]
		case f.story.left(f.p, e):
			if len(at) == 0 {
				f.found = f.found[i+1:]
				return Frame{Kind: Revocation, At: e.At, Case: e.Case}, true, nil
			}
			f.found = f.found[i:]
		default:
			continue
		}
		f.told, err = f.story.Read(f.ctx, at, f.reach.newest)
		return Frame{}, false, err
	}
	f.found = nil
	if len(at) > 0 {
		f.told, err = f.story.Read(f.ctx, at, f.reach.newest)
	}
	return Frame{}, false, err
}

// arrive moves the mark behind everything that was told, and goes on where there may be more by now.
func (f *Following) arrive() (frame Frame, some bool, err error) {
	now, err := authz.From(f.ctx)
	if err != nil {
		return Frame{}, false, err
	}
	if more := f.log.reached(f.visitor, f.reach) || now != f.p; !more {
		f.now = waits
		return Frame{}, false, nil
	}
	f.now = looks
	return Frame{Kind: Checkpoint, At: f.reach.to}, f.due.CompareAndSwap(true, false), nil
}

// wait waits for something to tell, or for the time of a checkpoint. It is woken for all of that in one way: to wait for several things at a time costs
// as much as the rest.
func (f *Following) wait() (frame Frame, some bool, err error) {
	if first := !f.arrived; first || f.due.CompareAndSwap(true, false) {
		f.arrived = true
		return Frame{Kind: Checkpoint, At: f.log.stands(f.visitor), CaughtUp: true}, true, nil
	}
	<-f.wake
	if f.log.beyond(f.visitor) {
		f.now = looks
	}
	return Frame{}, false, nil
}

// aside does something on a stack of its own: a receiver waits for hours after it has caught up, and would keep the one that reading has made grow.
// What panics there panics here.
func aside(do func()) {
	var failed any
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { failed = recover() }()
		do()
	}()
	if <-done; failed != nil {
		panic(failed)
	}
}

func (l *Log) enter(f *Following) {
	v := &receiver{wake: f.wake, arriving: f.after != nil, behind: true, concerned: func(e *Entry) bool {
		p, err := authz.From(f.ctx)
		return err != nil || f.story.tells(p, e) || f.story.left(p, e)
	}}
	l.mu.Lock()
	defer l.mu.Unlock()
	f.visitor = v
	if v.mark = l.to; f.after != nil {
		v.mark = *f.after
	}
	if f.ctx.Err() == nil { // whose end has let it leave already
		l.receivers[v] = struct{}{}
	}
}

func (l *Log) leave(f *Following) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.receivers, f.visitor)
}

// next gives entries behind a receiver's mark, and sees to it that the principal's rights are at least as young. They come out of the memory or, where that
// does not reach back so far, a page of the database; also until everything is known that was stored before the receiver came: the memory is a moment late.
func (l *Log) next(ctx context.Context, v *receiver) (found []Entry, r reach, err error) {
	err = authz.Current(ctx, func() error {
		p, err := authz.From(ctx)
		if err != nil {
			return err
		}
		l.mu.Lock()
		r = reach{to: l.to, newest: l.since, oldest: l.oldest, version: l.version}
		if n := len(l.entries); n > 0 {
			r.newest = l.entries[n-1].At
		}
		if r.to.Compare(v.mark) < 0 {
			r.to = v.mark // another process has read further
		}
		mark, reaches := v.mark, !v.arriving && v.mark.Compare(l.since) >= 0
		if reaches {
			found = behind(l.entries, mark)
		}
		l.mu.Unlock()
		if !reaches {
			if found, r, err = l.scan(ctx, p.Scope(), span{mark, nil, page}); err != nil {
				return err
			}
		}
		return p.Knows(r.version)
	})
	v.arriving = v.arriving && r.more
	return found, r, err
}

// behind are the entries that come after a position.
func behind(all []Entry, at Position) []Entry {
	return all[sort.Search(len(all), func(i int) bool { return all[i].At.Compare(at) > 0 }):]
}

// scan reads a page of the log, a few receivers at a time.
func (l *Log) scan(ctx context.Context, scope authz.Scope, s span) ([]Entry, reach, error) {
	select {
	case l.doors <- struct{}{}:
	case <-ctx.Done():
		return nil, reach{}, ctx.Err()
	}
	defer func() { <-l.doors }()
	ctx, cancel := context.WithTimeout(ctx, longestScan)
	defer cancel()
	return read(ctx, l.pool, scope, s)
}

// longestScan is how long a page may take.
const longestScan = 30 * time.Second

// reached moves a receiver's mark and tells whether there may be more by now.
func (l *Log) reached(v *receiver, r reach) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	v.mark = r.to
	v.behind = r.more || l.to.Compare(r.to) > 0 || l.version > r.version
	return v.behind
}

// beyond tells whether there may be something behind a receiver's mark.
func (l *Log) beyond(v *receiver) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return v.behind
}

func (l *Log) stands(v *receiver) Position {
	l.mu.Lock()
	defer l.mu.Unlock()
	return v.mark
}
