// SPDX-License-Identifier: EUPL-1.2

package authz

import (
	"context"
	"strings"
)

// SpeaksFor tells whether a subject comes from an issuer that may speak for all that the tenant covers. Roles that are given there to anybody
// else would never count.
func (d *Doorkeeper) SpeaksFor(ctx context.Context, subject string, at TenantRef) (bool, error) {
	rest, _ := strings.CutPrefix(subject, "user:")
	name, _, _ := strings.Cut(rest, ":")
	issuer := d.names[name]
	if issuer == nil || rest == subject {
		return false, nil
	}
	part, err := d.part(With(ctx, System(Doorkeeping)), issuer)
	if err != nil {
		return false, err
	}
	return part.Covers(Cover(at.Kind, at.Place)), nil
}
