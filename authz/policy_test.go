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

var (
	someRoles   = []authz.Role{"CLERK", "JUDGE", "GUEST", "HEAD"}
	someObjects = []authz.Object{"case", "message", "message.body"}
	someActions = []authz.Action{authz.Read, "decide"}
	allReaches  = []string{"tenant", "subtree", "units", "services", "contact", "submissions"}
)

// scene is a policy, a person with roles under it, and rows that are asked for.
type scene struct {
	lines  []line
	grants []grant
	things []thing
}

var scenes = rapid.Custom(func(t *rapid.T) (s scene) {
	w := worlds.Draw(t, "world")
	s.lines = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) line {
		return line{rapid.SampledFrom(someRoles).Draw(t, "role"), rapid.SampledFrom(someObjects).Draw(t, "object"),
			rapid.SampledFrom(someActions).Draw(t, "action"), rapid.SampledFrom(allReaches).Draw(t, "reach")}
	}), 1, 16).Draw(t, "lines")
	s.grants = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) grant { return w.grant(t, append(someRoles, "STRANGER")) }), 0, 6).Draw(t, "grants")
	near := world{slices.Clone(w.tenants), w.services} // where there are roles there are more rows
	for _, g := range s.grants {
		near.tenants = append(near.tenants, g.at, g.at, g.at)
	}
	s.things = rapid.SliceOfN(rapid.Custom(near.thing), 1, 40).Draw(t, "rows")
	return s
})

// differs compares what the compiled principal may with what Casbin and the words of the reaches say, decision by decision.
// spoil seeds a fault into what the principal is compiled from.
func (s scene) differs(spoil func(*authz.Assignment)) error {
	policy, err := authz.PolicyOf(csv(s.lines))
	if err != nil {
		return fmt.Errorf("a good policy is refused: %w", err)
	}
	var given []authz.Assignment
	var alone []*authz.Principal // one for each assignment, so that none is pruned by another
	for _, g := range s.grants {
		a := g.assignment()
		if spoil != nil {
			spoil(&a)
		}
		given = append(given, a)
		alone = append(alone, policy.Principal(anna, authz.High, []authz.Assignment{a}))
	}
	p := policy.Principal(anna, authz.High, given)
	for _, object := range someObjects {
		for _, action := range someActions {
			anywhere := false
			for _, r := range s.things {
				want, err := s.oracle(policy, object, action, r)
				if err != nil {
					return err
				}
				got := p.May(object, action, r.target())
				anywhere = anywhere || got
				if got != want {
					return fmt.Errorf("%s %s on %+v: compiled %t, Casbin and the words %t", action, object, r.target(), got, want)
				}
				if action == authz.Read && p.Rows(object).Contains(r.target()) != got {
					return fmt.Errorf("the rows of %s are not those that may be read", object)
				}
				if (p.Ask(object, action, r.target()) == nil) != got {
					return fmt.Errorf("asked and told differ for %s %s", action, object)
				}
				if slices.ContainsFunc(alone, func(q *authz.Principal) bool { return q.May(object, action, r.target()) }) != got {
					return fmt.Errorf("%s %s on %+v: pruning has changed the set", action, object, r.target())
				}
			}
			if anywhere && !p.MayAnywhere(object, action) {
				return fmt.Errorf("%s %s: somewhere, but not anywhere", action, object)
			}
		}
	}
	return nil
}

// oracle asks Casbin for each assignment and then the words.
func (s scene) oracle(policy *authz.Policy, object authz.Object, action authz.Action, r thing) (bool, error) {
	for _, g := range s.grants {
		allowed, err := policy.Enforce(g.role, object, action)
		if err != nil {
			return false, err
		}
		if !allowed {
			continue
		}
		for _, l := range s.lines {
			if l.role == g.role && l.object == object && l.action == action && reached(l.reach, g, r) {
				return true, nil
			}
		}
	}
	return false, nil
}

