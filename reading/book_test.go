// SPDX-License-Identifier: EUPL-1.2

package reading_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/reading"
)

// cabinet is where a book is written to.
type cabinet struct {
	mu     sync.Mutex
	lines  []reading.Line
	writes int
	broken error
}

func (c *cabinet) write(_ context.Context, lines []reading.Line) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken != nil {
		return c.broken
	}
	c.writes++
	c.lines = append(c.lines, lines...)
	return nil
}

func (c *cabinet) breaks(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.broken = err
}

func (c *cabinet) written() []reading.Line {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.lines)
}

func silent() *slog.Logger { return slog.New(slog.DiscardHandler) }

// kept opens a book that is kept until stop is called.
func kept(c *cabinet) (b *reading.Book, stop func()) {
	b = reading.NewBook(c.write, time.Now, silent())
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); b.Keep(ctx) }()
	return b, func() { cancel(); <-ended }
}

func access(file int, request any, fields ...string) []reading.Access {
	return []reading.Access{{Case: uuid.UUID{15: byte(file), 14: byte(file >> 8), 13: byte(file >> 16)}, Reader: "user:dev:anna", Fields: fields, Request: request}}
}

func TestALineIsWrittenAFifthOfASecondAfterItWasNotedAtTheLatest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &cabinet{}
		b, stop := kept(c)
		defer stop()
		for i := range 3 {
			if err := b.Witness(t.Context(), access(i, nil, "Message.body")); err != nil {
				t.Fatal(err)
			}
		}
		<-time.After(199 * time.Millisecond) // of the bubble's clock
		synctest.Wait()
		if n := len(c.written()); n != 0 {
			t.Errorf("%d lines did not wait for others", n)
		}
		<-time.After(time.Millisecond)
		synctest.Wait()
		if n := len(c.written()); n != 3 || c.writes != 1 {
			t.Errorf("%d lines in %d writes", n, c.writes)
		}
	})
}

func TestWhatOneRequestSeesOfACaseIsOneLine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &cabinet{}
		b, stop := kept(c)
		defer stop()
		one, two := new(int), new(int)
		for _, a := range [][]reading.Access{
			access(1, one, "Message.body", "Message.subject"), access(2, one, "Applicant.name"), access(1, one, "Applicant.name", "Message.body"), access(1, two, "Message.body"),
		} {
			if err := b.Witness(t.Context(), a); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		lines := c.written()
		if len(lines) != 3 {
			t.Fatalf("%d lines", len(lines))
		}
		if got := strings.Join(lines[0].Fields, " "); got != "Applicant.name Message.body Message.subject" {
			t.Errorf("the first line has %s", got)
		}
	})
}

func TestWhenTheLogCannotBeWrittenReadingEndsAndNothingIsLost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &cabinet{broken: errors.New("the database is away")}
		b, stop := kept(c)
		defer stop()
		accepted := 0
		for ; accepted < 100_000; accepted++ {
			begun := time.Now()
			err := b.Witness(t.Context(), access(accepted, nil, "Message.body"))
			if err == nil {
				continue
			}
			if !errors.Is(err, &problem.Problem{Kind: problem.Busy, Rule: "overloaded"}) || time.Since(begun) != time.Second {
				t.Fatalf("after %s: %v", time.Since(begun), err)
			}
			break
		}
		if accepted != 10_000 {
			t.Errorf("%d were shown unwritten", accepted)
		}
		if n := len(c.written()); n != 0 {
			t.Fatalf("%d lines were written", n)
		}
		c.breaks(nil)
		if err := b.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := b.Witness(t.Context(), access(accepted, nil, "Message.body")); err != nil {
			t.Errorf("it works again, and all the same: %v", err)
		}
		if err := b.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		seen := map[uuid.UUID]bool{}
		for _, l := range c.written() {
			seen[l.Case] = true
		}
		if len(seen) != accepted+1 || len(c.written()) != accepted+1 {
			t.Errorf("%d of %d accesses are written, in %d lines", len(seen), accepted+1, len(c.written()))
		}
	})
}

