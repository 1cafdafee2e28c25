// SPDX-License-Identifier: EUPL-1.2

package problem_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/schema"
	"github.com/ozg-cloud/platform/web"
)

var update = flag.Bool("update", false, "print docs/problems.md afresh")

// codes are those of the contract, with what it says of each.
func codes(t *testing.T) map[string]string {
	t.Helper()
	contract, err := schema.Load()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, v := range contract.Types["ProblemCode"].EnumValues {
		out[v.Name] = v.Description
	}
	return out
}

// kinds are what is visible in the code of the house: the kinds of problem that break a rule.
func kinds(t *testing.T) map[string][]problem.Kind {
	t.Helper()
	of := map[string]problem.Kind{
		"Invalid": problem.Invalid, "Unauthenticated": problem.Unauthenticated, "Forbidden": problem.Forbidden, "Missing": problem.Missing,
		"Conflict": problem.Conflict, "Busy": problem.Busy, "Internal": problem.Internal,
	}
	out := map[string][]problem.Kind{}
	eachFile(t, func(text string) {
		for _, m := range kindly.FindAllStringSubmatch(text, -1) {
			if k := of[m[1]]; !slices.Contains(out[m[2]], k) {
				out[m[2]] = append(out[m[2]], k)
			}
		}
		for _, m := range listed.FindAllStringSubmatch(text, -1) {
			if !slices.Contains(out[m[1]], problem.Invalid) {
				out[m[1]] = append(out[m[1]], problem.Invalid)
			}
		}
	})
	for _, k := range out {
		slices.Sort(k)
	}
	return out
}

// status is what the front door answers to a problem outside GraphQL.
func status(t *testing.T, p *problem.Problem) int {
	t.Helper()
	door, err := web.New(web.Options{
		Engine:   func(context.Context) web.Engine { return web.Engine{} },
		Identify: func(ctx context.Context, _ string) (context.Context, error) { return ctx, nil },
		Ready:    func(context.Context) error { return nil },
		Contract: "none", Limits: web.DefaultLimits(), Log: slog.New(slog.DiscardHandler),
		Routes: []web.Route{{Pattern: "GET /it", Handler: func(http.ResponseWriter, *http.Request) error { return p }}},
	})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	door.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/it", nil))
	return w.Code
}

// page is docs/problems.md: every code of the contract, and every rule with its code and its two sentences.
func page(t *testing.T) string {
	var b strings.Builder
	b.WriteString(`<!-- SPDX-License-Identifier: EUPL-1.2 -->
<!-- Printed by: go test ./internal/problem -update -->
# Problems

What a caller may hear of is a problem: a code, a rule, and one sentence in German or English (Accept-Language). In GraphQL an expected
one is data, in the ` + "`problems`" + ` of a payload; others are errors with ` + "`extensions.code`" + ` and ` + "`extensions.rule`" + `, and where a variable does not fit, its place in ` + "`extensions.variable`" + `. At other endpoints a problem
is ` + "`application/problem+json`" + ` (RFC 9457). Its ` + "`type`" + ` is ` + "`urn:ozg-cloud:problem:`" + ` and the rule. Sentences may change; codes and rules
change only with an edition. No problem repeats what was sent.

| code | meaning |
|---|---|
`)
	known := codes(t)
	for _, c := range slices.Sorted(maps.Keys(known)) {
		fmt.Fprintf(&b, "| `%s` | %s |\n", c, known[c])
	}
	b.WriteString("| `INTERNAL` | A fault of the house; `reference` names its line in the log. Never in a payload. |\n" + `
The status is that of endpoints other than ` + "`/graphql`" + `, and of GraphQL requests that were refused whole. Where no code stands, a rule can be
broken in several ways.

| rule | code | status | German | English |
|---|---|---|---|---|
`)
	broken := kinds(t)
	for _, r := range problem.Rules() {
		p, code, with := problem.New(problem.Invalid, r), "", ""
		if k := broken[r]; len(k) == 1 {
			p.Kind = k[0]
			code, with = "`"+p.Code()+"`", fmt.Sprint(status(t, p))
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", r, code, with, p.Title("de"), p.Title("en"))
	}
	return b.String()
}

func TestTheContractKnowsEveryCode(t *testing.T) {
	known := codes(t)
	told := map[string]bool{}
	for r, kinds := range kinds(t) {
		for _, k := range kinds {
			code := problem.New(k, r).Code()
			if _, ok := known[code]; !ok && k != problem.Internal {
				t.Errorf("the contract does not know %s", code)
			}
			told[code] = true
		}
	}
	for code := range known {
		if !told[code] {
			t.Errorf("nothing is ever told with the code %s", code)
		}
	}
}

func TestThePageOfProblemsListsEveryRule(t *testing.T) {
	const file = "../../docs/problems.md"
	if *update {
		if err := os.WriteFile(file, []byte(page(t)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != page(t) {
		t.Error("docs/problems.md is not as printed: go test ./internal/problem -update")
	}
}

var (
	made = regexp.MustCompile(`(?:problem\.New\(problem\.\w+, |\.say\()"(\w+)"|Rule: +"(\w+)"|Rule == "(\w+)"`)
	said = regexp.MustCompile(`"(\w+)"`)

	kindly = regexp.MustCompile(`(?:problem\.New\(|Kind: +)problem\.(\w+), (?:Rule: +)?"(\w+)"`)
	listed = regexp.MustCompile(`\.say\("(\w+)"`) // where all that is wrong with an input is told at once
)

// eachFile reads the code of the house that is written by hand.
func eachFile(t *testing.T, read func(text string)) {
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
		read(string(text))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// used finds the rules that the code of the house names: those of problems for certain, and every quoted word, which may be one.
func used(t *testing.T) (certain, possible []string) {
	t.Helper()
	eachFile(t, func(text string) {
		for _, m := range made.FindAllStringSubmatch(text, -1) {
			certain = append(certain, m[1]+m[2]+m[3])
		}
		for _, m := range said.FindAllStringSubmatch(text, -1) {
			possible = append(possible, m[1])
		}
	})
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
