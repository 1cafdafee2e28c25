// SPDX-License-Identifier: EUPL-1.2

package authz_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/ozg-cloud/platform/authz"
)

// The world of the property tests is a random tree of tenants with units, kept by pointers to parents: it knows nothing of places and
// intervals, so that it can say independently what they should mean.

// tenantNode is a tenant of the tree.
type tenantNode struct {
	ref    authz.TenantRef
	parent *tenantNode
	units  []*unitNode
}

type unitNode struct {
	id     uuid.UUID
	parent *unitNode
}

// below tells whether a tenant is another one or lies under it.
func (n *tenantNode) below(top *tenantNode) bool {
	for ; n != nil; n = n.parent {
		if n == top {
			return true
		}
	}
	return false
}

func (u *unitNode) below(top *unitNode) bool {
	for ; u != nil; u = u.parent {
		if u == top {
			return true
		}
	}
	return false
}

type world struct {
	tenants  []*tenantNode
	services []uuid.UUID
}

func id(kind, n int) uuid.UUID { return uuid.UUID{15: byte(n), 14: byte(n >> 8), 0: byte(kind)} }

var worlds = rapid.Custom(func(t *rapid.T) world {
	w := world{services: []uuid.UUID{id(1, 1), id(1, 2), id(1, 3)}}
	add := func(kind authz.TenantKind, key string, n int, parent *tenantNode) *tenantNode {
		slug := fmt.Sprintf("t%d", len(w.tenants))
		node := &tenantNode{ref: tenant(slug, kind, key, n), parent: parent}
		w.tenants = append(w.tenants, node)
		return node
	}
	top := add(authz.Federation, "000000000000", 0, nil)
	for n := range rapid.IntRange(0, 2).Draw(t, "authorities of the federation") {
		add(authz.Authority, "000000000000", n+1, top)
	}
	for _, l := range rapid.SliceOfNDistinct(rapid.IntRange(1, 16), 1, 3, rapid.ID).Draw(t, "Länder") {
		land := add(authz.Land, fmt.Sprintf("%02d0000000000", l), 0, top)
		for n := range rapid.IntRange(0, 2).Draw(t, "authorities of the Land") {
			add(authz.Authority, fmt.Sprintf("%02d0000000000", l), n+1, land)
		}
		for _, d := range rapid.SliceOfNDistinct(rapid.IntRange(1, 999), 0, 3, rapid.ID).Draw(t, "districts") {
			district := add(authz.District, fmt.Sprintf("%02d%03d0000000", l, d), 0, land)
			for n := range rapid.IntRange(0, 2).Draw(t, "authorities of the district") {
				add(authz.Authority, fmt.Sprintf("%02d%03d0000000", l, d), n+1, district)
			}
			for _, m := range rapid.SliceOfNDistinct(rapid.IntRange(1, 9_999_999), 0, 2, rapid.ID).Draw(t, "municipalities") {
				add(authz.Authority, fmt.Sprintf("%02d%03d%07d", l, d, m), rapid.IntRange(1, 999).Draw(t, "number"), district)
			}
		}
	}
	units := 0
	for _, tenant := range w.tenants {
		for range rapid.SampledFrom([]int{0, 2, 4}).Draw(t, "units") {
			units++
			parent := rapid.SampledFrom(append([]*unitNode{nil}, tenant.units...)).Draw(t, "parent")
			tenant.units = append(tenant.units, &unitNode{id(2, units), parent})
		}
	}
	return w
})

// grant is an assignment in the terms of the world.
type grant struct {
	role     authz.Role
	at       *tenantNode
	unit     *unitNode // nil: not narrowed
	services []uuid.UUID
}

// assignment is what a roster makes of a grant.
func (g grant) assignment() authz.Assignment {
	a := authz.Assignment{Role: g.role, Tenant: g.at.ref, Services: g.services}
	if g.unit != nil {
		for _, u := range g.at.units {
			if u.below(g.unit) {
				a.Units = append(a.Units, u.id)
			}
		}
	}
	return a
}

// thing is a row in the terms of the world.
type thing struct {
	at      *tenantNode
	unit    *unitNode
	service uuid.UUID
	owner   string
	contact bool
}

func (r thing) target() authz.Target {
	t := authz.Target{Place: r.at.ref.Place, Service: r.service, Owner: r.owner, ViaPointOfContact: r.contact}
	if r.unit != nil {
		t.Unit = r.unit.id
	}
	return t
}

func (w world) grant(t *rapid.T, roles []authz.Role) grant {
	g := grant{role: rapid.SampledFrom(roles).Draw(t, "role"), at: rapid.SampledFrom(w.tenants).Draw(t, "at")}
	if len(g.at.units) > 0 && rapid.Bool().Draw(t, "narrowed") {
		g.unit = rapid.SampledFrom(g.at.units).Draw(t, "unit")
	}
	g.services = rapid.SliceOfNDistinct(rapid.SampledFrom(w.services), 0, 2, func(u uuid.UUID) string { return u.String() }).Draw(t, "services")
	return g
}

func (w world) thing(t *rapid.T) thing {
	r := thing{at: rapid.SampledFrom(w.tenants).Draw(t, "tenant"), service: rapid.SampledFrom(append(w.services, uuid.Nil)).Draw(t, "service"),
		owner: rapid.SampledFrom([]string{"", anna, "user:sh:bert"}).Draw(t, "owner"), contact: rapid.Bool().Draw(t, "contact")}
	r.unit = rapid.SampledFrom(append([]*unitNode{nil}, r.at.units...)).Draw(t, "unit")
	return r
}

// line is a line of a policy.
type line struct {
	role   authz.Role
	object authz.Object
	action authz.Action
	reach  string
}

func csv(lines []line) string {
	var out strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&out, "p, role:%s, %s, %s, %s\n", strings.ToLower(string(l.role)), l.object, l.action, l.reach)
	}
	return out.String()
}

// reached is what a reach means, in the words that stand at the head of the policy.
func reached(reach string, g grant, r thing) bool {
	switch reach {
	case "tenant":
		return r.at == g.at
	case "subtree":
		return r.at.below(g.at)
	case "units":
		return r.at == g.at && (g.unit == nil || r.unit.below(g.unit))
	case "services":
		return r.at.below(g.at) && slices.Contains(g.services, r.service)
	case "contact":
		return r.at.below(g.at) && r.contact
	case "submissions":
		return r.owner == anna
	case "federation":
		return g.at.ref.Kind == authz.Federation
	}
	panic(reach)
}
