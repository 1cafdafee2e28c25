// SPDX-License-Identifier: EUPL-1.2

package extension

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/ozg-cloud/platform/internal/problem"
)

// Read reads what an owner wants to add to the standard house, beside what the owners above it have added. All that is wrong is told at once,
// up to a hundred problems, each with the way to it: the type, the field, the directive. Nothing that is wrong comes back as a definition.
//
// The definition has no numbers yet, see Follow and Numbered.
func Read(sdl string, o Owner, standard *ast.Schema, above ...*Definition) (*Definition, []*problem.Problem) {
	if p := guard(sdl); p != nil {
		return nil, []*problem.Problem{p}
	}
	doc, err := parser.ParseSchemaWithLimit(&ast.Source{Name: "sdl", Input: sdl}, mostTokens)
	if err != nil {
		return nil, []*problem.Problem{unreadable(err)}
	}
	r := reader{d: &Definition{Owner: o, SDL: sdl, Targets: map[string]*Type{}}, standard: standard, own: map[string]*Type{}, objects: map[string]bool{}}
	for _, a := range above {
		r.above = append(r.above, a.Types...)
	}
	r.document(doc)
	if len(r.problems) > 0 {
		return nil, r.problems
	}
	r.d.indexed()
	return r.d, nil
}

const mostProblems = 100

type reader struct {
	d        *Definition
	standard *ast.Schema
	above    []*Type
	own      map[string]*Type
	objects  map[string]bool // which of them are no enums
	problems []*problem.Problem
}

func (r *reader) say(rule string, path ...string) {
	if len(r.problems) < mostProblems {
		way := slices.Clone(path)
		for i, name := range way { // in which all are letters, digits and underscores: it is a word of the language
			way[i] = name[:min(len(name), mostName)]
		}
		r.problems = append(r.problems, problem.New(problem.Invalid, rule, way...))
	}
}

func (r *reader) document(doc *ast.SchemaDocument) {
	if len(doc.Schema)+len(doc.SchemaExtension)+len(doc.Directives) > 0 {
		r.say("notExtensible")
	}
	if len(doc.Extensions) == 0 {
		r.say("required")
	}
	if len(doc.Definitions) > mostTypes || len(doc.Extensions) > len(Targets) {
		r.say("tooMany")
		return
	}
	fields := 0
	for _, def := range slices.Concat(doc.Definitions, doc.Extensions) {
		fields += len(def.Fields)
	}
	if fields > mostFields {
		r.say("tooMany")
		return
	}
	for _, def := range doc.Definitions { // names first, since types may name each other in any order
		r.declare(def)
	}
	for _, def := range doc.Definitions {
		if t := r.own[def.Name]; t != nil {
			r.fill(t, def)
		}
	}
	for _, def := range doc.Extensions {
		switch {
		case !slices.Contains(Targets, def.Name):
			r.say("unknownTarget", def.Name)
		case r.d.Targets[def.Name] != nil:
			r.say("nameTaken", def.Name)
		case def.Kind != ast.Object || len(def.Interfaces) > 0 || len(def.Directives) > 0:
			r.say("notExtensible", def.Name)
		default:
			t := &Type{Name: def.Name}
			r.d.Targets[def.Name] = t
			r.fill(t, def)
		}
	}
	if len(r.problems) == 0 {
		r.depths()
	}
}

// declare takes down the name of an own type.
func (r *reader) declare(def *ast.Definition) {
	rest, inSpace := strings.CutPrefix(def.Name, r.d.Owner.Space())
	switch {
	case def.Kind != ast.Object && def.Kind != ast.Enum, len(def.Interfaces) > 0, len(def.Directives) > 0:
		r.say("notExtensible", def.Name)
	case !inSpace:
		r.say("foreignName", def.Name)
	case !typeName.MatchString(rest) || len(def.Name) > mostName:
		r.say("badName", def.Name)
	case reserved(rest) || slices.Contains(scalars, rest):
		r.say("reservedName", def.Name)
	case r.own[def.Name] != nil || r.taken(def.Name):
		r.say("nameTaken", def.Name)
	case def.Kind == ast.Enum && len(def.EnumValues) == 0, def.Kind == ast.Object && len(def.Fields) == 0:
		r.say("required", def.Name)
	default:
		t := &Type{Name: def.Name, Description: def.Description}
		r.own[def.Name], r.objects[def.Name] = t, def.Kind == ast.Object
		r.d.Types = append(r.d.Types, t)
		r.described(def.Description, def.Name)
	}
}

