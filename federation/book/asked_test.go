// SPDX-License-Identifier: EUPL-1.2

package book_test

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/ozg-cloud/platform/federation/ask"
	"github.com/ozg-cloud/platform/federation/ask/asktest"
	"github.com/ozg-cloud/platform/federation/book"
	"github.com/ozg-cloud/platform/federation/gather"
	"github.com/ozg-cloud/platform/federation/gather/gathertest"
	"github.com/ozg-cloud/platform/statistics"
)

// both are the two sides of what is kept.
type both interface {
	ask.Books
	gather.Shelf
}

// books are those in memory, and those of a database: one suite proves both.
var books = map[string]func(*testing.T) both{
	"in memory": func(*testing.T) both {
		return struct {
			*asktest.Books
			*gathertest.Shelf
		}{&asktest.Books{}, &gathertest.Shelf{}}
	},
	"in a database": func(t *testing.T) both { return book.NewAsked(driver(t), func() time.Time { return asktest.Now }) },
}

var question = ask.Hash([]byte("a question"))

func TestWhatWasSaidFirstIsSaidForEver(t *testing.T) {
	t.Parallel()
	for name, open := range books {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := open(t)
			if _, ok, err := b.Said(t.Context(), asktest.House(1), question); ok || err != nil {
				t.Fatal(ok, err)
			}
			s := ask.Statement{Issuer: asktest.House(1), Question: question}
			for i := range 3 {
				kept, err := b.Say(t.Context(), s, fmt.Appendf(nil, "{%d}", i))
				if err != nil || string(kept) != "{0}" {
					t.Errorf("it says %s, %v", kept, err)
				}
			}
			if said, ok, err := b.Said(t.Context(), asktest.House(1), question); !ok || err != nil || string(said) != "{0}" {
				t.Error(string(said), ok, err)
			}
		})
	}
}

func TestTheLogGrowsByOneForEachQuestionAndProvesIt(t *testing.T) {
	t.Parallel()
	for name, open := range books {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := open(t)
			line := func(i int) ask.Line {
				return ask.Line{
					At: asktest.Now, By: asktest.House(2), Member: asktest.Land(2), ID: fmt.Sprint(i), Measures: []statistics.Measure{statistics.DecidedCases},
					Outcome: ask.Declined, Request: []byte("signed"),
				}
			}
			var seen ask.Head
			for i := range 20 {
				record := fmt.Appendf(nil, "line %d", i)
				at, err := b.Enter(t.Context(), line(i), record, seen.Size)
				if err != nil {
					t.Fatal(err)
				}
				if at.Index != int64(i) || at.Size != int64(i+1) || tlog.CheckRecord(at.Proof, at.Size, at.Root, at.Index, tlog.RecordHash(record)) != nil {
					t.Fatalf("line %d is told to stand at %d of %d, without proof", i, at.Index, at.Size)
				}
				if i > 0 && tlog.CheckTree(at.Since, at.Size, at.Root, seen.Size, seen.Root) != nil {
					t.Fatalf("that the log has grown to %d is not proven", at.Size)
				}
				if i%3 == 0 {
					seen = ask.Head{Size: at.Size, Root: at.Root}
				}
				if i == 0 {
					seen = ask.Head{Size: at.Size, Root: at.Root}
				}
			}
			if _, err := b.Enter(t.Context(), line(7), []byte("again"), 0); !errors.Is(err, ask.ErrAsked) {
				t.Errorf("a question that came before: %v", err)
			}
			// Many at once, half of them twice.
			var wait sync.WaitGroup
			var mu sync.Mutex
			places, refused := map[int64]bool{}, 0
			for i := range 20 {
				wait.Go(func() {
					at, err := b.Enter(t.Context(), line(100+i/2), []byte("x"), 0)
					mu.Lock()
					defer mu.Unlock()
					switch {
					case errors.Is(err, ask.ErrAsked):
						refused++
					case err != nil || places[at.Index]:
						t.Error(at.Index, err)
					default:
						places[at.Index] = true
					}
				})
			}
			wait.Wait()
			if refused != 10 || len(places) != 10 || !places[20] || !places[29] {
				t.Errorf("%d were refused, %d have their place", refused, len(places))
			}
		})
	}
}

