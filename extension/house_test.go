// SPDX-License-Identifier: EUPL-1.2

package extension_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"

	"github.com/ozg-cloud/platform/extension"
	"github.com/ozg-cloud/platform/schema"
)

var (
	sh      = extension.Owner{ID: uuid.MustParse("01890000-0000-7000-8000-000000000001"), Kind: "LAND", Slug: "sh"}
	bavaria = extension.Owner{ID: uuid.MustParse("01890000-0000-7000-8000-000000000002"), Kind: "LAND", Slug: "by"}
	kiel    = extension.Owner{ID: uuid.MustParse("01890000-0000-7000-8000-000000000003"), Kind: "AUTHORITY", Slug: "stadt-kiel"}
)

const (
	ofSH = `
"Bauart (how something is built)."
enum Bauart {
  "New."
  NEUBAU
  "Added to what stands."
  ANBAU
  "Changed."
  UMBAU
}
"Somebody who builds."
type Bauherr {
  "Name."
  name: String @required @filterable @sortable @dataClass(class: PERSONAL) @from(path: ["name"])
  "Since when."
  seit: Date @filterable @from(path: ["seit"])
}
"A part of a building (Bauteil)."
type Bauteil {
  "What it is."
  bezeichnung: String @required @length(min: 1, max: 100) @from(path: ["bezeichnung"])
  "Area in square metres."
  flaeche: Float @range(min: 0) @from(path: ["flaeche"])
}
extend type Case {
  "Parcel (Flurstück)."
  flurstueck: String @filterable @sortable @pattern(regexp: "[0-9]{1,5}(/[0-9]{1,4})?") @from(path: ["grundstueck", "flurstueck"])
  "How it is built."
  bauart: Bauart @filterable @sortable @aggregatable @from(path: ["bauart"])
  "Storeys."
  geschosse: Int @filterable @sortable @aggregatable @range(min: 0, max: 100) @from(path: ["geschosse"])
  "Whether it is a monument."
  denkmal: Boolean @filterable @aggregatable @from(path: ["denkmal"])
  "Who builds."
  bauherr: Bauherr @dataClass(class: PERSONAL) @from(path: ["bauherr"])
  "The parts."
  bauteile: [Bauteil!] @items(max: 20) @from(path: ["bauteile", "bauteil"])
  "Key words."
  stichworte: [String!] @length(max: 50) @items(max: 5) @from(path: ["stichwort"])
}
`
	ofBavaria = `extend type Case {
  "Number of the parcel."
  flurstueck: Int @filterable @sortable
}`
	ofKiel = `
"Where in the city."
enum stadt_kiel_Ortsteil { "The east shore." OSTUFER "The west shore." WESTUFER }
extend type Case {
  "Part of the city."
  stadt_kiel_ortsteil: stadt_kiel_Ortsteil @filterable
  "Share of green."
  stadt_kiel_gruen: Float @filterable @sortable
}`
)

// contract is the whole contract with everything that these tests ask for: what it does not have yet is added, and a verb that takes nothing but
// extension fields.
func contract(t testing.TB) *ast.Schema {
	t.Helper()
	s, err := schema.Load()
	if err != nil {
		t.Fatal(err)
	}
	more := "extend type Query { write(extension: CaseExtensionInput): Boolean }\n"
	for _, name := range []string{"CaseExtension", "CaseExtensionInput", "CaseExtensionFilter", "CaseExtensionOrder"} {
		if s.Types[name] == nil {
			more += "scalar " + name + "\n"
		}
	}
	for name, with := range map[string]string{
		"Case": "type Case { extension: CaseExtension", "CaseFilter": "input CaseFilter { extension: CaseExtensionFilter", "CaseOrder": "input CaseOrder { extension: CaseExtensionOrder",
	} {
		if s.Types[name].Fields.ForName("extension") == nil {
			more += "extend " + with + " }\n"
		}
	}
	s, err = gqlparser.LoadSchema(&ast.Source{Name: "contract", Input: text(s) + more})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// text is a schema in SDL.
func text(s *ast.Schema) string {
	var b strings.Builder
	formatter.NewFormatter(&b).FormatSchema(s)
	return b.String()
}

// read is a good definition, the first of its owner.
func read(t testing.TB, sdl string, o extension.Owner, standard *ast.Schema, above ...*extension.Definition) *extension.Definition {
	t.Helper()
	d, problems := extension.Read(sdl, o, standard, above...)
	for _, p := range problems {
		t.Error(p)
	}
	if d == nil {
		t.FailNow()
	}
	if problems := d.Follow(nil); len(problems) > 0 {
		t.Fatal(problems)
	}
	return d
}
