// SPDX-License-Identifier: EUPL-1.2

package book_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"entgo.io/ent/dialect"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/ozg-cloud/platform/federation/ask"
	"github.com/ozg-cloud/platform/federation/ask/asktest"
	"github.com/ozg-cloud/platform/federation/book"
	"github.com/ozg-cloud/platform/federation/gather"
	"github.com/ozg-cloud/platform/internal/housetest"
)

// asks enters questions with these records into the log of a house, and gives how it looks then.
func asks(t *testing.T, on dialect.Driver, from, to int, record string) (out ask.Head) {
	t.Helper()
	b := book.NewAsked(on, func() time.Time { return asktest.Now })
	for i := from; i < to; i++ {
		l := ask.Line{At: asktest.Now, By: asktest.House(2), Member: asktest.Land(2), ID: fmt.Sprint(record, i), Outcome: ask.Declined, Request: []byte("signed")}
		at, err := b.Enter(t.Context(), l, fmt.Appendf(nil, "%s %d", record, i), 0)
		if err != nil {
			t.Fatal(err)
		}
		out = ask.Head{Size: at.Size, Root: at.Root}
	}
	return out
}

// bySize is the twin: it believes every log that is long enough.
func bySize(now, seen ask.Head) error {
	if now.Size < seen.Size {
		return book.ErrLogShorter
	}
	return nil
}

func TestALogThatWasRestoredOrForkedIsToldFromOneThatGrew(t *testing.T) {
	t.Parallel()
	one, other := housetest.New(t), housetest.New(t)
	on, restored := as(t, one, "ozg_serving"), as(t, other, "ozg_serving")
	log := func(on dialect.Driver, seen ask.Head) (ask.Head, error) {
		return book.NewAsked(on, func() time.Time { return asktest.Now }).Log(t.Context(), seen)
	}
	if now, err := log(on, ask.Head{}); err != nil || now.Size != 0 {
		t.Fatal(now, err)
	}
	copied := asks(t, on, 0, 5, "line")
	seen := asks(t, on, 5, 11, "line")
	grown := asks(t, on, 11, 20, "line")
	for _, before := range []ask.Head{{}, copied, seen, grown} {
		if now, err := log(on, before); err != nil || now != grown {
			t.Errorf("a log that has only grown since %d lines: %v, %v", before.Size, now, err)
		}
	}

	// The copy of five lines is brought back, and others come to it.
	if same := asks(t, restored, 0, 5, "line"); same != copied {
		t.Fatal("equal lines have another root")
	}
	if _, err := log(restored, copied); err != nil {
		t.Error(err)
	}
	if now, err := log(restored, seen); !errors.Is(err, book.ErrLogShorter) || now != copied {
		t.Errorf("a log that lost lines: %v, %v", now, err)
	}
	now := asks(t, restored, 5, 20, "another")
	if _, err := log(restored, seen); !errors.Is(err, book.ErrLogForked) {
		t.Errorf("a log that goes on otherwise: %v", err)
	}
	if bySize(now, seen) != nil {
		t.Error("the twin notices by the number of lines alone")
	}
}

func TestALogInWhichSomethingWasChangedIsBroken(t *testing.T) {
	t.Parallel()
	for what, harm := range map[string]string{
		"a hash of a line":       "update federation_log_hashes set hash = decode(repeat('00', 32), 'hex') where idx = 3",
		"a hash above":           "update federation_log_hashes set hash = decode(repeat('00', 32), 'hex') where idx = 2",
		"a line within":          "delete from federation_answered where idx = 3",
		"a hash within":          "delete from federation_log_hashes where idx = 7",
		"the last of the hashes": "delete from federation_log_hashes where idx = (select max(idx) from federation_log_hashes)",
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			h := housetest.New(t)
			on, owner := as(t, h, "ozg_serving"), as(t, h, "ozg_owner")
			asks(t, on, 0, 9, "line")
			b := book.NewAsked(on, func() time.Time { return asktest.Now })
			if _, err := b.Log(t.Context(), ask.Head{}); err != nil {
				t.Fatal(err)
			}
			if err := owner.Exec(book.AsHouse(t.Context()), harm, []any{}, nil); err != nil {
				t.Fatal(err)
			}
			if _, err := b.Log(t.Context(), ask.Head{}); !errors.Is(err, book.ErrLogBroken) {
				t.Error(err)
			}
		})
	}
}

func TestOnlyTheOwnersLoginForgetsHowALogLooked(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	clock := func() time.Time { return asktest.Now }
	serving, owner := book.NewAsked(as(t, h, "ozg_serving"), clock), book.NewAsked(as(t, h, "ozg_owner"), clock)
	head := ask.Head{Size: 9, Root: tlog.RecordHash([]byte("x"))}
	if _, err := serving.Learn(t.Context(), gather.Learned{From: asktest.House(1), Head: head}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := serving.Forget(t.Context(), asktest.House(1)); err == nil {
		t.Error("who serves has forgotten a log")
	}
	if all, err := serving.Heads(t.Context()); err != nil || len(all) != 1 || all[0].House != asktest.House(1) || all[0].Head != head || !all[0].At.Equal(asktest.Now) {
		t.Errorf("%+v %v", all, err)
	}
	if was, ok, err := owner.Forget(t.Context(), asktest.House(1)); err != nil || !ok || was != head {
		t.Error(was, ok, err)
	}
	if _, ok, err := owner.Forget(t.Context(), asktest.House(1)); err != nil || ok {
		t.Error("what is forgotten is forgotten again", err)
	}
	if all, err := serving.Heads(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("%+v %v", all, err)
	}
}
