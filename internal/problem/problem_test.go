// SPDX-License-Identifier: EUPL-1.2

package problem_test

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ozg-cloud/platform/internal/problem"
)

var update = flag.Bool("update", false, "print docs/problems.md afresh")

// page is docs/problems.md: every rule with its two sentences.
func page() string {
	var b strings.Builder
	b.WriteString(`<!-- SPDX-License-Identifier: EUPL-1.2 -->
<!-- Printed by: go test ./internal/problem -update -->
# Problems

What a caller may hear of is a problem: a code, a rule, and one sentence in German or English (Accept-Language). In GraphQL an expected
one is data, in the ` + "`problems`" + ` of a payload; others are errors with ` + "`extensions.code`" + ` and ` + "`extensions.rule`" + `. At other endpoints a problem
is ` + "`application/problem+json`" + ` (RFC 9457). Its ` + "`type`" + ` is ` + "`urn:ozg-cloud:problem:`" + ` and the rule. Sentences may change; codes and rules
change only with an edition. No problem repeats what was sent.

| rule | German | English |
|---|---|---|
`)
	for _, r := range problem.Rules() {
		p := problem.New(problem.Invalid, r)
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", r, p.Title("de"), p.Title("en"))
	}
	return b.String()
}

func TestThePageOfProblemsListsEveryRule(t *testing.T) {
	const file = "../../docs/problems.md"
	if *update {
		if err := os.WriteFile(file, []byte(page()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != page() {
		t.Error("docs/problems.md is not as printed: go test ./internal/problem -update")
	}
}

var (
	made = regexp.MustCompile(`problem\.New\(problem\.\w+, "(\w+)"|Rule: +"(\w+)"|Rule == "(\w+)"`)
	said = regexp.MustCompile(`"(\w+)"`)
)

// used finds the rules that the code of the house names: those of problems for certain, and every quoted word, which may be one.
func used(t *testing.T) (certain, possible []string) {
	t.Helper()
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (strings.HasPrefix(d.Name(), ".") && len(d.Name()) > 2 || d.Name() == "node_modules" || d.Name() == "generated" || path == "../../ent" || path == "../../internal/problem") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range made.FindAllStringSubmatch(string(text), -1) {
			certain = append(certain, m[1]+m[2]+m[3])
		}
		for _, m := range said.FindAllStringSubmatch(string(text), -1) {
			possible = append(possible, m[1])
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return certain, possible
}

func TestEveryRuleHasItsSentencesAndEverySentenceItsRule(t *testing.T) {
	certain, possible := used(t)
	if len(certain) < 20 {
		t.Fatalf("only %d problems were found in the code", len(certain))
	}
	rules := problem.Rules()
	for _, r := range certain {
		if !slices.Contains(rules, r) {
			t.Errorf("the rule %s has no sentences", r)
		}
	}
	for _, r := range rules {
		if r != "other" && !slices.Contains(possible, r) {
			t.Errorf("nothing breaks the rule %s", r)
		}
	}
}

func TestAProblemIsFoundHoweverDeeplyItIsWrapped(t *testing.T) {
	stale := &problem.Problem{Kind: problem.Conflict, Rule: "staleRevision", CurrentRevision: 7}
	wrapped := fmt.Errorf("deciding: %w", fmt.Errorf("changing: %w", stale))
	if p, ok := problem.Of(wrapped); !ok || p.CurrentRevision != 7 {
		t.Errorf("found %v", p)
	}
	for target, want := range map[*problem.Problem]bool{
		{Kind: problem.Conflict}:                            true,
		{Kind: problem.Conflict, Rule: "staleRevision"}:     true,
		{Kind: problem.Conflict, Rule: "invalidTransition"}: false,
		{Kind: problem.Missing}:                             false,
	} {
		if errors.Is(wrapped, target) != want {
			t.Errorf("%v matches %v: %t", wrapped, target, !want)
		}
	}
	if _, ok := problem.Of(errors.New("something else")); ok {
		t.Error("any error is a problem")
	}
}

func TestSentencesFollowTheLanguageOfTheCaller(t *testing.T) {
	for header, want := range map[string]string{
		"": "en", "de": "de", "de-DE,de;q=0.9,en;q=0.8": "de", "en-GB,de;q=0.5": "en", "fr": "en", "fr,de;q=0.1": "de",
		"de;q=0": "en", "*": "en", "en;q=0.2, de;q=0.3": "de", "de;q=x": "en", ";;;,,": "en",
	} {
		if got := problem.Language(header); got != want {
			t.Errorf("%q is answered in %s, not %s", header, got, want)
		}
	}
}
