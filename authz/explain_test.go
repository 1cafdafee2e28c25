// SPDX-License-Identifier: EUPL-1.2

package authz_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/ozg-cloud/platform/authz"
)

// unexplained compares the explanation of every decision of a scene with the decision, and each ground with the words of its reach.
// spoil seeds a fault into what is explained.
func (s scene) unexplained(spoil func(*authz.Explanation)) error {
	policy, err := authz.PolicyOf(csv(s.lines))
	if err != nil {
		return fmt.Errorf("a good policy is refused: %w", err)
	}
	var given []authz.Assignment
	for _, g := range s.grants {
		given = append(given, g.assignment())
	}
	p := policy.Principal(anna, authz.High, given)
	for _, object := range someObjects {
		for _, action := range someActions {
			for _, r := range s.things {
				e := policy.Explain(p, object, action, r.target())
				if spoil != nil {
					spoil(&e)
				}
				grants := slices.ContainsFunc(e.Grounds, func(g authz.Ground) bool { return g.Reason == authz.Grants })
				if e.Allowed != p.May(object, action, r.target()) || e.Allowed != grants {
					return fmt.Errorf("%s %s: told %t by %v, decided %t", action, object, e.Allowed, e.Grounds, p.May(object, action, r.target()))
				}
				if err := s.grounded(e, object, action, r); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// grounded holds each ground against the scene.
func (s scene) grounded(e authz.Explanation, object authz.Object, action authz.Action, r thing) error {
	want := map[string]int{} // how often a line stands beside an assignment, and grants
	for _, g := range s.grants {
		at := 0
		for _, l := range slices.Compact(sorted(s.lines)) {
			if l.role == g.role && l.object == object && l.action == action {
				at++
				want[fmt.Sprintf("%s, at %s, %t", strings.TrimSpace(csv([]line{l})), g.at.ref.Slug, reached(l.reach, g, r))]++
			}
		}
		if at == 0 {
			want[fmt.Sprintf(", at %s, false", g.at.ref.Slug)]++
		}
	}
	got := map[string]int{}
	for _, g := range e.Grounds {
		got[fmt.Sprintf("%s, at %s, %t", g.Line, g.Assignment.Tenant.Slug, g.Reason == authz.Grants)]++
		if (g.Line == "") != (g.Reason == authz.NoLine) {
			return fmt.Errorf("line %q with the reason %s", g.Line, g.Reason)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		return fmt.Errorf("%s %s: grounds %v, not %v", action, object, got, want)
	}
	return nil
}

func sorted(lines []line) []line {
	return slices.SortedFunc(slices.Values(lines), func(a, b line) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
}

func TestAnExplanationAgreesWithTheDecisionAndNamesTheLines(t *testing.T) {
	t.Parallel()
	for range 5 {
		rapid.Check(t, func(t *rapid.T) {
			if err := scenes.Draw(t, "scene").unexplained(nil); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestAnExplanationThatLeavesOutOrInventsAGroundIsFound(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*authz.Explanation){
		"a line is left out": func(e *authz.Explanation) { e.Grounds = e.Grounds[:len(e.Grounds)/2] },
		"all is granted": func(e *authz.Explanation) {
			for i := range e.Grounds {
				e.Grounds[i].Reason = authz.Grants
			}
		},
		"the answer is turned round": func(e *authz.Explanation) { e.Allowed = !e.Allowed },
	} {
		found := false
		rapid.Check(t, func(t *rapid.T) { found = found || scenes.Draw(t, "scene").unexplained(spoil) != nil })
		if !found {
			t.Errorf("%s, and nobody notices", name)
		}
	}
}

func TestAnExplanationSaysWhyNot(t *testing.T) {
	t.Parallel()
	policy, err := authz.PolicyOf(`
p, role:unit, case, read, units
p, role:named, case, read, services
p, role:via, case, read, contact
p, role:own, case, read, submissions
p, role:all, case, read, federation
p, role:house, case, read, tenant`)
	if err != nil {
		t.Fatal(err)
	}
	here, there := tenant("here", authz.Authority, "010020000000", 1), tenant("there", authz.Authority, "010030000000", 1)
	mine, other := id(2, 1), id(2, 2)
	for name, c := range map[string]struct {
		a    authz.Assignment
		want authz.Reason
	}{
		"granted":                  {authz.Assignment{Role: "HOUSE", Tenant: here}, authz.Grants},
		"a stranger":               {authz.Assignment{Role: "STRANGER", Tenant: here}, authz.NoLine},
		"another authority":        {authz.Assignment{Role: "HOUSE", Tenant: there}, authz.Elsewhere},
		"another unit":             {authz.Assignment{Role: "UNIT", Tenant: here, Units: []uuid.UUID{other}}, authz.OtherUnit},
		"no service named":         {authz.Assignment{Role: "NAMED", Tenant: here}, authz.NothingNamed},
		"another service":          {authz.Assignment{Role: "NAMED", Tenant: here, Services: []uuid.UUID{other}}, authz.OtherService},
		"not through the contact":  {authz.Assignment{Role: "VIA", Tenant: here}, authz.NotViaContact},
		"another applicant":        {authz.Assignment{Role: "OWN", Tenant: here}, authz.OtherOwner},
		"not for all Länder":       {authz.Assignment{Role: "ALL", Tenant: here}, authz.NothingNamed},
		"the own unit":             {authz.Assignment{Role: "UNIT", Tenant: here, Units: []uuid.UUID{mine}}, authz.Grants},
		"for all Länder":           {authz.Assignment{Role: "ALL", Tenant: tenant("top", authz.Federation, "000000000000", 0)}, authz.Grants},
		"a service that was named": {authz.Assignment{Role: "NAMED", Tenant: here, Services: []uuid.UUID{mine}}, authz.Grants},
	} {
		p := policy.Principal(anna, authz.High, []authz.Assignment{c.a})
		e := policy.Explain(p, "case", authz.Read, authz.Target{Place: here.Place, Unit: mine, Service: mine, Owner: "user:sh:bert"})
		if len(e.Grounds) != 1 || e.Grounds[0].Reason != c.want || e.Allowed != (c.want == authz.Grants) {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

func TestARoleSaysWhatItCanBeNarrowedTo(t *testing.T) {
	t.Parallel()
	policy := shipped(t)
	for role, want := range map[authz.Role][2]bool{"CASEWORKER": {true, false}, "PARTNER": {false, true}, "TENANT_ADMIN": {}, "AUDITOR": {}, "MAYOR": {}} {
		if units, services := policy.Narrowing(role); [2]bool{units, services} != want {
			t.Errorf("%s: units %t, services %t", role, units, services)
		}
	}
}
