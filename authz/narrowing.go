// SPDX-License-Identifier: EUPL-1.2

package authz

import "slices"

// Narrowing tells what an assignment of a role can be narrowed to. A role that is given with anything else would reach further than
// whoever gave it believes.
func (p *Policy) Narrowing(role Role) (units, services bool) {
	for _, held := range p.rights {
		units = units || slices.Contains(held[role], ownUnits)
		services = services || slices.Contains(held[role], namedServices)
	}
	return units, services
}
