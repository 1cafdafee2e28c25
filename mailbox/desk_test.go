// SPDX-License-Identifier: EUPL-1.2

package mailbox_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/mailbox"
	"github.com/ozg-cloud/platform/mailbox/mailboxtest"
)

// desk is a desk in memory that promises what casework's does.
type desk struct {
	mu    sync.Mutex
	files []*file

	looked int          // so often was it asked for letters
	before func() error // asked before anything is done; an error fails it
}

// file is a letter at the desk.
type file struct {
	mailbox.Letter
	kind    string
	state   string // PENDING, PROVIDED or FAILED
	receipt mailbox.Receipt
	records int // so often did the state change
}

func (d *desk) enter(ctx context.Context) error {
	if p, err := authz.From(ctx); err != nil || p.Subject != string(authz.Relay) {
		return errors.New("somebody else than the relay is at the desk")
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	d.mu.Lock()
	before := d.before
	d.mu.Unlock()
	if before != nil {
		return before()
	}
	return nil
}

// tell tells the desk what to do from now on.
func (d *desk) tell(before func() error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.before = before
}

func (d *desk) Letters(ctx context.Context, kind string, after mailbox.Letter, most int) ([]mailbox.Letter, error) {
	if err := d.enter(ctx); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.looked++
	var out []mailbox.Letter
	for _, f := range d.files {
		behind := f.SentAt.After(after.SentAt) || f.SentAt.Equal(after.SentAt) && bytes.Compare(f.ID[:], after.ID[:]) > 0
		if f.kind == kind && f.state == "PENDING" && behind && len(out) < most {
			out = append(out, f.Letter)
		}
	}
	return out, nil
}

func (d *desk) Provided(ctx context.Context, id uuid.UUID, providedAt, notifiedAt time.Time) error {
	return d.record(ctx, id, "PROVIDED", mailbox.Receipt{ProvidedAt: providedAt, NotifiedAt: notifiedAt}, "PENDING", "FAILED")
}

func (d *desk) Refused(ctx context.Context, id uuid.UUID) error {
	return d.record(ctx, id, "FAILED", mailbox.Receipt{}, "PENDING")
}

func (d *desk) record(ctx context.Context, id uuid.UUID, state string, r mailbox.Receipt, from ...string) error {
	if err := d.enter(ctx); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range d.files {
		if f.ID == id {
			if slices.Contains(from, f.state) {
				f.state, f.receipt = state, r
				f.records++
			}
			return nil
		}
	}
	return problem.New(problem.Missing, "notFound")
}

// lay lays a letter on the desk.
func (d *desk) lay(kind, address string) uuid.UUID {
	l := mailboxtest.Letter(address)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.files = append(d.files, &file{Letter: l, kind: kind, state: "PENDING"})
	return l.ID
}

// erase takes a letter off the desk.
func (d *desk) erase(id uuid.UUID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.files = slices.DeleteFunc(d.files, func(f *file) bool { return f.ID == id })
}

func (d *desk) of(id uuid.UUID) file {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range d.files {
		if f.ID == id {
			return *f
		}
	}
	return file{}
}

// asked says how often letters were looked for.
func (d *desk) asked() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.looked
}

// count says how many letters are in a state.
func (d *desk) count(state string) (n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range d.files {
		if f.state == state {
			n++
		}
	}
	return n
}

// told is a mailbox that a test tells what to do, in front of one that keeps letters.
type told struct {
	*mailboxtest.Fake
	mu     sync.Mutex
	tries  []time.Time // when somebody handed something over
	before func(context.Context, mailbox.Letter) error
}

func (b *told) Provide(ctx context.Context, l mailbox.Letter) (mailbox.Receipt, error) {
	b.mu.Lock()
	b.tries = append(b.tries, time.Now())
	before := b.before
	b.mu.Unlock()
	if before != nil {
		if err := before(ctx, l); err != nil {
			return mailbox.Receipt{}, err
		}
	}
	return b.Fake.Provide(ctx, l)
}

// tell tells the mailbox what to do from now on.
func (b *told) tell(before func(context.Context, mailbox.Letter) error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.before = before
}

func (b *told) tried() []time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.tries)
}

func newBox() *told { return &told{Fake: mailboxtest.New(time.Now)} }

var errDown = errors.New("nobody answers")

func down(context.Context, mailbox.Letter) error { return errDown }

// scene is a relay at work in a bubble of time.
type scene struct {
	*testing.T
	relay *mailbox.Relay
	desk  *desk
	osi   *told
	log   *lines
	stop  func()
}

// play runs a scene with one mailbox of the kind OSI.
func play(t *testing.T, act func(s *scene)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &scene{T: t, desk: &desk{}, osi: newBox(), log: &lines{}}
		act(s)
		if s.stop != nil {
			s.stop()
		}
	})
}

// begin starts a relay; the one before, if any, ends.
func (s *scene) begin(boxes map[string]mailbox.Mailbox) {
	if s.stop != nil {
		s.stop()
	}
	if boxes == nil {
		boxes = map[string]mailbox.Mailbox{"OSI": s.osi}
	}
	s.relay = mailbox.NewRelay(s.desk, boxes, slog.New(slog.NewTextHandler(s.log, nil)), time.Now)
	ctx, cancel := context.WithCancel(context.Background()) // it ends with the scene, before the test does
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.relay.Run(ctx)
	}()
	s.stop = func() { cancel(); <-ended }
	synctest.Wait()
}

// wait lets time pass.
func (s *scene) wait(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// lines is what was logged.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
