// SPDX-License-Identifier: EUPL-1.2

package casework

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"time"

	"github.com/google/uuid"
)

// Line is a line of history (Historie) of a case.
type Line struct {
	Case     uuid.UUID
	Sequence int // from 1, without gaps; the revision of the case after the change
	At       time.Time
	Actor    string
	Action   Action
	From     State // empty in the first line
	To       State
	Reason   string // empty where none was asked for
}

// Action says what happened; it is the type of the event as well.
type Action string

// What can happen to a case.
const (
	CaseOpened        Action = "CASE_OPENED"
	CaseAccepted      Action = "CASE_ACCEPTED"
	CaseDiscarded     Action = "CASE_DISCARDED"
	CaseStarted       Action = "CASE_STARTED"
	CaseAssigned      Action = "CASE_ASSIGNED"
	CommentAdded      Action = "COMMENT_ADDED"
	ExtensionChanged  Action = "EXTENSION_CHANGED"
	FollowUpAdded     Action = "FOLLOW_UP_ADDED"
	FollowUpCompleted Action = "FOLLOW_UP_COMPLETED"
	ApplicantAsked    Action = "APPLICANT_ASKED"
	MessageSent       Action = "MESSAGE_SENT"
	MessageReceived   Action = "MESSAGE_RECEIVED"
	MessageProvided   Action = "MESSAGE_PROVIDED"
	MessageRefused    Action = "MESSAGE_REFUSED"
	MessageOpened     Action = "MESSAGE_OPENED"
	CaseDecided       Action = "CASE_DECIDED"
	CaseClosed        Action = "CASE_CLOSED"
	CaseReopened      Action = "CASE_REOPENED"
	CaseRestored      Action = "CASE_RESTORED"
)

// NoHash is the hash before the first line.
const NoHash = ""

// Hash seals the line with the hash of the line before: SHA-256 in hex over the hash before and every field in order, each
// behind its length as eight bytes, times as microseconds since 1970. Whoever changes a line breaks the chain from there on.
func (l Line) Hash(before string) string {
	h := sha256.New()
	var length [8]byte
	field := func(b []byte) {
		binary.BigEndian.PutUint64(length[:], uint64(len(b)))
		h.Write(length[:]) // a hash never fails
		h.Write(b)
	}
	number := func(n int64) {
		field(binary.BigEndian.AppendUint64(nil, uint64(n))) //nolint:gosec // any bits will do, as long as they are the same
	}
	field([]byte(before))
	field(l.Case[:])
	number(int64(l.Sequence))
	number(l.At.UnixMicro())
	for _, text := range []string{l.Actor, string(l.Action), string(l.From), string(l.To), l.Reason} {
		field([]byte(text))
	}
	return hex.EncodeToString(h.Sum(nil))
}
