// SPDX-License-Identifier: EUPL-1.2

package graph_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent/catalog"
	"github.com/ozg-cloud/platform/internal/housetest"
	"github.com/ozg-cloud/platform/schema"
)

// least is the smallest input that passes for one of its type.
func least(s *ast.Schema, t *ast.Type) any {
	switch def := s.Types[t.Name()]; {
	case t.Elem != nil:
		return []any{}
	case def.Kind == ast.Enum:
		return def.EnumValues[0].Name
	case def.Kind == ast.InputObject:
		in := map[string]any{}
		for _, f := range def.Fields {
			if f.Type.NonNull && f.DefaultValue == nil {
				in[f.Name] = least(s, f.Type)
			}
			if t := catalog.Types[strings.ToUpper(f.Name[:1])+strings.TrimSuffix(f.Name[1:], "Id")]; t != nil && f.Type.Name() == "ID" {
				in[f.Name] = schema.ID(t.Number, uuid.New())
			}
		}
		return in
	case strings.HasSuffix(def.Name, "ExtensionInput") && def.Kind == ast.Scalar:
		return map[string]any{}
	case def.Name == "Int":
		return 1
	case def.Name == "Date":
		return "2999-12-31"
	case def.Name == "ID":
		return schema.ID(catalog.Types["FollowUp"].Number, uuid.New())
	}
	return "x"
}

// verbsOnCases are the verbs that name a case, with the right that the contract says they ask for.
func verbsOnCases(s *ast.Schema) map[string]authz.Action {
	out := map[string]authz.Action{}
	for _, f := range s.Mutation.Fields {
		if in := f.Arguments.ForName("input"); in != nil && s.Types[in.Type.Name()].Fields.ForName("caseId") != nil {
			out[f.Name] = authz.Action(f.Directives.ForName("policy").Arguments.ForName("action").Value.Raw)
		}
	}
	return out
}

// claims compares what viewerCan says of a case with what the desk says to each verb that the viewer knows. The revision is a wrong one, so
// that nothing happens where it may.
func claims(t *testing.T, who *housetest.Caller, c housetest.Case) (allowed, refused int, wrong []string) {
	t.Helper()
	known := who.Ask(`{ __schema { mutationType { fields { name } } } permissions: __type(name: "CasePermissions") { fields { name } } }`, nil).Works()
	names := func(path string) (out []string) {
		list, _ := known.At(path).([]any)
		for _, f := range list {
			out = append(out, f.(map[string]any)["name"].(string))
		}
		return out
	}
	seen := who.Ask(`query($id: ID!) { case(id: $id) { viewerCan { __typename `+strings.Join(names("permissions.fields"), " ")+` } } }`, map[string]any{"id": c.ID}).Works()
	can, _ := seen.At("case.viewerCan").(map[string]any)
	if can["__typename"] != "CasePermissions" {
		t.Fatalf("%s: %s", who.Name, seen.Raw)
	}
	rights := verbsOnCases(whole)
	for _, verb := range names("__schema.mutationType.fields") {
		right, ok := rights[verb]
		if !ok {
			continue
		}
		in, _ := least(whole, whole.Mutation.Fields.ForName(verb).Arguments.ForName("input").Type).(map[string]any)
		delete(in, "caseId")
		delete(in, "expectedRevision")
		a := who.Do(verb, &housetest.Case{ID: c.ID, Revision: 4711}, in).Works()
		p := a.Problem()
		forbidden := p["__typename"] == "ForbiddenProblem"
		if forbidden {
			refused++
		} else {
			allowed++
		}
		if can[string(right)] != !forbidden {
			wrong = append(wrong, fmt.Sprintf("%s: viewerCan.%s is %v, and %s comes to %v", who.Name, right, can[string(right)], verb, p))
		}
		if forbidden && (p["action"] != string(right) || p["object"] != "case") || !forbidden && p["rule"] != "staleRevision" {
			wrong = append(wrong, fmt.Sprintf("%s: %s, for which the contract asks %s, comes to %v", who.Name, verb, right, p))
		}
	}
	return allowed, refused, wrong
}

func TestViewerCanIsWhatTheDeskAllowsAndTheContractNamesTheRight(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	c := h.As("kiel-applicant").Submit("99108001001000", "010020000000")
	visitor := h.Give("visitor", "CASEWORKER", "luebeck", "")
	h.Give("visitor", "AUDITOR", "kiel", "")
	h.Give("elsewhere", "CASEWORKER", "kiel", "60")
	elsewhere := h.Give("elsewhere", "AUDITOR", "kiel", "")
	for _, these := range []struct {
		who              *housetest.Caller
		allowed, refused int
	}{
		{h.As("kiel-caseworker"), 17, 0},
		{h.As("kiel-mailroom"), 9, 0},
		{h.As("kiel-admin"), 1, 0},
		{visitor, 0, 17},
		{elsewhere, 0, 17},
	} {
		allowed, refused, wrong := claims(t, these.who, c)
		for _, w := range wrong {
			t.Error(w)
		}
		if allowed != these.allowed || refused != these.refused {
			t.Errorf("%s: %d verbs are allowed and %d refused", these.who.Name, allowed, refused)
		}
	}
	a := h.As("kiel-applicant").Ask(`query($id: ID!) { case(id: $id) { viewerCan { reply accept decide } } }`, map[string]any{"id": c.ID}).Works()
	if got := fmt.Sprint(a.At("case.viewerCan")); got != "map[accept:false decide:false reply:true]" {
		t.Errorf("the applicant can %s", got)
	}
}