// taken tells whether a type, or one that is made of it, is somebody else's.
func (r *reader) taken(name string) bool {
	for _, made := range []string{"", "Input", "Filter", "Order"} {
		if r.standard.Types[name+made] != nil {
			return true
		}
	}
	return slices.ContainsFunc(r.above, func(t *Type) bool { return t.Name == name })
}

func (r *reader) described(text string, path ...string) {
	switch {
	case strings.TrimSpace(text) == "":
		r.say("undescribed", path...)
	case utf8.RuneCountInString(text) > mostWords:
		r.say("maxLength", path...)
	case strings.ContainsFunc(text, unstorable):
		r.say("notText", path...)
	}
}

// unstorable are control characters but tabs and line ends.
func unstorable(c rune) bool {
	return c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0x7f || c == utf8.RuneError
}

func (r *reader) fill(t *Type, def *ast.Definition) {
	if len(def.EnumValues) > mostValues {
		r.say("tooMany", def.Name)
		return
	}
	for _, v := range def.EnumValues {
		switch {
		case len(v.Name) > 63 || !valueName.MatchString(v.Name):
			r.say("badName", def.Name, v.Name)
			continue
		case t.Value(v.Name):
			r.say("nameTaken", def.Name, v.Name)
			continue
		}
		r.described(v.Description, def.Name, v.Name)
		value := Value{Name: v.Name, Description: v.Description}
		for _, d := range v.Directives {
			if r.directive(d, ast.LocationEnumValue, def.Name, v.Name) {
				value.Deprecated = reason(d)
			}
		}
		t.Values = append(t.Values, value)
	}
	for _, f := range def.Fields {
		if made := r.field(t, def, f); made != nil {
			t.Fields = append(t.Fields, made)
		}
	}
	former := map[string]bool{}
	for _, f := range t.Fields {
		if f.Former != "" && (former[f.Former] || t.Field(f.Former) != nil) {
			r.say("nameTaken", def.Name, f.Name, "renamedFrom")
		}
		former[f.Former] = true
	}
}

// field reads one; nil where it is not good enough to go on with.
func (r *reader) field(t *Type, def *ast.Definition, f *ast.FieldDefinition) *Field {
	path := []string{def.Name, f.Name}
	rest := f.Name
	if slices.Contains(Targets, def.Name) { // fields of own types stand in a space of their own
		own, inSpace := strings.CutPrefix(f.Name, r.d.Owner.Space())
		if !inSpace {
			r.say("foreignName", path...)
			return nil
		}
		rest = own
	}
	switch {
	case !fieldName.MatchString(rest) || len(f.Name) > mostName:
		r.say("badName", path...)
		return nil
	case t.Field(f.Name) != nil:
		r.say("nameTaken", path...)
		return nil
	case len(f.Arguments) > 0:
		r.say("notExtensible", path...)
		return nil
	case f.Type.NonNull:
		r.say("nonNull", path...)
		return nil
	case f.Type.Elem != nil && (f.Type.Elem.Elem != nil || !f.Type.Elem.NonNull):
		r.say("listShape", path...)
		return nil
	}
	out := &Field{Name: f.Name, Description: f.Description, List: f.Type.Elem != nil, Class: "INTERNAL"}
	r.described(f.Description, path...)
	switch name := f.Type.Name(); {
	case slices.Contains(scalars, name):
		out.Scalar = name
	case r.own[name] != nil:
		out.Of = r.own[name]
	default:
		r.say("unknownType", path...)
		return nil
	}
	isObject := false
	if out.Of != nil { // whose values may not have been read yet
		isObject = r.objects[out.Of.Name]
	}
	if out.Scalar == "String" {
		out.MaxLength = usualText
	}
	if out.List {
		out.MaxItems = usualItems
	}
	single := !out.List && !isObject
	for i, d := range f.Directives {
		way := append(path[:len(path):len(path)], d.Name)
		if !r.directive(d, ast.LocationFieldDefinition, path...) {
			continue
		}
		if f.Directives.ForName(d.Name) != f.Directives[i] { // once is enough
			r.say("misplacedDirective", way...)
			continue
		}
		fits := true
		switch d.Name {
		case "deprecated":
			out.Deprecated = reason(d)
		case "required":
			out.Required = true
		case "filterable":
			out.Filterable, fits = true, single
		case "sortable":
			out.Sortable, fits = true, single
		case "aggregatable":
			out.Aggregatable, fits = true, single && out.Scalar != "String" && out.Scalar != "DateTime" && out.Scalar != "Date"
		case "dataClass":
			out.Class = d.Arguments.ForName("class").Value.Raw
			if c := r.standard.Types["DataClass"]; c != nil && c.EnumValues.ForName(out.Class) == nil {
				r.say("unknownValue", way...)
			}
		case "length":
			fits = out.Scalar == "String"
			out.MinLength, out.MaxLength = r.bounds(d, mostText, usualText, way)
		case "items":
			fits = out.List
			out.MinItems, out.MaxItems = r.bounds(d, mostItems, usualItems, way)
		case "range":
			fits = out.Scalar == "Int" || out.Scalar == "Float"
			out.Min, out.Max = r.number(d, "min", way), r.number(d, "max", way)
			if out.Min != nil && out.Max != nil && *out.Min > *out.Max {
				r.say("range", way...)
			}
		case "pattern":
			fits = out.Scalar == "String"
			out.Pattern = r.pattern(d, way)
		case "from":
			out.From = r.from(d, way)
		case "shared":
			fits = slices.Contains(Targets, def.Name) && def.Name != "Service" && def.Name != "ServiceOffering"
			out.Shared = r.shared(d, way)
		case "renamedFrom":
			out.Former = d.Arguments.ForName("name").Value.Raw
			if !fieldName.MatchString(strings.TrimPrefix(out.Former, r.d.Owner.Space())) {
				r.say("badName", way...)
			}
		}
		if !fits {
			r.say("misplacedDirective", way...)
		}
	}
	if (out.Filterable || out.Sortable) && out.Scalar == "String" {
		if f.Directives.ForName("length") == nil {
			out.MaxLength = mostIndexed
		} else if out.MaxLength > mostIndexed {
			r.say("range", def.Name, f.Name, "length")
		}
	}
	return out
}

