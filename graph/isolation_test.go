// SPDX-License-Identifier: EUPL-1.2

package graph_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent/catalog"
	"github.com/ozg-cloud/platform/internal/housetest"
	"github.com/ozg-cloud/platform/schema"
)

// given are the values of the arguments that a root field needs, by name.
var given = map[string]string{
	"Query.case(id)": "$id", "Query.node(id)": "$id", "Query.nodes(ids)": "[$id]", "Query.explainAccess(id)": "$id",
	"Query.caseStatistics(scope)": `"sh"`, "Query.caseStatistics(product)": "PROTECTED", "Query.caseStatistics(measures)": "[APPLICATIONS]",
	"Query.caseStatistics(from)": `"2020-01"`, "Query.caseStatistics(to)": `"2020-01"`,
	"Query.explainAccess(subject)": `"user:dev:kiel-caseworker"`, "Query.explainAccess(action)": `"read"`,
	"Query._entities(representations)": `[{__typename: "$type", id: $id, leikaKey: "99108001001000"}]`,
	"Query.service(leikaKey)":          `"99108001001000"`, "Query.tenant(slug)": `"kiel"`,
	"Query.responsibleOffering(serviceKey)": `"99108001001000"`, "Query.responsibleOffering(regionalKey)": `"010020000000"`,
}

// passing are the fields whose value passes with time or with what somebody does beside, and so are positions in the log, of which no two
// look alike.
var passing = []string{"Viewer.tokenExpiresAt", "Viewer.rightsVersion", "CaseStatistics.asOf", "StatisticsContribution.asOf"}

const position = "EventCursor"

// way is a document that follows one way through the contract, from a field of Query over another field to all that lies behind it.
type way struct {
	document string
	ofID     string // the type whose ids it takes as $id; empty where it takes none
	reaches  []string
}

// walker walks a contract.
type walker struct {
	contract *ast.Schema
	reached  map[string]bool
}

// ways lists all ways through a contract. A root field that needs an argument without a value is a fault.
func ways(contract *ast.Schema) (out []way, faults []string) {
	for _, f := range contract.Query.Fields {
		if strings.HasPrefix(f.Name, "__") {
			continue
		}
		args, byID := "", false
		for _, a := range f.Arguments {
			value, ok := given["Query."+f.Name+"("+a.Name+")"]
			if !ok && !a.Type.NonNull || a.Name == "first" {
				continue
			}
			if !ok {
				faults = append(faults, "nobody knows what to ask Query."+f.Name+" for as "+a.Name)
			}
			args += a.Name + ": " + value + " "
			byID = byID || strings.Contains(value, "$id")
		}
		heads := []string{f.Type.Name()}
		if def := contract.Types[f.Type.Name()]; def.IsAbstractType() {
			heads = nil
			for _, possible := range contract.GetPossibleTypes(def) {
				heads = append(heads, possible.Name)
			}
		}
		general := args
		for _, head := range heads {
			args := strings.ReplaceAll(general, "$type", head)
			steps := append((&walker{contract: contract}).steps(thing(head)), nil)
			if f.Type.Elem != nil { // of a hundred things, no more can be asked at once
				steps = nil
				out = append(out, way{"query($id: ID!) { " + f.Name + "(" + args + ") { ... on " + head + " { __typename id } } }", head, []string{head}})
			}
			for _, step := range steps {
				w := &walker{contract, map[string]bool{}}
				made := way{document: "{ " + f.Name + w.selection(f, args, head, step) + " }", reaches: slices.Sorted(maps.Keys(w.reached))}
				if byID {
					made.document, made.ofID = "query($id: ID!) "+made.document, head
				}
				out = append(out, made)
			}
		}
	}
	return out, faults
}

// thing is the type whose page a connection is.
func thing(name string) string { return strings.TrimSuffix(name, "Connection") }

// steps are the fields of a type that lead to another one, but for those that have to be told for what: behind them lies nothing that is stored in a tenant.
func (w *walker) steps(name string) (out []*ast.FieldDefinition) {
	for _, f := range w.contract.Types[name].Fields {
		needs := slices.ContainsFunc(f.Arguments, func(a *ast.ArgumentDefinition) bool { return a.Type.NonNull && a.DefaultValue == nil })
		if def := w.contract.Types[f.Type.Name()]; def.IsCompositeType() && !strings.HasPrefix(f.Name, "__") && !needs {
			out = append(out, f)
		}
	}
	return out
}