func TestAnAnswerThatIsRefusedLeavesNoLine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &cabinet{}
		b := reading.NewBook(c.write, time.Now, silent()) // nobody keeps it yet
		page := func(n int) (all []reading.Access) {
			for i := range n {
				all = append(all, access(i, nil, "Message.body")...)
			}
			return all
		}
		if err := b.Witness(t.Context(), page(9_950)); err != nil {
			t.Fatal(err)
		}
		if err := b.Witness(t.Context(), page(100)); !errors.Is(err, &problem.Problem{Kind: problem.Busy}) {
			t.Fatalf("there is no room, and all the same: %v", err)
		}
		if err := b.Witness(t.Context(), page(50)); err != nil { // the half that had found room has given it back
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := b.Witness(ctx, page(1)); !errors.Is(err, &problem.Problem{Kind: problem.Busy, Rule: "timeout"}) {
			t.Errorf("whoever has left is told %v", err)
		}
		b.Keep(ctx)
		if n := len(c.written()); n != 10_000 {
			t.Errorf("%d lines", n)
		}
	})
}

func TestAClosedBookHasEverythingAndShowsNothingMore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := &cabinet{}
		b, stop := kept(c)
		if err := b.Witness(t.Context(), access(1, nil, "Message.body")); err != nil {
			t.Fatal(err)
		}
		stop()
		if n := len(c.written()); n != 1 {
			t.Errorf("%d lines at the end", n)
		}
		if err := b.Witness(t.Context(), access(2, nil, "Message.body")); !errors.Is(err, &problem.Problem{Kind: problem.Busy, Rule: "shuttingDown"}) {
			t.Errorf("after the end: %v", err)
		}
	})
}

func TestABookThatCannotBeWrittenToItsEndSaysSo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		c := &cabinet{broken: errors.New("the database is away")}
		b := reading.NewBook(c.write, time.Now, slog.New(slog.NewTextHandler(&log, nil)))
		if err := b.Witness(t.Context(), access(1, nil, "Message.body")); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		b.Keep(ctx)
		if !strings.Contains(log.String(), "the end of the access log is lost") || !strings.Contains(log.String(), "lines=1") {
			t.Errorf("it says %s", log.String())
		}
		waiting, enough := context.WithTimeout(t.Context(), time.Minute)
		defer enough()
		if err := b.Settle(waiting); err == nil {
			t.Error("what is lost counts as written")
		}
	})
}

func TestManyReadersAreAllWrittenDown(t *testing.T) {
	t.Parallel()
	c := &cabinet{}
	b, stop := kept(c)
	var all sync.WaitGroup
	for n := range 16 {
		all.Go(func() {
			for i := range 200 {
				if err := b.Witness(t.Context(), access(n*1000+i, fmt.Sprint(n, i), "Message.body")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if err := b.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	stop()
	if n := len(c.written()); n != 16*200 {
		t.Errorf("%d lines", n)
	}
}

func TestAPurposeIsOneReadableLine(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"":                                "",
		"Prüfung des Antrags":             "Prüfung des Antrags",
		" a\x00b\nc\xff\u202e ":           "abc",
		strings.Repeat("ä", 300):          strings.Repeat("ä", 200),
		strings.Repeat("\u200b", 300):     "",
		"Widerspruch 12/2026, § 29 VwVfG": "Widerspruch 12/2026, § 29 VwVfG",
	} {
		if got := reading.Purpose(given); got != want {
			t.Errorf("%q becomes %q", given, got)
		}
	}
}

// What an answer with fifty cases pays before it is given.
func BenchmarkNotingFiftyCases(b *testing.B) {
	book := reading.NewBook(func(context.Context, []reading.Line) error { return nil }, time.Now, silent())
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); book.Keep(ctx) }()
	var page []reading.Access
	for i := range 50 {
		page = append(page, access(i, nil, "Applicant.name", "Message.body")...)
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if n += len(page); n%5000 == 0 { // so that it is never full
			if err := book.Settle(ctx); err != nil {
				b.Fatal(err)
			}
		}
		request := new(int)
		for i := range page {
			page[i].Request = request
		}
		if err := book.Witness(ctx, page); err != nil {
			b.Fatal(err)
		}
	}
	cancel()
	<-ended
}
