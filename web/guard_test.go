// SPDX-License-Identifier: EUPL-1.2

package web_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/lexer"
	"github.com/vektah/gqlparser/v2/parser"
	"pgregory.net/rapid"

	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/web"
)

// pageOfCases is what a portal asks for all day.
const pageOfCases = `query Page($first: Int, $after: Int) {
  cases(first: $first) {
    totalCount
    nodes { ...Row }
    edges { cursor node { id } }
  }
}
fragment Row on Case { __typename id title words steps { name } messages(first: 5) { totalCount nodes { subject url } } }`

var guard = web.NewGuard(theSchema, web.DefaultLimits())

func measure(document string, variables map[string]any) (web.Measure, error) {
	return guard.Measure(&graphql.RawParams{Query: document, Variables: variables})
}

func TestTheCostOfAnOperationCountsWhatMayCome(t *testing.T) {
	for document, want := range map[string]int{
		`{ __typename }`:                                                          0,
		`{ hello }`:                                                               0,  // a value
		`{ case(id: 1) { id title } }`:                                            1,  // a thing
		`{ case(id: 1) { next { id } } }`:                                         2,  // and another
		`{ case(id: 1) { words } }`:                                               1,  // values in a list
		`{ case(id: 1) { steps { name } } }`:                                      17, // a length that the contract assumes
		`{ cases(first: 50) { nodes { id } } }`:                                   51,
		`{ cases(first: 50) { totalCount } }`:                                     6,   // what has no length is counted once
		`{ cases(last: 7) { nodes { id } } }`:                                     8,   // the other slicing argument
		`{ cases { nodes { id } } }`:                                              101, // a whole page where nothing tells
		`{ cases(first: 0) { nodes { id } } }`:                                    1,   // nothing comes
		`{ cases(first: -5) { nodes { id } } }`:                                   1,   // is refused elsewhere
		`{ cases(first: "x") { nodes { id } } }`:                                  101, // is refused elsewhere
		`{ cases(first: 1e3) { nodes { id } } }`:                                  101, // is refused elsewhere
		`{ cases(first: 2) { edges { node { id } } nodes { id } } }`:              1 + 2*(1+1) + 2*1,
		`{ cases(first: 10) { nodes { messages(first: 5) { nodes { url } } } } }`: 1 + 10*(1+1+5*(1+2)),
		`{ cases(first: 10) { ...F } } fragment F on CaseConnection { nodes { id } totalCount }`:                      1 + 10 + 5,
		`{ a: cases(first: 10) { ...F } b: cases(first: 20) { ...F } } fragment F on CaseConnection { nodes { id } }`: 1 + 10 + 1 + 20,
		`mutation { close(input: {id: 1, reason: "x"}) { id } }`:                                                      10,
		`query($n: Int = 3) { cases(first: $n) { nodes { id } } }`:                                                    4,
		`query($n: Int) { cases(first: $n) { nodes { id } } }`:                                                        101,
		`query($v: Int) { cases(first: $v) { nodes { id } } }`:                                                        1 + 40,
		`query($r: [ID!]!) { these(ids: $r) { id } }`:                                                                 3, // an argument that is a list
		`query($r: [ID!] = ["1", "2"]) { these(ids: $r) { id } }`:                                                     3,
		`query($q: [ID!] = ["1", "2"]) { these(ids: $q) { id } }`:                                                     2,
		`{ these(ids: ["1", "2"]) { id } }`:                                                                           2,
		`{ these(ids: []) { id } }`:                                                                                   0,
		`{ these(ids: "1") { id } }`:                                                                                  1,
		`{ __schema { types { name fields { name } } } }`:                                                             2000,
	} {
		m, err := measure(document, map[string]any{"v": json.Number("40"), "r": []any{"1", "2", "3"}})
		if err != nil || m.Cost != want {
			t.Errorf("%s costs %d (%v), not %d", document, m.Cost, err, want)
		}
	}
}

func TestTheGuardKnowsWhatAsksForTheContractOnly(t *testing.T) {
	for document, want := range map[string]web.Measure{
		`{ __typename }`: {Bare: true, Introspection: true},
		`{ ...F } fragment F on Query { __typename }`:       {Bare: true, Introspection: true},
		`{ __type(name: "Case") { name } }`:                 {Introspection: true},
		`{ __typename hello }`:                              {},
		`{ ... { ... on Query { hello } } }`:                {},
		`{ __typename ...F } fragment F on Query { hello }`: {},
	} {
		m, err := measure(document, nil)
		if err != nil || m.Bare != want.Bare || m.Introspection != want.Introspection {
			t.Errorf("%s: %+v, %v", document, m, err)
		}
	}
}

