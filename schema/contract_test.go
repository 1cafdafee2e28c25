// SPDX-License-Identifier: EUPL-1.2

package schema_test

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"

	"github.com/ozg-cloud/platform/schema"
)

var update = flag.Bool("update", false, "print testdata/contract.graphql afresh")

// terms are the words of the trade that the description of a type says once, in parentheses (docs/glossary.md).
var terms = map[string]string{
	"Tenant": "Mandant", "OrganisationalUnit": "Organisationseinheit", "Service": "Verwaltungsleistung", "Submission": "Eingang", "Case": "Vorgang",
	"Applicant": "Antragsteller:in", "Message": "Postfach-Nachricht", "Attachment": "Anlage", "Decision": "Bescheid", "Announcement": "Bekanntgabe",
	"FollowUp": "Wiedervorlage", "Comment": "Kommentar", "Assignment": "Zuweisung", "HistoryEvent": "Historie", "Connector": "Anschluss",
	"Extension": "Balkon", "Forwarding": "Weiterleitung", "Collaboration": "Zuarbeit", "Deadline": "Frist", "RetentionPolicy": "Löschfrist",
}

// told are fields that tell about a person, whatever type they are in, and how much.
var told = map[string]string{
	"postalAddress": "PERSONAL", "mailboxAddress": "PERSONAL", "formData": "PERSONAL",
	"stringValue": "PERSONAL", "numberValue": "PERSONAL", "dateValue": "PERSONAL", "booleanValue": "PERSONAL",
	"body": "INTERNAL", "note": "INTERNAL", "reason": "INTERNAL", // at least
	"Applicant.name": "PERSONAL", "ApplicantInput.name": "PERSONAL", "Attachment.name": "PERSONAL", "Decision.reason": "PERSONAL", "DecideCaseInput.reason": "PERSONAL",
	"Message.body": "PERSONAL", "Message.subject": "PERSONAL",
}

var (
	ofType  = regexp.MustCompile(`^[A-Z][A-Za-z0-9]*$`)
	ofField = regexp.MustCompile(`^[a-z][A-Za-z0-9]*$`)
	ofValue = regexp.MustCompile(`^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$`)
)

// byHand is the contract as it is written, for faults to be put into.
func byHand() string {
	var b strings.Builder
	for _, source := range schema.Sources() {
		b.WriteString(source.Input + "\n")
	}
	return b.String()
}

// lint collects what does not keep to the conventions of the contract.
type lint struct {
	s     *ast.Schema
	found []string
}

func faults(s *ast.Schema) []string {
	l := &lint{s: s}
	for _, def := range s.Types {
		if def.BuiltIn {
			continue
		}
		l.definition(def)
		switch {
		case strings.HasSuffix(def.Name, "Connection"):
			l.connection(def)
		case strings.HasSuffix(def.Name, "Input") && def.Kind == ast.InputObject, def == s.Query, def == s.Mutation:
		case strings.HasSuffix(def.Name, "Payload"):
			if l.verb(strings.TrimSuffix(def.Name, "Payload")) == nil {
				l.say("%s belongs to no verb", def.Name)
			}
		}
	}
	for _, d := range s.Directives {
		if slices.Contains(builtIn, d.Name) {
			continue
		}
		l.described("@"+d.Name, d.Description)
		l.named(ofField, "@"+d.Name, d.Name)
		l.arguments("@"+d.Name, d.Arguments)
	}
	for _, f := range s.Mutation.Fields {
		l.trio(f)
	}
	l.unused()
	slices.Sort(l.found)
	return l.found
}

var builtIn = []string{"skip", "include", "deprecated", "specifiedBy", "defer", "oneOf"}

func (l *lint) say(format string, args ...any) {
	l.found = append(l.found, fmt.Sprintf(format, args...))
}

func (l *lint) described(what, text string) {
	switch {
	case text == "":
		l.say("%s is not described", what)
	case !strings.HasSuffix(text, "."):
		l.say("the description of %s is no sentence", what)
	}
}

