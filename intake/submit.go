// SPDX-License-Identifier: EUPL-1.2

package intake

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent/submission"
)

// Submit takes an application that an applicant hands in at the portal, and gives the case that it became: a case of the responsible authority,
// owned by the applicant. The same transaction id again gives the same case; with other content it is a conflict (transactionReused).
// Only applicants hand in here: a form server would get around its connector. The uploads are taken, and nobody can take them again.
//
// Problems: Invalid with the path into the input (unknownService and notResponsible among them), Forbidden (trustLevel, notAllowed),
// Missing for an upload that is not there.
func (d *Desk) Submit(ctx context.Context, a Application) (id uuid.UUID, err error) {
	err = authz.Current(ctx, func() error {
		id, err = d.submit(ctx, a)
		return err
	})
	return id, err
}

func (d *Desk) submit(ctx context.Context, a Application) (uuid.UUID, error) {
	p, err := authz.From(ctx)
	if err != nil {
		return uuid.Nil, err
	}
	if !has(p, authz.Applicant) {
		return uuid.Nil, notAllowed()
	}
	if err := a.check(); err != nil {
		return uuid.Nil, err
	}
	said, err := json.Marshal(a)
	if err != nil {
		return uuid.Nil, fmt.Errorf("intake: writing an application down: %w", err)
	}
	r, err := d.receive(ctx, &arrival{
		Application: a, by: p, channel: submission.ChannelPORTAL, trust: p.TrustLevel, owner: p.Subject, hash: seal(said),
		servicePath: []string{"input", "serviceKey"}, regionPath: []string{"input", "regionalKey"},
	})
	return r.caseID, err
}
