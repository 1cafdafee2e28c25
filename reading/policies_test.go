// SPDX-License-Identifier: EUPL-1.2

package reading_test

import (
	"flag"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/cmd"
	"github.com/ozg-cloud/platform/reading"
)

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

// words are what somebody may do by Casbin's word and by what stands at the head of the policy about the reaches. They climb the tree of
// tenants from parent to parent, and know nothing of places that are intervals, nor of rights that are compiled.
type words struct {
	policy  *authz.Policy
	asked   map[line]bool // what Casbin has said, whatever the reach
	lines   []line
	subject string
	given   []authz.Assignment
	tenants map[authz.Place]*row
	byID    map[uuid.UUID]*row
}

func (w *world) inWords(v viewer, lines []line) *words {
	out := &words{w.policy, map[line]bool{}, lines, v.Subject, v.Assignments, map[authz.Place]*row{}, w.byID}
	for _, t := range w.rows["Tenant"] {
		place, _ := t.values["place"].(int64)
		out.tenants[authz.Place(place)] = t
	}
	return out
}

// each gives the assignments and reaches by which somebody has a right.
func (s *words) each(object authz.Object, action authz.Action) func(yield func(authz.Assignment, string) bool) {
	return func(yield func(authz.Assignment, string) bool) {
		for _, a := range s.given {
			q := line{role: a.Role, object: object, action: action}
			allowed, ok := s.asked[q]
			if !ok {
				var err error
				if allowed, err = s.policy.Enforce(q.role, q.object, q.action); err != nil {
					panic(err)
				}
				s.asked[q] = allowed
			}
			if !allowed {
				continue
			}
			for _, l := range s.lines {
				if l.role == a.Role && l.object == object && l.action == action && !yield(a, l.reach) {
					return
				}
			}
		}
	}
}

func (s *words) reached(reach string, a authz.Assignment, at authz.Target) bool {
	t := s.tenants[at.Place]
	switch reach {
	case "tenant":
		return t.id == a.Tenant.ID
	case "subtree":
		return s.below(t, a.Tenant.ID)
	case "units":
		return t.id == a.Tenant.ID && (a.Units == nil || slices.Contains(a.Units, at.Unit))
	case "services":
		return s.below(t, a.Tenant.ID) && slices.Contains(a.Services, at.Service)
	case "contact":
		return s.below(t, a.Tenant.ID) && at.ViaPointOfContact
	case "submissions":
		return at.Owner == s.subject
	case "federation":
		return a.Tenant.Kind == authz.Federation
	}
	panic(reach)
}

func (s *words) below(t *row, top uuid.UUID) bool {
	for t.id != top {
		above, ok := t.ref("parent_id")
		if !ok {
			return false
		}
		t = s.byID[above]
	}
	return true
}

// May is the principal's, or what the words say where there are any.
func (v viewer) May(object authz.Object, action authz.Action, at authz.Target) bool {
	if v.words == nil {
		return v.Principal.May(object, action, at)
	}
	for a, reach := range v.words.each(object, action) {
		if v.words.reached(reach, a, at) {
			return true
		}
	}
	return false
}

// MayAnywhere is the principal's, or what the words say where there are any: whether a reach means anything for an assignment.
func (v viewer) MayAnywhere(object authz.Object, action authz.Action) bool {
	if v.words == nil {
		return v.Principal.MayAnywhere(object, action)
	}
	for a, reach := range v.words.each(object, action) {
		if (reach != "services" || len(a.Services) > 0) && (reach != "federation" || a.Tenant.Kind == authz.Federation) {
			return true
		}
	}
	return false
}

var (
	staffReaches = []string{"tenant", "subtree", "units", "services", "contact", "federation"}
	// toApplicants are the things that the second wall can show to applicants: they are shown what hangs on their own cases, and the
	// directory, and nothing else whatever a policy says. Nor does it open to staff what they have applied for elsewhere.
	toApplicants = []authz.Object{"case", "submission", "submission.formData", "applicant", "message", "message.body", "attachment", "decision", "history", "event", "accessLog", "accessLog.reader"}
	directory    = []authz.Object{"tenant", "service", "offering"}
	caseVerbs    = []authz.Action{"accept", "start", "decide", "close", "assign", "comment", "followUp", "send"}
)

