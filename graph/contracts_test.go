// SPDX-License-Identifier: EUPL-1.2

package graph_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
	"pgregory.net/rapid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/extension/inforce"
	"github.com/ozg-cloud/platform/graph"
	"github.com/ozg-cloud/platform/schema"
)

var (
	whole  = must(schema.Load())
	policy = must(authz.NewPolicy())
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// contracts gives the contracts themselves.
func contracts() *graph.Contracts[*ast.Schema] {
	return graph.NewContracts(whole, nothing, func(c graph.Contract[*ast.Schema]) *ast.Schema { return c.Schema })
}

// nothing is added to the standard house.
func nothing(*authz.Principal) *inforce.Held { return nil }

// with is the context of somebody who has these roles, each in an authority of its own with the services that it names.
func with(roles ...authz.Role) context.Context {
	var all []authz.Assignment
	for i, r := range roles {
		place := must(authz.PlaceOf("010020000000", i+1))
		at := authz.TenantRef{ID: uuid.New(), Slug: "kiel", Kind: authz.Authority, Place: place}
		all = append(all, authz.Assignment{Role: r, Tenant: at, Services: []uuid.UUID{uuid.New()}})
	}
	return authz.With(context.Background(), policy.Principal("user:dev:somebody", authz.High, all))
}

// printed is a contract as text, definitions in the order of their names.
func printed(s *ast.Schema) string {
	var b strings.Builder
	formatter.NewFormatter(&b).FormatSchema(s)
	return b.String()
}

func verbs(s *ast.Schema) (out []string) {
	if s.Mutation == nil {
		return nil
	}
	for _, f := range s.Mutation.Fields {
		if !strings.HasPrefix(f.Name, "__") {
			out = append(out, f.Name)
		}
	}
	slices.Sort(out)
	return out
}

func TestEverybodyKnowsTheVerbsThatTheirRolesHave(t *testing.T) {
	c := contracts()
	for name, these := range map[string]struct {
		roles []authz.Role
		verbs []string
	}{
		"an applicant":              {[]authz.Role{"APPLICANT"}, []string{"openMessage", "replyToMessage", "submitApplication"}},
		"a form server":             {[]authz.Role{"FORM_SERVER"}, []string{"submitApplication"}},
		"the mail room":             {[]authz.Role{"MAIL_ROOM"}, []string{"acceptCase", "assignCase", "commentOnCase", "discardCase", "restoreCase", "setApplicantExtension", "setCaseExtension", "setDecisionExtension", "setMessageExtension"}},
		"a point of single contact": {[]authz.Role{"POINT_OF_SINGLE_CONTACT"}, []string{"commentOnCase", "setApplicantExtension", "setCaseExtension", "setDecisionExtension", "setMessageExtension"}},
		"who has two roles":         {[]authz.Role{"POINT_OF_SINGLE_CONTACT", "FORM_SERVER"}, []string{"commentOnCase", "setApplicantExtension", "setCaseExtension", "setDecisionExtension", "setMessageExtension", "submitApplication"}},
		"an analyst":                {[]authz.Role{"LAND_ANALYST"}, nil},
		"a partner": {[]authz.Role{"PARTNER"}, []string{
			"cancelBulkExport", "createWebhook", "deleteWebhook", "pauseWebhook", "replayWebhookDelivery", "resumeWebhook", "startBulkExport",
		}},
		"who has a role that is no role": {[]authz.Role{"NO_SUCH_ROLE"}, nil},
		"a caseworker": {[]authz.Role{"CASEWORKER"}, []string{
			"acceptCase", "addFollowUp", "askApplicant", "assignCase", "closeCase", "commentOnCase", "completeFollowUp", "decideCase", "discardCase",
			"reopenCase", "restoreCase", "sendMessage", "setApplicantExtension", "setCaseExtension", "setDecisionExtension", "setMessageExtension", "startCase",
		}},
	} {
		if known := verbs(c.For(with(these.roles...))); !slices.Equal(known, these.verbs) {
			t.Errorf("%s knows %q, not %q", name, known, these.verbs)
		}
	}
	if known := verbs(c.For(context.Background())); known != nil {
		t.Errorf("nobody knows %q", known)
	}
}

// everything names what is in a contract: types, fields, arguments, values, members and interfaces.
func everything(s *ast.Schema) map[string]bool {
	all := map[string]bool{}
	for name, def := range s.Types {
		all[name] = true
		for _, f := range def.Fields {
			all[name+"."+f.Name] = true
			for _, a := range f.Arguments {
				all[name+"."+f.Name+"("+a.Name+")"] = true
			}
		}
		for _, v := range def.EnumValues {
			all[name+"."+v.Name] = true
		}
		for _, member := range def.Types {
			all[name+" | "+member] = true
		}
		for _, i := range def.Interfaces {
			all[name+" & "+i] = true
		}
	}
	return all
}

func TestACommentExistsForThoseWhoMayReadOne(t *testing.T) {
	c := contracts()
	hidden := []string{
		"Comment", "CommentConnection", "CommentEdge", "Case.comments", "Mutation.commentOnCase", "CommentOnCaseInput", "CommentOnCasePayload", "CommentOnCaseProblem",
		"CasePermissions.comment", "FollowUp", "FollowUpConnection", "FollowUpEdge", "FollowUpFilter", "FollowUpOrder", "FollowUpOrderField", "Case.followUps", "Query.followUps",
		"CasePermissions.followUp", "Assignment", "AssignmentConnection", "AssignmentEdge", "Case.assignments", "Case.currentAssignment", "CaseFilter.assignee", "CasePermissions.assign",
		"HistoryEvent", "HistoryEventConnection", "HistoryEventEdge", "Case.history", "OrganisationalUnit", "OrganisationalUnitConnection", "OrganisationalUnitEdge",
		"Case.unit", "Tenant.units", "ServiceOffering.unit", "CaseFilter.unit", "Mutation.assignCase", "AssignCaseInput",
	}
	for _, name := range hidden {
		if !everything(whole)[name] {
			t.Fatalf("the contract has no %s", name)
		}
		if everything(c.For(with("APPLICANT")))[name] {
			t.Errorf("%s exists for an applicant", name)
		}
		if !everything(c.For(with("CASEWORKER")))[name] {
			t.Errorf("%s does not exist for a caseworker", name)
		}
	}
}

// broken lists what breaks the promise about a contract from which something is hidden: what is hidden and still there, what is there
// and leads nowhere, and what is gone without a reason.
func broken(s *ast.Schema, lacks func(ast.DirectiveList) bool) (out []string) {
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if _, err := gqlparser.LoadSchema(&ast.Source{Input: printed(s)}); err != nil {
		say("it is no contract: %v", err)
	}
	gone := map[string]bool{}
	for name, def := range whole.Types {
		if lacks(def.Directives) {
			gone[name], gone[name+"Connection"], gone[name+"Edge"] = true, true, true
		}
	}
	left := everything(s)
	for name, def := range whole.Types {
		switch {
		case gone[name] && left[name]:
			say("%s is there", name)
		case !left[name]:
			continue
		}
		for _, f := range def.Fields {
			hide := lacks(f.Directives) || gone[f.Type.Name()] || !left[f.Type.Name()]
			if hide == left[name+"."+f.Name] {
				say("%s.%s: hidden %t, there %t", name, f.Name, hide, left[name+"."+f.Name])
			}
		}
		for _, v := range def.EnumValues {
			if lacks(v.Directives) == left[name+"."+v.Name] {
				say("the value %s.%s", name, v.Name)
			}
		}
		for _, member := range def.Types {
			if left[member] != left[name+" | "+member] {
				say("the member %s of %s", member, name)
			}
		}
	}
	for name, defs := range s.PossibleTypes {
		for _, d := range defs {
			if s.Types[d.Name] != d {
				say("%s of %s is not the one of the contract", d.Name, name)
			}
		}
	}
	for name, defs := range s.Implements {
		for _, d := range defs {
			if s.Types[d.Name] != d {
				say("%s of %s is not the one of the contract", d.Name, name)
			}
		}
	}
	reached := named(s)
	for name := range s.Types {
		if !reached[name] && named(whole)[name] {
			say("nothing leads to %s any more", name)
		}
	}
	return out
}

// named are the types that something else in the contract names, and those that something names implements.
func named(s *ast.Schema) map[string]bool {
	out := map[string]bool{"Query": true, "Mutation": true}
	for name, def := range s.Types {
		for _, f := range def.Fields {
			if f.Type.Name() != name {
				out[f.Type.Name()] = true
			}
			for _, a := range f.Arguments {
				out[a.Type.Name()] = true
			}
		}
		for _, i := range def.Interfaces {
			out[name] = true
			out[i] = true
		}
		for _, m := range def.Types {
			out[m] = true
		}
	}
	for _, d := range s.Directives {
		for _, a := range d.Arguments {
			out[a.Type.Name()] = true
		}
	}
	return out
}

func TestWhateverRolesSomebodyHasTheirContractHidesWhatItMustAndNothingElse(t *testing.T) {
	all := policy.Roles()
	c := contracts()
	before := printed(whole)
	rapid.Check(t, func(t *rapid.T) {
		ctx := with(rapid.SliceOfNDistinct(rapid.SampledFrom(all), 0, 4, rapid.ID[authz.Role]).Draw(t, "roles")...)
		p := must(authz.From(ctx))
		lacks := func(d ast.DirectiveList) bool {
			at := d.ForName("policy")
			if at == nil || at.Arguments.ForName("onDeny") == nil || at.Arguments.ForName("onDeny").Value.Raw != "HIDE" {
				return false
			}
			return !p.MayAnywhere(authz.Object(at.Arguments.ForName("object").Value.Raw), authz.Action(at.Arguments.ForName("action").Value.Raw))
		}
		for _, fault := range broken(c.For(ctx), lacks) {
			t.Error(fault)
		}
	})
	if printed(whole) != before {
		t.Error("the whole contract has changed")
	}
	// The same complaints are made of a contract that hides too little, and of one that hides too much.
	none, everywhere := func(ast.DirectiveList) bool { return false }, func(d ast.DirectiveList) bool { return d.ForName("policy") != nil }
	if len(broken(whole, none)) > 0 {
		t.Errorf("the whole contract is accused: %q", broken(whole, none))
	}
	if len(broken(whole, everywhere)) == 0 || len(broken(c.For(context.Background()), none)) == 0 {
		t.Error("nobody notices what is hidden and what is not")
	}
}

func TestAContractSharesWhatItDoesNotChange(t *testing.T) {
	s := contracts().For(with("APPLICANT"))
	shared := 0
	for name, def := range s.Types {
		if def == whole.Types[name] {
			shared++
		}
	}
	if changed := len(s.Types) - shared; changed > 12 || changed == 0 {
		t.Errorf("%d of %d definitions are others", changed, len(s.Types))
	}
}

func TestAllWhoLackTheSameRightsHaveOneContract(t *testing.T) {
	c := contracts()
	one, two := c.For(with("APPLICANT")), c.For(with("APPLICANT", "APPLICANT"))
	if one != two {
		t.Error("two applicants have two contracts")
	}
	if one == c.For(with("CASEWORKER")) {
		t.Error("an applicant and a caseworker have one contract")
	}
	if everyRole := c.For(with(policy.Roles()...)); everyRole != whole {
		t.Error("who has all rights has not the whole contract")
	}
	var group sync.WaitGroup
	for _, role := range policy.Roles() {
		for range 4 {
			group.Go(func() { _ = printed(c.For(with(role))) })
		}
	}
	group.Wait()
}

func BenchmarkTheFirstOfAContract(b *testing.B) {
	ctx := with("APPLICANT")
	b.ReportAllocs()
	for b.Loop() {
		contracts().For(ctx)
	}
}

func BenchmarkAContractThatIsKnown(b *testing.B) {
	c, ctx := contracts(), with("APPLICANT")
	b.ReportAllocs()
	for b.Loop() {
		c.For(ctx)
	}
}
