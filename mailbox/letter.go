// SPDX-License-Identifier: EUPL-1.2

package mailbox

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
)

// Letter is a message on its way. It holds personal data, so it prints as its id.
type Letter struct {
	ID            uuid.UUID // of the message; the mailbox knows a repetition by it
	Case          uuid.UUID
	Address       string // in the mailbox's own notation
	Subject, Body string
	ReplyPolicy   string           // POSSIBLE, MANDATORY or FORBIDDEN
	TrustLevel    authz.TrustLevel // nobody may read it with a weaker sign-in
	SentAt        time.Time
	Attachments   []Attachment
}

// Attachment (Anlage) is what hangs on a letter.
type Attachment struct {
	Name, MediaType string
	SHA256          string // in hex
	Size            int64  // in bytes
	Open            func(context.Context) (io.ReadCloser, error)
}

func (l Letter) String() string { return l.ID.String() }

// Receipt says when a mailbox has provided a letter for retrieval and when it has notified its owner of it: the facts from which the day
// of an announcement follows (Bekanntgabe).
type Receipt struct{ ProvidedAt, NotifiedAt time.Time }

// Mailbox takes letters (Postfach).
type Mailbox interface {
	// Provide makes a letter available to its addressee and notifies the addressee of it. The same letter again gets the same receipt
	// and is there once. A problem of the kind Invalid says that the mailbox will never take this letter; any other error that it may
	// later, and nobody knows whether it has it already. Errors hold no personal data.
	Provide(context.Context, Letter) (Receipt, error)
}

// skew is how far the clocks of two houses may lie apart.
const skew = 5 * time.Minute

// against holds a receipt against what is known: nothing is provided before it was sent, or tomorrow. Legal dates are counted from it,
// so a receipt that cannot be true is none.
func (r Receipt) against(l Letter, now time.Time) (Receipt, error) {
	for _, at := range []*time.Time{&r.ProvidedAt, &r.NotifiedAt} {
		if at.Before(l.SentAt.Add(-skew)) || at.After(now.Add(skew)) {
			return Receipt{}, errors.New("mailbox: the receipt names a time that cannot be")
		}
		if at.Before(l.SentAt) {
			*at = l.SentAt
		}
	}
	return r, nil
}