// doubling are fragments that spread each other twice over n levels: 2^n fields for whoever walks along them.
func doubling(n int, spread string) string {
	var b strings.Builder
	b.WriteString(`{ case(id: 1) { ...F0 } }`)
	for i := range n {
		fmt.Fprintf(&b, " fragment F%d on Case { "+spread+" }", i, i+1, i+1)
	}
	fmt.Fprintf(&b, " fragment F%d on Case { id }", n)
	return b.String()
}

// tooMuch are documents that the guard refuses, with the rule.
var tooMuch = map[string]struct{ document, rule string }{
	"nested fields":             {"{ case(id: 1) " + strings.Repeat("{ next ", 15) + "{ id }" + strings.Repeat("}", 15) + "}", "tooComplex"},
	"nested in fragments":       {`{ case(id: 1) { ...A } } fragment A on Case { next { next { next { next { next { ...B } } } } } } fragment B on Case { next { next { next { next { next { ...C } } } } } } fragment C on Case { next { next { next { next { next { id } } } } } }`, "tooComplex"},
	"aliases":                   {"{ " + numbered("a%d: __typename ", 51) + "}", "tooComplex"},
	"one name often":            {"{ hello hello hello hello }", "tooComplex"},
	"one alias often":           {"{ a: hello a: hello a: hello a: hello }", "tooComplex"},
	"root fields":               {"{ " + numbered("a%d: hello ", 21) + "}", "tooComplex"},
	"root fields in fragments":  {"{ ...A ...B } fragment A on Query { " + numbered("a%d: hello ", 11) + "} fragment B on Query { " + numbered("b%d: hello ", 11) + "}", "tooComplex"},
	"directives":                {"{ hello " + strings.Repeat("@skip(if: false) ", 51) + "}", "tooComplex"},
	"directives on a variable":  {"query($a: Int " + strings.Repeat("@x ", 51) + ") { hello }", "tooComplex"},
	"fragments":                 {"{ __typename } " + numbered("fragment F%d on Query { __typename } ", 51), "tooComplex"},
	"spreads":                   {"{ " + strings.Repeat("... { __typename } ", 101) + "}", "tooComplex"},
	"operations":                {numbered("query Q%d { __typename } ", 6), "tooComplex"},
	"tokens":                    {"{ " + strings.Repeat("a ", 2000) + "}", "tooComplex"},
	"brackets":                  {"{ hello(to: " + strings.Repeat("[", 200_000), "tooComplex"},
	"braces":                    {strings.Repeat("{a", 100_000), "tooComplex"},
	"comments":                  {strings.Repeat("#\n", 50_000) + "{ __typename }", "tooComplex"},
	"aliases in introspection":  {"{ __schema { a: types { name } b: types { name } } }", "tooComplex"},
	"the contract, repeatedly":  {"{ " + numbered("a%d: __schema { types { name } } ", 6) + "}", "tooCostly"},
	"long pages in long pages":  {"{ cases(first: 100) { nodes { messages(first: 100) { nodes { subject } } } } }", "tooCostly"},
	"a page of a thousand":      {"{ cases(first: 99999) { nodes { id } } }", "tooCostly"},
	"a page beyond all numbers": {"{ cases(first: 9223372036854775807) { nodes { messages(first: 9223372036854775807) { nodes { url } } } } }", "tooCostly"},
	"fragments doubling":        {doubling(30, "a: next { ...F%d } b: next { ...F%d }"), "tooComplex"},
	"fragments doubling flatly": {doubling(30, "...F%d ...F%d"), "tooComplex"},
	"a fragment in itself":      {"{ ...A } fragment A on Query { ...A }", "invalidDocument"},
	"a circle of fragments":     {"{ ...A } fragment A on Query { ...B } fragment B on Query { hello ...A }", "invalidDocument"},
	"no operation":              {"fragment A on Query { hello }", "unreadableDocument"},
	"nothing":                   {"", "unreadableDocument"},
	"a definition":              {"type Query { a: Int }", "unreadableDocument"},
	"two without a name":        {"query A { hello } query B { hello }", "invalidDocument"},
}

