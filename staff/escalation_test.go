// SPDX-License-Identifier: EUPL-1.2

package staff_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/ozg-cloud/platform/ent/catalog"
	"github.com/ozg-cloud/platform/schema"
)

// above is a part of the tree of the demo: each tenant with the one above it.
var above = map[string]string{
	"federation": "", "sh": "federation", "by": "federation",
	"kreis-kiel": "sh", "kreis-ostholstein": "sh", "kreis-muenchen": "by",
	"kiel": "kreis-kiel", "eutin": "kreis-ostholstein", "muenchen": "kreis-muenchen",
}

func below(tenant, top string) bool {
	for ; tenant != ""; tenant = above[tenant] {
		if tenant == top {
			return true
		}
	}
	return false
}

// holding is that somebody has a role.
type holding struct{ role, subject, tenant string }

// step is what somebody tries.
type step struct {
	by    string
	takes bool
	what  holding
}

// town is who has which role, by the book of words.
type town map[holding]bool

// may is the rule in words: an administrator gives and takes roles at the own tenant and below it, never the own ones; what all members give
// together only the federation's gives, and statistics of a Land are for Länder.
func (w town) may(s step) bool {
	if s.by == s.what.subject {
		return false
	}
	if s.what.role == "LAND_ANALYST" && !slices.Contains([]string{"federation", "sh", "by"}, s.what.tenant) {
		return false
	}
	for h := range w {
		if h.subject != s.by || h.role != "TENANT_ADMIN" || !below(s.what.tenant, h.tenant) {
			continue
		}
		if h.tenant == "federation" || s.what.role != "PRODUCT_TEAM" && s.what.role != "OWNER_REPRESENTATIVE" {
			return true
		}
	}
	return false
}

// wants tells whether a step has to work, and what it leads to.
func (w town) wants(s step) bool {
	if !w.may(s) || w[s.what] != s.takes {
		return false
	}
	if s.takes {
		delete(w, s.what)
	} else {
		w[s.what] = true
	}
	return true
}

var everyRole = []string{
	"TENANT_ADMIN", "TENANT_ADMIN", "TENANT_ADMIN", "CASEWORKER", "MAIL_ROOM", "POINT_OF_SINGLE_CONTACT", "DELETION_OFFICER", "LAND_ANALYST", "AUDITOR",
	"DATA_PROTECTION_OFFICER", "PRODUCT_TEAM", "OWNER_REPRESENTATIVE", "FORM_SERVER",
}

