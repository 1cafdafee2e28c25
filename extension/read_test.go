// SPDX-License-Identifier: EUPL-1.2

package extension_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ozg-cloud/platform/extension"
	"github.com/ozg-cloud/platform/internal/problem"
)

// field is a definition with one field of Case; what stands before it is of the same text.
func field(rest string, before ...string) string {
	return strings.Join(before, "\n") + ` extend type Case { "A." ` + rest + ` }`
}

// told are problems as rule and path.
func told(problems []*problem.Problem) []string {
	out := make([]string, len(problems))
	for i, p := range problems {
		out[i] = p.Rule + " " + strings.Join(p.Path, ".")
	}
	return out
}

// nested are types that lie in each other, so many levels below Case.
func nested(levels int) string {
	var b strings.Builder
	for i := range levels {
		inside := "String"
		if i < levels-1 {
			inside = fmt.Sprintf("T%d", i+1)
		}
		fmt.Fprintf(&b, `"T." type T%d { "A." a: %s } `, i, inside)
	}
	return b.String() + `extend type Case { "A." a: T0 }`
}

// values is an enum of so many.
func values(n int) string {
	var b strings.Builder
	b.WriteString(`"E." enum E {`)
	for i := range n {
		fmt.Fprintf(&b, ` "V." V%d`, i)
	}
	return b.String() + ` } extend type Case { "A." a: E }`
}

// fields are so many of Case.
func fields(n int) string {
	var b strings.Builder
	b.WriteString(`extend type Case {`)
	for i := range n {
		fmt.Fprintf(&b, ` "A." a%d: String`, i)
	}
	return b.String() + ` }`
}

// wide are objects in objects, each with so many fields of the next: few types, and places without end.
func wide(n int) string {
	var b strings.Builder
	for i, inside := range []string{"T1", "T2", "String"} {
		fmt.Fprintf(&b, `"T." type T%d {`, i)
		for j := range n {
			fmt.Fprintf(&b, ` "A." a%d: %s`, j, inside)
		}
		b.WriteString(" } ")
	}
	return b.String() + `extend type Case { "A." a: T0 }`
}

