// SPDX-License-Identifier: EUPL-1.2

package extension_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"pgregory.net/rapid"

	"github.com/ozg-cloud/platform/extension"
)

// drawn is a definition as it was made up, beside the text that says the same.
type drawn struct {
	owner extension.Owner
	enums map[string][]string // values by name
	types map[string][]made   // fields by name
	on    map[string][]made   // fields by target
}

type made struct {
	name, kind       string
	list             bool
	filtered, sorted bool
	counted          string // the enumeration of the contract that it is a value of
	former           string
}

var targets = extension.Targets

// Those of which there are lists that can be filtered, and ordered.
var filtered, sorted = []string{"Case", "Message", "Service", "ServiceOffering"}, []string{"Case", "Message", "Service"}

func (d drawn) sdl() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(d.enums)) {
		fmt.Fprintf(&b, "\"E.\" enum %s { \"V.\" %s }\n", name, strings.Join(d.enums[name], ` "V." `))
	}
	fields := func(list []made) {
		for _, f := range list {
			kind := f.kind
			if f.list {
				kind = "[" + kind + "!]"
			}
			fmt.Fprintf(&b, "  \"F.\" %s: %s", f.name, kind)
			if f.filtered {
				b.WriteString(" @filterable")
			}
			if f.sorted {
				b.WriteString(" @sortable")
			}
			if f.counted != "" {
				b.WriteString(" @aggregatable")
			}
			if f.former != "" {
				fmt.Fprintf(&b, " @renamedFrom(name: %q)", f.former)
			}
			b.WriteString("\n")
		}
		b.WriteString("}\n")
	}
	for _, name := range slices.Sorted(maps.Keys(d.types)) {
		fmt.Fprintf(&b, "\"T.\" type %s {\n", name)
		fields(d.types[name])
	}
	for _, name := range slices.Sorted(maps.Keys(d.on)) {
		fmt.Fprintf(&b, "extend type %s {\n", name)
		fields(d.on[name])
	}
	return b.String()
}

var scalars = []string{"String", "Int", "Float", "Boolean", "Date", "DateTime"}

// draw makes up a definition. Objects hold only what has a smaller number, so that nothing contains itself; everything made up is used.
func draw(t *rapid.T, o extension.Owner) drawn {
	d := drawn{owner: o, enums: map[string][]string{}, types: map[string][]made{}, on: map[string][]made{}}
	word := rapid.StringMatching(`[a-z][A-Za-z0-9]{0,5}`)
	some := func(space string, kinds []string, inList map[string]bool) []made {
		var list []made
		for _, name := range rapid.SliceOfNDistinct(word, 1, 5, rapid.ID).Draw(t, "names") {
			f := made{name: space + name, kind: rapid.SampledFrom(kinds).Draw(t, "kind"), list: rapid.Bool().Draw(t, "list")}
			if _, object := d.types[f.kind]; object {
				f.list = inList[f.kind]
			} else if !f.list {
				f.filtered, f.sorted = rapid.Bool().Draw(t, "filterable"), rapid.Bool().Draw(t, "sortable")
			}
			list = append(list, f)
		}
		return list
	}
	kinds := slices.Clone(scalars)
	var unused []string
	for i := range rapid.IntRange(0, 2).Draw(t, "enums") {
		name := fmt.Sprintf("%sArt%d", o.Space(), i)
		d.enums[name] = rapid.SliceOfNDistinct(rapid.StringMatching(`[A-Z][A-Z0-9]{0,4}`), 1, 4, rapid.ID).Draw(t, "values")
		kinds, unused = append(kinds, name), append(unused, name)
	}
	inList := map[string]bool{} // types that stand in lists, which have nothing that is indexed
	for i := range rapid.IntRange(0, 2).Draw(t, "types") {
		name := fmt.Sprintf("%sDing%d", o.Space(), i)
		fields := some("", kinds, inList)
		if inList[name] = rapid.Bool().Draw(t, "in lists"); inList[name] {
			var unindexed func(list []made)
			unindexed = func(list []made) {
				for i := range list {
					list[i].filtered, list[i].sorted = false, false
					unindexed(d.types[list[i].kind])
				}
			}
			unindexed(fields)
		}
		d.types[name] = fields
		kinds, unused = append(kinds, name), append(unused, name)
	}
	for _, target := range targets {
		if target != "Case" && rapid.IntRange(0, 2).Draw(t, target) > 0 {
			continue
		}
		list := some(o.Space(), kinds, inList)
		for i := range list {
			list[i].filtered = list[i].filtered && slices.Contains(filtered, target)
			list[i].sorted = list[i].sorted && slices.Contains(sorted, target)
		}
		if target != "Case" {
			d.on[target] = list
			continue
		}
		for i, name := range unused { // everything leads to something
			list = append(list, made{name: fmt.Sprintf("%sauchNoch%d", o.Space(), i), kind: name, list: inList[name]})
		}
		seen := map[string]bool{}
		for i, f := range list {
			by := map[string]string{"Int": "StatisticsSum", "Float": "StatisticsSum", "Boolean": "StatisticsAxis"}[f.kind]
			if d.enums[f.kind] != nil {
				by = "StatisticsAxis"
			}
			if !f.list && by != "" && !seen[strings.ToUpper(f.name)] && rapid.Bool().Draw(t, "aggregatable") {
				seen[strings.ToUpper(f.name)], list[i].counted = true, by
			}
		}
		d.on[target] = list
	}
	return d
}

