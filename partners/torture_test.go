// SPDX-License-Identifier: EUPL-1.2

package partners_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ozg-cloud/platform/cmd"
	"github.com/ozg-cloud/platform/internal/housetest"
)

// stubborn gives nothing up, and takes work over from who is gone after a moment.
func stubborn(g *cmd.Ground) {
	near(g)
	g.Patience.Attempts, g.Patience.Lease = 1_000_000, 400*time.Millisecond
}

// moody answers as partners do on a bad day.
func moody(seed uint64) func(int, letter) int {
	chance := rand.New(rand.NewPCG(seed, 1))
	return func(int, letter) int {
		return []int{204, 204, 204, 204, 500, 503, 429, 400, 302, 0, 0}[chance.IntN(11)]
	}
}

// firsts are the letters that were taken, each at its first time, as lines; twice is how many came again.
func firsts(all []letter) (lines []string, twice int) {
	seen := map[string]bool{}
	for _, l := range all {
		if seen[l.Cursor] {
			twice++
			continue
		}
		seen[l.Cursor] = true
		lines = append(lines, fmt.Sprint(l.Event, " ", l.Case, " ", l.Revision))
	}
	return lines, twice
}

// torture lets things happen in Kiel while the houses fall and stand up again and the receiver is moody. It gives what has happened, in commit order, and
// what the receiver took, as far as that came before the receiver was left in peace for a while.
func torture(t *testing.T, sabotage string) (want, got []string, twice int) {
	t.Helper()
	h := housetest.New(t, stubborn)
	db := h.Database()
	if sabotage != "" {
		if _, err := db.Exec(t.Context(), sabotage); err != nil {
			t.Fatal(err)
		}
	}
	r := receives(t, h)
	r.answers(moody(7))
	hooks(t, h.As("kiel-admin"), r.URL, nil)
	houses := []*housetest.House{h, h.Another()}
	life, end := context.WithCancel(t.Context())
	var under sync.WaitGroup
	for i, house := range houses {
		chance := rand.New(rand.NewPCG(3, uint64(i)))
		under.Go(func() {
			for life.Err() == nil { // it stands for a moment and falls; what it held stays leased where it falls hard
				ctx, fall := context.WithTimeout(life, time.Duration(100+chance.IntN(400))*time.Millisecond)
				house.Partners.Run(ctx)
				fall()
			}
		})
	}
	for range 12 {
		c := h.As("kiel-applicant").Submit(parking, kiel)
		h.As("kiel-mailroom").Must("acceptCase", &c, nil)
		h.As("kiel-caseworker").Must("startCase", &c, nil)
	}
	rows, err := db.Query(t.Context(), "select type || ' ' || case_id || ' ' || revision from events order by xid, seq")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	var taken []letter
	for quiet := time.NewTimer(soon); len(got) < len(raw); {
		rest := 3 * time.Second
		select {
		case l := <-r.taken:
			taken = append(taken, l)
			got, twice = firsts(taken)
			quiet.Reset(rest)
			continue
		case <-quiet.C:
		}
		break
	}
	end()
	under.Wait()
	return raw, got, twice
}

// plain says an event without the ids, which have another form in the database.
func plain(lines []string) (out []string) {
	for _, l := range lines {
		var typ, id string
		var revision int
		if _, err := fmt.Sscan(l, &typ, &id, &revision); err != nil {
			return []string{err.Error()}
		}
		out = append(out, fmt.Sprint(typ, revision))
	}
	return out
}

func TestAPartnerMissesNothingWhateverFallsAndGetsItInTheOrderOfCommits(t *testing.T) {
	t.Parallel()
	want, got, twice := torture(t, "")
	if !slices.Equal(plain(want), plain(got)) {
		t.Errorf("%d of %d events: %v", len(got), len(want), got)
	}
	t.Logf("%d events, %d came twice", len(want), twice)
}

