// SPDX-License-Identifier: EUPL-1.2

package mailbox_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/mailbox"
	"github.com/ozg-cloud/platform/mailbox/mailboxtest"
)

func quiet(s *scene) *slog.Logger { return slog.New(slog.NewTextHandler(s.log, nil)) }

// weather is how badly things go.
type weather struct {
	letters  int
	failures []int // for each letter, so often the mailbox fails before it says what it means; -1: it has no mailbox
	desk     int   // in a hundred of what is asked of the desk fails
	lost     int   // in a hundred of what gets through, the answer is lost
	falls    int   // so often the house falls and is built again
	relays   int
	seed     uint64
}

// outcome carries letters through a weather and says what is wrong at the end. seed may spoil the desk that the relays get.
func outcome(t *testing.T, w weather, seed func(mailbox.Desk) mailbox.Desk) (wrong []string) {
	t.Helper()
	play(t, func(s *scene) {
		var mu sync.Mutex
		chance := rand.New(rand.NewPCG(w.seed, 1)) // it has to be the same every time
		badLuck := func(of100 int) bool {
			mu.Lock()
			defer mu.Unlock()
			return chance.IntN(100) < of100
		}
		left := map[uuid.UUID]int{}
		for i := range w.letters {
			address := "somewhere"
			if w.failures[i] < 0 {
				address = mailboxtest.Nobody
			}
			left[s.desk.lay("OSI", address)] = w.failures[i]
		}
		s.desk.tell(func() error {
			if badLuck(w.desk) {
				return errDown
			}
			return nil
		})
		osi := lossy{s.osi, func() bool { return badLuck(w.lost) }}
		s.osi.tell(func(ctx context.Context, l mailbox.Letter) error {
			mu.Lock()
			fails := left[l.ID] > 0
			left[l.ID]--
			mu.Unlock()
			select { // it takes a while, in which the house may fall
			case <-time.After(time.Duration(l.ID[15]) * 10 * time.Millisecond):
			case <-ctx.Done():
				return ctx.Err()
			}
			if fails {
				return &problem.Problem{Kind: problem.Busy, Rule: "notAvailable", RetryAfterSeconds: int(l.ID[14])}
			}
			return nil
		})
		for fall := range w.falls + 1 {
			ctx, cancel := context.WithCancel(context.Background()) // it ends with the scene, before the test does
			var ended sync.WaitGroup
			for range w.relays {
				ended.Go(func() {
					mailbox.NewRelay(seed(s.desk), map[string]mailbox.Mailbox{"OSI": osi}, quiet(s), time.Now).Run(ctx)
				})
			}
			if fall < w.falls {
				s.wait(time.Duration(700+1300*fall) * time.Millisecond)
			} else {
				s.wait(3 * time.Hour)
			}
			cancel()
			ended.Wait()
		}
		for i, f := range s.desk.files {
			k := s.osi.Kept(f.ID)
			switch {
			case w.failures[i] < 0 && (f.state != "FAILED" || k != nil):
				wrong = append(wrong, fmt.Sprintf("letter %d has no mailbox and is %s", i, f.state))
			case w.failures[i] >= 0 && (f.state != "PROVIDED" || k == nil || k.Receipt != f.receipt):
				wrong = append(wrong, fmt.Sprintf("letter %d is %s", i, f.state))
			case f.records != 1:
				wrong = append(wrong, fmt.Sprintf("letter %d was recorded %d times", i, f.records))
			}
		}
	})
	return wrong
}

// lossy is a mailbox whose answers get lost at times.
type lossy struct {
	mailbox.Mailbox
	lost func() bool
}

func (m lossy) Provide(ctx context.Context, l mailbox.Letter) (mailbox.Receipt, error) {
	got, err := m.Mailbox.Provide(ctx, l)
	if m.lost() {
		return mailbox.Receipt{}, errDown
	}
	return got, err
}

func anyWeather(t *rapid.T) weather {
	w := weather{
		letters: rapid.IntRange(0, 120).Draw(t, "letters"), desk: rapid.IntRange(0, 40).Draw(t, "desk"), lost: rapid.IntRange(0, 40).Draw(t, "lost"),
		falls: rapid.IntRange(0, 4).Draw(t, "falls"), relays: rapid.IntRange(1, 3).Draw(t, "relays"), seed: rapid.Uint64().Draw(t, "seed"),
	}
	w.failures = rapid.SliceOfN(rapid.IntRange(-1, 6), w.letters, w.letters).Draw(t, "failures")
	return w
}

// TestEveryLetterEndsAsItsMailboxSaid is the promise of the room: at least once, never not at all, and recorded once.
func TestEveryLetterEndsAsItsMailboxSaid(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		if wrong := outcome(t, anyWeather(rt), func(d mailbox.Desk) mailbox.Desk { return d }); len(wrong) > 0 {
			rt.Fatal(wrong)
		}
	})
}

// hasty is a desk whose pages overlook the letter that they end with.
type hasty struct{ mailbox.Desk }

func (d hasty) Letters(ctx context.Context, kind string, after mailbox.Letter, most int) ([]mailbox.Letter, error) {
	got, err := d.Desk.Letters(ctx, kind, after, most)
	if len(got) > 0 && len(got) < most {
		got = got[:len(got)-1]
	}
	return got, err
}

// confused is a desk that takes a receipt for a refusal.
type confused struct{ mailbox.Desk }

func (d confused) Provided(ctx context.Context, id uuid.UUID, _, _ time.Time) error {
	return d.Refused(ctx, id)
}

func TestThePropertyFindsWhatItShould(t *testing.T) {
	w := weather{letters: 60, failures: make([]int, 60), relays: 1}
	if wrong := outcome(t, w, func(d mailbox.Desk) mailbox.Desk { return d }); len(wrong) > 0 {
		t.Errorf("in fine weather: %q", wrong)
	}
	for name, seed := range map[string]func(mailbox.Desk) mailbox.Desk{
		"a letter that is never given":  func(d mailbox.Desk) mailbox.Desk { return hasty{d} },
		"a receipt taken for a refusal": func(d mailbox.Desk) mailbox.Desk { return confused{d} },
	} {
		if wrong := outcome(t, w, seed); len(wrong) == 0 {
			t.Errorf("nobody finds %s", name)
		}
	}
}