// expected are the fields of all types that a chain of definitions adds to a contract, Type.field with its type, worked out from what was made up.
func expected(contract *ast.Schema, chain ...drawn) map[string]string {
	out := map[string]string{}
	for _, d := range chain {
		for _, target := range targets {
			for _, ending := range []string{"", "Input", "Filter", "Order"} {
				if contract.Types[target+"Extension"+ending] != nil { // not everything can be filtered and ordered
					d.expect(out, target+"Extension", ending, d.on[target])
				}
			}
			for _, f := range d.on[target] {
				if f.counted != "" {
					out[f.counted+".EXTENSION_"+strings.ToUpper(f.name)] = ""
				}
			}
		}
	}
	return out
}

// expect tells whether there is anything with this ending.
func (d drawn) expect(out map[string]string, name, ending string, fields []made) (found bool) {
	for _, f := range fields {
		inside, object := d.types[f.kind]
		there, of := false, f.kind
		switch {
		case object:
			of += ending
			there = (!f.list || ending == "" || ending == "Input") && d.expect(out, f.kind, ending, inside)
		case ending == "" || ending == "Input":
			there = true
			for _, v := range d.enums[f.kind] {
				out[f.kind+"."+v] = ""
			}
		case ending == "Filter" && f.filtered:
			there, of = true, f.kind+"Filter"
			if d.enums[f.kind] != nil {
				out[of+".eq"], out[of+".ne"], out[of+".in"], out[of+".isNull"] = f.kind, f.kind, "["+f.kind+"!]", "Boolean"
			}
		case ending == "Order" && f.sorted:
			there, of = true, "OrderDirection"
		}
		if there {
			if f.list {
				of = "[" + of + "!]"
			}
			out[name+ending+"."+f.name], found = of, true
		}
	}
	return found
}

// strange says what a schema has that is neither of the contract nor expected, and what it lacks.
func strange(contract, s *ast.Schema, want map[string]string) (out []string) {
	got := map[string]string{}
	for name, def := range s.Types {
		if contract.Types[name] == def || name == "FloatFilter" || name == "BooleanFilter" {
			continue
		}
		was := contract.Types[name]
		axes := was != nil && was.Kind == ast.Enum && name == "StatisticsAxis" && len(def.EnumValues) >= len(was.EnumValues)
		if axes { // has more values than it had
			for i, v := range was.EnumValues {
				if def.EnumValues[i] != v {
					out = append(out, name+"."+v.Name+" is missing")
				}
			}
			added := *def
			added.EnumValues = def.EnumValues[len(was.EnumValues):]
			def = &added
		}
		if was != nil && was.Kind != ast.Scalar && !axes {
			out = append(out, name+" is not that of the standard house")
		}
		for _, f := range def.Fields {
			got[name+"."+f.Name] = f.Type.String()
		}
		for _, v := range def.EnumValues {
			got[name+"."+v.Name] = ""
		}
	}
	for name := range contract.Types {
		if s.Types[name] == nil {
			out = append(out, name+" is missing")
		}
	}
	for name, kind := range want {
		if has, ok := got[name]; !ok || has != kind {
			out = append(out, fmt.Sprintf("%s is %q, not %q", name, has, kind))
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			out = append(out, name+" comes from nowhere")
		}
	}
	return out
}