// randomPolicy draws a policy: up to four roles of these, each object of the contract with any reach or without, and some with two.
func randomPolicy(t *rapid.T, roles []authz.Role) (lines []line) {
	known := append(slices.Clone(toApplicants), directory...)
	known = append(known, "unit", "comment", "followUp", "assignment", "roleAssignment", "audit", "policy")
	give := func(role authz.Role, object authz.Object, action authz.Action, reaches []string) {
		for range rapid.SampledFrom([]int{0, 1, 1, 1, 2}).Draw(t, "lines") {
			lines = append(lines, line{role, object, action, rapid.SampledFrom(reaches).Draw(t, fmt.Sprintf("%s %s %s", role, action, object))})
		}
	}
	for _, role := range rapid.SliceOfNDistinct(rapid.SampledFrom(roles), 1, 4, rapid.ID).Draw(t, "roles") {
		lines = append(lines, line{role, "case", authz.Read, rapid.SampledFrom(staffReaches).Draw(t, "case")}) // or there is little to see
		for _, object := range known {
			give(role, object, authz.Read, staffReaches)
		}
		for _, verb := range caseVerbs {
			give(role, "case", verb, staffReaches)
		}
	}
	for _, object := range toApplicants {
		give(authz.Applicant, object, authz.Read, []string{"submissions"})
	}
	for _, object := range directory {
		give(authz.Applicant, object, authz.Read, []string{"subtree"})
	}
	return lines
}

// whole adds what the lines of a policy need: where the contract promises that a thing stands behind another one, who sees that one sees it.
func (w *world) whole(lines []line) []line {
	needs := map[authz.Object][]authz.Object{}
	for _, typ := range slices.Sorted(maps.Keys(objects)) {
		for _, f := range w.contract.Types[typ].Fields {
			if to := objects[f.Type.Name()]; to != "" && f.Type.NonNull {
				needs[objects[typ]] = append(needs[objects[typ]], to)
			}
		}
	}
	for i := 0; i < len(lines); i++ {
		l := lines[i]
		if l.action != authz.Read {
			continue
		}
		for _, l.object = range needs[lines[i].object] {
			if !slices.Contains(lines, l) {
				lines = append(lines, l)
			}
		}
	}
	return lines
}

// pages compares a list of cases, page by page to its end, with what should be in it.
func (w *world) pages(v viewer, size int, where map[string]any, meets func(*row) bool) (out []string) {
	all := inOrder(slices.DeleteFunc(w.seen(v, w.rows["Case"]), func(r *row) bool { return !meets(r) }), natural["Case"])
	variables := map[string]any{"n": size, "where": where}
	for rest := all; ; {
		a := v.ask("query($n: Int!, $after: Cursor, $where: CaseFilter) { cases(first: $n, after: $after, where: $where) { totalCount nodes { id } pageInfo { hasNextPage endCursor } } }", variables)
		full := rest[:min(size, len(rest))]
		rest = rest[len(full):]
		want := map[string]any{"totalCount": float64(len(all)), "nodes": idNodes(full), "pageInfo": map[string]any{"hasNextPage": len(rest) > 0, "endCursor": a.At("cases.pageInfo.endCursor")}}
		if got := a.At("cases"); !reflect.DeepEqual(got, want) {
			return []string{fmt.Sprintf("cases where %v, %d at a time, the last but %d: %s", where, size, len(rest), difference(got, want))}
		}
		if len(rest) == 0 {
			return nil
		}
		variables["after"] = a.Text("cases.pageInfo.endCursor")
	}
}

// round builds a house with a random policy on the database of this one, lets some people with random roles ask it, and gives what they
// should not have been answered. spoil seeds a fault into the policy of the house.
func (w *world) round(t *rapid.T, spoil func(*line)) (out []string) {
	var staff []authz.Role
	for _, r := range w.policy.Roles() {
		if r != authz.Applicant {
			staff = append(staff, r)
		}
	}
	lines := w.whole(randomPolicy(t, staff))
	policy, err := authz.PolicyOf(csv(lines))
	if err != nil {
		t.Fatalf("a good policy is refused: %v", err)
	}
	installed := policy
	if spoil != nil {
		spoilt := slices.Clone(lines)
		for i := range spoilt {
			spoil(&spoilt[i])
		}
		if installed, err = authz.PolicyOf(csv(spoilt)); err != nil {
			t.Fatal(err)
		}
	}
	life := &tenure{}
	defer life.over()
	below := *w.House
	below.TB = life
	under := &world{
		House: below.Another(func(g *cmd.Ground) { g.Policy = installed }),
		db:    w.db, policy: policy, contract: w.contract, rows: w.rows, byID: w.byID, below: w.below, subjects: w.subjects,
	}
	defer func() { w.subjects = under.subjects }()
	for range rapid.IntRange(1, 8).Draw(t, "people") {
		v := under.somebody(t)
		v.words = under.inWords(v, lines)
		for _, c := range under.answers(t, v) {
			out = append(out, fmt.Sprintf("%v %s: %s", v.Assignments, v.TrustLevel, c))
		}
	}
	return out
}

