// SPDX-License-Identifier: EUPL-1.2

package desk_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ozg-cloud/platform/internal/housetest"
)

const (
	parking = "99108001001000" // Bewohnerparkausweis
	kiel    = "010020000000"

	first = `
"How something is built." enum Bauart { "New." NEUBAU "Changed." UMBAU }
extend type Case {
  "Number plate." kennzeichen: String @filterable @length(max: 20) @from(path: ["fahrzeug", "kennzeichen"])
  "How it is built." bauart: Bauart @filterable @from(path: ["fahrzeug", "kennzeichen"])
  "Storeys." geschosse: Int @range(min: 0, max: 100)
}`
	second = `extend type Case {
  "Number plate." nummernschild: String @filterable @length(max: 20) @renamedFrom(name: "kennzeichen")
  "Storeys." geschosse: Float @range(min: 0, max: 100)
}`
)

// land is a house with the id of Schleswig-Holstein and its administrator.
type land struct {
	*housetest.House
	sh    string
	admin *housetest.Caller
}

func open(t *testing.T) land {
	t.Helper()
	h := housetest.New(t)
	admin := h.As("sh-admin")
	return land{h, admin.Ask(`{ tenant(slug: "sh") { id } }`, nil).Works().Text("tenant.id"), admin}
}

func (l land) define(sdl string, version int, dry bool) housetest.Answer {
	l.Helper()
	return l.admin.Say("defineExtension", map[string]any{"tenantId": l.sh, "sdl": sdl, "expectedVersion": version, "dryRun": dry})
}

// activates brings a text into force, and waits until the house knows of it.
func (l land) activates(sdl string, version int) string {
	l.Helper()
	id := l.define(sdl, version, false).Works().Text("defineExtension.extensionDefinition.id")
	if state := l.admin.Say("activateExtension", map[string]any{"extensionDefinitionId": id, "acceptBreaking": true}).Works().Text("activateExtension.extensionDefinition.state"); state != "ACTIVE" {
		l.Fatalf("it is %s", state)
	}
	return id
}

// known waits until somebody's schema has a name, or has it no more.
func (l land) known(c *housetest.Caller, typ, name string, there bool) {
	l.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		a := c.Ask(`query($t: String!) { __type(name: $t) { inputFields { name } fields { name } } }`, map[string]any{"t": typ}).Works()
		if strings.Contains(string(a.Raw), `"`+name+`"`) == there {
			return
		}
	}
	l.Fatalf("%s.%s is not as it should be", typ, name)
}

func (l land) document(c housetest.Case) (text string) {
	l.Helper()
	if err := l.Database().QueryRow(l.Context(), "select coalesce(string_agg(document::text, ';'), '') from extension_records").Scan(&text); err != nil {
		l.Fatal(err)
	}
	return text
}

func TestALandDefinesFieldsThatAFormFillsAndCaseworkersWrite(t *testing.T) {
	t.Parallel()
	l := open(t)
	dry := l.define(first, 0, true).Works()
	if dry.Text("defineExtension.extensionDefinition.id") != "" || !strings.Contains(string(dry.Raw), `"coordinate":"Case.kennzeichen"`) {
		t.Errorf("a dry run: %s", dry.Raw)
	}
	l.activates(first, 0)
	caseworker := l.As("kiel-caseworker")
	l.known(caseworker, "CaseExtensionInput", "geschosse", true)
	c := l.As("kiel-applicant").Submit(parking, kiel)
	if got := l.document(c); got != `{"3": "KI-XX 123"}` { // and no value of the enum is made of a number plate
		t.Errorf("the form has filled %s", got)
	}
	l.As("kiel-mailroom").Must("acceptCase", &c, map[string]any{"documentsComplete": true, "fileReference": "1"})
	set := func(values map[string]any) housetest.Answer {
		return caseworker.Do("setCaseExtension", &c, map[string]any{"extension": values})
	}
	before := c.Revision
	set(map[string]any{"geschosse": 3, "bauart": "UMBAU"}).Works()
	if c.Revision != before+1 {
		t.Errorf("from revision %d to %d", before, c.Revision)
	}
	set(map[string]any{"geschosse": 3}).Works()
	if c.Revision != before+1 {
		t.Error("writing the same again is a change")
	}
	for rule, values := range map[string]map[string]any{"range": {"geschosse": 101}, "maxLength": {"kennzeichen": strings.Repeat("K", 21)}} {
		if got := set(values).Rule(); got != rule {
			t.Errorf("%s, not %s", got, rule)
		}
	}
	var history, events string
	if err := l.Database().QueryRow(t.Context(), `select string_agg(to_jsonb(h)::text, ''), (select string_agg(to_jsonb(e)::text, '') from events e) from history_events h`).Scan(&history, &events); err != nil {
		t.Fatal(err)
	}
	for where, all := range map[string]string{"history": history, "events": events} {
		if strings.Count(all, "EXTENSION_CHANGED") != 1 || strings.Contains(all, "UMBAU") || strings.Contains(all, "KI-XX") {
			t.Errorf("%s: %s", where, all)
		}
	}
	// A rename and a widening keep what was written; what is gone is told, and has to be wanted.
	told := l.define(second, 1, false).Works()
	for _, change := range []string{
		`{"class":"BREAKING","kind":"fieldRenamed","coordinate":"Case.kennzeichen","lost":false}`,
		`{"class":"BREAKING","kind":"fieldRemoved","coordinate":"Case.bauart","lost":true}`,
		`{"class":"BREAKING","kind":"typeWidened","coordinate":"Case.geschosse","lost":false}`,
	} {
		if !strings.Contains(string(told.Raw), change) {
			t.Errorf("%s is not told: %s", change, told.Raw)
		}
	}
	id := told.Text("defineExtension.extensionDefinition.id")
	l.admin.Say("activateExtension", map[string]any{"extensionDefinitionId": id}).Wants("breakingChange")
	l.admin.Say("activateExtension", map[string]any{"extensionDefinitionId": id, "acceptBreaking": true}).Works()
	l.known(caseworker, "CaseExtensionInput", "nummernschild", true)
	set(map[string]any{"geschosse": 2.5}).Works()
	if got := l.document(c); got != `{"1": "UMBAU", "2": 2.5, "3": "KI-XX 123"}` {
		t.Errorf("kept: %s", got)
	}
	l.admin.Say("deprecateExtension", map[string]any{"extensionDefinitionId": id}).Works()
	l.admin.Say("retireExtension", map[string]any{"extensionDefinitionId": id, "acceptBreaking": true}).Works()
	l.known(caseworker, "CaseExtension", "geschosse", false)
	var lines int
	if err := l.Database().QueryRow(t.Context(), "select count(*) from audit_entries where action like 'EXTENSION_%'").Scan(&lines); err != nil || lines != 6 {
		t.Errorf("%d lines of the audit log: %v", lines, err)
	}
}

