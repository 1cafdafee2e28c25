// SPDX-License-Identifier: EUPL-1.2

package mailbox_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/mailbox"
	"github.com/ozg-cloud/platform/mailbox/mailboxtest"
)

func TestALetterIsCarriedAndWhatTheMailboxSaysIsRecorded(t *testing.T) {
	t.Parallel()
	play(t, func(s *scene) {
		early := s.desk.lay("OSI", "somewhere")
		s.begin(nil)
		late := s.desk.lay("OSI", "somewhere")
		if s.desk.of(late).state != "PENDING" {
			s.Error("it was carried without being looked for")
		}
		s.relay.Nudge()
		synctest.Wait()
		unannounced := s.desk.lay("OSI", "somewhere")
		s.wait(31 * time.Second)
		for name, id := range map[string]uuid.UUID{"found at the beginning": early, "nudged about": late, "found later": unannounced} {
			f, k := s.desk.of(id), s.osi.Kept(id)
			if f.state != "PROVIDED" || k == nil || k.Times != 1 || f.receipt != k.Receipt {
				s.Errorf("%s: %s, %v", name, f.state, k)
			}
		}
	})
}

func TestALetterThatARelayHasNoMailboxForKeepsWaiting(t *testing.T) {
	t.Parallel()
	play(t, func(s *scene) {
		id := s.desk.lay("DE_MAIL", "somewhere")
		s.begin(nil)
		s.wait(time.Hour)
		if f := s.desk.of(id); f.state != "PENDING" || f.records != 0 || s.osi.Kept(id) != nil {
			s.Errorf("it is %s", f.state)
		}
		s.begin(map[string]mailbox.Mailbox{"DE_MAIL": s.osi})
		if f := s.desk.of(id); f.state != "PROVIDED" {
			s.Errorf("it is %s", f.state)
		}
	})
}

func TestALetterThatWasRefusedIsNotHandedOverAgain(t *testing.T) {
	t.Parallel()
	play(t, func(s *scene) {
		id := s.desk.lay("OSI", mailboxtest.Nobody)
		s.begin(nil)
		s.wait(time.Hour)
		if f := s.desk.of(id); f.state != "FAILED" || f.records != 1 || len(s.osi.tried()) != 1 {
			s.Errorf("it is %s after %d tries", f.state, len(s.osi.tried()))
		}
	})
}

func TestALetterThatFailsIsTriedAgainLaterAndLater(t *testing.T) {
	t.Parallel()
	play(t, func(s *scene) {
		s.osi.tell(down)
		id := s.desk.lay("OSI", "somewhere")
		s.begin(nil)
		s.wait(time.Hour)
		tries := s.osi.tried()
		for i := 1; i < len(tries); i++ {
			gap, want := tries[i].Sub(tries[i-1]), min(time.Second<<(i-1), 5*time.Minute)
			// The lane rests after a fruitless walk, too; it may be that which a letter waits for.
			if gap < want/2 || gap > want+time.Second {
				s.Errorf("try %d came after %s, not about %s", i+1, gap, want)
			}
		}
		if len(tries) < 15 || len(tries) > 40 {
			s.Errorf("%d tries in an hour", len(tries))
		}
		s.osi.tell(nil)
		s.wait(5*time.Minute + time.Second)
		if f := s.desk.of(id); f.state != "PROVIDED" {
			s.Errorf("it is %s", f.state)
		}
	})
}

func TestAMailboxThatAsksForPeaceGetsIt(t *testing.T) {
	t.Parallel()
	play(t, func(s *scene) {
		for _, seconds := range []int{120, 1_000_000_000} {
			busy := &problem.Problem{Kind: problem.Busy, Rule: "notAvailable", RetryAfterSeconds: seconds}
			s.osi.tell(func(context.Context, mailbox.Letter) error { return busy })
			id := s.desk.lay("OSI", "somewhere")
			s.begin(nil)
			before := len(s.osi.tried())
			s.wait(119 * time.Second)
			if n := len(s.osi.tried()); n != before {
				s.Errorf("it was asked %d times meanwhile", n-before)
			}
			s.osi.tell(nil)
			s.wait(5 * time.Minute) // and nobody may ask for more than that
			if f := s.desk.of(id); f.state != "PROVIDED" {
				s.Errorf("it is %s", f.state)
			}
		}
	})
}

