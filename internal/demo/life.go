// SPDX-License-Identifier: EUPL-1.2

package demo

import (
	"time"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/casework"
	"github.com/ozg-cloud/platform/ent/schema"
	"github.com/ozg-cloud/platform/extension"
	"github.com/ozg-cloud/platform/law"
)

// What happens to a case by verbs that casework does not have yet.
const (
	caseForwarded     casework.Action = "CASE_FORWARDED"
	forwardAccepted   casework.Action = "FORWARDING_ACCEPTED"
	forwardDeclined   casework.Action = "FORWARDING_DECLINED"
	markedForDeletion casework.Action = "CASE_MARKED_FOR_DELETION"
	caseErased        casework.Action = "CASE_ERASED"
)

// mostMessages is how many messages a case has at most; one of them is kept for each decision.
const mostMessages = 6

// life is what happens to one case, from its arrival until the end of time or of the case. Each step does what the desk's verb of the same
// name does, in the same order, so that a demo case cannot be told from one that was worked on.
type life struct {
	chance
	until  time.Time
	berlin *time.Location

	now    time.Time
	at     *authority
	others []*authority // whom a case can be forwarded to
	offer  *offering
	clerk  string // the caseworker
	who    person
	form   []byte
	items  []schema.FormItem // the same
	added  extension.Chain   // the fields that hold for the case, and are filled by the form
	values chance            // apart, so that nothing else is decided otherwise where there are fields

	id          rowID
	number      string
	reference   string
	state       casework.State
	channel     string
	contact     bool
	trust       authz.TrustLevel
	owner       string // the subject of who applied, empty where that person signs in elsewhere
	account     string // kind of the mailbox elsewhere, empty where there is none
	address     string
	transaction string
	receivedAt  time.Time
	completeAt  *time.Time
	dueAt       *time.Time
	decidedAt   *time.Time
	closedAt    *time.Time
	lines       []line
	messages    []*message
	decisions   []*decision
	comments    []comment
	followUps   []*followUp
	assignments []*assignment
	erased      bool
}

// line is a line of history with what its change made.
type line struct {
	casework.Line
	subject rowID
}

type message struct {
	id, inReplyTo         rowID
	fromApplicant         bool
	subject, body, policy string
	author                string
	sentAt                time.Time
	providedAt, openedAt  *time.Time
	delivery              string
}

type decision struct {
	id, replaces, announcement rowID
	outcome, reason            string
	carrier                    *message
	channel                    law.Channel
	author                     string
}

type comment struct {
	id           rowID
	body, author string
	at           time.Time
}

type followUp struct {
	id           rowID
	dueOn        time.Time
	note, author string
	at           time.Time
	doneAt       *time.Time
}

type assignment struct {
	id           rowID
	assignee, by string
	at           time.Time
	endedAt      *time.Time
}

// live lets the case go as far as it comes.
func (l *life) live() {
	by := l.owner
	if l.channel == "FORM_SERVER" {
		by = l.at.form.subject
	}
	l.record(by, casework.CaseOpened, casework.New, "", nothing)
	if !l.office(l.span(22 * time.Hour)) {
		return
	}
	if l.of(0.07) && !l.discarded() || l.of(0.04) && !l.forwarded() {
		return
	}
	if l.state == casework.New {
		l.accept()
	}
	if l.of(0.9) && !l.assign() || l.of(0.93) && !l.send(receipt, "FORBIDDEN") {
		return
	}
	if !l.office(l.span(30 * time.Hour)) {
		return
	}
	l.record(l.clerk, casework.CaseStarted, casework.InProgress, "", nothing)
	for {
		if !l.work() || !l.decided() || !l.office(l.span(90*time.Hour)) {
			return
		}
		if l.of(0.015) && l.mayReopen() {
			l.reopen()
			continue
		}
		l.record(l.clerk, casework.CaseClosed, casework.Closed, "", nothing)
		l.closedAt = l.instant()
		if l.of(0.01) && l.mayReopen() && l.later(l.span(300*time.Hour)) && l.office(0) {
			l.reopen()
			continue
		}
		break
	}
	// Some authorities are slow to erase what they should have erased; it shows in the key figures.
	if !l.of(0.6) || !l.later(time.Duration(l.offer.service.retention)*24*time.Hour) {
		return
	}
	l.erase(20 * 24 * time.Hour)
}

// later lets time pass, and tells whether there is any left.
func (l *life) later(d time.Duration) bool {
	l.now = l.now.Add(d).Truncate(time.Microsecond)
	return !l.now.After(l.until)
}

// office is later until somebody is at work. Now and then nobody takes the case up again: backlogs are made of such.
func (l *life) office(d time.Duration) bool {
	if l.of(0.004) {
		return false
	}
	l.now = opened(l.chance, l.now.Add(d).Truncate(time.Microsecond), l.berlin)
	return !l.now.After(l.until)
}

func (l *life) instant() *time.Time { at := l.now; return &at }

