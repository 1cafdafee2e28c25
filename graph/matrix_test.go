// SPDX-License-Identifier: EUPL-1.2

package graph_test

import (
	"encoding/csv"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent/catalog"
	"github.com/ozg-cloud/platform/ent/rule"
	"github.com/ozg-cloud/platform/graph"
	"github.com/ozg-cloud/platform/schema"
)

var update = flag.Bool("update", false, "write testdata/matrix.csv")

const matrixFile = "testdata/matrix.csv"

// reaches reads the policy as it is written: how far each role's right reaches, in the words of the policy.
func reaches(t *testing.T) map[authz.Role]map[right][]string {
	t.Helper()
	text, err := os.ReadFile("../authz/policy.csv")
	if err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(strings.NewReader(string(text)))
	r.Comment, r.TrimLeadingSpace = '#', true
	lines, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	out := map[authz.Role]map[right][]string{}
	for _, l := range lines {
		role := authz.Role(strings.ToUpper(strings.TrimPrefix(l[1], "role:")))
		if out[role] == nil {
			out[role] = map[right][]string{}
		}
		key := right{l[2], l[3]}
		out[role][key] = append(out[role][key], l[4])
		slices.Sort(out[role][key])
	}
	return out
}

type right struct{ object, action string }

// asked is the right that a directive @policy asks for, and what a refusal looks like.
func asked(d ast.DirectiveList) (r right, mode string, ok bool) {
	p := d.ForName("policy")
	if p == nil {
		return right{}, "", false
	}
	mode = "NULL"
	if m := p.Arguments.ForName("onDeny"); m != nil {
		mode = m.Value.Raw
	}
	return right{p.Arguments.ForName("object").Value.Raw, p.Arguments.ForName("action").Value.Raw}, mode, true
}

// matrix prints who sees and does what: a line for each type, each part of one with a right of its own, and each verb, a column for each
// role. Rows and verbs are told by their reach, as in the policy; shown and hidden is what the contract of the role says.
func matrix(t *testing.T, contract *ast.Schema) string {
	t.Helper()
	held := reaches(t)
	roles := slices.Sorted(maps.Keys(held))
	contracts := graph.NewContracts(contract, nothing, func(c graph.Contract[*ast.Schema]) *ast.Schema { return c.Schema })
	known := map[authz.Role]map[string]bool{}
	for _, role := range roles {
		known[role] = everything(contracts.For(with(role)))
	}
	head := []string{"what"}
	for _, role := range roles {
		head = append(head, strings.ToLower(string(role)))
	}
	table := [][]string{head}
	line := func(name string, cell func(role authz.Role) string) {
		cells := []string{name}
		for _, role := range roles {
			if thing := strings.Fields(name)[1]; !known[role][thing] {
				cells = append(cells, "hidden")
				continue
			}
			cells = append(cells, cell(role))
		}
		table = append(table, cells)
	}
	reach := func(r right, shape rule.Shape, otherwise string) func(role authz.Role) string {
		return func(role authz.Role) string {
			var far []string
			for _, word := range held[role][r] {
				if word = reachOf(word, shape); word != "" {
					far = append(far, word)
				}
			}
			if far = slices.Compact(far); far != nil {
				return strings.Join(far, "+")
			}
			return otherwise
		}
	}
	shown := func(authz.Role) string { return "shown" }
	var parts, verbs, others []func()
	for _, name := range slices.Sorted(maps.Keys(contract.Types)) {
		def := contract.Types[name]
		if def.BuiltIn {
			continue
		}
		stored, shape := catalog.Types[name], rule.Shape(0)
		if stored != nil {
			object, s, err := rule.Of(stored.Entity)
			if err != nil {
				t.Fatal(err)
			}
			shape = s
			line("type "+name, reach(right{string(object), "read"}, shape, "none"))
			if r, _, ok := asked(def.Directives); ok && r != (right{string(object), "read"}) {
				t.Errorf("the type %s asks for %v, and its rows for %s", name, r, object)
			}
		} else {
			others = append(others, func() { line("type "+name, shown) })
		}
		for _, f := range def.Fields {
			r, mode, ok := asked(f.Directives)
			switch {
			case strings.HasPrefix(f.Name, "__"):
			case def == contract.Mutation:
				if !ok {
					t.Errorf("the verb %s asks for no right", f.Name)
				}
				verbs = append(verbs, func() { line("verb Mutation."+f.Name, reach(r, rule.Cases, "none")) })
			case ok && stored != nil && stored.Columns[f.Name].Name != "":
				if mode != "HIDE" && f.Type.NonNull {
					t.Errorf("%s.%s may be refused and has no null for it", name, f.Name)
				}
				parts = append(parts, func() { line("field "+name+"."+f.Name, reach(r, shape, strings.ToLower(mode))) })
			case ok && mode != "HIDE":
				t.Errorf("%s.%s is no column: it can only be hidden", name, f.Name)
			case ok:
				parts = append(parts, func() { line("field "+name+"."+f.Name, shown) })
			}
		}
		for _, v := range def.EnumValues {
			if _, _, ok := asked(v.Directives); ok {
				parts = append(parts, func() { line("value "+name+"."+v.Name, shown) })
			}
		}
	}
	for _, tell := range slices.Concat(parts, verbs, others) {
		tell()
	}
	return aligned(table)
}