// prescribed are names that are not ours: Apollo Federation has them.
var prescribed = []string{"_Any", "_Entity", "_Service", "_entities", "_service"}

func (l *lint) named(convention *regexp.Regexp, what, name string) {
	if !slices.Contains(prescribed, name) && !convention.MatchString(name) {
		l.say("%s is not named by convention", what)
	}
}

func (l *lint) arguments(of string, all ast.ArgumentDefinitionList) {
	for _, a := range all {
		what := of + "(" + a.Name + ")"
		l.described(what, a.Description)
		l.named(ofField, what, a.Name)
	}
}

func (l *lint) definition(def *ast.Definition) {
	l.described(def.Name, def.Description)
	l.named(ofType, def.Name, def.Name)
	if term := terms[def.Name]; term != "" && strings.Count(def.Description, "("+term+")") != 1 {
		l.say("%s does not say once that it is (%s)", def.Name, term)
	}
	for _, v := range def.EnumValues {
		l.described(def.Name+"."+v.Name, v.Description)
		l.named(ofValue, def.Name+"."+v.Name, v.Name)
	}
	for _, f := range def.Fields {
		if strings.HasPrefix(f.Name, "__") {
			continue
		}
		what := def.Name + "." + f.Name
		l.described(what, f.Description)
		l.named(ofField, what, f.Name)
		l.arguments(what, f.Arguments)
		l.classified(def, f)
		if def.Kind == ast.InputObject {
			continue
		}
		if strings.HasSuffix(f.Type.Name(), "Connection") {
			l.page(what, f)
		} else if f.Type.Elem != nil && !paged(def, f) && f.Directives.ForName("listSize") == nil {
			l.say("%s is a list of any length: @listSize is missing", what)
		}
	}
}

// paged tells whether a list is bounded by the arguments of the field that led to its connection.
func paged(def *ast.Definition, f *ast.FieldDefinition) bool {
	return strings.HasSuffix(def.Name, "Connection") && (f.Name == "edges" || f.Name == "nodes")
}

// classified looks for the class of fields that tell about a person. Filters ask about data and hold none.
func (l *lint) classified(def *ast.Definition, f *ast.FieldDefinition) {
	want := told[def.Name+"."+f.Name]
	if want == "" {
		want = told[f.Name]
	}
	if def.Kind == ast.InputObject && def.Fields.ForName("body") != nil && def.Fields.ForName("subject") != nil && (f.Name == "body" || f.Name == "subject") {
		want = "PERSONAL" // what becomes a message
	}
	if want == "" || l.s.Types[f.Type.Name()].Kind == ast.Enum || strings.HasSuffix(f.Type.Name(), "Filter") {
		return
	}
	order := []string{"PUBLIC", "INTERNAL", "PERSONAL", "SENSITIVE"}
	if got := argument(f.Directives.ForName("dataClass"), "class"); slices.Index(order, got) < slices.Index(order, want) {
		l.say("%s.%s tells about a person: @dataClass(class: %s) is missing", def.Name, f.Name, want)
	}
}

func argument(d *ast.Directive, name string) string {
	if d == nil || d.Arguments.ForName(name) == nil {
		return ""
	}
	return d.Arguments.ForName(name).Value.String()
}

// ofLog tells whether a connection is a page of the log of events: it never ends, so that it is read forward only, from a position, and not
// counted.
func (l *lint) ofLog(connection string) bool {
	edge := l.s.Types[strings.TrimSuffix(connection, "Connection")+"Edge"]
	return edge != nil && edge.Fields.ForName("cursor") != nil && edge.Fields.ForName("cursor").Type.String() == "EventCursor!"
}

