// SPDX-License-Identifier: EUPL-1.2

package intake

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/casework"
	"github.com/ozg-cloud/platform/content"
	"github.com/ozg-cloud/platform/ent"
	"github.com/ozg-cloud/platform/ent/schema"
	"github.com/ozg-cloud/platform/extension"
	"github.com/ozg-cloud/platform/internal/problem"
)

// Desk takes applications in.
type Desk struct {
	client *ent.Client
	cases  *casework.Desk
	store  *content.Store
	owner  func(account, identifier string) (subject string, ok bool)
	clock  func() time.Time
	limits Limits

	added func(authz.Place) extension.Chain
	unfit func(context.Context, *problem.Problem)
	look  func(context.Context, *arrival) (receipt, error)
}

// NewDesk makes a desk over the writing client. owner tells which subject signs in here for an identifier of a service account
// (Nutzerkonto) such as OSI.
func NewDesk(client *ent.Client, cases *casework.Desk, store *content.Store, owner func(account, identifier string) (subject string, ok bool), clock func() time.Time, limits Limits) *Desk {
	d := &Desk{client: client, cases: cases, store: store, owner: owner, clock: clock, limits: limits.orDefaults()}
	d.look = d.lookUp
	return d
}

// FilledBy lets forms fill the extension fields (Balkone) of the authority that is responsible: added gives what is added there. What does not fit is
// left out and told to unfit with its path from the field on, without the value; it keeps no application from coming in.
func (d *Desk) FilledBy(added func(authz.Place) extension.Chain, unfit func(context.Context, *problem.Problem)) {
	d.added, d.unfit = added, unfit
}

// Limits bound a delivery of a form server, in bytes. Zero stands for the default.
type Limits struct {
	Part  int64 // a representation or an attachment: 20 MB
	Total int64 // everything that is sent: 100 MB
}

func (l Limits) orDefaults() Limits {
	const mega = 1 << 20
	if l.Part == 0 {
		l.Part = 20 * mega
	}
	if l.Total == 0 {
		l.Total = 100 * mega
	}
	return l
}

// Application is what somebody applies for (Antrag).
type Application struct {
	ServiceKey    string // LeiKa key
	RegionalKey   string // ARS, 12 digits
	TransactionID string // given by the sender; repeating it repeats the answer
	Applicant     Person
	Form          []schema.FormItem
	Uploads       []uuid.UUID
}

// Person is who applies. What is empty is not known.
type Person struct {
	Kind                        string // NATURAL_PERSON or LEGAL_PERSON
	Name                        string
	PostalAddress               string
	MailboxKind, MailboxAddress string // where messages reach somebody who does not sign in here
}

func (d *Desk) now() time.Time { return d.clock().UTC().Truncate(time.Microsecond) }