// selection is what stands behind a field of Query: the values of what is there, and those behind one step, with all that lies behind that.
func (w *walker) selection(f *ast.FieldDefinition, args, head string, step *ast.FieldDefinition) string {
	inner := w.values(thing(head))
	if step != nil {
		further := w.values(thing(step.Type.Name()))
		for _, last := range w.steps(thing(step.Type.Name())) {
			further += " " + last.Name + w.page(last, "", w.values(thing(last.Type.Name())))
		}
		inner += " " + step.Name + w.page(step, "", further)
	}
	if w.contract.Types[f.Type.Name()].IsAbstractType() {
		inner = "... on " + head + " { " + inner + " }"
	}
	return w.page(f, args, inner)
}

// page selects something behind a field, on the things of a page where it leads to one.
func (w *walker) page(f *ast.FieldDefinition, args, inner string) string {
	if f.Arguments.ForName("first") == nil {
		if args != "" {
			args = "(" + args + ")"
		}
		return args + " { " + inner + " }"
	}
	total := ""
	if w.contract.Types[f.Type.Name()].Fields.ForName("totalCount") != nil {
		total = "totalCount "
	}
	return "(" + args + "first: 2) { " + total + "pageInfo { hasNextPage endCursor } edges { cursor } nodes { " + inner + " } }"
}

// values selects what a type has that leads nowhere.
func (w *walker) values(name string) string {
	w.reached[name] = true
	out := "__typename"
	for _, f := range w.contract.Types[name].Fields {
		if def := w.contract.Types[f.Type.Name()]; def.IsLeafType() && def.Name != position && !slices.Contains(passing, name+"."+f.Name) {
			out += " " + f.Name
		}
	}
	return out
}

// filters lists documents that ask lists for what has one of some texts, a number in it, or an id, and for all others: $texts, $number
// and $id stand for them.
func filters(contract *ast.Schema) (out []string) {
	for _, f := range contract.Query.Fields {
		where := f.Arguments.ForName("where")
		if where == nil || f.Arguments.ForName("first") == nil {
			continue // figures are no list: what their conditions tell is proven in statistics
		}
		selection := " { nodes { __typename } }"
		if contract.Types[f.Type.Name()].Fields.ForName("totalCount") != nil {
			selection = " { totalCount nodes { id } }"
		}
		var walk func(input *ast.Definition, depth int, wrap func(string) string)
		walk = func(input *ast.Definition, depth int, wrap func(string) string) {
			for _, c := range input.Fields {
				condition := ""
				switch name := c.Type.Name(); {
				case name == "IDFilter":
					condition = "{eq: $id}"
				case name == "StringFilter":
					condition = "{in: $texts}"
				case name == "ID":
					condition = "$id"
				case name == "String":
					condition = "$number"
				case depth < 2 && strings.HasSuffix(name, "Filter") && name != input.Name && contract.Types[name].Fields.ForName("and") != nil:
					walk(contract.Types[name], depth+1, func(inner string) string { return wrap("{" + c.Name + ": " + inner + "}") })
				}
				if condition != "" {
					asked := wrap("{" + c.Name + ": " + condition + "}")
					head := "query($id: ID!)"
					if strings.Contains(asked, "$texts") {
						head = "query($texts: [String!]!)"
					} else if strings.Contains(asked, "$number") {
						head = "query($number: String!)"
					}
					out = append(out, head+" { "+f.Name+"(first: 2, where: "+asked+")"+selection+" }")
					if contract.Types[where.Type.Name()].Fields.ForName("not") != nil {
						out = append(out, head+" { "+f.Name+"(first: 2, where: {not: "+asked+"})"+selection+" }")
					}
				}
			}
		}
		walk(contract.Types[where.Type.Name()], 0, func(inner string) string { return inner })
	}
	return out
}

// public are the types that are for all: the directory and the catalogue.
var public = []string{"Tenant", "Service", "ServiceOffering"}

// unproved lists the stored types of a contract of which the ways prove nothing: no way leads there, or there is no row to be seen.
func unproved(contract *ast.Schema, all []way, rows map[string]string) (out []string) {
	reached := map[string]bool{}
	for _, w := range all {
		for _, name := range w.reaches {
			reached[name] = true
		}
	}
	for _, def := range contract.GetPossibleTypes(contract.Types["Node"]) {
		if !reached[def.Name] {
			out = append(out, def.Name+": no way leads there")
		}
		if rows[def.Name] == "" {
			out = append(out, def.Name+": there is none in Kiel")
		}
	}
	slices.Sort(out)
	return out
}