// page checks a field that leads to a connection.
func (l *lint) page(what string, f *ast.FieldDefinition) {
	if l.ofLog(f.Type.Name()) {
		if a := f.Arguments.ForName("after"); a == nil || a.Type.String() != "EventCursor" || argument(f.Directives.ForName("listSize"), "slicingArguments") != `["first"]` {
			l.say("%s does not read the log forward from a position: after: EventCursor", what)
		}
		return
	}
	for name, typ := range map[string]string{"first": "Int", "last": "Int", "after": "Cursor", "before": "Cursor"} {
		if a := f.Arguments.ForName(name); a == nil || a.Type.String() != typ || a.DefaultValue != nil {
			l.say("%s is a connection without the argument %s: %s", what, name, typ)
		}
	}
	if !f.Type.NonNull {
		l.say("%s is a connection that may be null", what)
	}
	d := f.Directives.ForName("listSize")
	if argument(d, "slicingArguments") != `["first","last"]` || argument(d, "sizedFields") != `["nodes","edges"]` {
		l.say("%s is a connection whose length nobody bounds: @listSize is missing or other", what)
	}
}

func (l *lint) connection(def *ast.Definition) {
	of := strings.TrimSuffix(def.Name, "Connection")
	if l.ofLog(def.Name) {
		l.fields(def, map[string]string{"edges": "[" + of + "Edge!]!", "nodes": "[" + of + "!]!", "pageInfo": "PageInfo!", "next": "EventCursor!"})
		return
	}
	l.fields(def, map[string]string{"edges": "[" + of + "Edge!]!", "nodes": "[" + of + "!]!", "pageInfo": "PageInfo!", "totalCount": "Int!"})
	if edge := l.s.Types[of+"Edge"]; edge == nil {
		l.say("%s has no edge", def.Name)
	} else {
		l.fields(edge, map[string]string{"cursor": "Cursor!", "node": of + "!"})
	}
}

func (l *lint) fields(def *ast.Definition, want map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if f := def.Fields.ForName(name); f == nil || f.Type.String() != want[name] {
			l.say("%s has no %s: %s", def.Name, name, want[name])
		}
	}
}

// verb finds the mutation that a name of a payload belongs to.
func (l *lint) verb(of string) *ast.FieldDefinition {
	return l.s.Mutation.Fields.ForName(strings.ToLower(of[:1]) + of[1:])
}

// trio checks a verb: its input, its payload and its problems.
func (l *lint) trio(f *ast.FieldDefinition) {
	name := strings.ToUpper(f.Name[:1]) + f.Name[1:]
	if len(f.Arguments) != 1 || f.Arguments[0].Name != "input" || f.Arguments[0].Type.String() != name+"Input!" {
		l.say("%s does not take exactly one input: %sInput!", f.Name, name)
	}
	if f.Type.String() != name+"Payload!" {
		l.say("%s does not return %sPayload!", f.Name, name)
		return
	}
	problems := l.s.Types[name+"Problem"]
	if problems == nil || problems.Kind != ast.Union {
		l.say("%s has no union %sProblem", f.Name, name)
	} else {
		for _, t := range problems.Types {
			if !slices.Contains(l.s.Types[t].Interfaces, "Problem") {
				l.say("%s is among the problems of %s and is no Problem", t, f.Name)
			}
		}
	}
	payload := l.s.Types[name+"Payload"]
	l.fields(payload, map[string]string{"problems": "[" + name + "Problem!]!"})
	for _, p := range payload.Fields {
		if p.Name != "problems" && p.Type.NonNull {
			l.say("%s.%s is there even when nothing came of the verb", payload.Name, p.Name)
		}
	}
}

