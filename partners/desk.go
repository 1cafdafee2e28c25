// SPDX-License-Identifier: EUPL-1.2

package partners

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/content"
	"github.com/ozg-cloud/platform/ent"
	"github.com/ozg-cloud/platform/ent/tenant"
	"github.com/ozg-cloud/platform/events"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/internal/seal"
)

// Desk carries out the verbs on webhooks and exports. Who sees one may change it with the right to make one: an administrator all of the tenant and
// below, a partner the own ones. It works under the rights of who made it all the same.
type Desk struct {
	client   *ent.Client
	books    books
	engine   Engine
	now      func(ctx context.Context) (events.Position, error)
	outside  Outside
	contract *ast.Schema
	files    *content.Files
	links    *seal.Seal
	clock    func() time.Time
}

// NewDesk makes a desk over the writing client. now tells how far the log can be read (events.Log.Now); secret seals links and is the same on every replica.
func NewDesk(client *ent.Client, on Books, engine Engine, now func(ctx context.Context) (events.Position, error), outside Outside, contract *ast.Schema, files *content.Files,
	secret []byte, clock func() time.Time,
) *Desk {
	return &Desk{client, books{on, Patient.Lease}, engine, now, outside, contract, files, seal.New(secret, "export link"), clock}
}

// at is a moment as the database keeps it.
func (d *Desk) at() time.Time { return d.clock().UTC().Truncate(time.Microsecond) }

// placeOf finds the tenant where something is to be kept, and asks whether it may be.
func placeOf(ctx context.Context, p *authz.Principal, tx *ent.Tx, id uuid.UUID, object authz.Object) (authz.Place, error) {
	t, err := tx.Tenant.Query().Where(tenant.ID(id)).Only(ctx)
	switch {
	case ent.IsNotFound(err):
		return 0, problem.New(problem.Missing, "notFound", "input", "tenantId")
	case err != nil:
		return 0, fmt.Errorf("partners: finding a tenant: %w", err)
	}
	return authz.Place(t.Place), mayKeep(p, object, authz.Place(t.Place))
}

// missing is that what a verb names is not there, or not to be seen.
func missing(name string) error { return problem.New(problem.Missing, "notFound", "input", name) }
