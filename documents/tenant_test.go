// SPDX-License-Identifier: EUPL-1.2

package documents_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ozg-cloud/platform/cmd"
	"github.com/ozg-cloud/platform/documents"
	"github.com/ozg-cloud/platform/internal/housetest"
)

const (
	ofSH   = `extend type Case { "Parcel (Flurstück)." flurstueck: String @filterable "Storeys." geschosse: Int }`
	ofKiel = `extend type Case { "Quarter (Ortsteil)." kiel_ortsteil: String }`

	parcels  = `query Parcels { cases(first: 1) { nodes { extension { flurstueck } } } }`
	quarters = `query Quarters { cases(first: 1) { nodes { extension { flurstueck kiel_ortsteil } } } }`
)

// console runs a command of the house's operator.
func console(h *housetest.House, args ...string) (int, string) {
	var out bytes.Buffer
	status := cmd.Main(h.Context(), args, []string{"OZG_DATABASE_URL=" + h.Database().Config().ConnString(), "OZG_DATA=" + h.TempDir()}, &out, &out)
	return status, out.String()
}

// manifestOf is a file with a document.
func manifestOf(h *housetest.House, text string) string {
	h.Helper()
	name := h.TempDir() + "/manifest.json"
	body, err := json.Marshal(map[string]string{documents.Hash(text): text})
	if err == nil {
		err = os.WriteFile(name, body, 0o600)
	}
	if err != nil {
		h.Fatal(err)
	}
	return name
}

// loads has the console load a document for a tenant.
func loads(h *housetest.House, tenant, text string) {
	h.Helper()
	if status, said := console(h, "documents", "load", "--client", "portal", "--tenant", tenant, manifestOf(h, text)); status != 0 {
		h.Fatal(said)
	}
}

// answer is all that somebody can see of what comes of a request, but for when it was given and its number.
func answer(h *housetest.House, who *housetest.Caller, request map[string]any) string {
	h.Helper()
	a := sent(h, who, request)
	for _, name := range []string{"Date", "X-Request-Id", "Ratelimit"} {
		a.Header.Del(name)
	}
	return fmt.Sprintf("%d %v %s", a.Status, a.Header, a.Raw)
}

// byHash waits until a document that was loaded is answered to somebody.
func byHash(h *housetest.House, who *housetest.Caller, text string) {
	h.Helper()
	for end := time.Now().Add(20 * time.Second); ; {
		got := answer(h, who, map[string]any{"documentId": documents.Hash(text)})
		if strings.HasPrefix(got, "200") && strings.Contains(got, `"nodes"`) {
			return
		}
		if time.Now().After(end) {
			h.Fatal(got)
		}
	}
}

// told compares what somebody is told of a document of others with what is told of one that was never loaded, by its hash, its text, and both ways of the
// tools; empty where it is the same.
func told(h *housetest.House, who *housetest.Caller, text string) string {
	h.Helper()
	never := strings.Replace(text, "query ", "query N", 1) // was never loaded
	apollo := func(text string) map[string]any {
		return map[string]any{"extensions": map[string]any{"persistedQuery": map[string]any{"version": 1, "sha256Hash": documents.Hash(text)}}}
	}
	for name, pair := range map[string][2]map[string]any{
		"by its hash":         {{"documentId": documents.Hash(text)}, {"documentId": documents.Hash(never)}},
		"as Apollo names it":  {apollo(text), apollo(never)},
		"as Relay names it":   {{"doc_id": documents.Hash(text)}, {"doc_id": documents.Hash(never)}},
		"by its text":         {{"query": text}, {"query": never}},
		"with an operation":   {{"documentId": documents.Hash(text), "operationName": "Parcels"}, {"documentId": documents.Hash(never), "operationName": "Parcels"}},
		"with some variables": {{"documentId": documents.Hash(text), "variables": map[string]any{"a": 1}}, {"documentId": documents.Hash(never), "variables": map[string]any{"a": 1}}},
	} {
		if a, b := answer(h, who, pair[0]), answer(h, who, pair[1]); a != b {
			return fmt.Sprintf("%s:\n%s\n%s", name, a, b)
		}
	}
	return ""
}

// known is a house that answers trusted documents only, in which those of two tenants are loaded.
func known(t *testing.T) *housetest.House {
	t.Helper()
	h := housetest.New(t, trusting)
	h.Define("sh", ofSH)
	h.Define("kiel", ofKiel)
	loads(h, "sh", parcels)
	loads(h, "kiel", quarters)
	byHash(h, h.As("kiel-caseworker"), parcels)
	byHash(h, h.As("kiel-caseworker"), quarters)
	byHash(h, h.As("luebeck-caseworker"), parcels)
	return h
}

