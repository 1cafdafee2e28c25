// SPDX-License-Identifier: EUPL-1.2

package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"pgregory.net/rapid"

	"github.com/ozg-cloud/platform/web"
)

func valid(bytes int) *web.Valid {
	return web.NewValid(bytes, web.NewMetrics(prometheus.NewRegistry()))
}

func TestADocumentThatIsValidInOneContractIsNotFoundInAnother(t *testing.T) {
	v, ctx, doc := valid(1<<20), context.Background(), &ast.QueryDocument{}
	v.Of("kiel").Add(ctx, "{ hello }", doc)
	if found, ok := v.Of("kiel").Get(ctx, "{ hello }"); !ok || found != doc {
		t.Error("it is forgotten where it is valid")
	}
	if _, ok := v.Of("munich").Get(ctx, "{ hello }"); ok {
		t.Error("it is found in a contract in which nobody validated it")
	}
}

func TestWhatWasAskedLongestAgoIsForgottenFirstWhicheverContractItIsOf(t *testing.T) {
	ctx := context.Background()
	text := func(i int) string { return fmt.Sprintf("{ f%07d }", i) }
	parsed := func(i int) *ast.QueryDocument {
		return &ast.QueryDocument{Operations: ast.OperationList{{Name: text(i)}}}
	}
	rapid.Check(t, func(t *rapid.T) {
		one := valid(0)
		one.Of("a").Add(ctx, text(0), parsed(0))
		if _, ok := one.Of("a").Get(ctx, text(0)); ok {
			t.Fatal("a document is remembered where there is no room")
		}
		const room = 5
		v := valid(room * 2100) // a document like these is weighed less than that, and more than four fifths of it
		type at struct {
			contract string
			n        int
		}
		var recent []at // the oracle: the last asked last
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			q := at{rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "contract"), rapid.IntRange(1, 6).Draw(t, "document")}
			doc, known := v.Of(q.contract).Get(ctx, text(q.n))
			where := -1
			for i, r := range recent {
				if r == q {
					where = i
				}
			}
			if known != (where >= 0) {
				t.Fatalf("%v: known %t, of %v", q, known, recent)
			}
			if known {
				if doc.Operations[0].Name != text(q.n) {
					t.Fatal("it is another document")
				}
				recent = append(recent[:where:where], recent[where+1:]...)
			} else {
				v.Of(q.contract).Add(ctx, text(q.n), parsed(q.n))
			}
			if recent = append(recent, q); len(recent) > room {
				recent = recent[len(recent)-room:]
			}
		}
	})
}

// heap is what is in use after everything that nobody needs has gone.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestDocumentsTakeNoMoreMemoryThanTheyAreWeighed(t *testing.T) {
	ctx := context.Background()
	const most = 8 << 20
	for name, of := range map[string]func(i int) string{
		"a page": func(i int) string {
			return strings.Replace(pageOfCases, "query Page($first: Int, $after: Int)", fmt.Sprintf("query Page%d($first: Int)", i), 1)
		},
		"aliases": func(i int) string { return fmt.Sprintf("query Q%d {", i) + strings.Repeat(" hello", 120) + "}" },
		"small":   func(i int) string { return fmt.Sprintf("query Q%d { hello }", i) },
	} {
		t.Run(name, func(t *testing.T) {
			v := valid(most)
			before := heap()
			for i := range 20_000 {
				text := of(i)
				doc, err := parser.ParseQuery(&ast.Source{Input: text})
				if err != nil {
					t.Fatal(err)
				}
				if i%500 == 0 { // validation adds to it
					var list any
					if doc, list = load(text); list != nil {
						t.Fatal(list)
					}
				}
				v.Of("whole").Add(ctx, text, doc)
			}
			if now := heap(); now > before+most {
				t.Errorf("%d bytes where %d are allowed", now-before, most)
			}
			runtime.KeepAlive(v)
		})
	}
}

func load(text string) (*ast.QueryDocument, any) {
	doc, list := gqlparser.LoadQuery(theSchema, text) //nolint:staticcheck // what the executor does
	if len(list) > 0 {
		return nil, list
	}
	return doc, nil
}