// town is a house in which things happen in Kiel, with people who do not belong there, one or two for each role, and one who does.
type town struct {
	*housetest.House
	strangers []person
	insider   person
}

type person struct {
	*housetest.Caller
	contract *ast.Schema
}

func newTown(t *testing.T) *town {
	t.Helper()
	h := &town{House: housetest.New(t)}
	known := contracts()
	for _, role := range policy.Roles() {
		if role == authz.Applicant {
			h.strangers = append(h.strangers, person{h.As("another-applicant"), known.For(with(role))})
			continue
		}
		tenants := []string{"luebeck"}
		if role == "TENANT_ADMIN" || role == "AUDITOR" { // who reach far
			tenants = append(tenants, "by")
		}
		for _, tenant := range tenants {
			name := "stranger-" + tenant + "-" + string(role)
			h.strangers = append(h.strangers, person{h.Give(name, role, tenant, "", "99108001001000"), known.For(with(role))})
		}
	}
	staff := []authz.Role{"CASEWORKER", "TENANT_ADMIN", "DATA_PROTECTION_OFFICER", "AUDITOR"}
	for _, role := range staff {
		h.insider.Caller = h.Give("insider", role, "kiel", "")
	}
	h.insider.contract = known.For(with(staff...))
	return h
}

// happens lets Kiel have a row of every type that is stored, new ones where there were some.
func (h *town) happens() {
	h.Helper()
	applicant, mailroom, caseworker := h.As("kiel-applicant"), h.As("kiel-mailroom"), h.As("kiel-caseworker")
	c := applicant.Submit("99108001001000", "010020000000")
	mailroom.Must("acceptCase", &c, map[string]any{"documentsComplete": true, "fileReference": "32.4-BP-2026/1"})
	caseworker.Must("assignCase", &c, map[string]any{"assignee": "user:dev:kiel-caseworker"})
	caseworker.Must("startCase", &c, nil)
	caseworker.Must("commentOnCase", &c, map[string]any{"body": "Nur für die Behörde"})
	caseworker.Must("addFollowUp", &c, map[string]any{"dueOn": "2999-12-31", "note": "Nachsehen"})
	question := caseworker.Must("askApplicant", &c, map[string]any{"subject": "Nachweis", "body": "Bitte nachreichen", "uploadIds": []any{caseworker.Upload("Muster.txt", []byte("Muster"))}})
	reply := applicant.Say("replyToMessage", map[string]any{"messageId": question.Text("askApplicant.message.id"), "subject": "Anbei", "body": "Bitte sehr"}).Works()
	c.Revision = reply.Number("replyToMessage.case.revision")
	caseworker.Must("decideCase", &c, map[string]any{"outcome": "GRANTED", "documentUploadId": caseworker.Upload("Bescheid.txt", []byte("Bescheid"))})
	h.Give("new-in-kiel", "CASEWORKER", "kiel", "")
	db := h.Database()
	for _, statement := range []string{
		`insert into organisational_units (id, tenant_id, place, external_id, name) select gen_random_uuid(), id, place, '0', '0 Neue Stelle' from tenants where slug = 'kiel'`,
		`update service_offerings set unit_id = (select id from organisational_units where external_id = '0') where tenant_id = (select id from tenants where slug = 'kiel')`,
		`update cases set via_point_of_contact = true`,
		`insert into extension_definitions (id, tenant_id, place, version, state, sdl, hash, numbers, created_at, created_by)
			select gen_random_uuid(), t.id, t.place, (select count(*) + 1 from extension_definitions d where d.tenant_id = t.id), 'DRAFT', 'extend type Case { kiel_x: Int }', repeat('0', 64), '{}',
			now(), 'user:dev:kiel-admin' from tenants t where t.slug = 'kiel'`,
		`insert into audit_entries (id, tenant_id, place, at, actor, action, subject, role)
			select gen_random_uuid(), id, place, now(), 'user:dev:kiel-admin', 'ROLE_ASSIGNED', 'user:dev:new-in-kiel', 'CASEWORKER' from tenants where slug = 'kiel'`,
		`do $$ begin
			perform ozg_enter(0, 999999999999999, '');
			insert into access_entries (id, tenant_id, place, case_id, at, reader, fields)
				select gen_random_uuid(), tenant_id, place, id, now(), 'user:dev:kiel-caseworker', '["Applicant.name"]' from cases;
			end $$`,
		`insert into webhooks (id, tenant_id, place, subject, trust_level, name, url, host, document, state, mark_xid, mark_seq, dead_in_row, created_at)
			select gen_random_uuid(), id, place, 'user:dev:kiel-admin', 'HIGH', 'Fachverfahren', 'https://partner.example/in', 'partner.example', '{ x }', 'ACTIVE', 1, 1, 0, now() from tenants where slug = 'kiel'`,
		`insert into webhook_deliveries (id, tenant_id, place, subject, trust_level, webhook_id, frame, xid, seq, state, attempts, created_at)
			select gen_random_uuid(), tenant_id, place, subject, trust_level, id, 'EVENT', 1, 1, 'DEAD', 1, now() from webhooks`,
		`insert into bulk_operations (id, tenant_id, place, subject, trust_level, purpose, document, format, state, object_count, refused_fields, beginnings, created_at)
			select gen_random_uuid(), id, place, 'user:dev:kiel-admin', 'HIGH', '', '{ x }', 'JSONL', 'CREATED', 7, 0, 0, now() from tenants where slug = 'kiel'`,
	} {
		if _, err := db.Exec(h.Context(), statement); err != nil {
			h.Fatal(err)
		}
	}
	h.Clock.Forward(2 * time.Second) // nobody remembers rights from before
}