func numbered(format string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

func TestTheGuardRefusesWhatIsTooMuch(t *testing.T) {
	for name, c := range tooMuch {
		begun := time.Now()
		_, err := measure(c.document, nil)
		rule := ""
		if p, ok := problem.Of(err); ok {
			rule = p.Rule
		} else if err != nil {
			t.Errorf("%s: no problem: %v", name, err)
		}
		if rule != c.rule {
			t.Errorf("%s: %q, not %q", name, rule, c.rule)
		}
		if took := time.Since(begun); took > 250*time.Millisecond {
			t.Errorf("%s takes %v", name, took)
		}
	}
}

func TestTheGuardLetsThroughWhatClientsSend(t *testing.T) {
	for name, document := range map[string]string{
		"a page":                       pageOfCases,
		"the introspection of tools":   introspection,
		"doubling, but few levels":     doubling(8, "a: next { ...F%d } b: next { id ...F%d }"),
		"equal names in fragments":     "{ case(id: 1) { id ...A ...B id } } fragment A on Case { id title } fragment B on Case { id title }",
		"a fragment that is not there": "{ ...Nobody }", // refused by validation
	} {
		if m, err := measure(document, nil); err != nil {
			t.Errorf("%s: %v, costs %d", name, err, m.Cost)
		}
	}
}

// introspection has the shape and depth of what graphql-js sends.
const introspection = `query IntrospectionQuery { __schema { queryType { name } mutationType { name } subscriptionType { name } types { ...FullType } directives { name locations args { ...InputValue } } } }
fragment FullType on __Type { kind name description fields(includeDeprecated: true) { name args { ...InputValue } type { ...TypeRef } isDeprecated } inputFields { ...InputValue } interfaces { ...TypeRef } enumValues(includeDeprecated: true) { name } possibleTypes { ...TypeRef } }
fragment InputValue on __InputValue { name type { ...TypeRef } defaultValue }
fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } } }`

// FuzzGuard looks for documents that take the guard long or let it fall.
func FuzzGuard(f *testing.F) {
	for _, c := range tooMuch {
		if len(c.document) < 5000 {
			f.Add(c.document, 5)
		}
	}
	f.Add(pageOfCases, 50)
	f.Add(introspection, 0)
	f.Fuzz(func(t *testing.T, document string, n int) {
		begun := time.Now()
		m, err := measure(document, map[string]any{"first": json.Number(fmt.Sprint(n))})
		if _, ok := problem.Of(err); err != nil && !ok {
			t.Fatalf("no problem: %v", err)
		}
		if m.Cost < 0 || err == nil && m.Cost > web.DefaultLimits().Cost {
			t.Fatalf("let through at a cost of %d", m.Cost)
		}
		if took := time.Since(begun); took > time.Second {
			t.Fatalf("took %v", took)
		}
	})
}

func BenchmarkGuard(b *testing.B) {
	for name, document := range map[string]string{"page": pageOfCases, "introspection": introspection, "doubling": tooMuch["fragments doubling"].document} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = measure(document, map[string]any{"first": json.Number("50")})
			}
		})
	}
}

func TestNamesAreBoundedAndStringsAreNot(t *testing.T) {
	long := strings.Repeat("x", 201)
	for document, refused := range map[string]bool{
		"{ " + long + " }": true, "{ hello(" + long + ": 1) }": true, "{ ..." + long + " }": true, "query($" + long + ": Int) { hello }": true, "{ hello @" + long + " }": true,
		"{ " + long[1:] + " }": false, `{ hello(to: "` + long + `") }`: false, "# " + long + "\n{ hello }": false, `{ hello(to: """` + long + `""") }`: false,
	} {
		if _, err := measure(document, nil); errors.Is(err, problem.New(problem.Invalid, "tooComplex")) != refused {
			t.Errorf("%.40s: %v", document, err)
		}
	}
}

// weigh is what the parser and its lexer find in a document: how many tokens and aliases there are, and how long the longest name or number is.
func weigh(document string) (tokens, aliases, longest int, readable bool) {
	doc, err := parser.ParseQuery(&ast.Source{Input: document})
	if err != nil {
		return 0, 0, 0, false
	}
	var sets func(ast.SelectionSet)
	sets = func(s ast.SelectionSet) {
		for _, selection := range s {
			switch n := selection.(type) {
			case *ast.Field:
				if n.Alias != n.Name {
					aliases++
				}
				sets(n.SelectionSet)
			case *ast.InlineFragment:
				sets(n.SelectionSet)
			}
		}
	}
	for _, o := range doc.Operations {
		sets(o.SelectionSet)
	}
	for _, f := range doc.Fragments {
		sets(f.SelectionSet)
	}
	for l := lexer.New(&ast.Source{Input: document}); ; tokens++ {
		t, err := l.ReadToken()
		if err != nil || t.Kind == lexer.EOF {
			return tokens, aliases, longest, err == nil
		}
		if t.Kind == lexer.Name || t.Kind == lexer.Int || t.Kind == lexer.Float {
			longest = max(longest, len(t.Value))
		}
	}
}