func TestAHouseThatFallsBetweenHandingOverAndRecordingHandsOverAgainUnderTheSameKey(t *testing.T) {
	t.Parallel()
	play(t, func(s *scene) {
		id := s.desk.lay("OSI", "somewhere")
		fall := make(chan struct{})
		s.osi.tell(func(context.Context, mailbox.Letter) error { // it comes through, and then the house falls
			s.desk.tell(func() error { <-fall; return errors.New("the house has fallen") })
			return nil
		})
		s.begin(nil)
		if f, k := s.desk.of(id), s.osi.Kept(id); f.state != "PENDING" || k == nil || k.Times != 1 {
			s.Fatalf("it is %s", f.state)
		}
		first := s.osi.Kept(id).Receipt
		s.osi.tell(nil)
		close(fall)
		s.stop()
		s.desk.tell(nil)
		s.wait(time.Hour)
		s.begin(nil)
		f, k := s.desk.of(id), s.osi.Kept(id)
		if f.state != "PROVIDED" || f.records != 1 || k.Times != 2 || f.receipt != first {
			s.Errorf("it is %s, was recorded %d times and handed over %d times", f.state, f.records, k.Times)
		}
	})
}

func TestAMailboxThatIsOutOfOrderHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	play(t, func(s *scene) {
		stuck := newBox()
		stuck.tell(func(ctx context.Context, _ mailbox.Letter) error { <-ctx.Done(); return ctx.Err() })
		for range 200 {
			s.desk.lay("BAYERN_ID", "somewhere")
		}
		s.begin(map[string]mailbox.Mailbox{"OSI": s.osi, "BAYERN_ID": stuck})
		id := s.desk.lay("OSI", "somewhere")
		s.relay.Nudge()
		synctest.Wait()
		if f := s.desk.of(id); f.state != "PROVIDED" {
			s.Errorf("it is %s", f.state)
		}
		if n := len(stuck.tried()); n != 4 {
			s.Errorf("%d letters are handed over at the same time", n)
		}
	})
}

func TestLettersThatNeverGetThroughHoldUpNoOther(t *testing.T) {
	t.Parallel()
	play(t, func(s *scene) {
		s.osi.tell(func(_ context.Context, l mailbox.Letter) error {
			if l.Address == "a stone" {
				return errDown
			}
			return nil
		})
		for range 130 {
			s.desk.lay("OSI", "a stone")
		}
		id := s.desk.lay("OSI", "somewhere")
		s.begin(nil)
		s.wait(10 * time.Second)
		if f := s.desk.of(id); f.state != "PROVIDED" {
			s.Errorf("it is %s behind %d stones", f.state, s.desk.count("PENDING")-1)
		}
		id = s.desk.lay("OSI", "somewhere")
		s.wait(5 * time.Minute)
		if f := s.desk.of(id); f.state != "PROVIDED" {
			s.Errorf("later it is %s", f.state)
		}
	})
}

func TestAMailboxThatIsOutOfOrderIsLeftInPeaceAndGetsEverythingAfterwards(t *testing.T) {
	t.Parallel()
	play(t, func(s *scene) {
		s.osi.tell(down)
		for range 1000 {
			s.desk.lay("OSI", "somewhere")
		}
		s.begin(nil)
		for range 3600 {
			s.relay.Nudge() // which changes nothing
			s.wait(time.Second)
		}
		if n := len(s.osi.tried()); n > 5000 {
			s.Errorf("%d tries in an hour for 1000 letters", n)
		}
		if n := s.desk.asked(); n > 2000 {
			s.Errorf("the desk was asked %d times in an hour", n)
		}
		s.osi.tell(nil)
		s.wait(11 * time.Minute)
		if n := s.desk.count("PROVIDED"); n != 1000 {
			s.Errorf("%d of 1000 are there", n)
		}
	})
}

func TestManyNudgesAreOne(t *testing.T) {
	t.Parallel()
	play(t, func(s *scene) {
		release := make(chan struct{})
		s.osi.tell(func(context.Context, mailbox.Letter) error { <-release; return nil })
		s.desk.lay("OSI", "somewhere")
		s.begin(nil)
		before := s.desk.asked()
		for range 1000 {
			s.relay.Nudge() // while a letter is under way
		}
		close(release)
		synctest.Wait()
		if n := s.desk.asked() - before; n != 1 {
			s.Errorf("the desk was asked %d times", n)
		}
	})
}

