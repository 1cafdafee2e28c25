// SPDX-License-Identifier: EUPL-1.2

package demo

import (
	"github.com/ozg-cloud/platform/casework"
	"github.com/ozg-cloud/platform/law"
)

// decided decides the case and lets the decision reach the applicant.
func (l *life) decided() bool {
	d := &decision{id: l.chance.id(l.now), announcement: l.chance.id(l.now), outcome: "GRANTED", channel: law.Portal, author: l.clerk}
	switch x := l.Float64(); {
	case x < 0.08:
		d.outcome, d.reason = "REJECTED", one(l.chance, rejections...)
	case x < 0.13:
		d.outcome, d.reason = "PARTLY_GRANTED", one(l.chance, partly...)
	case x < 0.15:
		d.outcome, d.reason = "OTHER", "Der Antrag wurde zurückgenommen."
	}
	if !l.mailbox() || l.of(0.15) {
		d.channel = one(l.chance, law.Post, law.Post, law.Electronic)
	}
	d.carrier = l.write("Bescheid zum Vorgang "+l.number, letter(d), "FORBIDDEN")
	if !l.mailbox() {
		d.carrier.delivery = "ELSEWHERE"
	}
	if n := len(l.decisions); n > 0 {
		d.replaces = l.decisions[n-1].id
	}
	l.decisions = append(l.decisions, d)
	l.record(l.clerk, casework.CaseDecided, casework.Decided, "", d.id)
	l.decidedAt = l.instant()
	return l.provide(d.carrier) && l.open(d.carrier, 0.85)
}

func letter(d *decision) string {
	said := map[string]string{
		"GRANTED": "Ihrem Antrag wurde entsprochen.", "PARTLY_GRANTED": "Ihrem Antrag wurde teilweise entsprochen.",
		"REJECTED": "Ihr Antrag wurde abgelehnt.", "OTHER": "Über Ihren Antrag wurde entschieden.",
	}[d.outcome]
	if d.reason != "" {
		said += "\n\nBegründung:\n" + d.reason
	}
	return said
}

// facts are what the announcement of a decision follows from.
func (d *decision) facts() law.Facts {
	f := law.Facts{Channel: d.channel, SentAt: d.carrier.sentAt, FirstRetrievedAt: d.carrier.openedAt}
	if d.channel == law.Portal {
		f.ProvidedAt, f.NotifiedAt = d.carrier.providedAt, d.carrier.providedAt
	}
	return f
}

// mayReopen tells whether another decision still fits.
func (l *life) mayReopen() bool { return len(l.messages) < mostMessages }

func (l *life) reopen() {
	l.closedAt = nil
	l.record(l.clerk, casework.CaseReopened, casework.InProgress, one(l.chance, takenUpAgain...), nothing)
}