// play lets administrators and people without any role try what they like. do carries a step out and tells whether it worked.
func play(t *rapid.T, cast string, begin func(town), do func(step) bool) error {
	people := []string{"root", "land", "county", "eutin", "kiel", "bavaria", "anna", "bert"}
	for i := range people {
		people[i] += cast
	}
	w := town{}
	for i, slug := range []string{"federation", "sh", "kreis-ostholstein", "eutin", "kiel", "by"} {
		w[holding{"TENANT_ADMIN", people[i], slug}] = true
	}
	begin(w)
	tenants := slices.Sorted(maps.Keys(above))
	for range rapid.IntRange(1, 15).Draw(t, "steps") {
		s := step{by: rapid.SampledFrom(people).Draw(t, "by"), takes: rapid.IntRange(0, 2).Draw(t, "takes") == 0}
		if s.takes {
			all := slices.SortedFunc(maps.Keys(w), func(a, b holding) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
			if len(all) == 0 {
				continue
			}
			s.what = rapid.SampledFrom(all).Draw(t, "what")
		} else {
			s.what = holding{rapid.SampledFrom(everyRole).Draw(t, "role"), rapid.SampledFrom(people).Draw(t, "to"), rapid.SampledFrom(tenants).Draw(t, "at")}
		}
		want, got := w.wants(s), do(s)
		if got != want {
			return fmt.Errorf("%+v worked: %t, and should: %t", s, got, want)
		}
	}
	return nil
}

func TestNobodyEverHoldsARoleThatNoAdministratorAboveWasEntitledToGive(t *testing.T) {
	t.Parallel()
	o := open(t)
	db := o.Database()
	ids := map[string]string{}
	for slug := range above {
		ids[slug] = o.tenant(slug)
	}
	given := map[holding]string{}
	plant := func(w town) {
		for h := range w {
			id := uuid.Must(uuid.NewV7())
			_, err := db.Exec(t.Context(), `insert into role_assignments (id, tenant_id, place, subject, role, assigned_by, assigned_at)
				select $1, id, place, 'user:dev:' || $2, $3, 'system:test', now() from tenants where slug = $4`, id, h.subject, h.role, h.tenant)
			if err != nil {
				t.Fatal(err)
			}
			given[h] = schema.ID(catalog.Types["RoleAssignment"].Number, id)
		}
	}
	do := func(s step) bool {
		o.Clock.Forward(2 * time.Second) // which contract somebody is shown may be a second old; what works is not
		if s.takes {
			a := o.remove(o.As(s.by), given[s.what])
			return a.Text("removeRole.removedId") != ""
		}
		a := o.assign(o.As(s.by), map[string]any{"tenantId": ids[s.what.tenant], "subject": "user:dev:" + s.what.subject, "role": s.what.role})
		id := a.Text("assignRole.roleAssignment.id")
		if id == "" && a.Data["assignRole"] != nil && a.Rule() == "" { // given, and not visible: there is no such role
			t.Fatalf("%+v: %s", s, a.Raw)
		}
		if id != "" {
			given[s.what] = id
		}
		return id != ""
	}
	var casts atomic.Int64
	rapid.Check(t, func(r *rapid.T) {
		cast := fmt.Sprintf("-of-cast-%d", casts.Add(1))
		var w town
		if err := play(r, cast, func(begin town) { w = begin; plant(begin) }, do); err != nil {
			r.Fatal(err)
		}
		rows, err := db.Query(t.Context(), `select a.role, a.subject, t.slug from role_assignments a join tenants t on t.id = a.tenant_id where right(a.subject, length($1)) = $1`, cast)
		if err != nil {
			r.Fatal(err)
		}
		defer rows.Close()
		stored := town{}
		for rows.Next() {
			var h holding
			if err := rows.Scan(&h.role, &h.subject, &h.tenant); err != nil {
				r.Fatal(err)
			}
			h.subject = strings.TrimPrefix(h.subject, "user:dev:")
			stored[h] = true
		}
		if !maps.Equal(stored, w) {
			r.Fatalf("stored %v, not %v", stored, w)
		}
	})
	var changes, lines int
	err := db.QueryRow(t.Context(), `select count(*) filter (where action = 'ROLE_ASSIGNED') - count(*) filter (where action = 'ROLE_REMOVED'), count(*) from audit_entries where subject like '%-of-cast-%'`).Scan(&changes, &lines)
	if err != nil {
		t.Fatal(err)
	}
	var now int
	if err := db.QueryRow(t.Context(), `select (select count(*) from role_assignments where subject like '%-of-cast-%') - 6 * $1::int`, casts.Load()).Scan(&now); err != nil {
		t.Fatal(err)
	}
	if changes != now || lines == 0 {
		t.Errorf("the audit log makes it %d roles, the store %d, by %d lines", changes, now, lines)
	}
}

func TestADeskThatForgetsAFenceIsFound(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]func(w town, s step) bool{
		"where the administrator has no say": func(w town, s step) bool {
			for h := range w {
				if h.subject == s.by && h.role == "TENANT_ADMIN" && s.by != s.what.subject && s.what.role == "CASEWORKER" {
					return !w[s.what] && !s.takes || w.may(s) && w[s.what] == s.takes
				}
			}
			return w.may(s) && w[s.what] == s.takes
		},
		"what all members give together": func(w town, s step) bool {
			plain := s
			if s.what.role == "PRODUCT_TEAM" {
				plain.what.role = "AUDITOR"
			}
			return w.may(plain) && w[s.what] == s.takes
		},
		"the own rights": func(w town, s step) bool {
			plain := s
			if s.by == s.what.subject {
				plain.what.subject = "somebody"
			}
			return w.may(plain) && w[s.what] == s.takes
		},
	} {
		t.Run(name, func(t *testing.T) {
			found := false
			rapid.Check(t, func(r *rapid.T) {
				mirror := town{}
				err := play(r, "", func(w town) { maps.Copy(mirror, w) }, func(s step) bool {
					works := fault(mirror, s)
					if works && s.takes {
						delete(mirror, s.what)
					} else if works {
						mirror[s.what] = true
					}
					return works
				})
				found = found || err != nil
			})
			if !found {
				t.Error("a desk without this fence passes")
			}
		})
	}
}
