// SPDX-License-Identifier: EUPL-1.2

package documents_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ozg-cloud/platform/cmd"
	"github.com/ozg-cloud/platform/documents"
	"github.com/ozg-cloud/platform/internal/housetest"
)

func TestMain(m *testing.M) { housetest.Main(m) }

var portal = documents.Shelf{Client: "portal", Edition: "1"}

// trusting is a house that answers trusted documents only.
func trusting(g *cmd.Ground) { g.TrustedOnly = true }

func load(t *testing.T, conn *pgx.Conn, client, edition string, all map[string]string) {
	t.Helper()
	if err := documents.Load(t.Context(), conn, documents.Shelf{Client: client, Edition: edition}, all, time.Now()); err != nil {
		t.Fatal(err)
	}
}

// sent is what comes of a request of any members.
func sent(h *housetest.House, who *housetest.Caller, request map[string]any) housetest.Answer {
	h.Helper()
	body, err := json.Marshal(request)
	if err != nil {
		h.Fatal(err)
	}
	r := h.Request(http.MethodPost, "/graphql")
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	r.Header.Set("Content-Type", "application/json")
	return who.Send(r)
}

// asks sends a request, and gives the rule of its error; empty where it was answered.
func asks(h *housetest.House, request map[string]any) string {
	h.Helper()
	return ruleOf(h, sent(h, h.As("kiel-caseworker"), request))
}

func ruleOf(h *housetest.House, a housetest.Answer) string {
	h.Helper()
	if len(a.Errors) > 0 {
		rule, _ := a.Errors[0].Extensions["rule"].(string)
		return rule
	}
	if a.Text("viewer.subject") == "" {
		h.Fatalf("status %d: %s", a.Status, a.Raw)
	}
	return ""
}

// until asks again and again, as long as a register may lag behind.
func until(h *housetest.House, want string, request map[string]any) {
	h.Helper()
	for end := time.Now().Add(10 * time.Second); ; {
		got := asks(h, request)
		if got == want {
			return
		}
		if time.Now().After(end) {
			h.Fatalf("%q, not %q", got, want)
		}
	}
}

func TestWhatIsNotLoadedIsNotAnswered(t *testing.T) {
	t.Parallel()
	h := housetest.New(t, trusting)
	other := h.Another(trusting)
	conn := h.Database()
	hash := documents.Hash(first)
	if rule := asks(h, map[string]any{"query": first}); rule != "untrustedDocument" {
		t.Errorf("free text: %q", rule)
	}
	if rule := asks(h, map[string]any{"documentId": hash}); rule != "unknownDocument" {
		t.Errorf("before it is loaded: %q", rule)
	}
	load(t, conn, "portal", "1", map[string]string{hash: first})
	for _, house := range []*housetest.House{h, other} { // both replicas learn of it
		until(house, "", map[string]any{"documentId": "sha256:" + hash})
	}
	for name, request := range map[string]map[string]any{
		"GraphQL over HTTP": {"documentId": "sha256:" + hash}, "bare": {"documentId": hash}, "Relay": {"doc_id": hash}, "graphql-codegen": {"id": hash},
		"Apollo": {"extensions": map[string]any{"persistedQuery": map[string]any{"version": 1, "sha256Hash": hash}}}, "the text itself": {"query": first},
	} {
		if rule := asks(h, request); rule != "" {
			t.Errorf("%s: %s", name, rule)
		}
	}
	for name, request := range map[string]map[string]any{
		"one letter more": {"query": first + " "}, "introspection": {"query": "{ __schema { types { name } } }"}, "what kind of thing it is": {"query": "{ __typename }"},
		"a hash beside free text": {"query": second, "documentId": hash},
		"learning on the way":     {"query": second, "extensions": map[string]any{"persistedQuery": map[string]any{"version": 1, "sha256Hash": documents.Hash(second)}}},
	} {
		if rule := asks(h, request); rule != "untrustedDocument" {
			t.Errorf("%s: %q", name, rule)
		}
	}
	for name, request := range map[string]map[string]any{"no text": {"documentId": 7}, "nothing": {}, "an empty hash": {"documentId": ""}} {
		if rule := asks(h, request); rule != "requestShape" {
			t.Errorf("%s: %q", name, rule)
		}
	}
	r := h.Request(http.MethodGet, "/graphql?"+url.Values{"documentId": {hash}}.Encode())
	if rule := ruleOf(h, h.As("kiel-caseworker").Send(r)); rule != "" {
		t.Errorf("by GET: %q", rule)
	}
	// The twin: a house that is free answers the same text.
	if rule := asks(h.Another(func(g *cmd.Ground) { g.TrustedOnly = false }), map[string]any{"query": first + " "}); rule != "" {
		t.Errorf("a free house: %q", rule)
	}
}