func TestTheFirstStatementOfAHouseStaysAndHeadsOnlyGrow(t *testing.T) {
	t.Parallel()
	for name, open := range books {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := open(t)
			learn := func(n int64, text string) gather.Kept {
				s := ask.Statement{Issuer: asktest.House(1), Question: question, AsOf: asktest.Now, Status: text, Cells: []byte(`{}`)}
				kept, err := b.Learn(t.Context(), gather.Learned{
					From: asktest.House(1), Head: ask.Head{Size: n, Root: tlog.RecordHash([]byte(text))}, Measure: statistics.DecidedCases, Volume: float64(n),
					Kept: gather.Kept{
						Member: asktest.Land(1), Statement: s, Document: []byte("signed " + text), ReceivedAt: asktest.Now,
						Payload: fmt.Appendf(nil, `{"iss":%q,"q":%q,"status":%q}`, s.Issuer, question, text),
					},
				})
				if err != nil {
					t.Fatal(err)
				}
				return kept
			}
			learn(5, "first")
			if kept := learn(3, "second"); string(kept.Document) != "signed first" || !bytes.Contains(kept.Payload, []byte("first")) || kept.Statement.Status != "first" {
				t.Errorf("of two statements %s is kept", kept.Document)
			}
			if _, err := b.Learn(t.Context(), gather.Learned{From: asktest.House(1), Head: ask.Head{Size: 9}}); err != nil { // which has declined
				t.Fatal(err)
			}
			known, err := b.Look(t.Context(), []string{question}, statistics.DecidedCases)
			if err != nil {
				t.Fatal(err)
			}
			if len(known.Statements) != 1 || known.Statements[0].Member != asktest.Land(1) || !known.Statements[0].ReceivedAt.Equal(asktest.Now) {
				t.Errorf("known are %+v", known.Statements)
			}
			if known.Heads[asktest.House(1)].Size != 9 {
				t.Errorf("its log had %d lines", known.Heads[asktest.House(1)].Size)
			}
			if other, err := b.Look(t.Context(), []string{ask.Hash(nil)}, statistics.OpenCases); err != nil || len(other.Statements) != 0 || len(other.Volumes) != 0 {
				t.Errorf("to another question %+v is known (%v)", other, err)
			}
			proof := ask.Contradiction{Member: asktest.Land(1), Question: question, First: []byte("a"), Second: []byte("b"), FoundAt: asktest.Now}
			for range 2 {
				if err := b.Contradicted(t.Context(), proof); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestWhoServesCannotChangeWhatWasAsked(t *testing.T) {
	t.Parallel()
	on := driver(t)
	b := book.NewAsked(on, func() time.Time { return asktest.Now })
	for i := range 5 {
		l := ask.Line{At: asktest.Now, By: asktest.House(2), Member: asktest.Land(2), ID: fmt.Sprint(i), Outcome: ask.Answered, Cells: i, Measures: []statistics.Measure{statistics.OpenCases}}
		if _, err := b.Enter(t.Context(), l, []byte("x"), 0); err != nil {
			t.Fatal(err)
		}
	}
	lines, err := b.Lines(t.Context(), -1, 2)
	if err != nil || len(lines) != 2 || lines[0].Index != 4 || lines[1].Cells != 3 || lines[0].Measures[0] != statistics.OpenCases {
		t.Fatalf("%+v %v", lines, err)
	}
	if older, err := b.Lines(t.Context(), lines[1].Index, 100); err != nil || len(older) != 3 || older[0].Index != 2 {
		t.Fatalf("%+v %v", older, err)
	}
	for _, forbidden := range []string{
		"update federation_answered set cells = 0", "delete from federation_answered", "update federation_log_hashes set hash = ''", "delete from federation_log_hashes",
		"update federation_statements set payload = ''", "delete from federation_statements", "delete from federation_contradictions", "delete from federation_heads",
	} {
		if err := on.Exec(book.AsHouse(t.Context()), forbidden, []any{}, nil); err == nil {
			t.Errorf("%q is done", forbidden)
		}
	}
}
