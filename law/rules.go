// SPDX-License-Identifier: EUPL-1.2

package law

import (
	"fmt"
	"time"
)

// rule is one row of the law of announcement: where, since when and for which channels it holds, and how it counts.
type rule struct {
	id        string    // stored with every announcement: never changed, never used for anything else
	statute   Step      // its name
	proviso   Step      // what else it says, as the end of a sentence
	only, but string    // the one Land that it holds in, the one that it does not hold in; empty: none is singled out
	from      time.Time // the first day that it holds on, zero: from the beginning
	before    time.Time // the first day that it no longer holds on, zero: it still does

	days           int                // the decision counts as announced on this day after the last of the facts
	countsFrom     map[Channel][]fact // for each channel the facts that have to be known; the first is the one that the statute names
	retrieveWithin int                // days after the notification when the provision ends without a retrieval, 0: never
}

// The Länder with rules of their own.
const (
	schleswigHolstein = "01"
	bavaria           = "09"
)

// The days on which the law changed.
var (
	ozgAmended     = date(2024, time.July, 24)   // OZGÄndG of 19.07.2024, BGBl. 2024 I no. 245
	postModernised = date(2025, time.January, 1) // PostModG of 15.07.2024, BGBl. 2024 I no. 236
)

// rules is the whole law of announcement. For every Land, channel and day exactly one row holds; a test counts them.
//
// The law of the day on which a decision is sent applies to it. Assumed, where the facts do not tell or the sources leave it open:
//
//   - A decision is put into a service account only with the consent that its rule asks for: deemed given under § 9(1) OZG, express elsewhere.
//   - Before 24.07.2024 the portal is counted by retrieval, § 41(2a) VwVfG. § 9(1) OZG knew the third day already, but asked for an express
//     consent to it that nobody recorded; counting from the retrieval never runs against somebody who has not read.
//   - § 9(1) OZG goes before what the acts of the Länder say of service accounts, but for Bavaria, whose Art. 24(4) BayDiG departs from it.
//     Art. 24 BayDiG, in force since 01.08.2022, is taken for older decisions too.
//   - Otherwise the acts of the Länder say what the VwVfG says and changed with it on 01.01.2025, § 110 LVwG too. A Land that kept the third
//     day for longer needs a row of its own.
//   - A retrieval before the third day does not bring the announcement forward, a late notification does not put it off (§ 9(1) OZG), and a
//     notification of what is not provided yet counts from the provision (Art. 24 BayDiG).
//   - Letters stay in Germany; § 41(2) VwVfG knows no others.
var rules = []rule{
	{
		id: "ozg-9-1", but: bavaria, from: ozgAmended,
		statute: Step{"§ 9 Abs. 1 OZG", "§ 9(1) OZG"},
		proviso: Step{
			"; die Einwilligung gilt als erteilt, sofern die Bekanntgabe über das Postfach nicht ausgeschlossen wurde",
			"; consent is deemed given unless announcement through the mailbox was excluded",
		},
		days: 3, countsFrom: map[Channel][]fact{Portal: {provided}},
	},
	{
		id: "vwvfg-41-2a", but: bavaria, before: ozgAmended,
		statute: Step{"§ 41 Abs. 2a VwVfG", "§ 41(2a) VwVfG"},
		proviso: Step{
			"; wird er nicht innerhalb von zehn Tagen nach der Benachrichtigung abgerufen, ist er nicht bekannt gegeben",
			"; where it is not retrieved within ten days of the notification, it is not announced",
		},
		days: 1, countsFrom: map[Channel][]fact{Portal: {retrieved}}, retrieveWithin: 10,
	},
	{
		id: "baydig-24", only: bavaria,
		statute: Step{"Art. 24 Abs. 2 BayDiG", "Art. 24(2) BayDiG"},
		days:    3, countsFrom: map[Channel][]fact{Portal: {notified, provided}},
	},
	{
		id: "vwvfg-41-2", but: schleswigHolstein, from: postModernised,
		statute: Step{"§ 41 Abs. 2 VwVfG in der Fassung ab dem 01.01.2025", "§ 41(2) VwVfG as it stands since 1 January 2025"},
		days:    4, countsFrom: onItsWay,
	},
	{
		id: "vwvfg-41-2-until-2024", but: schleswigHolstein, before: postModernised,
		statute: Step{"§ 41 Abs. 2 VwVfG in der Fassung bis zum 31.12.2024", "§ 41(2) VwVfG as it stood until 31 December 2024"},
		days:    3, countsFrom: onItsWay,
	},
	{
		id: "lvwg-sh-110", only: schleswigHolstein, from: postModernised,
		statute: Step{"§ 110 Abs. 2 LVwG Schleswig-Holstein in der Fassung ab dem 01.01.2025", "§ 110(2) LVwG Schleswig-Holstein as it stands since 1 January 2025"},
		days:    4, countsFrom: onItsWay,
	},
	{
		id: "lvwg-sh-110-until-2024", only: schleswigHolstein, before: postModernised,
		statute: Step{"§ 110 Abs. 2 LVwG Schleswig-Holstein in der Fassung bis zum 31.12.2024", "§ 110(2) LVwG Schleswig-Holstein as it stood until 31 December 2024"},
		days:    3, countsFrom: onItsWay,
	},
}

var onItsWay = map[Channel][]fact{Post: {posted}, Electronic: {sent}}

// holds says whether a rule applies to what a Land sends through a channel on a day.
func (r rule) holds(land string, c Channel, on time.Time) bool {
	return r.countsFrom[c] != nil &&
		(r.only == "" || r.only == land) && (r.but == "" || r.but != land) &&
		!on.Before(r.from) && (r.before.IsZero() || on.Before(r.before))
}

func ruleFor(land string, c Channel, on time.Time) rule {
	for _, r := range rules {
		if r.holds(land, c, on) {
			return r
		}
	}
	panic(fmt.Sprintf("law: nothing is announced through the channel %q", c))
}
