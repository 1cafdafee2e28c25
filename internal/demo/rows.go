// SPDX-License-Identifier: EUPL-1.2

package demo

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"github.com/ozg-cloud/platform/casework"
	"github.com/ozg-cloud/platform/ent/schema"
	"github.com/ozg-cloud/platform/extension"
	"github.com/ozg-cloud/platform/law"
)

// shelf is a table that cases fill, in the order in which the foreign keys allow it.
type shelf int

const (
	cases shelf = iota
	submissions
	applicants
	messages
	decisions
	announcements
	comments
	followUps
	assignments
	history
	events
	records
	entries
	shelves
)

// labels are the names of the tables and of the columns that are filled; the others are filled by the database.
var labels = [shelves]struct {
	table   string
	columns []string
}{
	cases: {"cases", []string{
		"id", "tenant_id", "place", "number", "file_reference", "service_id", "unit_id", "state", "channel", "via_point_of_contact", "trust_level", "owner",
		"received_at", "complete_at", "due_at", "decided_at", "closed_at", "updated_at", "revision", "history_head",
		"extension_1", "extension_2", "extension_3", "extension_4", "extension_5", "extension_6", "extension_7", "extension_8", "extension_9", "extension_10",
	}},
	submissions: {"submissions", []string{
		"id", "tenant_id", "place", "case_id", "source", "connector_id", "channel", "transaction_id", "payload_hash", "form_data", "received_at",
	}},
	applicants: {"applicants", []string{
		"id", "tenant_id", "place", "case_id", "kind", "name", "mailbox_kind", "mailbox_address", "postal_address", "trust_level",
	}},
	messages: {"messages", []string{
		"id", "tenant_id", "place", "case_id", "direction", "subject", "body", "reply_policy", "in_reply_to_id", "trust_level", "author",
		"sent_at", "provided_at", "opened_at", "delivery_state",
	}},
	decisions: {"decisions", []string{
		"id", "tenant_id", "place", "case_id", "outcome", "reason", "message_id", "replaces_id", "author", "sent_at",
	}},
	announcements: {"announcements", []string{
		"id", "tenant_id", "place", "case_id", "decision_id", "channel", "sent_at", "provided_at", "notified_at", "first_retrieved_at",
		"rule", "announced_on", "explanation",
	}},
	comments:    {"comments", []string{"id", "tenant_id", "place", "case_id", "body", "author", "created_at"}},
	followUps:   {"follow_ups", []string{"id", "tenant_id", "place", "case_id", "due_on", "note", "author", "created_at", "done_at"}},
	assignments: {"assignments", []string{"id", "tenant_id", "place", "case_id", "assignee", "assigned_by", "assigned_at", "ended_at"}},
	history: {"history_events", []string{
		"id", "tenant_id", "place", "case_id", "sequence", "at", "actor", "action", "from_state", "to_state", "reason", "previous_hash", "hash",
	}},
	records: {"extension_records", []string{"id", "tenant_id", "place", "case_id", "target", "target_id", "owner", "document", "updated_at"}},
	entries: {"extension_entries", []string{"id", "tenant_id", "place", "case_id", "target_id", "field", "text", "number", "time", "counted", "ranked_at"}},
	events:  {"events", []string{"id", "tenant_id", "place", "type", "case_id", "sequence", "revision", "subject_id", "at", "unit_id", "unit_before"}},
}

// batch is some cases as rows.
type batch struct {
	size   int
	rows   [shelves][][]any
	log    []event
	failed error
}

// event is a row of the log, which is written in the order in which things happened.
type event struct {
	at  time.Time
	row []any
}

// close puts the log in order.
func (b *batch) close() {
	slices.SortStableFunc(b.log, func(x, y event) int { return x.at.Compare(y.at) })
	for _, e := range b.log {
		b.rows[events] = append(b.rows[events], e.row)
	}
	b.log = nil
}

