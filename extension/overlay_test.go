// SPDX-License-Identifier: EUPL-1.2

package extension_test

import (
	"maps"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/ozg-cloud/platform/extension"
)

// valid says what is wrong with a query in a schema.
func valid(s *ast.Schema, query string) error {
	if _, list := gqlparser.LoadQueryWithRules(s, query, rules.NewDefaultRules()); len(list) > 0 {
		return list
	}
	return nil
}

// said is what valid says, as text.
func said(s *ast.Schema, query string) string {
	if err := valid(s, query); err != nil {
		return err.Error()
	}
	return ""
}

func TestEachTenantSeesWhatItInheritsAndOwnsAndNothingElse(t *testing.T) {
	t.Parallel()
	standard := contract(t)
	land := read(t, ofSH, sh, standard)
	own := read(t, ofKiel, kiel, standard, land)
	other := read(t, ofBavaria, bavaria, standard)
	inKiel, inLuebeck, inMunich := extension.Chain{land, own}.Overlay(standard), extension.Chain{land}.Overlay(standard), extension.Chain{other}.Overlay(standard)
	for name, c := range map[string]struct {
		query                 string
		kiel, luebeck, munich bool
	}{
		"a field of the Land":        {`{ cases(first: 1) { nodes { extension { bauart bauteile { flaeche } bauherr { __typename name } } } } }`, true, true, false},
		"a field of the city":        {`{ cases(first: 1) { nodes { extension { stadt_kiel_ortsteil } } } }`, true, false, false},
		"a name of both":             {`{ cases(first: 1) { nodes { extension { flurstueck } } } }`, true, true, true},
		"a text":                     {`{ cases(first: 1, where: {extension: {flurstueck: {startsWith: "12"}}}) { totalCount } }`, true, true, false},
		"a number":                   {`{ cases(first: 1, where: {extension: {flurstueck: {gt: 12}}}) { totalCount } }`, false, false, true},
		"inside an object":           {`{ cases(first: 1, where: {or: [{extension: {bauherr: {name: {eq: "x"}}}}]}) { totalCount } }`, true, true, false},
		"an enum":                    {`query($b: Bauart!) { cases(first: 1, where: {extension: {bauart: {in: [$b]}}}) { totalCount } }`, true, true, false},
		"an order":                   {`{ cases(first: 1, orderBy: [{field: NUMBER, extension: {bauherr: {name: ASC}}}]) { totalCount } }`, true, true, false},
		"an input":                   {`{ write(extension: {bauteile: [{bezeichnung: "Dach"}]}) }`, true, true, false},
		"an input lacking a value":   {`{ write(extension: {bauteile: [{flaeche: 1}]}) }`, false, false, false},
		"a fragment":                 {`query { cases(first: 1) { nodes { extension { ...x } } } } fragment x on CaseExtension { __typename geschosse }`, true, true, false},
		"a fragment on a type":       {`query { cases(first: 1) { nodes { extension { bauherr { ... on Bauherr { seit } } } } } }`, true, true, false},
		"what nobody has":            {`{ cases(first: 1) { nodes { extension { nothing } } } }`, false, false, false},
		"what cannot be filtered":    {`{ cases(first: 1, where: {extension: {stichworte: {eq: "x"}}}) { totalCount } }`, false, false, false},
		"further filters of numbers": {`{ cases(first: 1, where: {extension: {stadt_kiel_gruen: {gte: 0.5}}}) { totalCount } }`, true, false, false},
	} {
		for where, s := range map[string]struct {
			schema *ast.Schema
			valid  bool
		}{"Kiel": {inKiel, c.kiel}, "Lübeck": {inLuebeck, c.luebeck}, "Munich": {inMunich, c.munich}} {
			err := valid(s.schema, c.query)
			if (err == nil) != s.valid {
				t.Errorf("%s, in %s: %v", name, where, err)
			}
		}
	}
	for where, s := range map[string]*ast.Schema{"Munich": inMunich, "nowhere": standard} {
		for _, of := range []string{`{ cases(first: 1) { nodes { extension { %s } } } }`, `query($x: %s) { cases(first: 1) { nodes { id } } }`} {
			ask := func(name string) string {
				return strings.ReplaceAll(said(s, strings.Replace(of, "%s", name, 1)), name, "X")
			}
			if a, b := ask("geschosse"), ask("gqschosse"); a != b || a == "" {
				t.Errorf("%s: a field of SH is told of: %s, not %s", where, a, b)
			}
			if a, b := ask("Bauart"), ask("Qauart"); a != b || a == "" {
				t.Errorf("%s: a type of SH is told of: %s, not %s", where, a, b)
			}
		}
	}
}

func TestTheTextOfATenantsSchemaIsTheSchema(t *testing.T) {
	t.Parallel()
	standard := contract(t)
	land := read(t, ofSH, sh, standard)
	for name, c := range map[string]extension.Chain{"Lübeck": {land}, "Kiel": {land, read(t, ofKiel, kiel, standard, land)}} {
		s := c.Overlay(standard)
		again, err := gqlparser.LoadSchema(&ast.Source{Name: name, Input: text(s)})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if text(again) != text(s) {
			t.Errorf("%s: another text comes back", name)
		}
	}
	if text(extension.Chain{}.Overlay(standard)) != text(standard) {
		t.Error("a tenant without a definition has something else than the standard house")
	}
}

