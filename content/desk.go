// SPDX-License-Identifier: EUPL-1.2

package content

import (
	"context"
	"net/http"
	"time"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent"
)

// Desk takes uploads, hands out content, and throws away what nobody refers to.
type Desk struct {
	store       *Store
	client      *ent.Client
	links       links
	recall      func(ctx context.Context, subject string, trust authz.TrustLevel) (*authz.Principal, error)
	witness     Witness
	clock       func() time.Time
	uploadLimit int64
}

// Witness takes note of an attachment before its content, or with HEAD its name, is handed to ctx's principal. Where it refuses, nothing is handed out.
type Witness func(ctx context.Context, a *ent.Attachment, r *http.Request) error

// NewDesk makes a desk over the writing client. secret seals the links and is the same on every replica. recall says who a subject is
// with the rights that it has now (authz.Doorkeeper.Recall). uploadLimit is in bytes.
func NewDesk(store *Store, client *ent.Client, secret []byte,
	recall func(ctx context.Context, subject string, trust authz.TrustLevel) (*authz.Principal, error),
	witness Witness, clock func() time.Time, uploadLimit int64,
) *Desk {
	return &Desk{store, client, newLinks(secret), recall, witness, clock, uploadLimit}
}

func (d *Desk) now() time.Time { return d.clock().UTC().Truncate(time.Microsecond) }
