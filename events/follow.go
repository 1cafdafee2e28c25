// SPDX-License-Identifier: EUPL-1.2

package events

import (
	"context"
	"sort"
	"time"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
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
	concerned func(Entry) bool
	wake      chan struct{}

	arriving bool // it does not know yet of everything that was stored before it came

	// behind the log's lock
	mark   Position
	behind bool // there may be something behind the mark
}

// readAtOnce is how many events are read in one go.
const readAtOnce = 100

// Follow leads a receiver through a story, from behind a position (nil: from now on), until ctx ends or send fails. Rights are those that ctx's
// principal has at each moment.
//
// Where the log does not reach back so far any more, a gap comes first. Then comes what has happened since, then a checkpoint behind everything that was stored before the receiver came (but for what has to wait for a
// transaction that still runs), then what happens, without a seam; a checkpoint comes again with every heartbeat, whatever happens elsewhere. An event comes once and in the order of the log, unless a receiver begins again at an older position. Where a case is handed to a unit
// that the receiver does not see, a revocation stands in the place of the event.
//
// Nobody waits for a receiver that is slow, and nothing is kept for it: it goes on from where it stands.
func (l *Log) Follow(ctx context.Context, after *Position, s Story, heartbeat time.Duration, send func(Frame) error) error {
	p, err := authz.From(ctx)
	if err != nil {
		return err
	}
	select {
	case <-l.begun:
	case <-ctx.Done():
		return nil
	}
	v := l.enter(ctx, after, s)
	defer l.leave(v)
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	round := func() (more bool, err error) {
		var found []Entry
		var r reach
		if found, r, err = l.next(ctx, v); err != nil {
			return false, err
		}
		if r.oldest.Compare(l.stands(v)) > 0 {
			found = behind(found, r.oldest)
			if err := send(Frame{Kind: Gap, At: r.oldest}); err != nil {
				return false, err
			}
			if r.to.Compare(r.oldest) < 0 { // it goes on behind the gap, however much still lies in it
				r.to, r.more = r.oldest, true
			}
		}
		now, err := authz.From(ctx)
		if err != nil {
			return false, err
		}
		if p != now && authz.Lost(p.Assignments, now.Assignments) {
			if err := send(Frame{Kind: Revocation, At: v.mark}); err != nil {
				return false, err
			}
		}
		p = now
		if err := tell(ctx, p, s, found, r.newest, send); err != nil {
			return false, err
		}
		if now, err = authz.From(ctx); err != nil {
			return false, err
		}
		if more = l.reached(v, r) || now != p; more {
			select {
			case <-beat.C:
				err = send(Frame{Kind: Checkpoint, At: r.to})
			default:
			}
		}
		return more, err
	}
	if err := aside(func() error {
		for more := true; more; {
			var err error
			if more, err = round(); err != nil {
				return err
			}
		}
		return send(Frame{Kind: Checkpoint, At: l.stands(v), CaughtUp: true})
	}); err != nil {
		return err
	}
	for {
		select {
		case <-v.wake:
			for more := true; more; {
				if more, err = round(); err != nil {
					return err
				}
			}
		case <-beat.C:
			if err := send(Frame{Kind: Checkpoint, At: l.stands(v), CaughtUp: true}); err != nil {
				return err
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// aside does something on a stack of its own: a receiver waits for hours after it has caught up, and would keep the one that reading has made grow.
func aside(do func() error) error {
	done := make(chan error, 1)
	go func() { done <- do() }()
	return <-done
}

// tell sends what a story has of some entries. It decides by rights that are at least as young as the entries.
func tell(ctx context.Context, p *authz.Principal, s Story, found []Entry, now Position, send func(Frame) error) error {
	var at []Position
	read := func() error {
		if len(at) == 0 {
			return nil
		}
		told, err := s.Read(ctx, at, now)
		if err != nil {
			return err
		}
		at = at[:0]
		for _, t := range told {
			if err := send(Frame{Kind: Happened, At: t.At, Shown: t.Shown}); err != nil {
				return err
			}
		}
		return nil
	}
	for i := range found {
		e := &found[i]
		switch {
		case s.tells(p, e):
			if at = append(at, e.At); len(at) < readAtOnce {
				continue
			}
			if err := read(); err != nil {
				return err
			}
		case s.left(p, e):
			if err := read(); err != nil {
				return err
			}
			if err := send(Frame{Kind: Revocation, At: e.At, Case: e.Case}); err != nil {
				return err
			}
		}
	}
	return read()
}

func (l *Log) enter(ctx context.Context, after *Position, s Story) *receiver {
	v := &receiver{wake: make(chan struct{}, 1), arriving: after != nil, behind: true, concerned: func(e Entry) bool {
		p, err := authz.From(ctx)
		return err != nil || s.tells(p, &e) || s.left(p, &e)
	}}
	l.mu.Lock()
	defer l.mu.Unlock()
	if v.mark = l.to; after != nil {
		v.mark = *after
	}
	l.receivers[v] = struct{}{}
	return v
}

func (l *Log) leave(v *receiver) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.receivers, v)
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

func (l *Log) stands(v *receiver) Position {
	l.mu.Lock()
	defer l.mu.Unlock()
	return v.mark
}