func TestSeveralRelaysOverOneDeskDoNoHarm(t *testing.T) {
	t.Parallel()
	play(t, func(s *scene) {
		for range 300 {
			s.desk.lay("OSI", "somewhere")
			s.desk.lay("OSI", mailboxtest.Nobody)
		}
		ctx, cancel := context.WithCancel(context.Background()) // it ends with the scene, before the test does
		var ended atomic.Int32
		for range 5 {
			go func() {
				mailbox.NewRelay(s.desk, map[string]mailbox.Mailbox{"OSI": s.osi}, quiet(s), time.Now).Run(ctx)
				ended.Add(1)
			}()
		}
		s.wait(time.Minute)
		for _, f := range s.desk.files {
			want := "PROVIDED"
			if f.Address == mailboxtest.Nobody {
				want = "FAILED"
			}
			if k := s.osi.Kept(f.ID); f.state != want || f.records != 1 || k != nil && k.Receipt != f.receipt {
				s.Errorf("a letter to %s is %s and was recorded %d times", f.Address, f.state, f.records)
			}
		}
		cancel()
		synctest.Wait()
		if ended.Load() != 5 {
			s.Errorf("%d of 5 relays have ended", ended.Load())
		}
	})
}

// saysSo is a mailbox with a receipt of its own making.
type saysSo mailbox.Receipt

func (r saysSo) Provide(context.Context, mailbox.Letter) (mailbox.Receipt, error) {
	return mailbox.Receipt(r), nil
}

func TestAReceiptThatCannotBeTrueIsNone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		provided, notified time.Duration // after sending
		want               string
	}{
		"as it should be":                   {time.Second, 2 * time.Second, "PROVIDED"},
		"notified before it is provided":    {2 * time.Second, time.Second, "PROVIDED"},
		"a clock that is slow":              {-4 * time.Minute, -4 * time.Minute, "PROVIDED"},
		"a clock that is fast":              {4 * time.Minute, 4 * time.Minute, "PROVIDED"},
		"yesterday":                         {-24 * time.Hour, time.Second, "PENDING"},
		"notified yesterday":                {time.Second, -24 * time.Hour, "PENDING"},
		"tomorrow":                          {24 * time.Hour, time.Second, "PENDING"},
		"notified tomorrow":                 {time.Second, 24 * time.Hour, "PENDING"},
		"before anybody could write at all": {-300_000 * time.Hour, -300_000 * time.Hour, "PENDING"},
	} {
		play(t, func(s *scene) {
			id := s.desk.lay("OSI", "somewhere")
			sent := s.desk.of(id).SentAt
			<-time.After(5 * time.Second)
			s.begin(map[string]mailbox.Mailbox{"OSI": saysSo{sent.Add(c.provided), sent.Add(c.notified)}})
			f := s.desk.of(id)
			if f.state != c.want {
				s.Errorf("%s: it is %s", name, f.state)
			}
			if f.state == "PROVIDED" && (f.receipt.ProvidedAt.Before(sent) || f.receipt.NotifiedAt.Before(sent)) {
				s.Errorf("%s: it was provided before it was sent", name)
			}
		})
	}
}

func TestALetterThatIsErasedMeanwhileIsForgotten(t *testing.T) {
	t.Parallel()
	play(t, func(s *scene) {
		s.osi.tell(func(_ context.Context, l mailbox.Letter) error { s.desk.erase(l.ID); return nil })
		s.desk.lay("OSI", "somewhere")
		s.desk.lay("OSI", mailboxtest.Nobody)
		s.begin(nil)
		s.wait(time.Hour)
		if n := len(s.osi.tried()); n != 2 || strings.Contains(s.log.String(), "not provided yet") {
			s.Errorf("%d tries, and the log says:\n%s", n, s.log)
		}
	})
}

func TestTheLogNamesLettersByTheirIDAndSaysNothingOfThem(t *testing.T) {
	t.Parallel()
	play(t, func(s *scene) {
		s.osi.tell(func(_ context.Context, l mailbox.Letter) error {
			if l.Address == "bk-4711" {
				return errDown
			}
			return nil
		})
		ids := []uuid.UUID{s.desk.lay("OSI", "bk-4711"), s.desk.lay("OSI", mailboxtest.Nobody)}
		s.begin(nil)
		s.desk.tell(func() error { return errDown })
		s.wait(time.Minute)
		for _, id := range ids {
			if !strings.Contains(s.log.String(), id.String()) {
				s.Errorf("it does not name %s", id)
			}
		}
		l := mailboxtest.Letter("bk-4711")
		for _, secret := range []string{l.Address, mailboxtest.Nobody, "Ihr Antrag", "Guten Tag"} {
			if strings.Contains(s.log.String(), secret) {
				s.Errorf("it says %q", secret)
			}
		}
	})
}
