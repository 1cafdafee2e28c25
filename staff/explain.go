// SPDX-License-Identifier: EUPL-1.2

package staff

import (
	"context"
	"slices"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/internal/problem"
)

// Question asks whether a subject may do something to a thing.
type Question struct {
	Subject string
	Object  authz.Object
	Action  authz.Action
	At      authz.Target // the thing, which the asker has been shown to see
}

// Explanation is the answer, and what led to it.
type Explanation struct {
	authz.Explanation
	Question
	// Known is false where the subject cannot sign in here at all: its issuer is not configured, or it is blocked.
	Known bool
	// Policy is the version of the policy.
	Policy string
}

// Explain tells an administrator, auditor or data protection officer of the thing's tenant which line of the policy and which assignment let a
// subject do something, or why none does. The subject is taken as signed in with the highest trust level. Its roles at tenants that the asker has no
// say about are left out, unless they are what allows it. nil, false: the asker may not know.
func (d *Desk) Explain(ctx context.Context, q Question) (*Explanation, bool, error) {
	p, err := authz.From(ctx)
	if err != nil {
		return nil, false, err
	}
	if !p.May("policy", authz.Read, authz.Target{Place: q.At.Place}) {
		return nil, false, nil
	}
	out := &Explanation{Question: q, Policy: d.policy.Version()}
	who, err := d.keeper.Recall(ctx, q.Subject, authz.High)
	if known, ok := problem.Of(err); ok && known.Kind == problem.Unauthenticated {
		return out, true, nil
	}
	if err != nil {
		return nil, false, err
	}
	out.Known, out.Explanation = true, d.policy.Explain(who, q.Object, q.Action, q.At)
	out.Grounds = slices.DeleteFunc(out.Grounds, func(g authz.Ground) bool {
		return g.Reason != authz.Grants && g.Assignment.Role != authz.Applicant &&
			!p.May("roleAssignment", authz.Read, authz.Target{Place: g.Assignment.Tenant.Place})
	})
	return out, true, nil
}