// directive tells whether a directive is one of the language, stands where it may, once, and has the arguments that it needs.
func (r *reader) directive(d *ast.Directive, at ast.DirectiveLocation, path ...string) bool {
	way := append(path[:len(path):len(path)], d.Name)
	known := directives[d.Name]
	if known == nil {
		r.say("unknownDirective", way...)
		return false
	}
	if !slices.Contains(known.Locations, at) {
		r.say("misplacedDirective", way...)
		return false
	}
	given := map[string]bool{}
	for _, a := range d.Arguments {
		arg := known.Arguments.ForName(a.Name)
		if arg == nil || given[a.Name] || !fitting(arg.Type, a.Value) {
			r.say("misplacedDirective", append(way, a.Name)...)
			return false
		}
		given[a.Name] = true
	}
	for _, a := range known.Arguments {
		if a.Type.NonNull && !given[a.Name] {
			r.say("required", append(way, a.Name)...)
			return false
		}
	}
	return true
}

// fitting tells whether a literal can be an argument of a type of the language.
func fitting(t *ast.Type, v *ast.Value) bool {
	switch t.Name() {
	case "Int":
		return v.Kind == ast.IntValue
	case "Float":
		return v.Kind == ast.IntValue || v.Kind == ast.FloatValue
	case "DataClass":
		return v.Kind == ast.EnumValue
	}
	if t.Elem != nil {
		return v.Kind == ast.ListValue && !slices.ContainsFunc(v.Children, func(c *ast.ChildValue) bool { return !fitting(t.Elem, c.Value) })
	}
	return v.Kind == ast.StringValue || v.Kind == ast.BlockValue
}

func reason(d *ast.Directive) *string {
	text := "No longer supported"
	if a := d.Arguments.ForName("reason"); a != nil {
		text = a.Value.Raw
	}
	return &text
}

// bounds reads min and max of what is counted.
func (r *reader) bounds(d *ast.Directive, most, usual int, way []string) (low, high int) {
	high = usual
	of := func(name string, into *int) {
		a := d.Arguments.ForName(name)
		if a == nil {
			return
		}
		n, err := strconv.Atoi(a.Value.Raw)
		if err != nil || n < 0 || n > most {
			r.say("range", append(way, name)...)
			return
		}
		*into = n
	}
	of("min", &low)
	of("max", &high)
	if low > high {
		r.say("range", way...)
	}
	return low, high
}

func (r *reader) number(d *ast.Directive, name string, way []string) *float64 {
	a := d.Arguments.ForName(name)
	if a == nil {
		return nil
	}
	n, err := strconv.ParseFloat(a.Value.Raw, 64)
	if err != nil || math.IsInf(n, 0) {
		r.say("range", append(way, name)...)
		return nil
	}
	return &n
}