func TestAGuardOverAnotherOneWeighsLikeAGuardOfItsOwn(t *testing.T) {
	own := *theSchema
	own.Types = map[string]*ast.Definition{}
	maps.Copy(own.Types, theSchema.Types)
	added := gqlparser.MustLoadSchema(&ast.Source{Input: contract + `
		extend type Case { extension: CaseExtension, plots(first: Int): [Plot!] @listSize(slicingArguments: ["first"]) }
		type CaseExtension { area: Int, plots: [Plot!] } type Plot { name: String, next: Plot }`})
	for _, name := range []string{"Case", "CaseExtension", "Plot"} {
		own.Types[name] = added.Types[name]
	}
	over, alone := guard.Over(&own), web.NewGuard(&own, web.DefaultLimits())
	rapid.Check(t, func(t *rapid.T) {
		var selection func(depth int) string
		selection = func(depth int) string {
			fields := []string{"id", "title", "hello", "area", "totalCount", "words", "gone"}
			var b strings.Builder
			for range rapid.IntRange(1, 4).Draw(t, "fields") {
				if depth > 0 && rapid.Bool().Draw(t, "deeper") {
					b.WriteString(rapid.SampledFrom([]string{"cases(first: 7)", "case(id: 1)", "nodes", "steps", "extension", "plots", "plots(first: 3)", "next", "messages(first: 2)", "edges", "node", "... on Case", "... on Plot"}).Draw(t, "field"))
					b.WriteString(selection(depth - 1))
				} else {
					b.WriteString(rapid.SampledFrom(fields).Draw(t, "leaf"))
				}
				b.WriteByte(' ')
			}
			return " { " + b.String() + "}"
		}
		document := selection(6)
		a, errA := over.Measure(raw(document))
		b, errB := alone.Measure(raw(document))
		if a != b || fmt.Sprint(errA) != fmt.Sprint(errB) {
			t.Fatalf("%s: %v (%v), not %v (%v)", document, a, errA, b, errB)
		}
	})
	// The twin: a guard that knows nothing of what is added weighs something else.
	const document = `{ case(id: 1) { extension { plots { next { name } } } } }`
	with, _ := over.Measure(raw(document))
	if without, _ := guard.Measure(raw(document)); with == without {
		t.Error("what is added weighs nothing")
	}
}

func raw(document string) *graphql.RawParams { return &graphql.RawParams{Query: document} }

func TestADocumentWeighsTheSameWhetherItIsRememberedOrNot(t *testing.T) {
	remembered := valid(1 << 20)
	knowing := guard.Knowing(remembered.Of("kiel"))
	ask := func(g *web.Guard, first int) (web.Measure, error) {
		return g.Measure(&graphql.RawParams{Query: pageOfCases, Variables: map[string]any{"first": json.Number(strconv.Itoa(first))}})
	}
	doc, err := parser.ParseQuery(&ast.Source{Input: pageOfCases})
	if err != nil {
		t.Fatal(err)
	}
	remembered.Of("kiel").Add(t.Context(), pageOfCases, doc)
	weights := map[int]bool{}
	for _, first := range []int{0, 1, 50, 100, 1 << 40} {
		known, errKnown := ask(knowing, first)
		fresh, errFresh := ask(guard, first)
		if known != fresh || fmt.Sprint(errKnown) != fmt.Sprint(errFresh) {
			t.Errorf("first %d: %v (%v), and not remembered %v (%v)", first, known, errKnown, fresh, errFresh)
		}
		weights[known.Cost] = true
	}
	if len(weights) < 4 {
		t.Errorf("whatever is asked for costs one of %v: the first measure was remembered with the document", weights)
	}
	// The twin: what is remembered of one contract is not looked at in another.
	other := &ast.QueryDocument{}
	remembered.Of("munich").Add(t.Context(), pageOfCases, other)
	if _, err := ask(guard.Knowing(remembered.Of("munich")), 1); err == nil {
		t.Error("the guard does not look at what is remembered")
	}
	if _, err := ask(knowing, 1); err != nil {
		t.Errorf("what another contract remembers counts: %v", err)
	}
}