// unused finds definitions that nothing leads to.
func (l *lint) unused() {
	seen := map[string]bool{}
	var visit func(name string)
	directives := func(all ast.DirectiveList) {
		for _, d := range all {
			seen["@"+d.Name] = true
		}
	}
	arguments := func(all ast.ArgumentDefinitionList) {
		for _, a := range all {
			visit(a.Type.Name())
			directives(a.Directives)
		}
	}
	visit = func(name string) {
		def := l.s.Types[name]
		if def == nil || seen[name] {
			return
		}
		seen[name] = true
		directives(def.Directives)
		for _, f := range def.Fields {
			visit(f.Type.Name())
			arguments(f.Arguments)
			directives(f.Directives)
		}
		for _, v := range def.EnumValues {
			directives(v.Directives)
		}
		for _, i := range def.Interfaces {
			visit(i)
		}
		for _, t := range l.s.PossibleTypes[name] {
			visit(t.Name)
		}
	}
	visit(l.s.Query.Name)
	visit(l.s.Mutation.Name)
	if l.s.Subscription != nil {
		visit(l.s.Subscription.Name)
	}
	for name, d := range l.s.Directives {
		if seen["@"+name] || executable(d) {
			arguments(d.Arguments)
		} else if !slices.Contains(builtIn, name) {
			l.say("nobody uses @%s", name)
		}
	}
	for name, def := range l.s.Types {
		if !seen[name] && !def.BuiltIn {
			l.say("nothing leads to %s", name)
		}
	}
}

// executable tells whether clients write a directive into their documents.
func executable(d *ast.DirectiveDefinition) bool {
	return slices.ContainsFunc(d.Locations, func(l ast.DirectiveLocation) bool { return slices.Contains(inDocuments, l) })
}

var inDocuments = []ast.DirectiveLocation{
	ast.LocationQuery, ast.LocationMutation, ast.LocationSubscription, ast.LocationField, ast.LocationFragmentDefinition,
	ast.LocationFragmentSpread, ast.LocationInlineFragment,
}

