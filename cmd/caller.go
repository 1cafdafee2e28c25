// SPDX-License-Identifier: EUPL-1.2

package cmd

import (
	"context"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/web"
)

// callerOf is what the door has to know of whoever is asking to be fair to the others. Applicants have no tenant to pay for them: they are
// all there is of it.
func callerOf(ctx context.Context) web.Caller {
	p, err := authz.From(ctx)
	if err != nil {
		return web.Caller{}
	}
	if len(p.Assignments) == 0 {
		return web.Caller{Subject: p.Subject}
	}
	c := web.Caller{Subject: p.Subject, Applies: true, Counts: true}
	for _, a := range p.Assignments {
		c.Applies = c.Applies && (a.Role == authz.Applicant || a.Role == "FORM_SERVER")
		c.Counts = c.Counts && a.Role == "LAND_ANALYST"
	}
	if first := p.Assignments[0]; first.Role != authz.Applicant {
		c.Tenant = first.Tenant.Slug
	}
	return c
}