func TestADocumentOfATenantWasNeverLoadedForAllOthers(t *testing.T) {
	t.Parallel()
	h := known(t)
	both := h.Give("of-both", "CASEWORKER", "kiel", "")
	h.Give("of-both", "CASEWORKER", "muenchen", "")
	for text, strangers := range map[string][]*housetest.Caller{
		parcels:  {h.As("muenchen-caseworker"), h.As("by-admin"), h.As("kiel-applicant"), both, h.Anonymous()},
		quarters: {h.As("luebeck-caseworker"), h.As("sh-admin"), h.As("muenchen-caseworker"), h.As("kiel-applicant"), both, h.Anonymous()},
	} {
		for _, who := range strangers {
			if difference := told(h, who, text); difference != "" {
				t.Errorf("%s: %s", who.Name, difference)
			}
		}
	}
}

// TestADocumentThatLiesForEverybodyIsTold is the twin: without the owner, all can tell the document from one that was never loaded.
func TestADocumentThatLiesForEverybodyIsTold(t *testing.T) {
	t.Parallel()
	h := known(t)
	if _, err := h.Database().Exec(t.Context(), "update trusted_documents set owner = null; update trusted_documents_version set version = version + 1"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"muenchen-caseworker", "by-admin"} {
		for end := time.Now().Add(20 * time.Second); told(h, h.As(name), parcels) == ""; {
			if time.Now().After(end) {
				t.Fatalf("%s is not told", name)
			}
		}
	}
}

func TestADocumentOfATenantIsCheckedAgainstItsContract(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	h.Define("sh", ofSH)
	h.Define("kiel", ofKiel)
	for name, scene := range map[string]struct {
		tenant, text string
		fits         bool
	}{
		"Kiel's at Kiel": {"kiel", quarters, true}, "the Land's at Kiel": {"kiel", parcels, true}, "the Land's at Lübeck": {"luebeck", parcels, true},
		"Kiel's in the Land": {"sh", quarters, false}, "the Land's in Bavaria": {"by", parcels, false}, "the Land's in the standard house": {"", parcels, false},
		"the standard house's at Kiel": {"kiel", first, true}, "nowhere": {"atlantis", first, false},
	} {
		for _, verb := range [][]string{{"check"}, {"load", "--client", "portal"}} {
			status, said := console(h, append(append([]string{"documents"}, verb...), "--tenant", scene.tenant, manifestOf(h, scene.text))...)
			if (status == 0) != scene.fits {
				t.Errorf("%s: %s: %d %s", name, verb[0], status, said)
			}
		}
	}
	if _, said := console(h, "documents", "list"); !strings.Contains(said, "kiel") || !strings.Contains(said, "luebeck") {
		t.Errorf("whose they are is not listed: %s", said)
	}
	if status, said := console(h, "documents", "forget", "--client", "portal", "--tenant", "kiel"); status != 0 {
		t.Error(said)
	}
	list, err := documents.List(context.Background(), h.Database())
	if err != nil || len(list) != 1 || list[0].Tenant != "luebeck" {
		t.Errorf("%v %v", list, err)
	}
}

func TestADryRunNamesTheDocumentsOfTenantsThatWouldBreak(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	h.Define("sh", ofSH)
	h.Define("kiel", ofKiel)
	loads(h, "sh", parcels)
	loads(h, "kiel", quarters)
	storeys := strings.ReplaceAll(parcels, "flurstueck", "geschosse")
	loads(h, "luebeck", storeys)
	admin := h.As("sh-admin")
	sh := admin.Ask(`{ tenant(slug: "sh") { id } }`, nil).Works().Text("tenant.id")
	tries := func(sdl string) string {
		return string(admin.Say("defineExtension", map[string]any{"tenantId": sh, "sdl": sdl, "expectedVersion": 1, "dryRun": true}).Raw)
	}
	names := func(raw string) (out []string) {
		for name, text := range map[string]string{"parcels": parcels, "quarters": quarters, "storeys": storeys} {
			if strings.Contains(raw, documents.Hash(text)) {
				out = append(out, name)
			}
		}
		return out
	}
	without := strings.Replace(ofSH, `"Parcel (Flurstück)." flurstueck: String @filterable`, "", 1)
	for end := time.Now().Add(20 * time.Second); len(names(tries(without))) < 2; {
		if time.Now().After(end) {
			t.Fatalf("only %v are named: %s", names(tries(without)), tries(without))
		}
	}
	if got := names(tries(without)); len(got) != 2 || strings.Contains(fmt.Sprint(got), "storeys") {
		t.Errorf("%v", got)
	}
	if got := names(tries(ofSH + " ")); len(got) != 0 { // the twin: what breaks nothing names none
		t.Errorf("%v", got)
	}
}
