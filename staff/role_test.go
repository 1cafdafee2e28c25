// SPDX-License-Identifier: EUPL-1.2

package staff_test

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
)

const numbers = `{ cases(first: 10) { totalCount nodes { number } } }`

func TestANewCaseworkerSeesCasesAndARemovedOneSeesNothingAtOnce(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.As("kiel-applicant").Submit(parking, kiel)
	admin, anna := o.As("kiel-admin"), o.As("anna")
	if n := anna.Ask(numbers, nil).Works().Number("cases.totalCount"); n != 0 {
		t.Fatalf("before the role, %d cases are seen", n)
	}
	o.Clock.Forward(2 * time.Second)
	id := o.gives(admin, o.give("anna", "CASEWORKER", "kiel"))
	if n := anna.Ask(numbers, nil).Works().Number("cases.totalCount"); n != 1 {
		t.Fatalf("with the role, %d cases are seen", n)
	}
	o.takes(admin, id)
	if n := anna.Ask(numbers, nil).Works().Number("cases.totalCount"); n != 0 { // not a moment later
		t.Fatalf("after the role, %d cases are seen", n)
	}
}

func TestARoleIsNarrowedToAUnitAndToServices(t *testing.T) {
	t.Parallel()
	o := open(t)
	o.As("kiel-applicant").Submit(parking, kiel)
	admin := o.As("kiel-admin")
	elsewhere := o.give("finance", "CASEWORKER", "kiel")
	elsewhere["unitId"] = o.unit("kiel", "20")
	o.gives(admin, elsewhere)
	streets := o.give("streets", "CASEWORKER", "kiel")
	streets["unitId"] = o.unit("kiel", "32")
	if a := o.assign(admin, streets).Works(); a.Text("assignRole.roleAssignment.unit.name") == "" {
		t.Fatalf("no unit: %s", a.Raw)
	}
	machine := o.give("machine", "PARTNER", "kiel")
	machine["serviceIds"] = []string{o.service(renewal), o.service(parking), o.service(parking)}
	if a := o.assign(admin, machine).Works(); len(a.At("assignRole.roleAssignment.serviceIds").([]any)) != 2 {
		t.Fatalf("not two services: %s", a.Raw)
	}
	other := o.give("other", "PARTNER", "kiel")
	other["serviceIds"] = []string{o.service(renewal)}
	o.gives(admin, other)
	for name, want := range map[string]int{"finance": 0, "streets": 1, "machine": 1, "other": 0} {
		if n := o.As(name).Ask(numbers, nil).Works().Number("cases.totalCount"); n != want {
			t.Errorf("%s sees %d cases, not %d", name, n, want)
		}
	}
}

func TestAnAdministratorOfKielHasNoSayInLuebeck(t *testing.T) {
	t.Parallel()
	o := open(t)
	admin := o.As("kiel-admin")
	for _, slug := range []string{"luebeck", "kreis-kiel", "sh", "federation", "muenchen"} {
		p := o.assign(admin, o.give("anna", "CASEWORKER", slug)).Wants("notAllowed")
		if p["object"] != "roleAssignment" || p["action"] != "assign" {
			t.Errorf("%s: %v", slug, p)
		}
	}
	unknown := o.give("anna", "CASEWORKER", "kiel")
	unknown["tenantId"] = globalID("Tenant", uuid.Must(uuid.NewV7()))
	o.assign(admin, unknown).Wants("notFound")

	// What somebody has in Lübeck is for Kiel as if it had never been.
	theirs := o.gives(o.As("sh-admin"), o.give("bert", "CASEWORKER", "luebeck"))
	foreign, never := o.remove(admin, theirs), o.remove(admin, globalID("RoleAssignment", uuid.Must(uuid.NewV7())))
	foreign.Wants("notFound")
	if !bytes.Equal(foreign.Raw, never.Raw) {
		t.Errorf("a foreign assignment can be told from none: %s %s", foreign.Raw, never.Raw)
	}
	list := admin.Ask(`{ roleAssignments(first: 100) { totalCount nodes { tenant { slug } } } }`, nil).Works()
	nodes, _ := list.At("roleAssignments.nodes").([]any)
	if len(nodes) == 0 || strings.Contains(string(list.Raw), "luebeck") {
		t.Errorf("the list of Kiel: %s", list.Raw)
	}
}

func TestWhatAllMembersGiveTogetherIsGivenByTheFederationAlone(t *testing.T) {
	t.Parallel()
	o := open(t)
	root := o.Give("root", "TENANT_ADMIN", "federation", "")
	for _, role := range []string{"PRODUCT_TEAM", "OWNER_REPRESENTATIVE"} {
		for name, slug := range map[string]string{"kiel-admin": "kiel", "sh-admin": "sh"} {
			p := o.assign(o.As(name), o.give("anna", role, slug)).Wants("notAllowed")
			if p["object"] != "roleAssignment."+strings.ToLower(role) {
				t.Errorf("%s is told %v", name, p)
			}
		}
		id := o.gives(root, o.give("anna", role, "sh"))
		o.remove(o.As("sh-admin"), id).Wants("notAllowed") // visible, but not theirs to take
		o.takes(root, id)
	}
}

func TestNobodyChangesTheirOwnRights(t *testing.T) {
	t.Parallel()
	o := open(t)
	admin := o.As("kiel-admin")
	o.assign(admin, o.give("kiel-admin", "CASEWORKER", "kiel")).Wants("ownRights")
	own := admin.Ask(`{ roleAssignments(first: 1, where: {subject: {eq: "user:dev:kiel-admin"}}) { nodes { id } } }`, nil).Works().Text("roleAssignments.nodes.0.id")
	o.remove(admin, own).Wants("ownRights")
}