// TestNothingIsRefusedUnparsedThatParsingWouldLetThrough draws documents with strings, comments, arguments and values that hold what else would count.
func TestNothingIsRefusedUnparsedThatParsingWouldLetThrough(t *testing.T) {
	value := rapid.SampledFrom([]string{
		"1", "-1.5e+3", "$v", "RED", "null", `""`, `"a: b { c: d"`, `"\"(: \\"`, `"""a: "b" \""" c: ("""`, "[1, 2]", "{a: {b: [1 {c: 2}]}}", `"ü: €"`,
	})
	var set func(depth int) *rapid.Generator[string]
	set = func(depth int) *rapid.Generator[string] {
		return rapid.Custom(func(t *rapid.T) string {
			var b strings.Builder
			b.WriteString("{ ")
			for range rapid.IntRange(1, 4).Draw(t, "fields") {
				b.WriteString(rapid.SampledFrom([]string{"", "a: ", "b :", "c:# d: e: f\n", "x:\t"}).Draw(t, "alias"))
				b.WriteString(rapid.SampledFrom([]string{"f", "__typename", "cases"}).Draw(t, "name"))
				if rapid.Bool().Draw(t, "with arguments") {
					b.WriteString("(k: " + value.Draw(t, "value") + ", l:" + value.Draw(t, "value") + ")")
				}
				b.WriteString(rapid.SampledFrom([]string{" ", " @skip(if: true) ", ", ", " # (\n", " ... on Case { a: id } ", " ...F "}).Draw(t, "between"))
				if depth > 0 && rapid.Bool().Draw(t, "deeper") {
					b.WriteString("d: g " + set(depth-1).Draw(t, "set"))
				}
			}
			return b.String() + "} "
		})
	}
	read := 0
	rapid.Check(t, func(t *rapid.T) {
		document := "query($v: Int = 1, $w: [In!]! = [{a: 1}]) " + set(3).Draw(t, "set") + "fragment F on Case { e: id }"
		tokens, aliases, longest, readable := weigh(document)
		if !readable {
			return
		}
		read++
		limits := web.DefaultLimits()
		limits.Tokens, limits.Aliases = tokens, aliases
		if longest <= 200 && web.NewGuard(theSchema, limits).Oversized(document) {
			t.Fatalf("refused with %d tokens and %d aliases: %s", tokens, aliases, document)
		}
		// The twin: one alias too many is noticed without parsing.
		if limits.Aliases--; aliases > 0 && !web.NewGuard(theSchema, limits).Oversized(document) {
			t.Fatalf("an alias too many is not noticed: %s", document)
		}
	})
	if read < 50 {
		t.Errorf("only %d documents could be parsed", read)
	}
}

// TestAQuestionForTheContractWeighsTheSameHoweverOftenItIsAsked asks one guard in any order what another one, which is new each time, is asked, too.
func TestAQuestionForTheContractWeighsTheSameHoweverOftenItIsAsked(t *testing.T) {
	documents := []string{
		introspection, introspection + " ", `{ __schema { description } }`, `{ __schema { types { name } } }`, `{ __typename }`, `{ hello }`, `{ __schema {`,
		`query A { __schema { description } } query B { hello }`, `query A { __typename } query B { __schema { types { name } } }`, `{ __type(name: "Case") { name } }`,
	}
	rapid.Check(t, func(t *rapid.T) {
		long := web.NewGuard(theSchema, web.DefaultLimits())
		for range rapid.IntRange(1, 8).Draw(t, "asked") {
			p := graphql.RawParams{Query: rapid.SampledFrom(documents).Draw(t, "document"), OperationName: rapid.SampledFrom([]string{"", "A", "B", "C"}).Draw(t, "operation")}
			got, err := long.Measure(&p)
			want, errWant := web.NewGuard(theSchema, web.DefaultLimits()).Measure(&p)
			if got != want || fmt.Sprint(err) != fmt.Sprint(errWant) {
				t.Fatalf("%s of %s is %+v (%v), and asked for the first time %+v (%v)", p.OperationName, p.Query, got, err, want, errWant)
			}
		}
	})
	// The twin: a document remembered under the text of another one would be noticed.
	wrong := web.NewGuard(theSchema, web.DefaultLimits())
	wrong.Remember(documents[2], documents[5])
	got, _ := wrong.Measure(&graphql.RawParams{Query: documents[2]})
	if want, _ := measure(documents[2], nil); got == want {
		t.Error("the guard does not look at what it remembers")
	}
}

func BenchmarkWhatStrangersAsk(b *testing.B) {
	for name, document := range map[string]string{"the contract": introspection, "aliases": "{ " + numbered("a%d: __typename ", 2000) + "}"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = measure(document, nil)
			}
		})
	}
}