// TestWhoMovesOnBeforeItIsTakenIsCaught is the twin: the mark moves when an attempt begins.
func TestWhoMovesOnBeforeItIsTakenIsCaught(t *testing.T) {
	t.Parallel()
	want, got, _ := torture(t, `create function hasty() returns trigger language plpgsql security definer set search_path = public as $$ begin
			update webhooks set mark_xid = new.xid, mark_seq = new.seq where id = new.webhook_id; return new; end $$;
		create trigger hasty after insert on webhook_deliveries for each row execute function hasty();`)
	if len(got) >= len(want) {
		t.Errorf("%d of %d events: the test is of no use", len(got), len(want))
	}
}

// TestAHouseThatIsKilledLeavesItsWebhookToAnother: its database is taken away in the middle of an attempt, so that it can write nothing down.
func TestAHouseThatIsKilledLeavesItsWebhookToAnother(t *testing.T) {
	t.Parallel()
	h := housetest.New(t, stubborn)
	other := h.Another()
	r := receives(t, h)
	reached, kill := make(chan struct{}), make(chan struct{})
	first := true
	r.answers(func(int, letter) int {
		if first {
			first = false
			close(reached)
			<-kill
			return 204 // taken, and nobody writes it down
		}
		return 204
	})
	hooks(t, h.As("kiel-admin"), r.URL, nil)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); other.Partners.Run(ctx) }()
	c := h.As("kiel-applicant").Submit(parking, kiel)
	select {
	case <-reached:
	case <-time.After(soon):
		t.Fatal("nothing is sent")
	}
	other.Close() // no connection is left to it
	close(kill)
	before := r.next()
	started(t, h)
	again := r.next()
	if before.Cursor != again.Cursor || before.Case != c.ID || before.Delivery != again.Delivery || again.Attempt != "2" {
		t.Errorf("%+v\n%+v", before, again)
	}
	cancel()
	<-ended
}

func TestAReceiverThatTakesNothingStopsItsWebhookAndItGoesOnFromThere(t *testing.T) {
	t.Parallel()
	h := housetest.New(t, near, func(g *cmd.Ground) { g.Patience.DeadInRow = 2 })
	r := receives(t, h)
	r.answers(func(int, letter) int { return http.StatusBadGateway })
	admin := h.As("kiel-admin")
	id := hooks(t, admin, r.URL, nil)
	started(t, h)
	for range 4 {
		h.As("kiel-applicant").Submit(parking, kiel)
	}
	until(t, "it stops", func() bool {
		a := admin.Ask(about, map[string]any{"id": id}).Works()
		return a.Text("node.state") == "STOPPED" && a.Text("node.stoppedBecause") == "receiverFails" && a.Number("node.deadLetters") == 2
	})
	r.answers(nil)
	admin.Say("resumeWebhook", map[string]any{"webhookId": id}).Works()
	for range 2 {
		r.next()
	}
	until(t, "nothing waits", func() bool {
		a := admin.Ask(about, map[string]any{"id": id}).Works()
		return a.Text("node.state") == "ACTIVE" && a.At("node.waitingSince") == nil && a.Number("node.deliveries.totalCount") == 4
	})
	admin.Say("pauseWebhook", map[string]any{"webhookId": id}).Works()
	<-time.After(brisk.Lease / 2) // what is under way is given up within a quarter of a lease
	h.As("kiel-applicant").Submit(parking, kiel)
	select {
	case l := <-r.taken:
		t.Errorf("a webhook that rests sends %+v", l)
	case <-time.After(200 * time.Millisecond):
	}
	admin.Say("resumeWebhook", map[string]any{"webhookId": id}).Works()
	r.next()
	admin.Say("deleteWebhook", map[string]any{"webhookId": id}).Works()
	if a := admin.Ask(about, map[string]any{"id": id}).Works(); a.At("node") != nil {
		t.Errorf("%s", a.Raw)
	}
}
