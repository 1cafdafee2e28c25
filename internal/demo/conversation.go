// SPDX-License-Identifier: EUPL-1.2

package demo

import (
	"time"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/casework"
)

func (l *life) mailbox() bool { return l.owner != "" || l.account != "" }

// mayAsk tells whether question, answer and decision still fit.
func (l *life) mayAsk() bool { return l.mailbox() && len(l.messages)+3 <= mostMessages }

// ask asks the applicant, who mostly answers.
func (l *life) ask() bool {
	if !l.office(l.span(20 * time.Hour)) {
		return false
	}
	q := one(l.chance, questions...)
	m := l.write(q.subject, q.body, "MANDATORY")
	l.record(l.clerk, casework.ApplicantAsked, casework.WaitingForApplicant, "", m.id)
	if !l.provide(m) || !l.open(m, 0.97) {
		return false
	}
	if l.of(0.9) {
		return l.later(l.span(80*time.Hour)) && l.reply(m, q.answer)
	}
	if !l.office(l.span(400 * time.Hour)) {
		return false
	}
	l.record(l.clerk, casework.CaseStarted, casework.InProgress, "", nothing)
	return true
}

// notice tells the applicant something that can be answered.
func (l *life) notice() bool {
	if !l.mayAsk() {
		return true
	}
	n := one(l.chance, notices...)
	if !l.send(n, "POSSIBLE") {
		return false
	}
	if l.of(0.3) {
		return l.later(l.span(20*time.Hour)) && l.reply(l.messages[len(l.messages)-1], n.answer)
	}
	return true
}

// send sends a message to the applicant where that is possible.
func (l *life) send(what exchange, policy string) bool {
	if !l.mailbox() {
		return true
	}
	if !l.office(l.span(5 * time.Hour)) {
		return false
	}
	m := l.write(what.subject, what.body, policy)
	l.record(l.clerk, casework.MessageSent, l.state, "", m.id)
	return l.provide(m) && l.open(m, 0.7)
}

func (l *life) write(subject, body, policy string) *message {
	m := &message{id: l.chance.id(l.now), subject: subject, body: body, policy: policy, author: l.clerk, sentAt: l.now, delivery: "PENDING"}
	if l.owner != "" {
		m.delivery, m.providedAt = "PROVIDED", l.instant()
	}
	l.messages = append(l.messages, m)
	return m
}

// provide lets the relay carry a message to a mailbox elsewhere.
func (l *life) provide(m *message) bool {
	if m.delivery != "PENDING" {
		return true
	}
	if !l.later(time.Duration(1+l.IntN(90)) * time.Second) {
		return false
	}
	if l.of(0.01) {
		m.delivery = "FAILED"
		l.record(string(authz.Relay), casework.MessageRefused, l.state, "", m.id)
		return true
	}
	m.delivery, m.providedAt = "PROVIDED", l.instant()
	l.record(string(authz.Relay), casework.MessageProvided, l.state, "", m.id)
	return true
}

// open lets an applicant who signs in here read a message, with a probability.
func (l *life) open(m *message, p float64) bool {
	if l.owner == "" || !l.of(p) {
		return true
	}
	if !l.later(l.span(14 * time.Hour)) {
		return false
	}
	m.openedAt = l.instant()
	l.record(l.owner, casework.MessageOpened, l.state, "", m.id)
	return true
}

// reply answers a message, as the applicant or through the mailbox elsewhere.
func (l *life) reply(to *message, body string) bool {
	by := l.owner
	if by == "" {
		by = string(authz.Relay)
	}
	m := &message{
		id: l.chance.id(l.now), inReplyTo: to.id, fromApplicant: true, subject: "AW: " + to.subject, body: body, policy: "FORBIDDEN",
		author: by, sentAt: l.now, providedAt: l.instant(), delivery: "PROVIDED",
	}
	l.messages = append(l.messages, m)
	next := l.state
	if next == casework.WaitingForApplicant {
		next = casework.InProgress
	}
	l.record(by, casework.MessageReceived, next, "", m.id)
	return true
}