// rows gives the global id of a thing of Kiel of each type.
func (h *town) rows() map[string]string {
	h.Helper()
	db, out := h.Database(), map[string]string{}
	for _, def := range whole.GetPossibleTypes(whole.Types["Node"]) {
		stored, where := catalog.Types[def.Name], "tenant_id = (select id from tenants where slug = 'kiel')"
		switch def.Name {
		case "Tenant":
			where = "slug = 'kiel'"
		case "Service":
			where = "leika_key = '99108001001000'"
		}
		var id uuid.UUID
		if err := db.QueryRow(h.Context(), "select id from "+stored.Table+" where "+where+" order by id desc limit 1").Scan(&id); err == nil {
			out[def.Name] = schema.ID(stored.Number, id)
		}
	}
	return out
}

// answer follows a way, which must be free of errors.
func (p person) answer(t *testing.T, w way, id string) []byte {
	t.Helper()
	a := p.Ask(w.document, map[string]any{"id": id})
	if len(a.Errors) > 0 || a.Data == nil {
		t.Errorf("%s: %s: %s", p.Name, w.document, a.Raw)
	}
	return a.Raw
}

// told adds the types that an answer is about.
func (w way) told(answer []byte, to map[string]bool) {
	for _, name := range w.reaches {
		to[name] = to[name] || bytes.Contains(answer, []byte(`"`+name+`"`))
	}
}

func (h *town) needs(t *testing.T, told map[string]bool, types []string) {
	t.Helper()
	for _, name := range types {
		if !told[name] {
			t.Errorf("not even who belongs to Kiel is told of a %s", name)
		}
	}
}

func TestWhateverHappensInKielChangesNoAnswerElsewhere(t *testing.T) {
	t.Parallel()
	h := newTown(t)
	directory := h.rows()
	people := append(h.strangers, h.insider)
	before := map[string][]byte{}
	visit := func(each func(p person, w way, key string, answer []byte)) {
		for _, p := range people {
			all, faults := ways(p.contract)
			for _, f := range faults {
				t.Error(f)
			}
			for _, w := range all {
				if w.ofID == "" || slices.Contains(public, w.ofID) {
					each(p, w, p.Name+w.document, p.answer(t, w, directory[w.ofID]))
				}
			}
		}
	}
	visit(func(_ person, _ way, key string, answer []byte) { before[key] = answer })
	h.happens()
	told := map[string]bool{}
	visit(func(p person, w way, key string, answer []byte) {
		switch same := bytes.Equal(answer, before[key]); {
		case p == h.insider && !same:
			w.told(answer, told)
		case p != h.insider && !same:
			t.Errorf("%s: %s\n%s\n%s", p.Name, w.document, before[key], answer)
		}
	})
	h.needs(t, told, slices.DeleteFunc(slices.Collect(maps.Keys(h.rows())), func(name string) bool { return slices.Contains(public, name) }))
}