func (r *reader) pattern(d *ast.Directive, way []string) *regexp.Regexp {
	text := d.Arguments.ForName("regexp").Value.Raw
	if utf8.RuneCountInString(text) > 200 {
		r.say("maxLength", append(way, "regexp")...)
		return nil
	}
	re, err := regexp.Compile(`^(?:` + text + `)$`)
	if _, alone := regexp.Compile(text); err != nil || alone != nil {
		r.say("malformed", append(way, "regexp")...)
		return nil
	}
	return re
}

func (r *reader) shared(d *ast.Directive, way []string) []string {
	var out []string
	for _, c := range d.Arguments.ForName("with").Value.Children {
		if !slug.MatchString(c.Value.Raw) {
			r.say("badName", append(way, "with")...)
			return nil
		}
		out = append(out, c.Value.Raw)
	}
	switch {
	case len(out) == 0:
		r.say("required", append(way, "with")...)
	case len(out) > mostShared:
		r.say("tooMany", append(way, "with")...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (r *reader) from(d *ast.Directive, way []string) []string {
	var out []string
	for _, c := range d.Arguments.ForName("path").Value.Children {
		if name := c.Value.Raw; name == "" || utf8.RuneCountInString(name) > 200 || strings.ContainsFunc(name, unstorable) {
			r.say("badName", append(way, "path")...)
			return nil
		}
		out = append(out, c.Value.Raw)
	}
	if len(out) == 0 {
		r.say("required", append(way, "path")...)
	}
	if len(out) > 16 {
		r.say("tooDeep", append(way, "path")...)
	}
	return out
}

// depths refuses objects that contain themselves, that lie too deep, or that nothing leads to.
func (r *reader) depths() {
	reached, places := map[*Type]bool{}, 0
	var below func(t *Type, on []*Type, path []string)
	below = func(t *Type, on []*Type, path []string) {
		switch {
		case slices.Contains(on, t):
			r.say("typeCycle", path...)
			return
		case len(on) >= mostDepth && !t.Enum():
			r.say("tooDeep", path...)
			return
		}
		reached[t] = true
		if places += len(t.Fields); places > mostPlaces {
			if places < 2*mostPlaces { // told once: nothing is looked at any more
				r.say("tooMany", path...)
				places = 2 * mostPlaces
			}
			return
		}
		for _, f := range t.Fields {
			if f.Of != nil && len(r.problems) < mostProblems {
				below(f.Of, append(on[:len(on):len(on)], t), append(path[:len(path):len(path)], f.Name))
			}
		}
	}
	for _, name := range Targets {
		if t := r.d.Targets[name]; t != nil {
			below(t, nil, []string{name})
		}
	}
	if len(r.problems) > 0 {
		return
	}
	for _, t := range r.d.Types {
		if !reached[t] {
			r.say("unused", t.Name)
		}
	}
	r.misplaced()
}

// misplaced refuses an index on what lies inside a list of objects: conditions on several fields would hold for different entries. And it refuses
// personal data in the catalogue and the directory: they are read by everybody for whom the fields hold, and belong to no case whose log would tell.
func (r *reader) misplaced() {
	for _, name := range Targets {
		public := name == "Service" || name == "ServiceOffering"
		counted := map[string]bool{}
		t := r.d.Targets[name]
		if t == nil {
			continue
		}
		var below func(t *Type, inList bool, path []string)
		below = func(t *Type, inList bool, path []string) {
			for _, f := range t.Fields {
				way := append(path[:len(path):len(path)], f.Name)
				if public && (f.Class == "PERSONAL" || f.Class == "SENSITIVE") {
					r.say("misplacedDirective", append(way, "dataClass")...)
				}
				if f.Aggregatable {
					// Figures are of cases, and exact: by what a person is they would tell of that person.
					if name != "Case" || f.Class == "PERSONAL" || f.Class == "SENSITIVE" {
						r.say("misplacedDirective", append(way, "aggregatable")...)
					}
					if axis := axisName(way[1:]); counted[axis] {
						r.say("nameTaken", append(way, "aggregatable")...)
					} else {
						counted[axis] = true
					}
				}
				switch {
				case f.Object():
					below(f.Of, inList || f.List, way)
				case inList && (f.Filterable || f.Sortable || f.Aggregatable):
					r.say("misplacedDirective", way...)
				}
			}
		}
		place := func(kind int) bool { return r.standard.Types[name+"Extension"+endingOf[kind]] != nil }
		for _, f := range t.Fields { // what no list of the contract has a place for; inside objects, which may stand elsewhere as well, it is left alone
			if f.Filterable && !place(filter) {
				r.say("misplacedDirective", name, f.Name, "filterable")
			}
			if f.Sortable && !place(order) {
				r.say("misplacedDirective", name, f.Name, "sortable")
			}
		}
		below(t, false, []string{name})
	}
}