func TestWhatIsNotGoodIsRefusedWithTheWayToIt(t *testing.T) {
	t.Parallel()
	standard := contract(t)
	const enum, thing = `"E." enum E { "V." V }`, `"T." type T { "N." n: String @filterable }`
	for name, c := range map[string]struct {
		sdl  string
		want string // rule and path; the first problem that is told
	}{
		"nothing":                           {"", "required "},
		"no SDL":                            {"{ cases { nodes { id } } }", "malformed line.1"},
		"an open text":                      {`extend type Case { "`, "malformed line.1"},
		"SQL in a name":                     {`extend type Case { "A." a'; drop table cases; --: String }`, "malformed line.1"},
		"a NUL":                             {"extend type Case { \x00 }", "notText "},
		"no UTF-8":                          {"extend type Case { \xff }", "notText "},
		"too long a text":                   {field("a: String") + strings.Repeat("#\n", 40_000), "tooLarge "},
		"too many words":                    {strings.Repeat("a ", 21_000), "tooMany "},
		"brackets without end":              {strings.Repeat("[", 60_000), "tooDeep line.1"},
		"a type of lists without end":       {field("a: " + strings.Repeat("[", 30_000)), "tooDeep line.1"},
		"a directive of its own":            {`directive @x on FIELD extend type Case { "A." a: String }`, "notExtensible "},
		"another schema":                    {`schema { query: Case } extend type Case { "A." a: String }`, "notExtensible "},
		"an extended root":                  {`extend type Query { "A." a: String }`, "unknownTarget Query"},
		"an extended type of nobody":        {`extend type Nobody { "A." a: String }`, "unknownTarget Nobody"},
		"an extended enum of the house":     {`extend enum CaseState { "X." X }`, "unknownTarget CaseState"},
		"a target twice":                    {field("a: String") + field("b: String"), "nameTaken Case"},
		"an interface of the house":         {`extend type Case implements Node { "A." a: String }`, "notExtensible Case"},
		"an interface of its own":           {`"I." interface I { "A." a: String } extend type Case { "A." a: String }`, "notExtensible I"},
		"a union":                           {`"U." union U = Case extend type Case { "A." a: String }`, "notExtensible U"},
		"a scalar":                          {`"S." scalar S extend type Case { "A." a: String }`, "notExtensible S"},
		"an input":                          {`"I." input I { "A." a: String } extend type Case { "A." a: String }`, "notExtensible I"},
		"a type of the house again":         {field("a: Applicant", `"A." type Applicant { "A." a: String }`), "nameTaken Applicant"},
		"a type of GraphQL again":           {field("a: ID", `"A." enum ID { "A." A }`), "nameTaken ID"},
		"a scalar again":                    {field("a: Date", `"A." enum Date { "A." A }`), "reservedName Date"},
		"a type that shadows a filter":      {field("a: Tenant", `"A." type Tenant { "A." a: String }`), "nameTaken Tenant"},
		"a type named like what is made":    {field("a: CaseExtension", `"A." type CaseExtension { "A." a: String }`), "reservedName CaseExtension"},
		"a type named like a filter":        {field("a: XFilter", `"A." type XFilter { "A." a: String }`), "reservedName XFilter"},
		"a type twice":                      {field("a: E", enum, enum), "nameTaken E"},
		"a type in the wrong case":          {field("a: e", `"E." enum e { "V." V }`), "badName e"},
		"a name of introspection":           {field("__a: String"), "badName Case.__a"},
		"a type of introspection":           {field("a: __T", `"T." type __T { "A." a: String }`), "badName __T"},
		"an underscore in a Land's name":    {field("kiel_a: String"), "badName Case.kiel_a"},
		"a capital":                         {field("A: String"), "badName Case.A"},
		"a long name":                       {field(strings.Repeat("a", 64) + ": String"), "badName Case." + strings.Repeat("a", 64)},
		"a very long name, of which less":   {field(strings.Repeat("a", 9000) + ": String"), "badName Case." + strings.Repeat("a", 100)},
		"a name twice":                      {`extend type Case { "A." a: String "A." a: Int }`, "nameTaken Case.a"},
		"a value twice":                     {field("a: E", `"E." enum E { "V." V "V." V }`), "nameTaken E.V"},
		"a small value":                     {field("a: E", `"E." enum E { "V." v }`), "badName E.v"},
		"an argument":                       {field(`a("X." x: Int): String`), "notExtensible Case.a"},
		"an exclamation mark":               {field("a: String!"), "nonNull Case.a"},
		"a list of lists":                   {field("a: [[String!]!]"), "listShape Case.a"},
		"a list that may hold null":         {field("a: [String]"), "listShape Case.a"},
		"a type that is not there":          {field("a: Nothing"), "unknownType Case.a"},
		"a type of the house":               {field("a: Case"), "unknownType Case.a"},
		"an id":                             {field("a: ID"), "unknownType Case.a"},
		"no description":                    {`extend type Case { a: String }`, "undescribed Case.a"},
		"a value without a description":     {field("a: E", `"E." enum E { V }`), "undescribed E.V"},
		"a long description":                {`extend type Case { "` + strings.Repeat("a", 1001) + `" a: String }`, "maxLength Case.a"},
		"a bell in a description":           {`extend type Case { "\u0007" a: String }`, "notText Case.a"},
		"a directive of nobody":             {field("a: String @nothing"), "unknownDirective Case.a.nothing"},
		"a directive of the house":          {field(`a: String @policy(object: "case", action: "read")`), "unknownDirective Case.a.policy"},
		"a directive at the wrong place":    {field("a: E", `"E." enum E { "V." V @required }`), "misplacedDirective E.V.required"},
		"a directive twice":                 {field("a: String @required @required"), "misplacedDirective Case.a.required"},
		"an argument of nobody":             {field("a: String @length(most: 3)"), "misplacedDirective Case.a.length.most"},
		"an argument of another type":       {field(`a: String @length(max: "3")`), "misplacedDirective Case.a.length.max"},
		"an argument that is missing":       {field("a: String @pattern"), "required Case.a.pattern.regexp"},
		"a filter by a list":                {field("a: [String!] @filterable"), "misplacedDirective Case.a.filterable"},
		"a filter by an object":             {field("a: T @filterable", thing), "misplacedDirective Case.a.filterable"},
		"a filter inside a list":            {field("a: [T!]", thing), "misplacedDirective Case.a.n"},
		"an order by an object":             {field("a: T @sortable", thing), "misplacedDirective Case.a.sortable"},
		"a filter of a list that has none":  {`extend type Applicant { "x" a: Int @filterable }`, "misplacedDirective Applicant.a.filterable"},
		"an order of a list that has none":  {`extend type ServiceOffering { "x" a: Int @filterable @sortable }`, "misplacedDirective ServiceOffering.a.sortable"},
		"a group of people":                 {field("a: Boolean @aggregatable @dataClass(class: PERSONAL)"), "misplacedDirective Case.a.aggregatable"},
		"a group of what is no case":        {`extend type Message { "x" a: Boolean @aggregatable }`, "misplacedDirective Message.a.aggregatable"},
		"two groups of one name":            {field("aB: Boolean @aggregatable \"x\" ab: Boolean @aggregatable"), "nameTaken Case.ab.aggregatable"},
		"a sum of texts":                    {field("a: String @aggregatable"), "misplacedDirective Case.a.aggregatable"},
		"a class of nobody":                 {field("a: String @dataClass(class: SECRET)"), "unknownValue Case.a.dataClass"},
		"a length of a number":              {field("a: Int @length(max: 3)"), "misplacedDirective Case.a.length"},
		"a negative length":                 {field("a: String @length(min: -1)"), "range Case.a.length.min"},
		"a length that is none":             {field("a: String @length(min: 4, max: 3)"), "range Case.a.length"},
		"an endless length":                 {field("a: String @length(max: 99999999999999999999)"), "range Case.a.length.max"},
		"a long text to be filtered by":     {field("a: String @filterable @length(max: 251)"), "range Case.a.length"},
		"a range of a text":                 {field("a: String @range(min: 1)"), "misplacedDirective Case.a.range"},
		"a range that is none":              {field("a: Int @range(min: 2, max: 1)"), "range Case.a.range"},
		"a range without end":               {field("a: Float @range(max: 1e999)"), "range Case.a.range.max"},
		"a pattern that is none":            {field(`a: String @pattern(regexp: "(")`), "malformed Case.a.pattern.regexp"},
		"a pattern that breaks its frame":   {field(`a: String @pattern(regexp: "a)|(b")`), "malformed Case.a.pattern.regexp"},
		"a pattern that is too long":        {field(`a: String @pattern(regexp: "` + strings.Repeat("a", 201) + `")`), "maxLength Case.a.pattern.regexp"},
		"a pattern that grows":              {field(`a: String @pattern(regexp: "((a{100}){100}){100}")`), "malformed Case.a.pattern.regexp"},
		"entries of a single value":         {field("a: String @items(max: 3)"), "misplacedDirective Case.a.items"},
		"too many entries":                  {field("a: [String!] @items(max: 1001)"), "range Case.a.items.max"},
		"a path that leads nowhere":         {field("a: String @from(path: [])"), "required Case.a.from.path"},
		"a path with an empty step":         {field(`a: String @from(path: [""])`), "badName Case.a.from.path"},
		"a path that is too long":           {field(`a: String @from(path: [` + strings.Repeat(`"a",`, 17) + `])`), "tooDeep Case.a.from.path"},
		"a former name that is none":        {field(`a: String @renamedFrom(name: "x y")`), "badName Case.a.renamedFrom"},
		"a former name that is still there": {`extend type Case { "A." a: String @renamedFrom(name: "b") "B." b: String }`, "nameTaken Case.a.renamedFrom"},
		"a type that contains itself":       {field("a: T", `"T." type T { "A." t: T }`), "typeCycle Case.a.t"},
		"a type that contains itself twice": {field("a: T", `"T." type T { "A." u: [U!] } "U." type U { "A." t: T }`), "typeCycle Case.a.u.t"},
		"objects that lie too deep":         {nested(4), "tooDeep Case.a.a.a.a"},
		"a type to which nothing leads":     {field("a: String", enum), "unused E"},
		"too many fields":                   {fields(201), "tooMany "},
		"too many values":                   {values(501), "tooMany E"},
		"few types with places without end": {wide(40), "tooMany Case.a.a0.a22"},
		"an object without fields":          {field("a: T", `"T." type T`), "required T"},
		"a type with a directive":           {field("a: E", `"E." enum E @required { "V." V }`), "notExtensible E"},
		"an extension with a directive":     {`extend type Case @required { "A." a: String }`, "notExtensible Case"},
		"an extended type of its own":       {field("a: E", enum) + ` extend enum E { "W." W }`, "unknownTarget E"},
	} {
		d, problems := extension.Read(c.sdl, sh, standard)
		if got := told(problems); d != nil || len(got) == 0 || got[0] != c.want {
			t.Errorf("%s: %.120q, not %q", name, got, c.want)
		}
	}
	for name, sdl := range map[string]string{"the deepest": nested(3), "the most fields": fields(200), "the most values": values(500)} {
		if _, problems := extension.Read(sdl, sh, standard); len(problems) > 0 {
			t.Errorf("%s: %v", name, told(problems))
		}
	}
}

