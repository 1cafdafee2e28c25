// SPDX-License-Identifier: EUPL-1.2

package authz_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/internal/problem"
)

// Version of a register whose changes nobody counts: what it says holds until it is asked again.
func (r *register) Version(context.Context) (int64, error) { return 0, nil }

// ledger is a register that counts its changes.
type ledger struct {
	*register
	version atomic.Int64
	before  func() // what happens between the question for the version and the others
}

func (l *ledger) Version(context.Context) (int64, error) {
	defer l.before()
	return l.version.Load(), nil
}

// change changes the register as the store does: what was changed and the version become visible at once.
func (l *ledger) change(do func(*register)) {
	l.register.change(func(r *register) {
		do(r)
		l.version.Add(1)
	})
}

// counter is a doorkeeper whose clock stands still, with anna at it, a caseworker of Kiel.
type counter struct {
	*authz.Doorkeeper
	book  *ledger
	token string
}

func newCounter(t testing.TB) *counter {
	t.Helper()
	c := &counter{book: &ledger{register: newRegister(), before: func() {}}, token: keys().ed.token(claims(noon))}
	c.book.change(func(r *register) { r.given[anna] = []authz.Assignment{caseworkerAt(kiel)} })
	var err error
	c.Doorkeeper, err = authz.NewDoorkeeper(shipped(t), c.book, []authz.Issuer{speaking("sh")}, slog.New(slog.DiscardHandler), (&clock{now: noon}).Now)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// seat is a context with anna in it.
func (c *counter) seat(t testing.TB) context.Context {
	t.Helper()
	p, err := c.Principal(t.Context(), c.token)
	if err != nil {
		t.Fatal(err)
	}
	return authz.With(t.Context(), p)
}

// meet is what a desk and the reader do: they meet data of a version. tried is how often.
func meet(ctx context.Context, version func() int64) (tried int, err error) {
	err = authz.Current(ctx, func() error {
		tried++
		p, err := authz.From(ctx)
		if err != nil {
			return err
		}
		if err := p.Knows(version()); err != nil {
			return fmt.Errorf("meeting data: %w", err)
		}
		return nil
	})
	return tried, err
}

func sits(t testing.TB, ctx context.Context) *authz.Principal {
	t.Helper()
	p, err := authz.From(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestARemovedRoleIsGoneAsSoonAsYoungerDataAreMet(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	ctx := c.seat(t)
	before := sits(t, ctx)
	if tried, err := meet(ctx, c.book.version.Load); tried != 1 || err != nil {
		t.Fatalf("nothing has changed: tried %d times, %v", tried, err)
	}
	c.book.change(func(r *register) { r.given[anna] = []authz.Assignment{caseworkerAt(luebeck)} })
	if p := sits(t, c.seat(t)); !reads(p, kiel) {
		t.Fatal("nothing was remembered: then this test is of no use")
	}
	if tried, err := meet(ctx, c.book.version.Load); tried != 2 || err != nil {
		t.Fatalf("tried %d times, %v", tried, err)
	}
	for who, p := range map[string]*authz.Principal{"the context": sits(t, ctx), "whoever comes next": sits(t, c.seat(t))} {
		if reads(p, kiel) || !reads(p, luebeck) || p.Version != 2 {
			t.Errorf("%s still decides by version %d", who, p.Version)
		}
	}
	if !reads(before, kiel) || before.Version != 1 || !before.ExpiresAt.Equal(sits(t, ctx).ExpiresAt) {
		t.Error("a principal has changed that was made")
	}
}

func TestWhoWasBlockedIsRefusedAsSoonAsYoungerDataAreMet(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	ctx := c.seat(t)
	c.book.change(func(r *register) { r.blocked[anna] = true })
	if tried, err := meet(ctx, c.book.version.Load); tried != 1 || !errors.Is(err, problem.New(problem.Unauthenticated, "blocked")) {
		t.Errorf("tried %d times, %v", tried, err)
	}
}

func TestRightsThatChangeAllTheTimeAreBusy(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	ctx := c.seat(t)
	tried, err := meet(ctx, func() int64 {
		c.book.change(func(*register) {})
		return c.book.version.Load()
	})
	if tried != 3 || !errors.Is(err, problem.New(problem.Busy, "overloaded")) {
		t.Errorf("tried %d times, %v", tried, err)
	}
}

func TestRightsAreNeverBelievedToBeYoungerThanTheyAre(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	remove := func() { c.book.change(func(r *register) { delete(r.given, anna) }) }
	c.book.before = sync.OnceFunc(remove)
	ctx := c.seat(t)
	if p := sits(t, ctx); reads(p, kiel) || p.Version != 1 {
		t.Fatalf("a change between the questions: version %d", p.Version)
	}
	// That costs a second look and never a right that is gone.
	if tried, err := meet(ctx, c.book.version.Load); tried != 2 || err != nil || sits(t, ctx).Version != 2 {
		t.Errorf("tried %d times, %v", tried, err)
	}
}

func TestAClerkWhoIsRenewedIsStillAClerk(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	ctx, err := authz.Clerk(c.seat(t), eutin.Place)
	if err != nil {
		t.Fatal(err)
	}
	c.book.change(func(*register) {})
	if tried, err := meet(ctx, c.book.version.Load); tried != 2 || err != nil {
		t.Fatalf("tried %d times, %v", tried, err)
	}
	if at, ok := sits(t, ctx).ClerkAt(); !ok || at != eutin.Place {
		t.Errorf("a clerk at %d, %t", at, ok)
	}
}

func TestOnlyYoungerRightsAreAReasonToTryAgain(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	ctx := c.seat(t)
	for _, want := range []error{nil, errors.New("something else"), problem.New(problem.Missing, "notFound")} {
		tried := 0
		if err := authz.Current(ctx, func() error { tried++; return want }); err != want || tried != 1 { // the very same
			t.Errorf("tried %d times, %v", tried, err)
		}
	}
	for name, p := range map[string]*authz.Principal{"a system principal": authz.System(authz.Relay), "one without a version": shipped(t).Principal(anna, authz.High, nil)} {
		if err := p.Knows(99); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	younger := sits(t, ctx).Knows(99)
	if err := authz.Current(t.Context(), func() error { return younger }); !errors.Is(err, problem.New(problem.Unauthenticated, "")) {
		t.Errorf("without a principal: %v", err)
	}
	if err := authz.Current(authz.With(t.Context(), authz.System(authz.Relay)), func() error { return younger }); err == nil {
		t.Error("a system principal was renewed")
	}
}

func TestFieldsOfOneRequestAreRenewedAtTheSameTime(t *testing.T) {
	t.Parallel()
	c := newCounter(t)
	ctx := c.seat(t)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 50 {
				c.book.change(func(*register) {})
				at := c.book.version.Load()
				if _, err := meet(ctx, func() int64 { return at }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
}

// watched is a counter whose clock runs.
func watched(t *testing.T) (*counter, *clock) {
	t.Helper()
	c, runs := newCounter(t), &clock{now: noon}
	var err error
	if c.Doorkeeper, err = authz.NewDoorkeeper(shipped(t), c.book, []authz.Issuer{speaking("sh")}, slog.New(slog.DiscardHandler), runs.Now); err != nil {
		t.Fatal(err)
	}
	return c, runs
}

func TestWhileNobodysRightsChangeNobodysAreReadAgain(t *testing.T) {
	t.Parallel()
	c, clock := watched(t)
	c.seat(t)
	for range 10 {
		clock.advance(time.Second)
		if p := sits(t, c.seat(t)); !reads(p, kiel) {
			t.Fatal("who has not lost a right lacks it")
		}
	}
	if c.book.asked != 1 {
		t.Errorf("the roles were read %d times", c.book.asked)
	}
	c.book.change(func(r *register) { r.given[anna] = []authz.Assignment{caseworkerAt(luebeck)} })
	clock.advance(time.Second)
	if p := sits(t, c.seat(t)); reads(p, kiel) || !reads(p, luebeck) || c.book.asked != 2 {
		t.Errorf("a second after a change: version %d, the roles were read %d times", p.Version, c.book.asked)
	}
	// The twin: whoever changes a role past the counter is not noticed, which is why the store counts by triggers.
	c.book.register.change(func(r *register) { r.given[anna] = nil })
	clock.advance(time.Second)
	if p := sits(t, c.seat(t)); !reads(p, luebeck) {
		t.Error("a change was noticed that nobody counted: what was asked, then?")
	}
}

func TestOnlyTheSamePersonSitsDownAnew(t *testing.T) {
	before := &authz.Principal{Subject: "user:dev:wanda", TrustLevel: authz.Substantial}
	for name, c := range map[string]struct {
		now  authz.Principal
		sits bool
	}{
		"the same person":     {authz.Principal{Subject: "user:dev:wanda", TrustLevel: authz.Substantial, ExpiresAt: time.Unix(1, 0)}, true},
		"somebody else":       {authz.Principal{Subject: "user:dev:berta", TrustLevel: authz.Substantial}, false},
		"a lower trust level": {authz.Principal{Subject: "user:dev:wanda", TrustLevel: authz.Basic}, false},
		"a higher one":        {authz.Principal{Subject: "user:dev:wanda", TrustLevel: authz.High}, false},
	} {
		ctx := authz.With(t.Context(), before)
		below, cancel := context.WithCancel(ctx)
		err := authz.Renewed(ctx, &c.now)
		p, _ := authz.From(below)
		if c.sits != (err == nil) || c.sits != (p == &c.now) || !c.sits && !errors.Is(err, problem.New(problem.Forbidden, "")) {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
	}
	if err := authz.Renewed(t.Context(), before); err == nil {
		t.Error("somebody sits down where nobody sat")
	}
}
