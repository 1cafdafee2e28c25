// SPDX-License-Identifier: EUPL-1.2

package statistics_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/statistics"
)

// watched are books that somebody looks at while they are written.
type watched struct {
	statistics.Books
	copying func(into string, rows []byte) (write bool)
}

func (w watched) Copy(ctx context.Context, into string, rows io.Reader) error {
	all, err := io.ReadAll(rows)
	if err != nil || !w.copying(into, all) {
		return err
	}
	return w.Books.Copy(ctx, into, strings.NewReader(string(all)))
}

func TestARebuildKeepsNobodyWaitingLong(t *testing.T) {
	t.Parallel()
	l := newLedger(t, 21, 800)
	var largest, times atomic.Int64
	books := watched{l.books.Writing, func(_ string, rows []byte) bool {
		times.Add(1)
		for {
			had := largest.Load()
			if int64(len(rows)) <= had || largest.CompareAndSwap(had, int64(len(rows))) {
				return true
			}
		}
	}}
	if err := l.tally(books).Rebuild(t.Context(), func(int) {}); err != nil {
		t.Fatal(err)
	}
	const cell = 112 // bytes: what is written of one
	if largest.Load() > statistics.Poured*cell || times.Load() < 4 {
		t.Errorf("%d transactions, the largest of %d bytes", times.Load(), largest.Load())
	}
	l.agrees("written in small transactions")
}

func TestARebuildThatLosesWhatItWritesIsSeenToBeWrong(t *testing.T) {
	t.Parallel()
	l := newLedger(t, 22, 300)
	var cells atomic.Int64
	books := watched{l.books.Writing, func(into string, _ []byte) bool {
		return !strings.HasPrefix(into, "statistics_cells_") || cells.Add(1)%3 != 2
	}}
	if err := l.tally(books).Keeping(200).Rebuild(t.Context(), func(int) {}); err != nil {
		t.Fatal(err)
	}
	if len(differences(l.cells(), l.counted())) == 0 {
		t.Error("what was lost is not missed")
	}
}

func TestARebuildThatWasKilledIsInNobodysWay(t *testing.T) {
	t.Parallel()
	l := newLedger(t, 24, 200)
	l.folds()
	stopped, stop := context.WithCancel(t.Context())
	books := watched{l.books.Writing, func(string, []byte) bool { return true }}
	if err := l.tally(books).Keeping(100).Rebuild(stopped, func(int) { stop() }); err == nil {
		t.Fatal("it was not broken off")
	}
	l.exec("insert into statistics_cells select n, k, lo, hi, service_id, period, detail, level, population, shape, (select last_value from statistics_generation) from statistics_cells where generation = 1 on conflict do nothing")
	if err := l.tally(l.books.Writing).Rebuild(t.Context(), func(int) {}); err != nil {
		t.Fatal(err)
	}
	l.agrees("counted anew behind one that was killed")
}

func TestOfTwoRebuildsTheLaterOneWins(t *testing.T) {
	t.Parallel()
	l := newLedger(t, 23, 200)
	overtaken := false
	books := watched{l.books.Writing, func(string, []byte) bool {
		if !overtaken {
			overtaken = true
			if err := l.tally(l.books.Writing).Rebuild(t.Context(), func(int) {}); err != nil {
				t.Error(err)
			}
		}
		return true
	}}
	if err := l.tally(one{books, make(chan struct{}, 1)}).Rebuild(t.Context(), func(int) {}); err == nil {
		t.Error("the earlier one has won")
	}
	l.agrees("counted anew twice at once")
}