func load(t *testing.T) *ast.Schema {
	t.Helper()
	s, err := schema.Load()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTheContractKeepsToItsConventions(t *testing.T) {
	for _, f := range faults(load(t)) {
		t.Error(f)
	}
}

func TestTheLintOfTheContractFindsWhatItShould(t *testing.T) {
	for want, seed := range map[string][2]string{
		"CaseOrder is not described":                                                               {`"An order of cases: by exactly one of field and extension."`, ``},
		"Case.number is not described":                                                             {`"Number of the case, unique in its tenant."`, ``},
		"Query.tenant(slug) is not described":                                                      {`tenant("Its slug." slug: String!)`, `tenant(slug: String!)`},
		"CaseState.NEW is not described":                                                           {`"Neu: received, nobody has looked at it."`, ``},
		"AcceptCaseInput.caseId is not described":                                                  {"input AcceptCaseInput {\n  \"The case.\"", "input AcceptCaseInput {"},
		"@cost(weight) is not described":                                                           {`"Added for every time the field is answered." weight`, `weight`},
		"@dataClass is not described":                                                              {`"How much a field tells about a person; drives masking, redaction and exports."`, ``},
		"the description of Case.number is no sentence":                                            {`"Number of the case, unique in its tenant."`, `"Number"`},
		"Case does not say once that it is (Vorgang)":                                              {`"A case (Vorgang): an application`, `"A case: an application`},
		"case_like is not named by convention":                                                     {`type Viewer {`, `type case_like { "X." x: Int } type Viewer {`},
		"Viewer.Subject is not named by convention":                                                {"type Viewer {", "type Viewer { \"X.\" Subject: String!"},
		"ReplyPolicy.maybe is not named by convention":                                             {"enum ReplyPolicy {", "enum ReplyPolicy { \"X.\" maybe"},
		"Viewer.ids is a list of any length: @listSize is missing":                                 {"type Viewer {", "type Viewer { \"X.\" ids: [ID!]!"},
		"Applicant.name tells about a person: @dataClass(class: PERSONAL) is missing":              {"  \"Name.\"\n  name: String! @dataClass(class: PERSONAL)", "  \"Name.\"\n  name: String!"},
		"Comment.body tells about a person: @dataClass(class: INTERNAL) is missing":                {"body: String! @dataClass(class: INTERNAL)\n  \"Subject of who wrote it.\"", "body: String! @dataClass(class: PUBLIC)\n  \"Subject of who wrote it.\""},
		"SendMessageInput.body tells about a person: @dataClass(class: PERSONAL) is missing":       {"body: String! @dataClass(class: PERSONAL)\n  \"Uploads to attach, up to 20.\"\n  uploadIds: [ID!]\n  \"Whether", "body: String!\n  \"Uploads to attach, up to 20.\"\n  uploadIds: [ID!]\n  \"Whether"},
		"CaseConnection has no totalCount: Int!":                                                   {"type CaseConnection {", "type CaseConnection { \"X.\" count: Int! } type Old {"},
		"CaseEdge has no node: Case!":                                                              {"type CaseEdge {", "type CaseEdge { \"X.\" it: Case! } type Old {"},
		"Case.messages is a connection that may be null":                                           {`"In which order; ties are broken by id." orderBy: [MessageOrder!]` + "\n  ): MessageConnection!", `"In which order; ties are broken by id." orderBy: [MessageOrder!]` + "\n  ): MessageConnection"},
		"Case.decisions is a connection without the argument before: Cursor":                       {`"Only what comes before this cursor." before: Cursor` + "\n  ): DecisionConnection!", `): DecisionConnection!`},
		"Case.decisions is a connection whose length nobody bounds: @listSize is missing or other": {`): DecisionConnection! @listSize(slicingArguments: ["first", "last"], sizedFields: ["nodes", "edges"])`, `): DecisionConnection!`},
		"CaseEventConnection has no next: EventCursor!":                                            {"type CaseEventConnection {", "type CaseEventConnection { \"X.\" further: EventCursor! } type Old {"},
		"Query.caseEvents does not read the log forward from a position: after: EventCursor":       {`after: EventCursor` + "\n    \"How many, 0 to 100.\"", `after: Cursor` + "\n    \"How many, 0 to 100.\""},
		"closeCase does not take exactly one input: CloseCaseInput!":                               {`closeCase("What to do." input: CloseCaseInput!)`, `closeCase("What to do." in: CloseCaseInput!)`},
		"closeCase does not return CloseCasePayload!":                                              {`: CloseCasePayload!`, `: CloseCasePayload`},
		"closeCase has no union CloseCaseProblem":                                                  {`CloseCaseProblem`, `CloseProblem`},
		"PageInfo is among the problems of closeCase and is no Problem":                            {`union CloseCaseProblem = `, `union CloseCaseProblem = PageInfo | `},
		"CloseCasePayload has no problems: [CloseCaseProblem!]!":                                   {`problems: [CloseCaseProblem!]!`, `problems: [CloseCaseProblem!]`},
		"CloseCasePayload.case is there even when nothing came of the verb":                        {"type CloseCasePayload {\n  \"The case after the change.\"\n  case: Case", "type CloseCasePayload {\n  \"X.\"\n  case: Case!"},
		"OldPayload belongs to no verb":                                                            {"", "\"X.\" type OldPayload { \"X.\" x: Int } "},
		"nothing leads to Old":                                                                     {"", "\"X.\" scalar Old "},
		"nobody uses @old":                                                                         {"", "\"X.\" directive @old on OBJECT "},
	} {
		t.Run(want, func(t *testing.T) {
			text := byHand()
			if !strings.Contains(text, seed[0]) {
				t.Fatalf("there is no %q any more", seed[0])
			}
			if want == "closeCase has no union CloseCaseProblem" {
				text = strings.ReplaceAll(text, seed[0], seed[1])
			} else {
				text = strings.Replace(text, seed[0], seed[1], 1)
			}
			s, err := gqlparser.LoadSchema(&ast.Source{Name: "seeded", Input: text})
			if err != nil {
				t.Fatal(err)
			}
			if found := faults(s); !slices.Contains(found, want) {
				t.Errorf("found %q", found)
			}
		})
	}
}

// printed is the contract as one text, whatever files it is kept in: what a client could notice, and nothing else.
func printed(s *ast.Schema) string {
	var b bytes.Buffer
	formatter.NewFormatter(&b, formatter.WithIndent("  ")).FormatSchema(s)
	return b.String()
}

// golden is what was promised.
const golden = "testdata/contract.graphql"

// changes says how a contract differs from another one, in sentences.
func changes(before, after *ast.Schema) (out []string) {
	was, is := signatures(before), signatures(after)
	for what, sentence := range was {
		switch now, still := is[what]; {
		case !still:
			out = append(out, what+" was removed, and clients may ask for it")
		case now != sentence:
			out = append(out, what+" was "+sentence+" and is "+now+" now")
		}
	}
	for what := range is {
		if _, known := was[what]; !known {
			out = append(out, what+" is new")
		}
	}
	slices.Sort(out)
	return out
}

// signatures has each thing of a contract with what a client relies on.
func signatures(s *ast.Schema) map[string]string {
	out := map[string]string{}
	for name, def := range s.Types {
		if def.BuiltIn {
			continue
		}
		members := slices.Clone(def.Types)
		slices.Sort(members)
		out[name] = strings.Join(append([]string{strings.ToLower(string(def.Kind))}, append(slices.Clone(def.Interfaces), members...)...), " ")
		for _, v := range def.EnumValues {
			out[name+"."+v.Name] = "a value"
		}
		for _, f := range def.Fields {
			if strings.HasPrefix(f.Name, "__") {
				continue
			}
			out[name+"."+f.Name] = defaulted(f.Type, f.DefaultValue)
			for _, a := range f.Arguments {
				out[name+"."+f.Name+"("+a.Name+")"] = defaulted(a.Type, a.DefaultValue)
			}
		}
	}
	return out
}

func defaulted(t *ast.Type, v *ast.Value) string {
	if v == nil {
		return t.String()
	}
	return t.String() + " = " + v.String()
}

func TestNothingOfTheContractIsChangedByAccident(t *testing.T) {
	now := load(t)
	text := "# SPDX-License-Identifier: EUPL-1.2\n# Printed by: go test ./schema -update\n\n" + printed(now)
	if *update {
		if err := os.WriteFile(golden, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	promised, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	before, err := gqlparser.LoadSchema(&ast.Source{Name: golden, Input: string(promised)})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range changes(before, now) {
		t.Error(c)
	}
	if string(promised) != text {
		t.Errorf("%s is not as printed. Where the change is a decision: go test ./schema -update", golden)
	}
}

func TestAChangeOfTheContractIsTold(t *testing.T) {
	before := load(t)
	for want, seed := range map[string][2]string{
		"Case.number was removed, and clients may ask for it":                             {`"Number of the case, unique in its tenant."` + "\n  number: String!\n", ""},
		"Case.number was String! and is String now":                                       {"  number: String!\n  \"File reference", "  number: String\n  \"File reference"},
		"Query.tenant(slug) was String! and is ID! now":                                   {`tenant("Its slug." slug: String!)`, `tenant("Its slug." slug: ID!)`},
		"CaseState.NEW was removed, and clients may ask for it":                           {"  \"Neu: received, nobody has looked at it.\"\n  NEW\n", ""},
		"CaseOrder.direction was OrderDirection! = ASC and is OrderDirection! = DESC now": {"direction: OrderDirection! = ASC", "direction: OrderDirection! = DESC"},
		"Comment was object Node and is object now":                                       {"type Comment implements Node", "type Comment"},
		"Viewer.name is new":        {"type Viewer {", "type Viewer { \"X.\" name: String"},
		"CloseCaseInput.why is new": {"input CloseCaseInput {", "input CloseCaseInput { \"X.\" why: String!"},
	} {
		t.Run(want, func(t *testing.T) {
			if !strings.Contains(byHand(), seed[0]) {
				t.Fatalf("there is no %q any more", seed[0])
			}
			after, err := gqlparser.LoadSchema(&ast.Source{Name: "seeded", Input: strings.Replace(byHand(), seed[0], seed[1], 1)})
			if err != nil {
				t.Fatal(err)
			}
			if found := changes(before, after); !slices.Contains(found, want) {
				t.Errorf("found %q", found)
			}
		})
	}
	if c := changes(before, before); len(c) > 0 {
		t.Errorf("an unchanged contract is accused: %q", c)
	}
}
