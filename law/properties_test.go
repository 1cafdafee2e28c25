// SPDX-License-Identifier: EUPL-1.2

package law_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ozg-cloud/platform/law"
)

// instant draws an instant between 2020 and 2032, in a zone that must not matter.
func instant(t *rapid.T, label string) time.Time {
	zone := time.FixedZone("", rapid.IntRange(-12, 14).Draw(t, label+" zone")*3600)
	return time.Unix(rapid.Int64Range(at("2020-01-01 00:00").Unix(), at("2032-01-01 00:00").Unix()).Draw(t, label), 0).In(zone)
}

// near draws an instant up to 20 days after another, or none.
func near(t *rapid.T, label string, after time.Time) *time.Time {
	if rapid.IntRange(0, 4).Draw(t, label+" missing") == 0 {
		return nil
	}
	at := after.Add(time.Duration(rapid.IntRange(0, 20*24*60).Draw(t, label)) * time.Minute)
	return &at
}

func facts(t *rapid.T) (string, law.Facts) {
	sentAt := instant(t, "sent")
	return rapid.SampledFrom(lands).Draw(t, "land"), law.Facts{
		Channel:          rapid.SampledFrom([]law.Channel{law.Portal, law.Post, law.Electronic}).Draw(t, "channel"),
		SentAt:           sentAt,
		ProvidedAt:       near(t, "provided", sentAt),
		NotifiedAt:       near(t, "notified", sentAt),
		FirstRetrievedAt: near(t, "retrieved", sentAt),
	}
}

func TestTheSameFactsAlwaysGiveTheSameAnswer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		land, f := facts(t)
		first := law.Announce(land, f)
		in := func(at *time.Time) *time.Time {
			if at == nil {
				return nil
			}
			utc := at.UTC()
			return &utc
		}
		same := law.Facts{f.Channel, f.SentAt.UTC(), in(f.ProvidedAt), in(f.NotifiedAt), in(f.FirstRetrievedAt)}
		if again := law.Announce(land, same); !reflect.DeepEqual(first, again) {
			t.Fatalf("once %+v, then %+v", first, again)
		}
	})
}

// Under one rule, that is: on the day on which the law changes from one to another, somebody whose decision is sent later may well be better off.
func TestALaterFactNeverGivesAnEarlierDay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		land, f := facts(t)
		before := law.Announce(land, f)
		delay := time.Duration(rapid.IntRange(0, 60*24*60).Draw(t, "delay")) * time.Minute
		switch which := rapid.SampledFrom([]**time.Time{nil, &f.ProvidedAt, &f.NotifiedAt, &f.FirstRetrievedAt}).Draw(t, "which"); {
		case which == nil:
			f.SentAt = f.SentAt.Add(delay)
		case *which != nil:
			later := (*which).Add(delay)
			*which = &later
		}
		after := law.Announce(land, f)
		if (before.Rule == after.Rule || f.Channel != law.Portal) && before.On != nil && after.On != nil && after.On.Before(*before.On) {
			t.Fatalf("%s before the delay, %s with it", before.On, after.On)
		}
	})
}

func TestNobodyHasADecisionAnnouncedOnTheDayItWasSent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		land, f := facts(t)
		if a := law.Announce(land, f); a.On != nil && !a.On.After(law.Today(f.SentAt)) {
			t.Fatalf("sent at %s, announced on %s", f.SentAt, a.On)
		}
	})
}

func TestTheLastSentenceNamesTheDay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		land, f := facts(t)
		a := law.Announce(land, f)
		last := a.Steps[len(a.Steps)-1]
		for _, s := range a.Steps {
			if strings.Contains(s.De+s.En, "%") {
				t.Fatalf("a sentence is unfinished: %q", s)
			}
		}
		if a.On == nil {
			if strings.ContainsAny(last.De+last.En, "0123456789") {
				t.Fatalf("no day, but %q", last)
			}
			return
		}
		if !strings.Contains(last.De, a.On.Format("02.01.2006")) || !strings.Contains(last.En, a.On.Format("2 January 2006")) {
			t.Fatalf("%s, but %q", a.On, last)
		}
	})
}

func TestACaseIsNeverDueBeforeTheDayOfItsCompletionEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		completeAt := instant(t, "complete")
		promise, fiction := rapid.Ptr(rapid.IntRange(0, 400), true).Draw(t, "days"), rapid.Bool().Draw(t, "fiction")
		end := law.Due(completeAt, promise, fiction)
		if (end == nil) != (promise == nil && !fiction) {
			t.Fatalf("due %v", end)
		}
		if end != nil && (end.Before(completeAt.Truncate(time.Second)) || !law.Today(end.Add(time.Second)).After(law.Today(*end))) {
			t.Fatalf("complete at %s, due at %s", completeAt, end)
		}
	})
}