func TestFactsAreTakenByAGenerationThatIsBeingCountedAndByNoOther(t *testing.T) {
	t.Parallel()
	l := newLedger(t, 25, 50)
	var part, facts string
	books := watched{l.books.Writing, func(into string, rows []byte) bool {
		if strings.HasPrefix(into, "statistics_facts_") {
			part, facts = into, string(rows)
		}
		return true
	}}
	if err := l.tally(books).Rebuild(t.Context(), func(int) {}); err != nil {
		t.Fatal(err)
	}
	all := func() error {
		return l.books.Writing.Copy(authz.With(t.Context(), authz.System(authz.Counting)), part, strings.NewReader(facts))
	}
	serving, err := pgx.Connect(t.Context(), l.at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = serving.Close(context.Background()) })
	some := func() error {
		return pgx.BeginFunc(t.Context(), serving, func(tx pgx.Tx) error {
			if _, err := tx.Exec(t.Context(), "select ozg_enter(0, 999999999999998, '')"); err != nil {
				return err
			}
			_, err := serving.PgConn().CopyFrom(t.Context(), strings.NewReader(facts), "copy "+part+" from stdin (format binary)")
			return err
		})
	}
	// poured is how many facts there are after the same ones are poured again, and with which code that was refused.
	poured := func(pour func() error) (there int, code string) {
		l.exec("delete from statistics_facts")
		err := pour()
		if refused, ok := errors.AsType[*pgconn.PgError](err); ok {
			code = refused.Code
		} else if err != nil {
			t.Fatal(err)
		}
		if err := l.db.QueryRow(t.Context(), "select count(*) from statistics_facts").Scan(&there); err != nil {
			t.Fatal(err)
		}
		return there, code
	}
	if there, code := poured(all); code != "42501" || there != 0 {
		t.Errorf("into the generation that answers, without a grant: %q, and %d are there", code, there)
	}
	l.exec("grant insert on " + strings.Fields(part)[0] + " to ozg_serving")
	if there, code := poured(all); code != "OZG05" || there != 0 {
		t.Errorf("into the generation that answers: %q, and %d are there", code, there)
	}
	if _, err := serving.Exec(t.Context(), "select from "+strings.Fields(part)[0]); err == nil {
		t.Error("what was poured may be read past the wall")
	}
	l.exec("update statistics_offset set answers = false")
	if there, code := poured(some); code != "OZG02" || there != 0 {
		t.Errorf("by somebody who does not see the whole country: %q, and %d are there", code, there)
	}
	if there, code := poured(all); code != "" || there < 10 {
		t.Errorf("into one that is being counted: %q, and %d are there", code, there)
	}
	l.exec("update statistics_offset set generation = generation + 1")
	if there, code := poured(all); code != "OZG05" || there != 0 {
		t.Errorf("into one that nobody counts any more: %q, and %d are there", code, there)
	}
	// The twin: a door that does not look.
	l.exec("create or replace function ozg_pour() returns trigger language plpgsql as $$ begin return null; end $$")
	if there, _ := poured(all); there == 0 {
		t.Error("refused without the door's look: the test is of no use")
	}
}

// one lets one copy begin at a time.
type one struct {
	watched
	turn chan struct{}
}

func (o one) Copy(ctx context.Context, into string, rows io.Reader) error {
	o.turn <- struct{}{}
	defer func() { <-o.turn }()
	return o.watched.Copy(ctx, into, rows)
}

func TestWhatIsOverAndStillReadIsLeftForLater(t *testing.T) {
	t.Parallel()
	l := newLedger(t, 26, 100)
	l.folds()
	stopped, stop := context.WithCancel(t.Context())
	if err := l.tally(l.books.Writing).Rebuild(stopped, func(int) { stop() }); err == nil {
		t.Fatal("it was not broken off")
	}
	l.exec("delete from statistics_offset where not answers")
	backup := l.Database()
	if _, err := backup.Exec(t.Context(), "begin; lock table statistics_cells in access share mode"); err != nil {
		t.Fatal(err)
	}
	serving, err := pgx.Connect(t.Context(), l.at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = serving.Close(context.Background()) })
	left := func(want int) {
		t.Helper()
		var got int
		if err := pgx.BeginFunc(t.Context(), serving, func(tx pgx.Tx) error {
			if _, err := tx.Exec(t.Context(), "select ozg_enter(0, 999999999999999, '')"); err != nil {
				return err
			}
			return tx.QueryRow(t.Context(), "select ozg_forget_part()").Scan(&got)
		}); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%d parts are left, not %d", got, want)
		}
	}
	left(2)
	l.agrees("while a backup reads what is over")
	if _, err := backup.Exec(t.Context(), "rollback"); err != nil {
		t.Fatal(err)
	}
	left(1)
	left(0)
	left(0)
	l.agrees("after what was over is forgotten")
}