func TestWhoHasNoSayAboutRolesFindsNoVerbForIt(t *testing.T) {
	t.Parallel()
	o := open(t)
	for _, name := range []string{"kiel-caseworker", "kiel-mailroom", "kiel-applicant", "partner", "gover", "sh-analyst"} {
		a := o.assign(o.As(name), o.give("anna", "CASEWORKER", "kiel"))
		if a.Data["assignRole"] != nil || len(a.Errors) == 0 {
			t.Errorf("%s is answered %s", name, a.Raw)
		}
	}
}

func TestARoleThatWouldNotBeWhatItSeemsIsRefused(t *testing.T) {
	t.Parallel()
	o := open(t)
	before := o.Stored()
	for name, c := range map[string]struct {
		role, tenant string
		change       func(in map[string]any)
		wants        string
	}{
		"a role that nobody knows":           {"MAYOR", "kiel", nil, "unknownValue"},
		"a role in small letters":            {"caseworker", "kiel", nil, "unknownValue"},
		"the role of those who apply":        {"APPLICANT", "kiel", nil, "unknownValue"},
		"statistics of one authority":        {"LAND_ANALYST", "kiel", nil, "roleLevel"},
		"an administrator of a unit":         {"TENANT_ADMIN", "kiel", func(in map[string]any) { in["unitId"] = o.unit("kiel", "32") }, "notNarrowed"},
		"a caseworker for one service":       {"CASEWORKER", "kiel", func(in map[string]any) { in["serviceIds"] = []string{o.service(parking)} }, "notNarrowed"},
		"a partner for no service":           {"PARTNER", "kiel", nil, "required"},
		"a partner for a service never seen": {"PARTNER", "kiel", func(in map[string]any) { in["serviceIds"] = []string{globalID("Service", uuid.New())} }, "unknownService"},
		"a unit of another authority":        {"CASEWORKER", "kiel", func(in map[string]any) { in["unitId"] = o.unit("luebeck", "32") }, "notFound"},
		"a system principal":                 {"CASEWORKER", "kiel", func(in map[string]any) { in["subject"] = "system:relay" }, "pattern"},
		"a subject without an issuer":        {"CASEWORKER", "kiel", func(in map[string]any) { in["subject"] = "anna" }, "pattern"},
		"a subject that cannot be read":      {"CASEWORKER", "kiel", func(in map[string]any) { in["subject"] = "user:dev:an\u202ena" }, "pattern"},
		"a subject without end":              {"CASEWORKER", "kiel", func(in map[string]any) { in["subject"] = "user:dev:" + strings.Repeat("a", 201) }, "pattern"},
		"a subject that cannot sign in here": {"CASEWORKER", "kiel", func(in map[string]any) { in["subject"] = "user:by:anna" }, "issuerElsewhere"},
		"a tenant that is a case":            {"CASEWORKER", "kiel", func(in map[string]any) { in["tenantId"] = globalID("Case", uuid.New()) }, "notFound"},
		"a unit that is a tenant":            {"CASEWORKER", "kiel", func(in map[string]any) { in["unitId"] = o.tenant("kiel") }, "notFound"},
		"more services than can be overlooked": {"PARTNER", "kiel", func(in map[string]any) {
			in["serviceIds"] = strings.Split(strings.Repeat(o.service(parking)+",", 101), ",")[:101]
		}, "tooMany"},
	} {
		in := o.give("anna", c.role, c.tenant)
		if c.change != nil {
			c.change(in)
		}
		a := o.assign(o.As("sh-admin"), in)
		if a.Rule() != c.wants || len(a.Errors) > 0 {
			t.Errorf("%s: %s, not %s: %s", name, a.Rule(), c.wants, a.Raw)
		}
	}
	if after := o.Stored(); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Error("something was stored all the same")
	}
}

func TestARoleIsGivenOnceHoweverManyGiveIt(t *testing.T) {
	t.Parallel()
	o := open(t)
	in := o.give("anna", "CASEWORKER", "kiel")
	rules := make(chan string, 10)
	var all sync.WaitGroup
	for i := range 10 {
		all.Go(func() { rules <- o.assign(o.As([]string{"kiel-admin", "sh-admin"}[i%2]), in).Rule() })
	}
	all.Wait()
	close(rules)
	got := map[string]int{}
	for r := range rules {
		got[r]++
	}
	if got[""] != 1 || got["alreadyDone"] != 9 {
		t.Errorf("answered %v", got)
	}
	if n := o.held("subject = 'user:dev:anna'"); len(n) != 1 {
		t.Errorf("stored %v", n)
	}

	partner := o.give("machine", "PARTNER", "kiel")
	partner["serviceIds"] = []string{o.service(parking), o.service(renewal)}
	o.gives(o.As("kiel-admin"), partner)
	partner["serviceIds"] = []string{o.service(renewal), o.service(parking)}
	o.assign(o.As("kiel-admin"), partner).Wants("alreadyDone")
	partner["serviceIds"] = []string{o.service(parking)}
	o.assign(o.As("kiel-admin"), partner).Wants("roleHeld")
}

func TestARoleThatWasTakenIsTakenOnce(t *testing.T) {
	t.Parallel()
	o := open(t)
	id := o.gives(o.As("kiel-admin"), o.give("anna", "CASEWORKER", "kiel"))
	var all sync.WaitGroup
	removed := make(chan bool, 10)
	for range 10 {
		all.Go(func() { removed <- o.remove(o.As("kiel-admin"), id).Rule() == "" })
	}
	all.Wait()
	close(removed)
	n := 0
	for r := range removed {
		if r {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d took it", n)
	}
}