// tree is a Land with some districts or none, and cities below them or below the Land; each has a definition, but for some districts.
type tree struct {
	cities []drawn
	owners [][]drawn         // of each city, from the Land down
	chains []extension.Chain // of each city
}

func grow(t *rapid.T, standard *ast.Schema, slug string) tree {
	parse := func(d drawn, above ...*extension.Definition) *extension.Definition {
		out, problems := extension.Read(d.sdl(), d.owner, standard, above...)
		if out == nil {
			t.Fatalf("%v:\n%s", told(problems), d.sdl())
		}
		if problems := out.Follow(nil); len(problems) > 0 {
			t.Fatal(told(problems))
		}
		return out
	}
	owners := []drawn{draw(t, extension.Owner{ID: uuid.New(), Kind: "LAND", Slug: slug})}
	above := extension.Chain{parse(owners[0])}
	g := tree{}
	for i := range rapid.IntRange(1, 3).Draw(t, "cities") {
		if rapid.Bool().Draw(t, "in a district") {
			district := draw(t, extension.Owner{ID: uuid.New(), Kind: "DISTRICT", Slug: fmt.Sprintf("%s-kreis-%d", slug, i)})
			owners, above = []drawn{owners[0], district}, extension.Chain{above[0], parse(district, above[0])}
		}
		city := draw(t, extension.Owner{ID: uuid.New(), Kind: "AUTHORITY", Slug: fmt.Sprintf("%s-stadt-%d", slug, i)})
		g.cities = append(g.cities, city)
		g.owners = append(g.owners, append(slices.Clone(owners), city))
		g.chains = append(g.chains, append(slices.Clone(above), parse(city, above...)))
	}
	return g
}

func TestTheSchemaOfATenantIsTheStandardHouseWithWhatItInheritsAndOwns(t *testing.T) {
	t.Parallel()
	standard := contract(t)
	rapid.Check(t, func(t *rapid.T) {
		g := grow(t, standard, "xx")
		for i, chain := range g.chains {
			s := chain.Overlay(standard)
			if faults := strange(standard, s, expected(standard, g.owners[i]...)); len(faults) > 0 {
				t.Fatalf("%v of %v", faults, g.owners[i])
			}
		}
		s := g.chains[0].Overlay(standard)
		again, err := gqlparser.LoadSchema(&ast.Source{Name: "again", Input: text(s)})
		if err != nil {
			t.Fatal(err)
		}
		if text(again) != text(s) {
			t.Fatal("another text comes back")
		}
	})
}

func TestASchemaWithSomethingOfASiblingIsFound(t *testing.T) {
	t.Parallel()
	standard := contract(t)
	land, own := read(t, ofSH, sh, standard), read(t, ofKiel, kiel, standard)
	other := drawn{on: map[string][]made{"Case": {{name: "flurstueck", kind: "Int", filtered: true, sorted: true}}}}
	right := expected(standard, other)
	bavarian := read(t, ofBavaria, bavaria, standard)
	if faults := strange(standard, extension.Chain{bavarian}.Overlay(standard), right); len(faults) > 0 {
		t.Errorf("nothing was to be found, and not %v", faults)
	}
	counting := drawn{on: map[string][]made{"Case": {{name: "bauart", kind: "Int", counted: "StatisticsSum"}}}}
	summed := extension.Chain{read(t, counting.sdl(), bavaria, standard)}
	if faults := strange(standard, summed.Overlay(standard), expected(standard, counting)); len(faults) > 0 {
		t.Errorf("nothing was to be found, and not %v", faults)
	}
	counting.on["Case"][0].counted = ""
	if len(strange(standard, summed.Overlay(standard), expected(standard, counting))) == 0 {
		t.Error("a figure of nobody's is not noticed")
	}
	for name, wrong := range map[string]extension.Chain{"the Land": {land}, "a city": {bavarian, own}, "nothing": {}} {
		if len(strange(standard, wrong.Overlay(standard), right)) == 0 {
			t.Errorf("the fields of %s are not noticed", name)
		}
	}
	broken := extension.Chain{bavarian}.Overlay(standard)
	broken.Types["Case"] = &ast.Definition{Kind: ast.Object, Name: "Case"}
	if len(strange(standard, broken, right)) == 0 {
		t.Error("a changed type of the standard house is not noticed")
	}
}

