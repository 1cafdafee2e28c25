// SPDX-License-Identifier: EUPL-1.2

package authz

import (
	"context"
	"reflect"
	"slices"
)

// Lost tells whether something that somebody had is missing now.
func Lost(had, have []Assignment) bool {
	return slices.ContainsFunc(had, func(a Assignment) bool {
		return !slices.ContainsFunc(have, func(b Assignment) bool { return reflect.DeepEqual(a, b) })
	})
}

// Former is a subject with assignments that it had at some time. With the first data that it meets it is renewed: so whoever has followed something
// meanwhile learns what was lost, and is shown nothing by it. An issuer that is gone is Unauthenticated, as in Recall.
func (d *Doorkeeper) Former(ctx context.Context, subject string, trust TrustLevel, had []Assignment) (*Principal, error) {
	now, err := d.Recall(ctx, subject, trust)
	if err != nil {
		return nil, err
	}
	if now.Version == 0 { // nobody counts, and so nobody would renew
		return now, nil
	}
	p := d.policy.Principal(subject, trust, had)
	p.Version, p.renew = 1, now.renew
	return p, nil
}