func TestAnIDOfKielTellsOthersNoMoreThanOneThatNeverWas(t *testing.T) {
	t.Parallel()
	h := newTown(t)
	h.happens()
	rows := h.rows()
	all, _ := ways(whole)
	for _, fault := range unproved(whole, all, rows) {
		t.Error(fault)
	}
	told := map[string]bool{}
	for _, p := range append(h.strangers, h.insider) {
		mine, _ := ways(p.contract)
		for _, w := range mine {
			if w.ofID == "" || slices.Contains(public, w.ofID) {
				continue
			}
			of := w.ofID
			if catalog.Types[of] == nil { // said about a thing, and none itself
				of = "Case"
			}
			foreign, unknown := p.answer(t, w, rows[of]), p.answer(t, w, neverWas(of))
			switch same := bytes.Equal(foreign, unknown); {
			case p == h.insider && !same:
				w.told(foreign, told)
			case p != h.insider && !same:
				t.Errorf("%s: %s\n%s\n%s", p.Name, w.document, foreign, unknown)
			}
		}
	}
	h.needs(t, told, slices.Collect(maps.Keys(rows)))
}

func neverWas(typ string) string {
	return schema.ID(catalog.Types[typ].Number, uuid.Must(uuid.NewV7()))
}

func TestNoFilterTellsOthersWhatThereIsInKiel(t *testing.T) {
	t.Parallel()
	h := newTown(t)
	h.happens()
	rows := h.rows()
	var number string
	if err := h.Database().QueryRow(t.Context(), "select number from cases").Scan(&number); err != nil {
		t.Fatal(err)
	}
	there := map[string]any{"number": number, "texts": []string{number, "32.4-BP-2026/1", "user:dev:kiel-caseworker", "user:dev:new-in-kiel", "user:dev:kiel-admin"}}
	nowhere := map[string]any{"number": strings.Repeat("q", len(number)), "texts": []string{"q", "qq", "qqq"}}
	found, unfit := map[string]bool{}, map[string]bool{} // by document; unfit are types whose ids it does not take
	for _, p := range append(h.strangers, h.insider) {
		for _, document := range filters(p.contract) {
			try := func(what string, foreign, unknown map[string]any) housetest.Answer {
				a, b := p.Ask(document, foreign), p.Ask(document, unknown)
				switch same := bytes.Equal(a.Raw, b.Raw); {
				case p == h.insider && !same:
					found[document] = true
				case p != h.insider && !same:
					t.Errorf("%s: %s tells of %s\n%s\n%s", p.Name, document, what, a.Raw, b.Raw)
				}
				return b
			}
			if !strings.Contains(document, "$id") {
				try("a text", there, nowhere).Works()
				continue
			}
			for name, id := range rows {
				if slices.Contains(public, name) || unfit[document+name] {
					continue
				}
				b := try("a "+name, map[string]any{"id": id}, map[string]any{"id": neverWas(name)})
				if unfit[document+name] = len(b.Errors) > 0; len(b.Errors) > 0 && b.Errors[0].Extensions["rule"] != "badId" {
					t.Errorf("%s: %s", p.Name, b.Raw)
				}
			}
		}
	}
	if len(found) < 10 {
		t.Errorf("even who belongs to Kiel finds something by %d filters only", len(found))
	}
}

func TestATypeThatNoWayAndNoRowProvesIsNoticed(t *testing.T) {
	seeded, err := gqlparser.LoadSchema(&ast.Source{Input: schema.SDL() + `
		type Rumour implements Node { id: ID! text: String! }
		extend type Query { rumours(about: String!): [Rumour!]! }`})
	if err != nil {
		t.Fatal(err)
	}
	all, faults := ways(seeded)
	if want := []string{"nobody knows what to ask Query.rumours for as about"}; !slices.Equal(faults, want) {
		t.Errorf("found %q", faults)
	}
	rows := map[string]string{}
	for _, def := range whole.GetPossibleTypes(whole.Types["Node"]) {
		rows[def.Name] = "an id"
	}
	if got, want := fmt.Sprint(unproved(seeded, all, rows)), "[Rumour: there is none in Kiel]"; got != want {
		t.Errorf("found %s, not %s", got, want)
	}
	if got := unproved(whole, nil, rows); len(got) != len(rows) {
		t.Errorf("without ways, found %q", got)
	}
	if all, _ = ways(whole); len(unproved(whole, all, rows)) > 0 {
		t.Errorf("found %q", unproved(whole, all, rows))
	}
}