func TestAQueryForTheFieldsOfOneIsRefusedByTheOther(t *testing.T) {
	t.Parallel()
	standard := contract(t)
	rapid.Check(t, func(t *rapid.T) {
		one, two := grow(t, standard, "xx"), grow(t, standard, "yy")
		here, there := one.chains[0].Overlay(standard), two.chains[0].Overlay(standard)
		for _, f := range one.cities[0].on["Case"] {
			selection := f.name
			if inside := one.cities[0].types[f.kind]; inside != nil {
				selection += " { __typename }"
			}
			query := "{ cases(first: 1) { nodes { extension { " + selection + " } } } }"
			if err := valid(here, query); err != nil {
				t.Fatalf("%s: %v", query, err)
			}
			for _, s := range []*ast.Schema{there, standard} {
				if err := valid(s, query); err == nil {
					t.Fatalf("%s is valid elsewhere", query)
				}
			}
		}
	})
}

// fill makes up a value of a field, as a client hands it in, and what is kept of it, by names.
func (d drawn) fill(t *rapid.T, f made) (given, kept any) {
	one := func() (any, any) {
		switch f.kind {
		case "String":
			s := rapid.StringN(0, 250, 250).Filter(func(s string) bool { return !strings.ContainsRune(s, 0) }).Draw(t, "text")
			return s, s
		case "Int":
			n := rapid.Int32().Draw(t, "whole number")
			return rapid.SampledFrom([]any{int64(n), json.Number(strconv.Itoa(int(n))), float64(n)}).Draw(t, "as"), float64(n)
		case "Float":
			n := rapid.Float64Range(-1e300, 1e300).Draw(t, "number") + 0 // not -0, which is kept as 0
			return n, n
		case "Boolean":
			b := rapid.Bool().Draw(t, "statement")
			return b, b
		case "Date":
			return "2026-02-28", "2026-02-28"
		case "DateTime":
			return "2026-02-28T13:00:00.5+01:00", "2026-02-28T12:00:00.5Z"
		}
		if values := d.enums[f.kind]; values != nil {
			v := rapid.SampledFrom(values).Draw(t, "value")
			return v, v
		}
		g, k := map[string]any{}, map[string]any{}
		for _, inside := range d.types[f.kind] {
			if rapid.Bool().Draw(t, "there") {
				g[inside.name], k[inside.name] = d.fill(t, inside)
			}
		}
		return g, k
	}
	if !f.list {
		return one()
	}
	g, k := []any{}, []any{}
	for range rapid.IntRange(0, 3).Draw(t, "entries") {
		a, b := one()
		g, k = append(g, a), append(k, b)
	}
	return g, k
}

// byName reads what is kept of one type of a definition, by the names of its fields.
func byName(t *extension.Type, values map[string]any) map[string]any {
	out := map[string]any{}
	for _, f := range t.Fields {
		v, ok := values[strconv.Itoa(f.Number)]
		if !ok {
			continue
		}
		switch list, isList := v.([]any); {
		case f.Object() && isList:
			for i := range list {
				list[i] = byName(f.Of, list[i].(map[string]any))
			}
		case f.Object():
			v = byName(f.Of, v.(map[string]any))
		}
		out[f.Name] = v
	}
	return out
}