// record writes a line of history.
func (l *life) record(actor string, what casework.Action, to casework.State, reason string, subject rowID) {
	l.lines = append(l.lines, line{
		casework.Line{Case: l.id, Sequence: len(l.lines) + 1, At: l.now, Actor: actor, Action: what, From: l.state, To: to, Reason: reason}, subject,
	})
	l.state = to
}

// discarded puts the case away, and tells whether it came back.
func (l *life) discarded() bool {
	l.record(l.at.mailroom(), casework.CaseDiscarded, casework.Discarded, one(l.chance, putAway...), nothing)
	if l.of(0.06) {
		if !l.office(l.span(30 * time.Hour)) {
			return false
		}
		l.record(l.at.mailroom(), casework.CaseRestored, casework.New, one(l.chance, wronglyPutAway...), nothing)
		return l.office(l.span(8 * time.Hour))
	}
	if l.of(0.6) && l.later(60*24*time.Hour) {
		l.erase(30 * 24 * time.Hour)
	}
	return false
}

// forwarded offers the case to another authority, and tells whether it comes back.
func (l *life) forwarded() bool {
	other := l.at
	for other == l.at {
		other = one(l.chance, l.others...)
	}
	l.record(l.at.mailroom(), caseForwarded, casework.Forwarded, one(l.chance, elsewhere...), nothing)
	if !l.office(l.span(10 * 24 * time.Hour)) {
		return false
	}
	if l.of(0.3) {
		l.record(other.mailroom(), forwardDeclined, casework.Accepted, "", nothing)
		return l.office(l.span(8 * time.Hour))
	}
	l.record(other.mailroom(), forwardAccepted, casework.ToBeDeleted, "", nothing)
	l.erased = l.of(0.6) && l.office(l.span(30*24*time.Hour))
	if l.erased {
		l.record(l.at.deletionOfficer(), caseErased, casework.Erased, "", nothing)
	}
	return false
}

func (l *life) accept() {
	l.record(l.at.mailroom(), casework.CaseAccepted, casework.Accepted, "", nothing)
	if l.of(0.6) {
		l.reference = l.offer.unit.number + "-" + l.number
	}
	if l.of(0.9) {
		l.completeAt = l.instant()
		l.dueAt = law.Due(l.now, l.offer.service.deadline(), l.offer.service.fiction)
	}
}

// assign gives the case to its caseworker.
func (l *life) assign() bool {
	if !l.office(l.span(time.Hour)) {
		return false
	}
	if n := len(l.assignments); n > 0 {
		l.assignments[n-1].endedAt = l.instant()
	}
	a := &assignment{l.chance.id(l.now), l.clerk, l.at.mailroom(), l.now, nil}
	l.assignments = append(l.assignments, a)
	l.record(a.by, casework.CaseAssigned, l.state, "", a.id)
	return true
}

// work is what lies between beginning and decision.
func (l *life) work() bool {
	if l.of(0.25) && !l.comment() || l.of(0.15) && !l.followUp() {
		return false
	}
	for l.of(0.44) && l.mayAsk() {
		if !l.ask() {
			return false
		}
	}
	if l.of(0.5) && !l.notice() {
		return false
	}
	if l.of(0.05) {
		l.clerk = l.at.caseworker()
		if !l.assign() {
			return false
		}
	}
	if l.of(0.2) && !l.comment() {
		return false
	}
	for _, f := range l.followUps {
		if f.doneAt == nil && l.of(0.7) {
			if !l.office(l.span(20 * time.Hour)) {
				return false
			}
			f.doneAt = l.instant()
			l.record(l.clerk, casework.FollowUpCompleted, l.state, "", f.id)
		}
	}
	days := max(l.offer.service.days, 3)
	if l.offer.service.fiction {
		days = 60 // three months are the end of it
	}
	return l.office(l.span(time.Duration(days) * 9 * time.Hour))
}

func (l *life) comment() bool {
	if !l.office(l.span(6 * time.Hour)) {
		return false
	}
	made := comment{l.chance.id(l.now), one(l.chance, notes...), l.clerk, l.now}
	l.comments = append(l.comments, made)
	l.record(l.clerk, casework.CommentAdded, l.state, "", made.id)
	return true
}

func (l *life) followUp() bool {
	if !l.office(l.span(6 * time.Hour)) {
		return false
	}
	f := &followUp{l.chance.id(l.now), law.Today(l.now).AddDate(0, 0, 1+l.IntN(28)), one(l.chance, reminders...), l.clerk, l.now, nil}
	l.followUps = append(l.followUps, f)
	l.record(l.clerk, casework.FollowUpAdded, l.state, "", f.id)
	return true
}

// erase marks the case for deletion and, after a time, erases it.
func (l *life) erase(after time.Duration) {
	if !l.office(l.span(10 * 24 * time.Hour)) {
		return
	}
	l.record(l.at.deletionOfficer(), markedForDeletion, casework.ToBeDeleted, "", nothing)
	if l.erased = l.office(l.span(after)); l.erased {
		l.record(l.at.deletionOfficer(), caseErased, casework.Erased, "", nothing)
	}
}
