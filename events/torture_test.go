// SPDX-License-Identifier: EUPL-1.2

package events_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/ozg-cloud/platform/internal/housetest"
)

const (
	writers    = 8
	happenings = 300
)

// press writes events of cases of Kiel past the house, in transactions that last differently long, so that they end in another order than they
// began. It returns when all have ended.
func press(t *testing.T, h *housetest.House) {
	t.Helper()
	for range writers {
		h.As("kiel-applicant").Submit(parking, kiel)
	}
	rows, err := h.Database().Query(t.Context(), "select id from cases")
	if err != nil {
		t.Fatal(err)
	}
	cases, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for w, id := range cases {
		conn, order := h.Database(), rand.New(rand.NewPCG(7, uint64(w)))
		wait.Go(func() {
			exec := func(statement string, args ...any) {
				if _, err := conn.Exec(t.Context(), statement, args...); err != nil {
					t.Errorf("%s: %v", statement, err)
				}
			}
			exec("set session_replication_role = replica")
			for n := 1; n < happenings/writers; {
				exec("begin")
				for range 1 + order.IntN(3) {
					n++
					exec(`insert into events (id, tenant_id, place, type, case_id, sequence, revision, at, unit_id, unit_before)
						select gen_random_uuid(), tenant_id, place, 'COMMENT_ADDED', case_id, $2, $2, now(), unit_id, unit_id from events where case_id = $1 limit 1`, id, n)
					exec("select pg_sleep($1)", order.Float64()/50)
				}
				exec("commit")
			}
		})
	}
	wait.Wait()
}

// history is the log in its order, as caseId and revision would show it: the ids of the database and the revisions.
func history(t *testing.T, db *pgx.Conn) []string {
	t.Helper()
	rows, err := db.Query(t.Context(), "select e.type || ' ' || k.number || ' ' || e.revision from events e join cases k on k.id = e.case_id order by e.xid, e.seq")
	if err != nil {
		t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func line(e housetest.Told) string {
	shown, _ := e.Frame["case"].(map[string]any)
	return fmt.Sprintf("%s %v %v", e.Text("type"), shown["number"], e.Frame["revision"])
}

// forgetful is the twin: it remembers the last number that it has seen.
func forgetful(ctx context.Context, t *testing.T, db *pgx.Conn, seen *atomic.Int64) {
	last := int64(0)
	for ctx.Err() == nil {
		rows, err := db.Query(ctx, "select seq from events where seq > $1 order by seq", last)
		if err != nil {
			return
		}
		found, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err != nil {
			if ctx.Err() == nil {
				t.Error(err)
			}
			return
		}
		if n := len(found); n > 0 {
			last = found[n-1]
			seen.Add(int64(n))
		}
	}
}

// brisk is the stream with a checkpoint every second.
var brisk = strings.Replace(stream, "heartbeatSeconds: 300", "heartbeatSeconds: 1", 1)

// TestNothingIsLostAndAllComesInTheOrderOfCommits has three receivers that lose their connection again and again and come back at another replica.
func TestNothingIsLostAndAllComesInTheOrderOfCommits(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	houses := []*housetest.House{h, h.Another()}
	begin := checkpoint(t, h.As("kiel-caseworker").Follow(stream, nil)).Cursor
	var (
		total  atomic.Int64
		seen   atomic.Int64
		heard  = make([][]string, 3)
		breaks = make([]int, 3)
		wait   sync.WaitGroup
	)
	naive, stop := context.WithCancel(t.Context())
	twin := h.Database()
	var twins sync.WaitGroup
	twins.Go(func() { forgetful(naive, t, twin, &seen) })
	for i := range heard {
		wait.Go(func() {
			chance := rand.New(rand.NewPCG(9, uint64(i)))
			for at, complete := begin, false; !complete; breaks[i]++ {
				who := houses[breaks[i]%2].As("kiel-caseworker")
				var s *housetest.Stream
				if i == 0 {
					s = who.Listen(brisk, map[string]any{"after": begin}, at)
				} else {
					s = who.Follow(brisk, map[string]any{"after": at})
				}
				for n := 5 + chance.IntN(60); n > 0 && !complete; n-- {
					e := s.Next()
					if e.Cursor == "" {
						t.Errorf("the stream ends: %s", e.Raw)
						return
					}
					if at = e.Cursor; e.Type == "CaseEvent" {
						heard[i] = append(heard[i], line(e))
					}
					// A checkpoint alone is not the end: what has been committed may still lie behind a transaction of somebody else.
					if e.Type == "StreamCheckpoint" && total.Load() > 0 {
						complete = len(heard[i]) >= int(total.Load())
						break
					}
				}
				s.Close()
			}
		})
	}
	press(t, h)
	want := history(t, h.Database())
	total.Store(int64(len(want)))
	wait.Wait()
	for i, got := range heard {
		if !slices.Equal(got, want) {
			t.Errorf("receiver %d, after %d breaks: %d of %d events, equal: %v", i, breaks[i], len(got), len(want), slices.Equal(sorted(got), sorted(want)))
		}
	}
	for deadline := time.Now().Add(time.Second); time.Now().Before(deadline) && int(seen.Load()) < len(want); {
		<-time.After(time.Millisecond)
	}
	stop()
	twins.Wait()
	if int(seen.Load()) >= len(want) {
		t.Errorf("who remembers the last number has seen %d of %d: the test is of no use", seen.Load(), len(want))
	}
	t.Logf("%d events, breaks %v, the twin has seen %d", len(want), breaks, seen.Load())
}

func sorted(all []string) []string {
	out := slices.Clone(all)
	slices.Sort(out)
	return out
}
