// SPDX-License-Identifier: EUPL-1.2

package authz

import "slices"

// Home is the lowest part of the tree that covers every tenant at which the principal has a role: an authority, a district or a Land. What a
// tenant adds to the standard house holds for those whose home is the tenant's or lies in it.
// There is none (false) for applicants and system principals, for who has no role, and for who has roles in several Länder or above them.
func (p *Principal) Home() (Interval, bool) {
	if p.system || p.scope.Owner != "" || len(p.Assignments) == 0 {
		return Interval{}, false
	}
	all := p.Assignments[0].Tenant.cover()
	for _, a := range p.Assignments[1:] {
		c := a.Tenant.cover()
		all = Interval{min(all.Lo, c.Lo), max(all.Hi, c.Hi)}
	}
	levels := []Interval{{all.Lo, all.Lo}, Cover(District, all.Lo), Cover(Land, all.Lo)}
	if i := slices.IndexFunc(levels, func(l Interval) bool { return l.Covers(all) }); i >= 0 {
		return levels[i], true
	}
	return Interval{}, false
}

func (t TenantRef) cover() Interval { return Cover(t.Kind, t.Place) }