// add writes down a life. Of an erased case a tombstone stays: the case without its owner, and its history.
func (b *batch) add(l *life) {
	b.size++
	hang := func(on shelf, id rowID, values ...any) {
		row := append(make([]any, 0, len(values)+4), id, l.at.id, int64(l.at.place), l.id)
		b.rows[on] = append(b.rows[on], append(row, values...))
	}
	head := b.addHistory(l, hang)
	last := l.lines[len(l.lines)-1]
	owner := l.owner
	if l.erased {
		owner = ""
	}
	file := append([]any{
		l.id, l.at.id, int64(l.at.place), l.number, some(l.reference), l.offer.service.id, l.offer.unit.id, string(l.state), l.channel, l.contact,
		string(l.trust), some(owner), l.receivedAt, l.completeAt, l.dueAt, l.decidedAt, l.closedAt, last.At, last.Sequence, head,
	}, make([]any, extension.Columns)...)
	b.rows[cases] = append(b.rows[cases], file)
	if l.erased {
		return
	}
	source, through := l.owner, any(nil)
	if l.channel == "FORM_SERVER" {
		source, through = l.at.form.subject, l.at.form.id
	}
	sum := sha256.Sum256(append([]byte(l.transaction), l.form...))
	hang(submissions, l.chance.id(l.receivedAt), source, through, l.channel, l.transaction, hex.EncodeToString(sum[:]), l.form, l.receivedAt)
	hang(applicants, l.chance.id(l.receivedAt), l.who.kind(), l.who.name(), some(l.account), some(l.address), l.who.address(), string(l.trust))
	for _, m := range l.messages {
		direction := "TO_APPLICANT"
		if m.fromApplicant {
			direction = "FROM_APPLICANT"
		}
		hang(messages, m.id, direction, m.subject, m.body, m.policy, some(m.inReplyTo), string(l.trust), m.author, m.sentAt, m.providedAt, m.openedAt, m.delivery)
	}
	for _, d := range l.decisions {
		hang(decisions, d.id, d.outcome, some(d.reason), d.carrier.id, some(d.replaces), d.author, d.carrier.sentAt)
		f := d.facts()
		a := law.Announce(l.at.key[:2], f)
		why := make([]schema.ExplanationStep, len(a.Steps))
		for i, s := range a.Steps {
			why[i] = schema.ExplanationStep(s)
		}
		hang(announcements, d.announcement, d.id, string(f.Channel), f.SentAt, f.ProvidedAt, f.NotifiedAt, f.FirstRetrievedAt, a.Rule, a.On, why)
	}
	for _, c := range l.comments {
		hang(comments, c.id, c.body, c.author, c.at)
	}
	for _, f := range l.followUps {
		hang(followUps, f.id, f.dueOn, f.note, f.author, f.at, f.doneAt)
	}
	for _, a := range l.assignments {
		hang(assignments, a.id, a.assignee, a.by, a.at, a.endedAt)
	}
	if l.offer.service.part == building {
		b.addValues(l, hang, file[len(file)-extension.Columns:])
	}
}

// addHistory writes the lines with the seal of each on the one before, and an event for each. It gives the last seal.
func (b *batch) addHistory(l *life, hang func(shelf, rowID, ...any)) string {
	head := casework.NoHash
	var unitBefore any // in the first line there is none
	for _, n := range l.lines {
		before := head
		head = n.Hash(before)
		hang(history, l.chance.id(n.At), n.Sequence, n.At, n.Actor, string(n.Action), some(string(n.From)), string(n.To), some(n.Reason), before, head)
		b.log = append(b.log, event{n.At, []any{
			l.chance.id(n.At), l.at.id, int64(l.at.place), string(n.Action), l.id, n.Sequence, n.Sequence, some(n.subject), n.At,
			l.offer.unit.id, unitBefore,
		}})
		unitBefore = l.offer.unit.id
	}
	return head
}