func TestWhoMayNotDefineCannot(t *testing.T) {
	t.Parallel()
	l := open(t)
	in := map[string]any{"tenantId": l.sh, "sdl": first, "expectedVersion": 0, "dryRun": false}
	if a := l.As("kiel-caseworker").Say("defineExtension", in); !a.Unknown() {
		t.Errorf("a caseworker knows the verb: %s", a.Raw)
	}
	l.As("kiel-admin").Say("defineExtension", in).Wants("notAllowed")
	l.As("by-admin").Say("defineExtension", in).Wants("notAllowed")
}

func TestWhatIsWrongIsToldAtOnceAndNothingIsKept(t *testing.T) {
	t.Parallel()
	l := open(t)
	for rule, sdl := range map[string]string{
		"malformed":     "extend type Case { drop table }; --",
		"tooLarge":      strings.Repeat(" ", 64<<10+1),
		"tooDeep":       "extend type Case { x: " + strings.Repeat("[", 1000),
		"badName":       `extend type Case { "x" __x: Int }`,
		"unknownType":   `extend type Case { "x" x: Nothing }`,
		"typeCycle":     `"x" type Ding { "x" ding: Ding } extend type Case { "x" x: Ding }`,
		"nameTaken":     `"x" enum CaseState { "x" NEW } extend type Case { "x" x: CaseState }`,
		"undescribed":   `extend type Case { x: Int }`,
		"notExtensible": `"x" scalar Ding extend type Case { "x" x: Int }`,
	} {
		p := l.define(sdl, 0, false).Wants(rule)
		if path := fmt.Sprint(p["path"]); !strings.HasPrefix(path, "[input sdl") {
			t.Errorf("%s: %s", rule, path)
		}
	}
	l.define(first, 1, false).Wants("staleVersion")
	if all := l.Stored("extension_definitions")["extension_definitions"]; strings.Contains(all, "sh") {
		t.Errorf("kept: %s", all)
	}
	two := l.define(`extend type Case { x: Int "y" y_z: Int }`, 0, true)
	if n, _ := two.At("defineExtension.problems").([]any); len(n) != 2 {
		t.Errorf("not both are told: %s", two.Raw)
	}
}

func TestADraftThatFollowsAVersionWhichIsNotTheLastOneAnyMoreIsOutOfDate(t *testing.T) {
	t.Parallel()
	l := open(t)
	field := func(names string) (sdl string) {
		for _, name := range names {
			sdl += fmt.Sprintf(` "A field." %c: String @filterable`, name)
		}
		return "extend type Case {" + sdl + " }"
	}
	activate := func(a housetest.Answer) housetest.Answer {
		return l.admin.Say("activateExtension", map[string]any{"extensionDefinitionId": a.Works().Text("defineExtension.extensionDefinition.id"), "acceptBreaking": true})
	}
	l.activates(field("x"), 0)
	// Both drafts give the next number, and the next column beside a case, to a field of their own.
	one, other := l.define(field("xz"), 1, false), l.define(field("yx"), 2, false)
	activate(one).Works()
	activate(other).Wants("staleVersion")
	// The same text again follows what holds now; and two drafts with the same numbers may come into force one after the other.
	again, same := l.define(field("yx"), 3, false), l.define(strings.ReplaceAll(field("yx"), "A field", "The field"), 4, false)
	activate(again).Works()
	activate(same).Works()
}