// reachOf is what a reach comes to for rows of a shape; empty: it reaches none.
func reachOf(word string, shape rule.Shape) string {
	if shape == rule.Kept && slices.Contains([]string{"units", "services", "contact", "submissions"}, word) {
		return "own"
	}
	if shape == rule.Shared {
		return "all"
	}
	if finer, ok := map[string]string{"units": "tenant", "services": "subtree", "contact": "subtree", "submissions": ""}[word]; ok && shape == rule.Owned {
		return finer
	}
	return word
}

func aligned(table [][]string) string {
	width := make([]int, len(table[0]))
	for _, cells := range table {
		for i, c := range cells {
			width[i] = max(width[i], len(c))
		}
	}
	b := strings.Builder{}
	b.WriteString("# SPDX-License-Identifier: EUPL-1.2\n# Who sees and does what: printed from policy and contract by go test ./graph -run Matrix -update, and compared by it. Rows and verbs are\n" +
		"# told by their reach (authz/policy.csv); all: whatever is there; none, null: nothing of it; hidden: it does not exist for the role.\n")
	for _, cells := range table {
		for i, c := range cells {
			if i < len(cells)-1 {
				c = fmt.Sprintf("%-*s", width[i]+2, c+",")
			}
			b.WriteString(c)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// differences says which lines are missing, too many or others.
func differences(have, want string) (out []string) {
	by := func(text string) map[string]string {
		lines := map[string]string{}
		for l := range strings.Lines(text) {
			name, rest, _ := strings.Cut(l, ",")
			lines[name] = strings.Join(strings.Fields(rest), " ")
		}
		return lines
	}
	has, wants := by(have), by(want)
	for _, name := range slices.Sorted(maps.Keys(wants)) {
		switch line, ok := has[name]; {
		case !ok:
			out = append(out, name+" has no line")
		case line != wants[name]:
			out = append(out, fmt.Sprintf("%s: %s, not %s", name, line, wants[name]))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(has)) {
		if _, ok := wants[name]; !ok {
			out = append(out, name+" has a line and does not exist")
		}
	}
	return out
}

func TestTheMatrixSaysWhoSeesAndDoesWhat(t *testing.T) {
	now := matrix(t, whole)
	if *update {
		if err := os.WriteFile(matrixFile, []byte(now), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(matrixFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range differences(string(text), now) {
		t.Errorf("%s; if it is meant to be so: go test ./graph -run Matrix -update", d)
	}
	// Each thing that is new to the contract wants its line, and each that is gone takes it along.
	seeded, err := gqlparser.LoadSchema(&ast.Source{Input: schema.SDL() + `
		type Rumour { text: String! }
		extend type Case { rumours(first: Int): [Rumour!] @policy(object: "comment", action: "read", onDeny: HIDE) }
		extend type Mutation { spreadRumour: Rumour @policy(object: "case", action: "comment", onDeny: HIDE) }`})
	if err != nil {
		t.Fatal(err)
	}
	found := differences(string(text), matrix(t, seeded))
	if want := []string{"field Case.rumours has no line", "type Rumour has no line", "verb Mutation.spreadRumour has no line"}; !slices.Equal(found, want) {
		t.Errorf("found %q", found)
	}
	if found := differences(matrix(t, seeded), now); len(found) != 3 {
		t.Errorf("found %q", found)
	}
	if wider := strings.Replace(string(text), "hidden,", "subtree,", 1); len(differences(wider, now)) != 1 {
		t.Error("nobody notices a cell that has changed")
	}
}