func decoded(t interface{ Fatal(...any) }, text []byte) map[string]any {
	var out map[string]any
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestValuesComeBackAsTheyWereHandedIn(t *testing.T) {
	t.Parallel()
	standard := contract(t)
	rapid.Check(t, func(t *rapid.T) {
		g := grow(t, standard, "xx")
		chain := g.chains[0]
		for _, target := range targets {
			given, want := map[string]any{}, map[uuid.UUID]map[string]any{}
			for _, d := range g.owners[0] {
				for _, f := range d.on[target] {
					if rapid.Bool().Draw(t, "there") {
						if want[d.owner.ID] == nil {
							want[d.owner.ID] = map[string]any{}
						}
						given[f.name], want[d.owner.ID][f.name] = d.fill(t, f)
					}
				}
			}
			records, problems := chain.Apply(target, nil, given)
			if len(problems) > 0 || len(records) != len(want) {
				t.Fatalf("%d records and %v", len(records), told(problems))
			}
			stored := map[uuid.UUID]json.RawMessage{}
			for _, r := range records {
				stored[r.Owner] = r.Values
				d := chain[slices.IndexFunc(chain, func(d *extension.Definition) bool { return d.Owner.ID == r.Owner })]
				if fault := changed(d.Targets[target], r.Values, want[r.Owner]); fault != "" {
					t.Fatal(fault)
				}
			}
			if again, problems := chain.Apply(target, stored, given); len(again)+len(problems) > 0 {
				t.Fatalf("the same once more changes %v", again)
			}
		}
	})
}

// changed tells how what is kept of one type differs from what was handed in, by the names of its fields; empty where it is the same.
func changed(t *extension.Type, kept json.RawMessage, want map[string]any) string {
	var values map[string]any
	if err := json.Unmarshal(kept, &values); err != nil {
		return err.Error()
	}
	a, _ := json.Marshal(byName(t, values))
	if b, _ := json.Marshal(want); string(a) != string(b) {
		return fmt.Sprintf("%s, not %s", a, b)
	}
	return ""
}

func TestAValueThatIsAnothersOrLostIsFound(t *testing.T) {
	t.Parallel()
	standard := contract(t)
	d := read(t, `extend type Case { "A." a: Int "B." b: [Int!] }`, bavaria, standard)
	of := d.Targets["Case"]
	one, two := strconv.Itoa(of.Field("a").Number), strconv.Itoa(of.Field("b").Number)
	want := map[string]any{"a": 1, "b": []int{2, 3}}
	for kept, same := range map[string]bool{
		`{"` + one + `": 1, "` + two + `": [2, 3]}`: true, `{"` + one + `": 1, "` + two + `": [3, 2]}`: false, `{"` + one + `": 1}`: false,
		`{"` + one + `": 1, "` + two + `": 2}`: false, `{"` + two + `": 1, "` + one + `": [2, 3]}`: false,
	} {
		if fault := changed(of, json.RawMessage(kept), want); (fault == "") != same {
			t.Errorf("%s: %q", kept, fault)
		}
	}
}

// next makes up the following version: fields go, come, change their type or their name.
func (d drawn) next(t *rapid.T, version int) drawn {
	out := d
	out.on = map[string][]made{}
	for _, target := range targets {
		var list []made
		for i, f := range d.on[target] {
			f.former, f.counted = "", ""
			if _, object := d.types[f.kind]; object {
				list = append(list, f)
				continue
			}
			switch rapid.IntRange(0, 4).Draw(t, "change") {
			case 0:
				continue
			case 1:
				f.former, f.name = f.name, fmt.Sprintf("%sneuerName%dv%d", d.owner.Space(), i, version)
			case 2:
				if d.enums[f.kind] == nil {
					f.kind = rapid.SampledFrom(scalars).Draw(t, "kind")
				}
			}
			list = append(list, f)
		}
		out.on[target] = append(list, made{name: fmt.Sprintf("%sneu%d", d.owner.Space(), version), kind: "Int"})
	}
	used := map[string]bool{}
	for _, fields := range out.on {
		for _, f := range fields {
			used[f.kind] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(d.enums)) { // one that nothing leads to any more is kept in use
		if !used[name] {
			out.on["Case"] = append(out.on["Case"], made{name: fmt.Sprintf("%sstatt%sv%d", d.owner.Space(), strings.ReplaceAll(name, "_", ""), version), kind: name})
		}
	}
	return out
}

// confused tells whether versions keep values of things that are not the same under one number, or forget the number of what is the same.
func confused(versions []drawn, numbers []extension.Numbers) string {
	meaning := map[int]string{} // of each number: where the thing came up
	type sense struct{ thing, kind string }
	before := map[string]sense{} // by name
	for i, v := range versions {
		now := map[string]sense{}
		for _, f := range v.on["Case"] {
			s := sense{fmt.Sprint(f.name, " of version ", i), fmt.Sprint(f.kind, f.list)}
			was, ok := before[f.name]
			if f.former != "" {
				was, ok = before[f.former]
			}
			if ok && (was.kind == s.kind || f.kind == "Float" && was.kind == fmt.Sprint("Int", f.list)) {
				s.thing = was.thing
			}
			n := numbers[i].Of["Case."+f.name]
			if meaning[n] != "" && meaning[n] != s.thing {
				return fmt.Sprintf("number %d is %s and %s", n, meaning[n], s.thing)
			}
			for other, m := range meaning {
				if m == s.thing && other != n {
					return fmt.Sprintf("%s has lost its number %d", s.thing, other)
				}
			}
			meaning[n], now[f.name] = s.thing, s
		}
		before = now
	}
	return ""
}

func TestANumberStaysWithItsFieldAndIsNeverGivenAgain(t *testing.T) {
	t.Parallel()
	standard := contract(t)
	rapid.Check(t, func(t *rapid.T) {
		d := draw(t, extension.Owner{ID: uuid.New(), Kind: "LAND", Slug: "xx"})
		var before *extension.Definition
		var versions []drawn
		var numbers []extension.Numbers
		for i := range 4 {
			if i > 0 {
				d = d.next(t, i)
			}
			parse := func() *extension.Definition {
				out, problems := extension.Read(d.sdl(), d.owner, standard)
				if out == nil {
					t.Fatalf("%v:\n%s", told(problems), d.sdl())
				}
				return out
			}
			now, kept := parse(), parse()
			if problems := now.Follow(before); len(problems) > 0 {
				t.Fatalf("%v:\n%s", told(problems), d.sdl())
			}
			if err := kept.Numbered(now.Numbers()); err != nil || kept.Hash() != now.Hash() {
				t.Fatalf("what was kept does not come back: %v", err)
			}
			before, versions, numbers = now, append(versions, d), append(numbers, now.Numbers())
		}
		if fault := confused(versions, numbers); fault != "" {
			t.Fatal(fault)
		}
	})
}

func TestNumbersThatAreGivenAgainAreFound(t *testing.T) {
	t.Parallel()
	of := func(fields ...made) drawn { return drawn{on: map[string][]made{"Case": fields}} }
	numbers := func(of map[string]int) extension.Numbers { return extension.Numbers{Next: 9, Of: of} }
	a, b, c := made{name: "a", kind: "Int"}, made{name: "b", kind: "Int"}, made{name: "c", kind: "Int", former: "a"}
	for name, scene := range map[string]struct {
		versions []drawn
		numbers  []extension.Numbers
		good     bool
	}{
		"one goes, and its number is another's": {[]drawn{of(a), of(b)}, []extension.Numbers{numbers(map[string]int{"Case.a": 1}), numbers(map[string]int{"Case.b": 1})}, false},
		"a new name loses the values":           {[]drawn{of(a), of(c)}, []extension.Numbers{numbers(map[string]int{"Case.a": 1}), numbers(map[string]int{"Case.c": 2})}, false},
		"a new name keeps them":                 {[]drawn{of(a), of(c)}, []extension.Numbers{numbers(map[string]int{"Case.a": 1}), numbers(map[string]int{"Case.c": 1})}, true},
		"what has come back is new": {[]drawn{of(a), of(b), of(a, b)}, []extension.Numbers{
			numbers(map[string]int{"Case.a": 1}), numbers(map[string]int{"Case.b": 2}), numbers(map[string]int{"Case.a": 1, "Case.b": 2})}, false},
	} {
		if fault := confused(scene.versions, scene.numbers); (fault == "") != scene.good {
			t.Errorf("%s: %q", name, fault)
		}
	}
}