// answers compares what somebody is answered with what the words say: the cases in pages, by themselves, by a search and below a tenant,
// and things of a few types under their ids with all their fields, edges and lists.
func (w *world) answers(t *rapid.T, v viewer) (out []string) {
	size := rapid.IntRange(20, 100).Draw(t, "size")
	out = append(out, w.pages(v, size, nil, func(*row) bool { return true })...)
	c := conditions{w, v, t}
	search := c.field("Case", w.contract.Types["CaseFilter"].Fields.ForName("search"), 0)
	out = append(out, w.pages(v, size, map[string]any{"search": search.input}, search.meets)...)
	under := c.field("Tenant", w.contract.Types["TenantFilter"].Fields.ForName("under"), 0)
	out = append(out, w.pages(v, size, map[string]any{"tenant": map[string]any{"under": under.input}}, func(r *row) bool {
		return slices.ContainsFunc(w.seen(v, w.behind(r, "tenant")), under.meets)
	})...)
	for _, typ := range rapid.SliceOfNDistinct(rapid.SampledFrom(w.types()), 3, 3, rapid.ID).Draw(t, "types") {
		var sample []*row
		n := 40
		if w.lists(v, typ) > 1 {
			n = 12
		}
		for _, rows := range [][]*row{w.seen(v, w.rows[typ]), w.rows[typ]} {
			if len(rows) > 0 {
				sample = append(sample, rapid.SliceOfN(rapid.SampledFrom(rows), 1, n/2).Draw(t, typ)...)
			}
		}
		out = append(out, w.complaintsAbout(v, typ, sample)...)
	}
	return out
}

// rounds makes rapid try this often, unless it was told how often.
func rounds(t *testing.T, n string) {
	t.Helper()
	checks := flag.Lookup("rapid.checks")
	if checks.Value.String() != checks.DefValue {
		return
	}
	if err := checks.Value.Set(n); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = checks.Value.Set(checks.DefValue) })
}

// The long form: -run TestUnderWhateverPolicy -rapid.checks=500 lets about 2,000 people ask.
func TestUnderWhateverPolicyEverybodyIsAnsweredWhatCasbinAndTheReachesSay(t *testing.T) {
	w := furnish(t, 600)
	rounds(t, "12")
	people := w.subjects
	rapid.Check(t, func(t *rapid.T) {
		for _, c := range w.round(t, nil) {
			t.Error(c)
		}
	})
	t.Logf("%d people with roles, besides applicants", w.subjects-people)
}

// The twins: the same rounds notice a house with another policy, and one with a gap.
func TestTheRoundsUnderRandomPoliciesNotice(t *testing.T) {
	w := furnish(t, 200)
	exchange := func(one, other string) func(*line) {
		return func(l *line) {
			if l.reach == one && l.role != authz.Applicant {
				l.reach = other
			}
		}
	}
	notices := func(t *testing.T, spoil func(*line)) {
		t.Helper()
		rounds := rapid.Custom(func(t *rapid.T) []string { return w.round(t, spoil) })
		for seed := range 12 {
			if len(rounds.Example(seed)) > 0 {
				return
			}
		}
		t.Error("nobody notices")
	}
	for what, spoil := range map[string]func(*line){
		"a tenant that reaches to those below":             exchange("tenant", "subtree"),
		"a subtree of its top alone":                       exchange("subtree", "tenant"),
		"units that do not narrow":                         exchange("units", "tenant"),
		"a point of contact that everything comes through": exchange("contact", "subtree"),
		"services that do not narrow":                      exchange("services", "subtree"),
	} {
		t.Run(what, func(t *testing.T) { notices(t, spoil) })
	}
	for what, gap := range map[string]func() (mend func()){
		"a gap in the rows of cases": func() func() {
			return reading.GapInRows(func(o authz.Object, alias string) bool { return o == "case" && alias == "t1" })
		},
		"a gap in edges": func() func() {
			return reading.GapInRows(func(_ authz.Object, alias string) bool { return alias != "t1" })
		},
		"a gap in counts": reading.GapInCounts,
	} {
		t.Run(what, func(t *testing.T) {
			mend := gap()
			defer mend()
			notices(t, nil)
		})
	}
}