func TestAllThatIsWrongIsToldAtOnce(t *testing.T) {
	t.Parallel()
	_, problems := extension.Read(`"E." enum E { "V." v } extend type Case { "A." a: Nothing "B." b: String! "C." c: E @nothing }`, sh, contract(t))
	if want := []string{"badName E.v", "unknownType Case.a", "nonNull Case.b", "unknownDirective Case.c.nothing"}; !slices.Equal(told(problems), want) {
		t.Errorf("%v, not %v", told(problems), want)
	}
	var many strings.Builder
	for i := range 199 {
		fmt.Fprintf(&many, ` "A." a%d: Nothing`, i)
	}
	if _, problems := extension.Read(`extend type Case {`+many.String()+`}`, sh, contract(t)); len(problems) != 100 {
		t.Errorf("%d problems are told", len(problems))
	}
}

func TestNamesOfOneOwnerCannotBeThoseOfAnother(t *testing.T) {
	t.Parallel()
	standard := contract(t)
	ofDistrict := extension.Owner{Kind: "DISTRICT", Slug: "ost"}
	ofTown := extension.Owner{Kind: "AUTHORITY", Slug: "ost-stadt"}
	for name, c := range map[string]struct {
		owner extension.Owner
		sdl   string
		want  string
	}{
		"the city without its space":      {kiel, field("a: String"), "foreignName Case.a"},
		"the city in that of another":     {kiel, field("stadt_luebeck_a: String"), "foreignName Case.stadt_luebeck_a"},
		"the city with nothing behind it": {kiel, field("stadt_kiel_: String"), "badName Case.stadt_kiel_"},
		"a type without the space":        {kiel, field("stadt_kiel_a: E", `"E." enum E { "V." V }`), "foreignName E"},
		"the district in the town's":      {ofDistrict, field("ost_stadt_a: String"), "badName Case.ost_stadt_a"},
		"the town in the district's":      {ofTown, field("ost_a: String"), "foreignName Case.ost_a"},
		"a type of the Land from below":   {kiel, field("stadt_kiel_a: Bauart"), "unknownType Case.stadt_kiel_a"},
	} {
		if _, problems := extension.Read(c.sdl, c.owner, standard, read(t, ofSH, sh, standard)); len(problems) == 0 || told(problems)[0] != c.want {
			t.Errorf("%s: %v, not %s", name, told(problems), c.want)
		}
	}
}

func FuzzADefinitionIsReadOrRefusedButNeverRepeated(f *testing.F) {
	standard := contract(f)
	for _, sdl := range []string{ofSH, ofBavaria, nested(3), wide(9), `extend type Case { "A." a: String @length(min: 1) }`, `"""`, "\xef\xbb\xbf", `#`} {
		f.Add(sdl)
	}
	f.Fuzz(func(t *testing.T, sdl string) {
		d, problems := extension.Read(sdl, sh, standard)
		if (d == nil) != (len(problems) > 0) {
			t.Fatal("neither good nor bad")
		}
		for _, p := range problems {
			for _, word := range p.Path {
				if len(word) > 100 || strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != "" {
					t.Fatalf("%s repeats what was sent: %q", p.Rule, word)
				}
			}
		}
		if d != nil {
			if problems := d.Follow(nil); len(problems) == 0 {
				again := extension.Chain{d}.Overlay(standard)
				if again.Types["CaseExtension"] == nil {
					t.Fatal("the contract has lost a type")
				}
			}
		}
	})
}