func TestAnotherLoadTakesThePlaceOfTheOneBefore(t *testing.T) {
	t.Parallel()
	h := housetest.New(t, trusting)
	conn := h.Database()
	third := `query Third { viewer { subject } }`
	ask := func(text string) map[string]any { return map[string]any{"documentId": documents.Hash(text)} }
	load(t, conn, "portal", "1", map[string]string{documents.Hash(first): first})
	load(t, conn, "portal", "2", map[string]string{documents.Hash(third): third})
	until(h, "", ask(first))
	until(h, "", ask(third))
	load(t, conn, "portal", "1", map[string]string{documents.Hash(third): third})
	until(h, "unknownDocument", ask(first))
	if n, err := documents.Forget(t.Context(), conn, documents.Shelf{Client: "portal", Edition: "2"}); err != nil || n != 1 {
		t.Errorf("%d %v", n, err)
	}
	if rule := asks(h, ask(third)); rule != "" { // edition 1 has it, too
		t.Error(rule)
	}
	list, err := documents.List(t.Context(), conn)
	if err != nil || len(list) != 1 || list[0].Client != "portal" || list[0].Edition != "1" || list[0].Documents != 1 {
		t.Errorf("%v %v", list, err)
	}
	for _, name := range []string{"", "Portal", "a b", strings.Repeat("a", 64)} {
		if documents.Load(t.Context(), conn, documents.Shelf{Client: name, Edition: "1"}, both(), time.Now()) == nil {
			t.Errorf("a client can be named %q", name)
		}
	}
}

func TestWhoServesLoadsNothing(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	if documents.Load(t.Context(), h.Serving(), portal, both(), time.Now()) == nil {
		t.Error("the serving role loads documents")
	}
	// The twin: the owner's login can, and the database holds that a hash is that of its document.
	load(t, h.Database(), "portal", "1", both())
	if documents.Load(t.Context(), h.Database(), portal, map[string]string{documents.Hash(first): second}, time.Now()) == nil {
		t.Error("a document lies under the hash of another")
	}
}

func TestTheConsoleChecksBeforeItLoads(t *testing.T) {
	t.Parallel()
	h := housetest.New(t, trusting)
	run := func(args ...string) (int, string) {
		var out, errOut bytes.Buffer
		status := cmd.Main(t.Context(), append([]string{"documents"}, args...), []string{"OZG_DATABASE_URL=" + h.Database().Config().ConnString(), "OZG_DATA=" + t.TempDir()}, &out, &errOut)
		return status, out.String() + errOut.String()
	}
	file := func(all map[string]string) string {
		name := t.TempDir() + "/persisted-documents.json"
		if err := os.WriteFile(name, []byte(written(t, all)), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	good, wide := file(both()), `{ cases(first: 100) { nodes { messages(first: 100) { nodes { attachments(first: 100) { nodes { id } } } } } } }`
	if status, said := run("load", "--client", "portal", good); status != 0 || !strings.Contains(said, "2 documents") {
		t.Fatal(said)
	}
	until(h, "", map[string]any{"documentId": documents.Hash(first)})
	if status, said := run("list"); status != 0 || !strings.Contains(said, "portal") {
		t.Error(said)
	}
	for name, text := range map[string]string{
		"an unknown field": `{ noSuchField }`, "too costly": wide, "too deep": strings.Repeat("{ a ", 50) + strings.Repeat("}", 50), "unreadable": `query {`,
		"no operation": `fragment a on Case { id }`, "a wrong type": `query($n: String!) { cases(first: $n) { totalCount } }`,
		"an unused fragment": first + ` fragment a on Case { id }`, "one bad operation of two": first + ` query Other { noSuchField }`,
	} {
		bad := file(map[string]string{documents.Hash(text): text})
		if status, said := run("load", "--client", "portal", bad); status != 1 {
			t.Errorf("%s is loaded: %s", name, said)
		}
		if status, said := run("check", bad); status != 1 || !strings.Contains(said, documents.Hash(text)) {
			t.Errorf("%s passes the check, or is not named: %s", name, said)
		}
	}
	if rule := asks(h, map[string]any{"documentId": documents.Hash(first)}); rule != "" {
		t.Errorf("what was loaded is gone after a load that failed: %s", rule)
	}
	if status, said := run("forget", "--client", "portal"); status != 0 {
		t.Error(said)
	}
	until(h, "unknownDocument", map[string]any{"documentId": documents.Hash(first)})
	for _, args := range [][]string{{}, {"load", good}, {"load", "--client", "portal"}, {"forget"}, {"burn"}, {"list", "x"}} {
		if status, _ := run(args...); status != 2 {
			t.Errorf("%q is understood", args)
		}
	}
	if status, _ := run("forget", "--client", "portal"); status != 1 {
		t.Error("nothing can be forgotten twice")
	}
}
