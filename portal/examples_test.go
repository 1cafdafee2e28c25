// SPDX-License-Identifier: EUPL-1.2

package portal_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/ozg-cloud/platform/schema"
)

// faults says what is wrong with an example: it must be one operation of the contract, named like its file, under a comment.
func faults(contract *ast.Schema, f file) []string {
	document, errs := gqlparser.LoadQueryWithRules(contract, f.text, rules.NewDefaultRules())
	if len(errs) > 0 {
		return []string{errs.Error()}
	}
	var out []string
	if len(document.Operations) != 1 {
		return []string{"is not exactly one operation"}
	}
	if file := strings.ToLower(regexp.MustCompile(`(.)([A-Z])`).ReplaceAllString(document.Operations[0].Name, "${1}_${2}")) + ".graphql"; file != f.name {
		out = append(out, "holds what belongs into "+file)
	}
	lines := strings.SplitN(f.text, "\n", 3)
	if lines[0] != "# SPDX-License-Identifier: EUPL-1.2" || !strings.HasPrefix(lines[1], "# ") {
		out = append(out, "does not say what it shows")
	}
	return out
}

func contract(t *testing.T) *ast.Schema {
	t.Helper()
	s, err := schema.Load()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEveryExampleKeepsToTheContract(t *testing.T) {
	all := files(t, "explorer/examples")
	if len(all) < 8 {
		t.Fatalf("only %d examples", len(all))
	}
	for _, f := range all {
		for _, fault := range faults(contract(t), f) {
			t.Errorf("%s %s", f.name, fault)
		}
	}
}

func TestTheCheckOfExamplesFindsWhatItShould(t *testing.T) {
	const head = "# SPDX-License-Identifier: EUPL-1.2\n# Who is asking.\n"
	for name, seeded := range map[string]file{
		"a field that is gone": {"who_am_i.graphql", head + "query WhoAmI { viewer { shoeSize } }"},
		"a variable unused":    {"who_am_i.graphql", head + "query WhoAmI($id: ID!) { viewer { subject } }"},
		"another name":         {"who_am_i.graphql", head + "query Me { viewer { subject } }"},
		"two operations":       {"who_am_i.graphql", head + "query WhoAmI { viewer { subject } } query Limits { limits { maxCost } }"},
		"no comment":           {"who_am_i.graphql", "query WhoAmI {\n viewer { subject } }"},
	} {
		if len(faults(contract(t), seeded)) == 0 {
			t.Errorf("%s was not found", name)
		}
	}
	if found := faults(contract(t), file{"who_am_i.graphql", head + "query WhoAmI { viewer { subject } }"}); len(found) > 0 {
		t.Errorf("a good example is accused: %q", found)
	}
}

func TestThePageOffersEveryExample(t *testing.T) {
	list, err := os.ReadFile("explorer/src/examples.js")
	if err != nil {
		t.Fatal(err)
	}
	var offered []string
	for _, m := range regexp.MustCompile(`'\.\./examples/([a-z_]+\.graphql)'`).FindAllStringSubmatch(string(list), -1) {
		offered = append(offered, m[1])
	}
	for _, f := range files(t, "explorer/examples") {
		if !slices.Contains(offered, f.name) {
			t.Errorf("%s is not offered", f.name)
		}
	}
	// The printed script has them word for word, but for the line of the licence.
	unescape := strings.NewReplacer(`\n`, "\n", `\"`, `"`)
	for _, printed := range files(t, "dist") {
		if !strings.HasSuffix(printed.name, ".js") {
			continue
		}
		script := unescape.Replace(printed.text)
		for _, f := range files(t, "explorer/examples") {
			if _, operation, _ := strings.Cut(f.text, "\n"); !strings.Contains(script, operation) {
				t.Errorf("%s was changed after the page was printed", f.name)
			}
		}
	}
}
