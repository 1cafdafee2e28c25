// SPDX-License-Identifier: EUPL-1.2

package casework_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/casework"
	"github.com/ozg-cloud/platform/schema"
)

var arrow = regexp.MustCompile(`(?m)^//\t([A-Z_]+) +([A-Z_, ]+) -> ([A-Z_, ]+)$`)

// drawn reads the drawing in doc.go.
func drawn(text string) map[string]string {
	out := map[string]string{}
	for _, m := range arrow.FindAllStringSubmatch(text, -1) {
		out[m[1]] = m[2] + " -> " + m[3]
	}
	return out
}

// coded writes the ways of the code as the drawing does.
func coded(ways []casework.Way) map[string]string {
	list := func(states []casework.State) string {
		texts := make([]string, len(states))
		for i, s := range states {
			texts[i] = string(s)
		}
		return strings.Join(texts, ", ")
	}
	out := map[string]string{}
	for _, w := range ways {
		out[string(w.Transition)] = list(w.From) + " -> " + list(w.To)
	}
	return out
}

func TestTheDrawingOfTheStatesIsTheCode(t *testing.T) {
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	drawing, code := drawn(string(text)), coded(casework.Ways)
	if fmt.Sprint(drawing) != fmt.Sprint(code) {
		t.Errorf("drawn: %v\ncoded: %v", drawing, code)
	}
	// The comparison can fail: an arrow more, one less, and one that leads elsewhere.
	for _, seeded := range []string{"//\tFLEE               NEW -> CLOSED\n" + string(text), strings.Replace(string(text), "ACCEPT ", "ACEPT ", 1), strings.Replace(string(text), "NEW -> ACCEPTED", "NEW -> CLOSED", 1)} {
		if fmt.Sprint(drawn(seeded)) == fmt.Sprint(code) {
			t.Error("a drawing with a fault passes")
		}
	}
}

func TestTheContractKnowsEveryStateAndTransition(t *testing.T) {
	contract, err := schema.Load()
	if err != nil {
		t.Fatal(err)
	}
	names := func(enum *ast.Definition) (out []string) {
		for _, v := range enum.EnumValues {
			out = append(out, v.Name)
		}
		slices.Sort(out)
		return out
	}
	var transitions, states []string
	for _, w := range casework.Ways {
		transitions = append(transitions, string(w.Transition))
		for _, s := range append(slices.Clone(w.From), w.To...) {
			states = append(states, string(s))
		}
	}
	slices.Sort(transitions)
	slices.Sort(states)
	if states = slices.Compact(states); !slices.Equal(states, names(contract.Types["CaseState"])) {
		t.Errorf("states: %v", states)
	}
	if !slices.Equal(transitions, names(contract.Types["CaseTransition"])) {
		t.Errorf("transitions: %v", transitions)
	}
}

func TestWhatIsAllowedNeedsTheStateAndTheRight(t *testing.T) {
	policy, err := authz.NewPolicy()
	if err != nil {
		t.Fatal(err)
	}
	kiel, err := authz.PlaceOf("010020000000", 1)
	if err != nil {
		t.Fatal(err)
	}
	luebeck, err := authz.PlaceOf("010030000000", 1)
	if err != nil {
		t.Fatal(err)
	}
	at := func(role authz.Role, p authz.Place) *authz.Principal {
		return policy.Principal("user:dev:somebody", authz.High, []authz.Assignment{{Role: role, Tenant: authz.TenantRef{Kind: authz.Authority, Place: p}}})
	}
	target := authz.Target{Place: kiel}
	for _, c := range []struct {
		who  *authz.Principal
		in   casework.State
		want string
	}{
		{at("CASEWORKER", kiel), casework.New, "[ACCEPT DISCARD]"},
		{at("CASEWORKER", kiel), casework.InProgress, "[ASK_APPLICANT DECIDE]"},
		{at("CASEWORKER", kiel), casework.WaitingForApplicant, "[START]"},
		{at("CASEWORKER", kiel), casework.Decided, "[DECIDE CLOSE REOPEN]"},
		{at("CASEWORKER", kiel), casework.Erased, "[]"},
		{at("MAIL_ROOM", kiel), casework.InProgress, "[]"},
		{at("MAIL_ROOM", kiel), casework.Discarded, "[RESTORE]"},
		{at("CASEWORKER", luebeck), casework.New, "[]"},
		{at("AUDITOR", kiel), casework.New, "[]"},
	} {
		if got := fmt.Sprint(casework.Allowed(c.who, c.in, target)); got != c.want {
			t.Errorf("in %s %v may %s, not %s", c.in, c.who.Assignments[0].Role, got, c.want)
		}
	}
}
