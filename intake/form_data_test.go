// SPDX-License-Identifier: EUPL-1.2

package intake_test

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ozg-cloud/platform/ent/schema"
	"github.com/ozg-cloud/platform/intake"
	"github.com/ozg-cloud/platform/internal/problem"
)

// ours are the only words that a path may have: names of the format, and numbers.
var ours = regexp.MustCompile(`^(formData|control|transactionId|zustaendigeStelle|leikaIds|serviceKonto|type|trustLevel|postfachAddress|identifier|` +
	`name|label|stringValue|numberValue|dateValue|booleanValue|formItems|\d{1,7})$`)

func FuzzFormData(f *testing.F) {
	f.Add([]byte(form()))
	f.Add([]byte(form(`{"type": "OSI"`, `{"type": null`)))
	f.Add([]byte(form("1.5", "1e309")))
	f.Add([]byte(form("Änne", `\ud800\u0000`)))
	f.Add([]byte(`{"control":{"transactionId":"1","zustaendigeStelle":"kiel","leikaIds":["99108001001000"]},"formData":[{"name":"a","formItems":[{"name":"firma","stringValue":"x"}]}]}`))
	f.Add([]byte(strings.Repeat("[", 100) + strings.Repeat("]", 100)))
	f.Fuzz(func(t *testing.T, document []byte) {
		a, canonical, err := intake.ReadFormData(document)
		if err != nil {
			p, ok := problem.Of(err)
			if !ok || p.Kind != problem.Invalid {
				t.Fatalf("no problem of the sender: %v", err)
			}
			for _, step := range p.Path {
				if !ours.MatchString(step) {
					t.Fatalf("the path repeats what was sent: %q", step)
				}
			}
			return
		}
		count := 0
		var walk func([]schema.FormItem, int)
		walk = func(items []schema.FormItem, depth int) {
			for _, i := range items {
				count++
				text := i.Name + i.Label
				if i.String != nil {
					text += *i.String
				}
				if depth > 8 || strings.ContainsRune(text, 0) || !utf8.ValidString(text) || i.Name == "" {
					t.Fatalf("accepted at depth %d: %q", depth, text)
				}
				walk(i.Items, depth+1)
			}
		}
		walk(a.Form, 1)
		if count > 500 || a.TransactionID == "" || len(a.ServiceKey) != 14 || a.Applicant.Name == "" || len([]rune(a.Applicant.Name)) > 200 {
			t.Fatalf("accepted %d items, %d, %q", count, len(a.TransactionID), a.ServiceKey)
		}
		again, same, err := intake.ReadFormData(canonical)
		if err != nil || !bytes.Equal(same, canonical) || again.TransactionID != a.TransactionID || len(again.Form) != len(a.Form) {
			t.Fatalf("the canonical form is another one: %v", err)
		}
	})
}

func TestTheApplicantsNameIsLookedForInTheForm(t *testing.T) {
	t.Parallel()
	group := func(items ...schema.FormItem) schema.FormItem { return schema.FormItem{Name: "g", Items: items} }
	for want, items := range map[string][]schema.FormItem{
		"NATURAL_PERSON Änne Übel":  {say("vorname", " Änne "), say("nachname", "Übel")},
		"NATURAL_PERSON Ali Öz":     {group(say("antragsteller_Vorname", "Ali")), group(group(say("antragstellerNachname", "Öz"))), say("partner_vorname", "Eva"), say("partner_nachname", "Öz")},
		"NATURAL_PERSON Übel":       {say("nachname", ""), say("nachname", "Übel"), say("name", "Sonst wer")},
		"NATURAL_PERSON Ali Öz II":  {say("Name", "Ali Öz II"), say("firma", "Öz GmbH")},
		"LEGAL_PERSON Öz GmbH":      {say("firma", "Öz GmbH"), say("vorname", "Ali")},
		"NATURAL_PERSON Ali":        {say("vorname", "Ali")},
		"NATURAL_PERSON Unbekannt":  {say("dateiname", "a.pdf"), say("name", " "), {Name: "nachname"}},
		"NATURAL_PERSON " + long200: {say("name", long200+"ü")},
	} {
		if got := intake.WhoApplies(items); got.Kind+" "+got.Name != want {
			t.Errorf("got %s %s, want %s", got.Kind, got.Name, want)
		}
	}
}

var long200 = strings.Repeat("ü", 200)

func TestFileNamesLoseWhatAMachineCouldTrip(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"Führerschein.pdf":            "Führerschein.pdf",
		`C:\Users\x\Ausweis 1.png`:    "Ausweis 1.png",
		"../../etc/passwd":            "passwd",
		"a\r\nb\x00.pdf":              "ab.pdf",
		"rechnung\u202efdp.exe":       "rechnungfdp.exe",
		"a\xff.pdf":                   "a_.pdf",
		"":                            "Anlage",
		"..":                          "Anlage",
		`folder\`:                     "Anlage",
		" \t":                         "Anlage",
		long200 + ".pdf":              long200[:2*196] + ".pdf",
		long200 + ".notanendingatall": long200,
	} {
		if got := intake.FileName(given, "Anlage"); got != want {
			t.Errorf("%q becomes %q, want %q", given, got, want)
		}
	}
}
