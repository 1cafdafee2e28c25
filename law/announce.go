// SPDX-License-Identifier: EUPL-1.2

package law

import (
	"fmt"
	"time"
)

// Channel is the way on which a decision reaches its addressee (Bekanntgabeweg).
type Channel string

// The channels.
const (
	Portal     Channel = "PORTAL"     // made available for retrieval in the mailbox of the service account
	Post       Channel = "POST"       // as a letter within Germany
	Electronic Channel = "ELECTRONIC" // sent electronically, for example by De-Mail
)

// Facts is what is known of how a decision was announced. Instants may be in any zone; what is nil has not happened or is not known yet.
type Facts struct {
	Channel          Channel
	SentAt           time.Time  // posted, sent or handed to the mailbox; the law of this day applies
	ProvidedAt       *time.Time // made available for retrieval
	NotifiedAt       *time.Time // the notification of it was sent
	FirstRetrievedAt *time.Time
}

// Step is one sentence of an explanation, in German and English. Dates are written out: 03.01.2025 and 3 January 2025.
type Step struct{ De, En string }

// Announcement (Bekanntgabe) is what follows from facts: which rule applies, the day, and why.
type Announcement struct {
	Rule  string     // id in the table of rules, stable
	On    *time.Time // the legal date, midnight UTC; nil while facts are missing, and where the law denies an announcement
	Steps []Step     // facts, statute, counting and result, in this order; the last names the day, or says that there is none
}

// Announce says on which day a decision counts as announced (Bekanntgabefiktion). land is the first two digits of the regional key
// (ARS), "01" for Schleswig-Holstein, "00" for the federation; one without rules of its own follows the federal ones.
// The same facts always give the same answer. That the decision reached nobody, or came later, is for somebody to prove and never known here.
// A channel that does not exist is a fault of the program and panics.
func Announce(land string, f Facts) Announcement { return announce(land, f, Today) }

// calendar says which legal date an instant falls on.
type calendar func(time.Time) time.Time

func announce(land string, f Facts, dayOf calendar) Announcement {
	r := ruleFor(land, f.Channel, dayOf(f.SentAt))
	a := Announcement{Rule: r.id}

	complete := true
	var from time.Time
	counted := r.countsFrom[f.Channel]
	for _, fact := range counted {
		at := fact.at(f)
		if at == nil {
			a.say(fact.missing)
			complete = false
			continue
		}
		on := dayOf(*at)
		a.say(fact.known, on)
		if on.After(from) {
			from = on
		}
	}
	var until time.Time // the last day to retrieve it, zero where there is none
	if r.retrieveWithin > 0 && f.NotifiedAt != nil {
		a.say(notified.known, dayOf(*f.NotifiedAt))
		// This one is a period that somebody has to keep, so § 31(3) VwVfG does shift its end.
		until = workdayFrom(dayOf(*f.NotifiedAt).AddDate(0, 0, r.retrieveWithin))
	}

	a.say(Step{
		fmt.Sprintf("Nach %s gilt der Bescheid am %sn Tag nach %s als bekannt gegeben%s.", r.statute.De, ordinal[r.days].De, counted[0].event.De, r.proviso.De),
		fmt.Sprintf("Under %s the decision counts as announced on the %s day after %s%s.", r.statute.En, ordinal[r.days].En, counted[0].event.En, r.proviso.En),
	})
	if !until.IsZero() {
		a.say(Step{"Der letzte Tag für den Abruf ist der %s.", "The last day for retrieving it is %s."}, until)
	}

	switch {
	case !complete:
		a.say(Step{"Der Tag der Bekanntgabe steht deshalb noch nicht fest.", "The day of announcement is therefore not known yet."})
	case !until.IsZero() && from.After(until):
		a.say(Step{
			"Der Bescheid ist deshalb nicht bekannt gegeben; er ist erneut bereitzustellen oder auf andere Weise bekannt zu geben.",
			"The decision is therefore not announced; it has to be provided again or announced in another way.",
		})
	default:
		// No shift to a working day: § 31(3) VwVfG moves the end of a period, and this is no period that somebody has to keep but the
		// day on which something counts as done. So the established reading, and BSG, 06.05.2010, B 14 AS 12/09 R, on the same words in
		// § 37(2) SGB X; otherwise for taxes only, where § 108(3) AO is applied (BFH, 14.10.2003, IX R 68/98).
		on := from.AddDate(0, 0, r.days)
		a.say(Step{
			"Der %s selbst zählt nicht mit; der " + ordinal[r.days].De + " Tag danach ist der %s, ob Werktag oder nicht.",
			"Counting starts after %s; the " + ordinal[r.days].En + " day after it is %s, whether a working day or not.",
		}, from, on)
		a.say(Step{"Der Bescheid gilt am %s als bekannt gegeben.", "The decision counts as announced on %s."}, on)
		a.On = &on
	}
	return a
}

// say adds a sentence, with days written into it as each language writes them.
func (a *Announcement) say(sentence Step, days ...time.Time) {
	var de, en []any
	for _, day := range days {
		de = append(de, day.Format("02.01.2006"))
		en = append(en, day.Format("2 January 2006"))
	}
	a.Steps = append(a.Steps, Step{fmt.Sprintf(sentence.De, de...), fmt.Sprintf(sentence.En, en...)})
}

var ordinal = map[int]Step{1: {"erste", "first"}, 3: {"dritte", "third"}, 4: {"vierte", "fourth"}}