func TestACompiledPrincipalMayExactlyWhatCasbinAndTheReachesSay(t *testing.T) {
	t.Parallel()
	for range 10 { // times a hundred scenes, each of up to 240 decisions
		rapid.Check(t, func(t *rapid.T) {
			if err := scenes.Draw(t, "scene").differs(nil); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// The twins: whatever is compiled a little differently is noticed.
func TestTheComparisonWithCasbinNotices(t *testing.T) {
	t.Parallel()
	var known []scene // making them takes longest
	for what, spoil := range map[string]func(*authz.Assignment){
		"units without those below them":     func(a *authz.Assignment) { a.Units = a.Units[:min(1, len(a.Units))] },
		"units that do not narrow":           func(a *authz.Assignment) { a.Units = nil },
		"a tenant without those below it":    func(a *authz.Assignment) { a.Tenant.Kind = authz.Authority },
		"a district that reaches as a Land":  func(a *authz.Assignment) { a.Tenant.Kind = raised[a.Tenant.Kind] },
		"a tenant beside the right one":      func(a *authz.Assignment) { a.Tenant.Place++ },
		"services that are not asked for":    func(a *authz.Assignment) { a.Services = []uuid.UUID{id(1, 1), id(1, 2), id(1, 3)} },
		"a role that was given to nobody":    func(a *authz.Assignment) { a.Role = "CLERK" },
		"a list of units that is only empty": func(a *authz.Assignment) { a.Units = append([]uuid.UUID{}, a.Units...) },
		"services of which the last is lost": func(a *authz.Assignment) { a.Services = a.Services[:max(0, len(a.Services)-1)] },
	} {
		found := false
		for seed := 0; seed < 2000 && !found; seed++ {
			if seed == len(known) {
				known = append(known, scenes.Example(seed))
			}
			found = known[seed].differs(spoil) != nil
		}
		if !found {
			t.Errorf("%s: not noticed", what)
		}
	}
}

var raised = map[authz.TenantKind]authz.TenantKind{authz.Authority: authz.District, authz.District: authz.Land, authz.Land: authz.Federation, authz.Federation: authz.Federation}

func TestARoleThatAnotherOneCoversIsNotAskedForTwice(t *testing.T) {
	t.Parallel()
	some, all := caseworkerAt(kiel), caseworkerAt(kiel)
	some.Units = []uuid.UUID{id(2, 1)}
	admin := authz.Assignment{Role: "TENANT_ADMIN", Tenant: sh}
	for _, given := range [][]authz.Assignment{{some, all, admin, all}, {admin, all, some}, {all, some, some, admin}} {
		p := shipped(t).Principal(anna, authz.High, given)
		if got := p.Rows("case").Any; len(got) != 1 || got[0].Place != authz.Cover(sh.Kind, sh.Place) || got[0].Units != nil {
			t.Errorf("cases are read by %+v", got)
		}
	}
}

// The second wall is entered with the scope: it must never hide what the first shows.
func TestTheScopeHoldsEverythingThatAPrincipalMay(t *testing.T) {
	t.Parallel()
	policy := shipped(t)
	var staff []authz.Role
	for _, r := range policy.Roles() {
		if r != authz.Applicant {
			staff = append(staff, r)
		}
	}
	for range 5 {
		rapid.Check(t, func(t *rapid.T) {
			w := worlds.Draw(t, "world")
			var given []authz.Assignment
			if rapid.Bool().Draw(t, "applicant") {
				given = []authz.Assignment{{Role: authz.Applicant, Tenant: w.tenants[0].ref}}
			} else {
				for _, g := range rapid.SliceOfN(rapid.Custom(func(t *rapid.T) grant { return w.grant(t, staff) }), 0, 4).Draw(t, "grants") {
					given = append(given, g.assignment())
				}
			}
			p := policy.Principal(anna, authz.Basic, given)
			s := p.Scope()
			for _, r := range rapid.SliceOfN(rapid.Custom(w.thing), 1, 20).Draw(t, "rows") {
				at := r.target()
				for _, o := range []authz.Object{"case", "message", "comment", "unit", "connector", "roleAssignment"} {
					if p.May(o, authz.Read, at) && (at.Place < s.Lo || at.Place > s.Hi || s.Owner != "" && s.Owner != at.Owner) {
						t.Fatalf("%s at %d is read, but the scope is %+v", o, at.Place, s)
					}
				}
			}
		})
	}
}

func TestThePolicyThatIsShippedIsWhole(t *testing.T) {
	t.Parallel()
	p := shipped(t)
	want := []authz.Role{"APPLICANT", "AUDITOR", "CASEWORKER", "DATA_PROTECTION_OFFICER", "DELETION_OFFICER", "FORM_SERVER", "LAND_ANALYST", "MAIL_ROOM",
		"OWNER_REPRESENTATIVE", "PARTNER", "POINT_OF_SINGLE_CONTACT", "PRODUCT_TEAM", "TENANT_ADMIN"}
	if got := p.Roles(); !slices.Equal(got, want) {
		t.Errorf("roles are %q", got)
	}
	if other, err := authz.PolicyOf("p, role:caseworker, case, read, units"); err != nil || other.Version() == p.Version() || p.Version() != shipped(t).Version() {
		t.Errorf("versions do not tell policies apart: %v", err)
	}
	analyst := p.Principal(anna, authz.High, []authz.Assignment{{Role: "LAND_ANALYST", Tenant: sh}})
	for _, o := range []authz.Object{"case", "message", "applicant", "submission", "history", "event", "comment"} {
		if analyst.MayAnywhere(o, authz.Read) {
			t.Errorf("a Land's analyst reads rows of %s", o)
		}
	}
	applicant := p.Principal(anna, authz.High, []authz.Assignment{{Role: authz.Applicant, Tenant: federation}})
	for _, o := range []authz.Object{"comment", "followUp", "assignment", "roleAssignment", "connector", "unit"} {
		if applicant.MayAnywhere(o, authz.Read) {
			t.Errorf("an applicant reads %s", o)
		}
	}
}

func TestAPolicyThatIsNotSoundStopsTheStart(t *testing.T) {
	t.Parallel()
	const good = "p, role:clerk, case, read, tenant\n"
	if _, err := authz.PolicyOf("# a comment\n" + good + "\n" + good); err != nil { // a line that is repeated says nothing new
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"an empty policy":                "",
		"a policy of blanks":             " \n\t\n",
		"a policy of comments":           "# p, role:clerk, case, read, tenant\n",
		"an unknown reach":               good + "p, role:clerk, case, decide, everywhere",
		"an empty reach":                 good + "p, role:clerk, case, decide,",
		"no reach":                       good + "p, role:clerk, case, decide",
		"a reach in capitals":            good + "p, role:clerk, case, decide, TENANT",
		"an effect that is not heard":    good + "p, role:clerk, case, decide, tenant, deny",
		"no role":                        good + "p, , case, decide, tenant",
		"an empty role":                  good + "p, role:, case, decide, tenant",
		"a role without its prefix":      good + "p, clerk, case, decide, tenant",
		"a person instead of a role":     good + "p, user:sh:anna, case, decide, tenant",
		"a role in capitals":             good + "p, role:Clerk, case, decide, tenant",
		"no object":                      good + "p, role:clerk, , decide, tenant",
		"no action":                      good + "p, role:clerk, case, , tenant",
		"a kind of line that is unknown": good + "g, role:clerk, role:judge",
		"another kind of policy":         good + "p2, role:clerk, case, decide, tenant",
		"a line without a beginning":     good + ", role:clerk, case, decide, tenant",
		"blanks after a reach":           good + "p, role:clerk, case, decide, tenant ",
		"no commas":                      good + "p role:clerk case decide tenant",
		"quotes that do not end":         good + `p, "role:clerk, case, decide, tenant`,
	} {
		if _, err := authz.PolicyOf(text); err == nil {
			t.Errorf("%s: it starts", name)
		}
	}
}

func TestTheSelfTestFindsAModelThatAllowsTooMuch(t *testing.T) {
	t.Parallel()
	const matcher = "m = r.sub == p.sub && r.obj == p.obj && r.act == p.act"
	if !strings.Contains(authz.ModelText, matcher) {
		t.Fatal("the model has another matcher")
	}
	const policy = "p, role:clerk, case, read, tenant\np, role:judge, case, decide, subtree"
	for what, other := range map[string]string{
		"everything":                     "m = true",
		"everybody":                      "m = r.obj == p.obj && r.act == p.act",
		"every object":                   "m = r.sub == p.sub && r.act == p.act",
		"every action":                   "m = r.sub == p.sub && r.obj == p.obj",
		"one of the three":               "m = r.sub == p.sub || r.obj == p.obj && r.act == p.act",
		"names that begin alike":         `m = regexMatch(r.sub, "^" + p.sub) && r.obj == p.obj && r.act == p.act`,
		"names that end alike":           `m = regexMatch(r.sub, p.sub + "$") && r.obj == p.obj && r.act == p.act`,
		"names that are part of another": "m = regexMatch(p.sub, r.sub) && r.obj == p.obj && r.act == p.act",
	} {
		if _, err := authz.PolicyOfModel(strings.Replace(authz.ModelText, matcher, other, 1), policy); err == nil {
			t.Errorf("a model that allows %s starts", what)
		}
	}
	// A model that denies unless an effect is given allows everybody where no line matches.
	override := strings.Replace(authz.ModelText, "e = some(where (p.eft == allow))", "e = !some(where (p.eft == deny))", 1)
	if _, err := authz.PolicyOfModel(override, policy); err == nil {
		t.Error("a model that allows what nobody denies starts")
	}
	if _, err := authz.PolicyOfModel(strings.Replace(authz.ModelText, matcher, "m = false", 1), policy); err == nil {
		t.Error("a model under which no line has an effect starts")
	}
	if _, err := authz.PolicyOfModel(authz.ModelText, policy); err != nil {
		t.Errorf("the model of the house: %v", err)
	}
}
