// SPDX-License-Identifier: EUPL-1.2

package authz_test

import (
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/ozg-cloud/platform/authz"
)

// tenantAt is the tenant of a kind at the n-th place of a region.
func tenantAt(t interface{ Fatal(...any) }, kind authz.TenantKind, region string, n int) authz.TenantRef {
	place, err := authz.PlaceOf(region, n)
	if err != nil {
		t.Fatal(err)
	}
	return authz.TenantRef{ID: uuid.New(), Kind: kind, Place: place}
}

func TestTheHomeOfAPrincipalIsTheLowestPartOfTheTreeThatCoversAllRoles(t *testing.T) {
	policy, err := authz.NewPolicy()
	if err != nil {
		t.Fatal(err)
	}
	federation, sh := tenantAt(t, authz.Federation, "000000000000", 0), tenantAt(t, authz.Land, "010000000000", 0)
	ostholstein := tenantAt(t, authz.District, "010550000000", 0)
	kiel, luebeck, bavarian := tenantAt(t, authz.Authority, "010020000000", 1), tenantAt(t, authz.Authority, "010030000000", 1), tenantAt(t, authz.Authority, "091620000000", 1)
	eutin, fehmarn := tenantAt(t, authz.Authority, "010550012012", 1), tenantAt(t, authz.Authority, "010550046046", 1)
	at := func(t authz.TenantRef) authz.Interval { return authz.Cover(t.Kind, t.Place) }
	nowhere := authz.Interval{}
	for name, c := range map[string]struct {
		at   []authz.TenantRef
		role authz.Role
		want authz.Interval
	}{
		"one authority":                 {[]authz.TenantRef{kiel}, "CASEWORKER", at(kiel)},
		"one authority, twice":          {[]authz.TenantRef{kiel, kiel}, "CASEWORKER", at(kiel)},
		"two authorities of a district": {[]authz.TenantRef{fehmarn, eutin}, "CASEWORKER", at(ostholstein)},
		"the district and one of it":    {[]authz.TenantRef{ostholstein, eutin}, "CASEWORKER", at(ostholstein)},
		"two authorities of a Land":     {[]authz.TenantRef{kiel, luebeck}, "CASEWORKER", at(sh)},
		"the Land":                      {[]authz.TenantRef{sh}, "TENANT_ADMIN", at(sh)},
		"two Länder":                    {[]authz.TenantRef{kiel, bavarian}, "CASEWORKER", nowhere},
		"the federation":                {[]authz.TenantRef{federation}, "TENANT_ADMIN", nowhere},
		"nothing":                       {nil, "CASEWORKER", nowhere},
		"an applicant":                  {[]authz.TenantRef{federation}, authz.Applicant, nowhere},
		"an applicant who is said to be of somebody": {[]authz.TenantRef{kiel}, authz.Applicant, nowhere},
	} {
		t.Run(name, func(t *testing.T) {
			var all []authz.Assignment
			for _, tenant := range c.at {
				all = append(all, authz.Assignment{Role: c.role, Tenant: tenant})
			}
			got, ok := policy.Principal("user:dev:somebody", authz.High, all).Home()
			if got != c.want || ok != (c.want != nowhere) {
				t.Errorf("home %v (%t), not %v", got, ok, c.want)
			}
		})
	}
	if home, ok := authz.System(authz.Operator).Home(); ok {
		t.Errorf("a system principal is at home at %v", home)
	}
}

func TestAHomeCoversEveryRoleAndLiesInNoSmallerPart(t *testing.T) {
	policy, err := authz.NewPolicy()
	if err != nil {
		t.Fatal(err)
	}
	regions := []string{"010000000000", "010550000000", "010550012012", "010550046046", "010020000000", "091620000000"}
	kinds := map[string]authz.TenantKind{regions[0]: authz.Land, regions[1]: authz.District, regions[2]: authz.Authority, regions[3]: authz.Authority, regions[4]: authz.Authority, regions[5]: authz.Authority}
	rapid.Check(t, func(t *rapid.T) {
		var all []authz.Assignment
		for _, region := range rapid.SliceOfN(rapid.SampledFrom(regions), 1, 4).Draw(t, "regions") {
			n := 0
			if kinds[region] == authz.Authority {
				n = rapid.IntRange(1, 2).Draw(t, "n")
			}
			all = append(all, authz.Assignment{Role: "CASEWORKER", Tenant: tenantAt(t, kinds[region], region, n)})
		}
		home, ok := policy.Principal("user:dev:somebody", authz.High, all).Home()
		covers := func(part authz.Interval) bool {
			for _, a := range all {
				if !part.Covers(authz.Cover(a.Tenant.Kind, a.Tenant.Place)) {
					return false
				}
			}
			return true
		}
		at := all[0].Tenant.Place
		var smallest authz.Interval
		found := false
		for _, kind := range []authz.TenantKind{authz.Land, authz.District, authz.Authority} {
			if part := authz.Cover(kind, at); covers(part) {
				smallest, found = part, true
			}
		}
		if ok != found || home != smallest {
			t.Fatalf("home %v (%t), not %v (%t)", home, ok, smallest, found)
		}
	})
}