func TestADefinitionOnItsWayOutSaysSo(t *testing.T) {
	t.Parallel()
	standard := contract(t)
	land := read(t, ofSH, sh, standard)
	land.Leaving = true
	s := extension.Chain{land}.Overlay(standard)
	for _, f := range s.Types["CaseExtension"].Fields {
		if f.Directives.ForName("deprecated") == nil {
			t.Errorf("%s does not say it", f.Name)
		}
	}
	if text(s) == text(extension.Chain{read(t, ofSH, sh, standard)}.Overlay(standard)) {
		t.Error("nobody would notice")
	}
}

func TestWhatIsCutOutOfTheContractLeadsToNothing(t *testing.T) {
	t.Parallel()
	standard := contract(t)
	chain := extension.Chain{read(t, ofSH, sh, standard)}
	cut := *standard // as for somebody who may not order
	cut.Types = maps.Clone(standard.Types)
	delete(cut.Types, "CaseExtensionOrder")
	whole, rest := chain.Overlay(standard), chain.Overlay(&cut)
	for name := range whole.Types {
		if order := name == "CaseExtensionOrder" || name == "BauherrOrder"; (rest.Types[name] == nil) != order {
			t.Errorf("%s: there %t", name, rest.Types[name] != nil)
		}
	}
	if rest.Types["Bauherr"] != whole.Types["Bauherr"] || rest.Types["Case"] != standard.Types["Case"] {
		t.Error("what is the same is not shared")
	}
}

func TestATypeThatTheStandardHouseHasTakenIsNamed(t *testing.T) {
	t.Parallel()
	standard := contract(t)
	land := read(t, ofSH, sh, standard)
	if lapsed := land.Lapsed(standard); len(lapsed) > 0 {
		t.Errorf("%v", lapsed)
	}
	edition, err := gqlparser.LoadSchema(&ast.Source{Name: "edition", Input: text(standard) + `input BauherrFilter { name: String } extend type Query { builders(where: BauherrFilter): Int }`})
	if err != nil {
		t.Fatal(err)
	}
	if lapsed := land.Lapsed(edition); !slices.Equal(lapsed, []string{"Bauherr"}) {
		t.Errorf("%v", lapsed)
	}
}

// thousand definitions of 30 fields with an enum and an object each, all of them different.
func thousand(b *testing.B, standard *ast.Schema) []extension.Chain {
	out := make([]extension.Chain, 1000)
	land := read(b, ofSH, sh, standard)
	for i := range out {
		o := extension.Owner{ID: uuid.New(), Kind: "AUTHORITY", Slug: "amt-" + strconv.Itoa(i)}
		var sdl strings.Builder
		sdl.WriteString(strings.ReplaceAll(`"Kinds." enum S_Art { "One." EINS "Two." ZWEI } "A thing." type S_Ding { "Its name." name: String @filterable } extend type Case { "Kind." S_art: S_Art @filterable "Thing." S_ding: S_Ding `, "S_", o.Space()))
		for n := range 28 {
			sdl.WriteString(`"Field." ` + o.Space() + "feld" + strconv.Itoa(n) + ": String @filterable @sortable\n")
		}
		out[i] = extension.Chain{land, read(b, sdl.String()+"}", o, standard, land)}
	}
	return out
}

func BenchmarkASchemaForEachOfAThousandTenants(b *testing.B) {
	standard := contract(b)
	chains := thousand(b, standard)
	schemas := make([]*ast.Schema, len(chains))
	var empty, full runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&empty)
	for b.Loop() {
		for i, c := range chains {
			schemas[i] = c.Overlay(standard)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&full)
	b.ReportMetric(float64(full.HeapAlloc-empty.HeapAlloc)/float64(len(schemas))/1024, "KiB/schema")
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(len(schemas)), "µs/schema")
	runtime.KeepAlive(schemas)
}

func BenchmarkADefinitionIsRead(b *testing.B) {
	standard := contract(b)
	b.SetBytes(int64(len(ofSH)))
	b.ReportAllocs()
	for b.Loop() {
		if _, problems := extension.Read(ofSH, sh, standard); len(problems) > 0 {
			b.Fatal(problems)
		}
	}
}

// The same schema without sharing: its text parsed anew.
func BenchmarkAWholeSchemaIsParsed(b *testing.B) {
	standard := contract(b)
	whole := text(thousand(b, standard)[0].Overlay(standard))
	schemas := make([]*ast.Schema, 0, b.N)
	var empty, full runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&empty)
	for b.Loop() {
		s, err := gqlparser.LoadSchema(&ast.Source{Name: "whole", Input: whole})
		if err != nil {
			b.Fatal(err)
		}
		schemas = append(schemas, s)
	}
	runtime.GC()
	runtime.ReadMemStats(&full)
	b.ReportMetric(float64(full.HeapAlloc-empty.HeapAlloc)/float64(len(schemas))/1024, "KiB/schema")
	runtime.KeepAlive(schemas)
}
