// SPDX-License-Identifier: EUPL-1.2

package housetest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/ozg-cloud/platform/cmd"
	"github.com/ozg-cloud/platform/internal/housetest"
)

var long = flag.Duration("long", 0, "how long the hostile suite, the overload and the like go on; 0: as long as CI has time for")

// What no answer may exceed, however it was asked for.
const (
	answersWithin = 250 * time.Millisecond
	answersUpTo   = 64 << 10
)

// attack is something that somebody sends who means no good.
type attack struct {
	method, path string
	header       http.Header
	body         []byte
}

// posted is an attack by the body of a GraphQL request.
func posted(body []byte) attack {
	return attack{http.MethodPost, "/graphql", http.Header{"Content-Type": {"application/json"}, "Accept": {"application/graphql-response+json"}}, body}
}

func documented(document string, variables ...any) attack {
	request := map[string]any{"query": document}
	if len(variables) > 0 {
		request["variables"] = variables[0]
	}
	body, err := json.Marshal(request)
	if err != nil {
		panic(err)
	}
	return posted(body)
}

// with is an attack with a header more.
func (a attack) with(name, value string) attack {
	a.header = a.header.Clone()
	a.header.Set(name, value)
	return a
}

// counted writes a pattern with a number n times.
func counted(pattern string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, pattern, i)
	}
	return b.String()
}

// nested writes what begins and ends around the inner n times.
func nested(begin, inner, end string, n int) string {
	return strings.Repeat(begin, n) + inner + strings.Repeat(end, n)
}

// documents are hostile documents.
func documents() map[string]attack {
	var doubling strings.Builder
	doubling.WriteString("{ cases(first: 1) { nodes { ...F0 } } } ")
	for i := range 30 {
		fmt.Fprintf(&doubling, "fragment F%d on Case { ...F%d ...F%d } ", i, i+1, i+1)
	}
	doubling.WriteString("fragment F30 on Case { id }")
	huge := strings.Repeat("9", 200_000)
	return map[string]attack{
		"no document":                     documented(""),
		"a megabyte of braces":            documented(strings.Repeat("{", 1<<20)),
		"braces within the limit":         documented(strings.Repeat("{", 900)),
		"deep nesting":                    documented("{ cases(first: 1) { nodes { " + nested("submission { case { ", "id", " } }", 60) + " } } }"),
		"nesting that lists multiply":     documented("{ cases(first: 100) { nodes { messages(first: 100) { nodes { case { messages(first: 100) { nodes { id } } } } } } } }"),
		"aliases":                         documented("{ " + counted("a%d: viewer { subject } ", 300) + "}"),
		"aliases of what is dear":         documented("{ " + counted("a%d: cases(first: 100) { totalCount } ", 20) + "}"),
		"duplicates":                      documented("{ " + strings.Repeat("viewer { subject } ", 300) + "}"),
		"ten thousand duplicates":         documented("{ " + strings.Repeat("__typename ", 10_000) + "}"),
		"fragments that double":           documented(doubling.String()),
		"a fragment that spreads itself":  documented("{ ...A } fragment A on Query { ...A }"),
		"fragments in a circle":           documented("{ ...A } fragment A on Query { ...B } fragment B on Query { viewer { subject } ...A }"),
		"fragments nobody uses":           documented("{ __typename } " + counted("fragment F%d on Query { __typename } ", 200)),
		"directives":                      documented("{ viewer " + strings.Repeat("@skip(if: false) ", 300) + "{ subject } }"),
		"directives that nobody knows":    documented("{ viewer " + counted("@x%d ", 200) + "{ subject } }"),
		"names that nobody knows":         documented("{ " + counted("x%d ", 400) + "}"),
		"arguments that nobody knows":     documented("{ cases(" + counted("x%d: 1 ", 200) + ") { totalCount } }"),
		"variables by the hundred":        documented("query(" + counted("$a%d: Int ", 240) + ") { __typename }"),
		"operations by the hundred":       documented(counted("query Q%d { __typename } ", 100)),
		"a huge number":                   documented("{ cases(first: " + huge + ") { totalCount } }"),
		"a huge negative number":          documented("{ cases(first: -" + huge + ") { totalCount } }"),
		"a float for a page":              documented("{ cases(first: 1e9999) { totalCount } }"),
		"a huge variable":                 documented("query($n: Int) { cases(first: $n) { totalCount } }", map[string]any{"n": json.Number(huge)}),
		"a huge string":                   documented(`{ case(id: "` + strings.Repeat("x", 200_000) + `") { id } }`),
		"a huge string variable":          documented("query($i: ID!) { case(id: $i) { id } }", map[string]any{"i": strings.Repeat("x", 200_000)}),
		"a huge search":                   documented("query($s: String) { cases(first: 1, where: {number: {contains: $s}}) { totalCount } }", map[string]any{"s": strings.Repeat("%_\\", 60_000)}),
		"a search for wild cards":         documented(`{ cases(first: 1, where: {number: {contains: "%%%%%%%%%%%%%%%%%%%%_%"}}) { totalCount } }`),
		"a filter within filters":         documented("{ cases(first: 1, where: " + nested("{not: ", "{}", "}", 100) + ") { totalCount } }"),
		"a filter within filters, passed": documented("query($w: CaseFilter) { cases(first: 1, where: $w) { totalCount } }", within("w", "not", 30)),
		"a wide filter":                   documented("query($w: CaseFilter) { cases(first: 1, where: $w) { totalCount } }", wide(2000)),
		"a filter of lists":               documented("query($i: [ID!]) { cases(first: 1, where: {id: {in: $i}}) { totalCount } }", map[string]any{"i": slices.Repeat([]string{"x"}, 10_000)}),
		"ids by the thousand":             documented("query($i: [ID!]!) { nodes(ids: $i) { id } }", map[string]any{"i": slices.Repeat([]string{"BwGT1hZ1cGK_5nQ0a9wBmAA"}, 10_000)}),
		"a cursor of nobody":              documented(`{ cases(first: 1, after: "` + strings.Repeat("A", 5000) + `") { nodes { id } } }`),
		"a number for an id":              documented("{ case(id: 7) { id } }"),
		"a NUL in a value":                documented("query($i: ID!) { case(id: $i) { id } }", map[string]any{"i": "a\x00b"}),
		"wrong kinds of variables":        documented("query($i: ID!, $w: CaseFilter) { case(id: $i) { id } cases(first: 1, where: $w) { totalCount } }", map[string]any{"i": []any{1, map[string]any{"a": nil}}, "w": 7}),
		"introspection within itself":     documented("{ __schema { types { " + nested("fields { type { ", "name", " } }", 12) + " } } }"),
		"introspection again and again":   documented("{ " + counted("a%d: __schema { types { name } } ", 20) + "}"),
		"a mutation of everything":        documented("mutation { " + counted(`a%d: closeCase(input: {caseId: "x", expectedRevision: 1}) { case { id } } `, 20) + "}"),
		"a deep form":                     documented("mutation($in: SubmitApplicationInput!) { submitApplication(input: $in) { case { id } } }", map[string]any{"in": within("in", "formItems", 28)}),
		"a subscription over HTTP":        documented("subscription { caseEvents { __typename } }"),
		"parser bombs":                    documented("{ a(b: " + nested("[", "", "]", 400) + ") }"),
		"objects as values":               documented("{ a(b: " + nested("{a:", "1", "}", 300) + ") }"),
		"block strings":                   documented(`{ case(id: """` + strings.Repeat("\n  x", 60_000) + `""") { id } }`),
		"comments":                        documented(strings.Repeat("#\n", 100_000) + "{ __typename }"),
		"commas":                          documented("{" + strings.Repeat(",", 200_000) + "__typename }"),
		"half a surrogate":                posted([]byte(`{"query":"{ case(id: \"\ud800\") { id } }"}`)),
	}
}

// within is a variable that holds itself, so to say.
func within(variable, name string, depth int) map[string]any {
	inner := map[string]any{}
	for range depth {
		inner = map[string]any{name: inner}
	}
	return map[string]any{variable: inner}
}

func wide(n int) map[string]any {
	return map[string]any{"w": map[string]any{"or": slices.Repeat([]any{map[string]any{"number": map[string]any{"eq": "1"}}}, n)}}
}

// bodies are hostile bodies.
func bodies() map[string]attack {
	ok := `{"query":"{ __typename }"}`
	out := map[string]attack{}
	for name, body := range map[string]string{
		"nothing": "", "two megabytes": `{"query":"` + strings.Repeat("x", 2<<20) + `"}`, "a megabyte of brackets": strings.Repeat("[", 1<<20),
		"brackets within the limit": strings.Repeat("[", 250<<10), "objects within the limit": strings.Repeat(`{"a":`, 50_000),
		"half a document": `{"query":`, "two documents": ok + ok, "something behind": ok + "x", "a name twice": `{"query":"{ __typename }","query":"{ viewer { subject } }"}`,
		"a list": "[" + ok + "]", "a batch": "[" + strings.TrimSuffix(strings.Repeat(ok+",", 2000), ",") + "]", "a number": "7", "a string": `"x"`, "null": "null",
		"UTF-16": "\xff\xfe{\x00}\x00", "a byte order mark": "\xef\xbb\xbf" + ok, "Latin-1": "{\"query\":\"{ M\xfc }\"}", "a NUL": "{\"query\":\"{ __typename }\x00\"}",
		"an escaped NUL": `{"query":"{ __typename }\u0000"}`, "NaN": `{"query":"{ __typename }","variables":{"a":NaN}}`, "single quotes": `{'query':'{ __typename }'}`,
		"a query that is a list": `{"query":["{ __typename }"]}`, "a query that is null": `{"query":null}`, "variables that are a list": `{"query":"{ __typename }","variables":[]}`,
		"extensions that are a text": `{"query":"{ __typename }","extensions":"x"}`, "a persisted query": `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"x"}}}`,
		"names by the thousand": `{"query":"{ __typename }","x":{` + strings.TrimSuffix(counted(`"a%d":1,`, 15_000), ",") + `}}`,
	} {
		out[name] = posted([]byte(body))
	}
	for name, media := range map[string]string{
		"form data": "application/x-www-form-urlencoded", "multipart": "multipart/form-data; boundary=x", "text": "text/plain", "GraphQL": "application/graphql",
		"XML": "application/xml", "no type": "", "a broken type": "application/json; charset", "UTF-16, told": "application/json; charset=utf-16", "a long type": "application/" + strings.Repeat("x", 8000),
	} {
		out["as "+name] = posted([]byte(ok)).with("Content-Type", media)
	}
	for _, coding := range []string{"gzip", "deflate", "br", "identity", "gzip, gzip"} {
		out["coded as "+coding] = posted([]byte(ok)).with("Content-Encoding", coding)
	}
	return out
}

// envelopes are hostile headers, methods and addresses.
func envelopes() map[string]attack {
	ok := documented("{ viewer { subject } }")
	out := map[string]attack{}
	for name, value := range map[string]string{
		"Accept": strings.Repeat("a/b;q=0.5,", 2500), "Accept-Language": strings.Repeat("de;q=0.1,", 2500), "Accept-Encoding": strings.Repeat("gzip;q=0,", 2500), "X-Purpose": strings.Repeat("x", 20_000),
		"traceparent": strings.Repeat("0", 20_000), "If-None-Match": strings.Repeat(`"x",`, 5000), "Origin": "https://" + strings.Repeat("x", 20_000), "Last-Event-Id": strings.Repeat("x", 20_000),
		"X-Graphql-Event-Stream-Token": strings.Repeat("x", 20_000), "Graphql-Cost": "yes", "X-Everything": strings.Repeat("x", 100_000), "Upgrade": "h2c", "Expect": "200-ok", "Range": "bytes=0-1",
		"Authorization": "Bearer " + strings.Repeat("x.", 10_000),
	} {
		out["the header "+name] = ok.with(name, value)
	}
	for name, value := range map[string]string{
		"basic": "Basic a2llbDp4", "an empty token": "Bearer ", "no algorithm": "Bearer eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.eyJzdWIiOiJraWVsIn0.", "five parts": "Bearer a.b.c.d.e", "braces": "Bearer {}.{}.{}", "bytes": "Bearer \xff\xfe",
	} {
		out["a token: "+name] = ok.with("Authorization", value)
	}
	for _, method := range []string{"DELETE", "PATCH", "PUT", "OPTIONS", "HEAD", "TRACE", "BREW", strings.Repeat("X", 5000)} {
		out["the method "+method[:3]] = attack{method, "/graphql", http.Header{"Content-Type": {"application/json"}}, ok.body}
	}
	for _, path := range []string{
		"/", "//graphql", "/graphql/", "/graphql/../livez", "/%2e%2e/graphql", "/graphql%00", "/" + strings.Repeat("x", 20_000), "/attachments/", "/attachments/" + strings.Repeat("A", 5000), "/attachments/..%2f..%2fetc%2fpasswd",
		"/graphql?query=" + url.QueryEscape("mutation { closeCase(input: {caseId: \"x\", expectedRevision: 1}) { case { id } } }"), "/graphql?query=%", "/graphql?query=a&query=b", "/graphql?variables=[", "/graphql?" + strings.Repeat("a=b&", 3000),
		"/graphql?query=" + strings.Repeat("%7B", 3000), "/schema.graphql/x", "/.git/config", "/metrics", "/debug/pprof/",
	} {
		out["the address "+path[:min(len(path), 60)]] = attack{http.MethodGet, path, http.Header{}, nil}
	}
	for _, path := range []string{"/uploads", "/intake/gover"} {
		out["a delivery of nothing to "+path] = attack{http.MethodPost, path, http.Header{"Content-Type": {"multipart/form-data; boundary=x"}}, nil}
		out["a delivery of rubbish to "+path] = attack{http.MethodPost, path, http.Header{"Content-Type": {"multipart/form-data; boundary=x"}}, bytes.Repeat([]byte("--x\r\n"), 5000)}
		out["a delivery that is too large to "+path] = attack{http.MethodPost, path, http.Header{"Content-Type": {"application/pdf"}}, make([]byte, 3<<20)}
	}
	return out
}

// answer is what came of an attack.
type answer struct {
	status, length int
	took           time.Duration
	cut            bool // the connection was closed without an answer, which is one, too
}

// strike carries out an attack over a connection of its own.
func strike(h *housetest.House, client *http.Client, token string, a attack) (answer, error) {
	r, err := http.NewRequestWithContext(h.Context(), http.MethodGet, h.URL, bytes.NewReader(a.body))
	if err != nil {
		return answer{}, err
	}
	r.Method = a.method
	r.URL.Opaque = "//" + r.URL.Host + a.path
	r.ContentLength = int64(len(a.body))
	r.Header = a.header.Clone()
	if r.Header.Get("Authorization") == "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if r.Header.Get("Accept-Encoding") == "" {
		r.Header.Set("Accept-Encoding", "identity")
	}
	begun := time.Now()
	got, err := client.Do(r)
	if err != nil {
		return answer{cut: true, took: time.Since(begun)}, nil //nolint:nilerr // see cut
	}
	defer got.Body.Close()
	length, _ := io.Copy(io.Discard, got.Body)
	return answer{status: got.StatusCode, length: int(length), took: time.Since(begun)}, nil
}

// wrong says what an answer should not have been; empty where it is right. The contract itself is larger than an answer may be, and
// whoever may read it may have all of it.
func (a answer) wrong(name string) string {
	switch {
	case a.status >= 500:
		return fmt.Sprintf("%s: status %d", name, a.status)
	case a.length > answersUpTo:
		return fmt.Sprintf("%s: %d bytes", name, a.length)
	case a.took > answersWithin:
		return fmt.Sprintf("%s: took %v", name, a.took)
	}
	return ""
}

// besieged tells what is wrong with the answers to attacks, each of which has ten chances: on a busy machine something else may take
// the time.
func besieged(h *housetest.House, attacks map[string]attack) (found []string) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	token := h.Token("kiel-caseworker", map[string]any{"trust_level": "SUBSTANTIAL"}, time.Hour)
	for name, a := range attacks {
		said := ""
		for range 10 {
			got, err := strike(h, client, token, a)
			if err != nil {
				return append(found, err.Error())
			}
			if said = got.wrong(name); !strings.Contains(said, "took") {
				break
			}
		}
		if said != "" {
			found = append(found, said)
		}
	}
	return found
}

func TestHostileRequestsAreAnsweredBrieflySoonAndWithoutHarm(t *testing.T) {
	h := housetest.New(t)
	h.Seed(300, 1)
	watch := post(h)
	for family, attacks := range map[string]map[string]attack{"documents": documents(), "bodies": bodies(), "envelopes": envelopes()} {
		for _, found := range besieged(h, attacks) {
			t.Errorf("%s: %s", family, found)
		}
		t.Logf("%s: %d", family, len(attacks))
	}
	watch.end(t)
	h.As("kiel-caseworker").Ask("{ viewer { subject } }", nil).Works()
}

func TestTheHostileRequestsFindAHouseWithoutADoor(t *testing.T) {
	h := housetest.New(t)
	bare := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if !json.Valid(body) {
			w.WriteHeader(http.StatusInternalServerError)
		}
		_, _ = w.Write(body) // an echo
	})}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = bare.Serve(l) }()
	defer bare.Close()
	h.URL = "http://" + l.Addr().String()
	if found := besieged(h, bodies()); len(found) < 10 {
		t.Errorf("a house without a door passes: %q", found)
	}
}

// canaries ask something simple all the time, and take note of how long that takes.
type canaries struct {
	stop chan struct{}
	wait sync.WaitGroup
	took []time.Duration
	bad  int
}

// post lets canaries sing.
func post(h *housetest.House) *canaries {
	c := &canaries{stop: make(chan struct{})}
	who := h.As("kiel-mailroom")
	who.Ask("{ cases(first: 1) { totalCount } }", nil).Works()
	c.wait.Go(func() {
		for {
			select {
			case <-c.stop:
				return
			case <-time.After(20 * time.Millisecond):
			}
			begun := time.Now()
			if got := who.Ask("{ cases(first: 1) { totalCount } }", nil); got.Status != http.StatusOK || len(got.Errors) > 0 {
				c.bad++
			}
			c.took = append(c.took, time.Since(begun))
		}
	})
	return c
}

func (c *canaries) end(t *testing.T) {
	t.Helper()
	close(c.stop)
	c.wait.Wait()
	slices.Sort(c.took)
	at := func(percent int) time.Duration { return c.took[(len(c.took)-1)*percent/100] }
	t.Logf("meanwhile %d simple questions took %v at the median, %v at the 99th of 100, %v at most", len(c.took), at(50), at(99), at(100))
	// Under the race detector, on a machine that others share, a few are late or told to come again, whatever is asked meanwhile.
	most, bearable := 50, len(c.took)/50
	if *long > 0 {
		most, bearable = 95, 0
	}
	if c.bad > bearable || at(most) > answersWithin {
		t.Errorf("meanwhile %d of %d simple questions were not answered, and %d of 100 took up to %v", c.bad, len(c.took), most, at(most))
	}
}

// TestTheSiege goes on for as long as -long says: all attacks and mutilations of them, by several at once. make hostile runs it.
func TestTheSiege(t *testing.T) {
	if *long == 0 {
		t.Skip("make hostile runs it")
	}
	h := housetest.New(t, func(g *cmd.Ground) { g.Log = slog.New(slog.DiscardHandler) }) // the log of tests is kept in memory
	h.Seed(3000, 1)
	var all []attack
	for _, family := range []map[string]attack{documents(), bodies(), envelopes()} {
		for _, a := range family {
			all = append(all, a)
		}
	}
	token := h.Token("kiel-caseworker", map[string]any{"trust_level": "SUBSTANTIAL"}, 24*time.Hour)
	before, routines := heap(), runtime.NumGoroutine()
	watch := post(h)
	var struck, late, cut atomic.Int64
	var slowest atomic.Int64
	var wait sync.WaitGroup
	for i := range 4 {
		wait.Go(func() {
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
			defer client.CloseIdleConnections()
			chance := rand.New(rand.NewPCG(uint64(i), 1))
			for end := time.Now().Add(*long); time.Now().Before(end); {
				a := all[chance.IntN(len(all))]
				a.body = mutilated(chance, a.body)
				got, err := strike(h, client, token, a)
				if err != nil {
					t.Error(err)
					return
				}
				struck.Add(1)
				if got.cut {
					cut.Add(1)
				}
				for was := slowest.Load(); int64(got.took) > was && !slowest.CompareAndSwap(was, int64(got.took)); was = slowest.Load() {
				}
				switch said := got.wrong(a.method + " " + a.path[:min(60, len(a.path))]); {
				case strings.Contains(said, "took"):
					late.Add(1) // four at once, on a machine that others share: see the share below
				case said != "":
					t.Errorf("%s: %.200q", said, a.body)
				}
			}
		})
	}
	wait.Wait()
	watch.end(t)
	if share := float64(late.Load()) / float64(struck.Load()); share > 0.01 {
		t.Errorf("%.2f %% of the answers took more than %v", 100*share, answersWithin)
	}
	http.DefaultClient.CloseIdleConnections()
	after := heap()
	t.Logf("%d attacks, %d of them cut off, %d took more than %v, the slowest %v; memory %d KB before, %d KB afterwards; %d goroutines before, %d afterwards",
		struck.Load(), cut.Load(), late.Load(), answersWithin, time.Duration(slowest.Load()), before>>10, after>>10, routines, runtime.NumGoroutine())
	if after > before+32<<20 {
		t.Errorf("%d KB stay behind", (after-before)>>10)
	}
}

// heap is what is used when everything is thrown away that nobody needs.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// mutilated is a body with a few bytes changed, left out or repeated, more often than not.
func mutilated(chance *rand.Rand, body []byte) []byte {
	if len(body) == 0 || chance.IntN(3) == 0 {
		return body
	}
	out := bytes.Clone(body)
	for range 1 + chance.IntN(4) {
		i := chance.IntN(len(out))
		switch chance.IntN(4) {
		case 0:
			out[i] = byte(chance.IntN(256))
		case 1:
			out[i] = `{}[]":,\$@!.0e`[chance.IntN(14)]
		case 2:
			out = slices.Delete(out, i, min(len(out), i+1+chance.IntN(8)))
		case 3:
			out = slices.Insert(out, i, out[i:min(len(out), i+1+chance.IntN(40))]...)
		}
		if len(out) == 0 {
			return out
		}
	}
	return out
}

// socketAttack does something hostile on a socket and waits until the house has ended it, which it has to do with one of the codes.
type socketAttack struct {
	protocol string
	do       func(ctx context.Context, c *websocket.Conn, token string)
	want     []websocket.StatusCode
}

func greeted(ctx context.Context, c *websocket.Conn, token string) {
	_ = c.Write(ctx, websocket.MessageText, []byte(`{"type":"connection_init","payload":{"Authorization":"Bearer `+token+`"}}`))
	_, _, _ = c.Read(ctx)
}

func says(text string) func(context.Context, *websocket.Conn, string) {
	return func(ctx context.Context, c *websocket.Conn, _ string) {
		_ = c.Write(ctx, websocket.MessageText, []byte(text))
	}
}

func floods(text string) func(context.Context, *websocket.Conn, string) {
	return func(ctx context.Context, c *websocket.Conn, token string) {
		greeted(ctx, c, token)
		for i := range 1000 {
			if c.Write(ctx, websocket.MessageText, []byte(strings.ReplaceAll(text, "%d", fmt.Sprint(i)))) != nil {
				return
			}
		}
	}
}

func socketAttacks() map[string]socketAttack {
	const spoken = "graphql-transport-ws"
	return map[string]socketAttack{
		"another protocol":     {"graphql-ws", says(""), []websocket.StatusCode{4406}},
		"silence":              {spoken, func(context.Context, *websocket.Conn, string) {}, []websocket.StatusCode{4408}},
		"no greeting":          {spoken, says(`{"type":"subscribe","id":"1","payload":{"query":"{ __typename }"}}`), []websocket.StatusCode{4401}},
		"a bad token":          {spoken, says(`{"type":"connection_init","payload":{"Authorization":"Bearer x"}}`), []websocket.StatusCode{4403}},
		"no JSON":              {spoken, says(`{"type":`), []websocket.StatusCode{4400}},
		"another word":         {spoken, says(`{"type":"start"}`), []websocket.StatusCode{4400}},
		"deep nesting":         {spoken, says(strings.Repeat("[", 60<<10)), []websocket.StatusCode{4400}},
		"an oversize frame":    {spoken, says(strings.Repeat("x", 65<<10)), []websocket.StatusCode{websocket.StatusMessageTooBig}},
		"a megabyte":           {spoken, says(strings.Repeat("x", 1<<20)), []websocket.StatusCode{websocket.StatusMessageTooBig, -1}},
		"a flood of pings":     {spoken, floods(`{"type":"ping"}`), []websocket.StatusCode{4429, -1}},
		"a flood of questions": {spoken, floods(`{"type":"subscribe","id":"%d","payload":{"query":"{ cases(first: 100) { nodes { id } } }"}}`), []websocket.StatusCode{4429, -1}},
		"greeted twice": {spoken, func(ctx context.Context, c *websocket.Conn, token string) {
			greeted(ctx, c, token)
			_ = c.Write(ctx, websocket.MessageText, []byte(`{"type":"connection_init"}`))
		}, []websocket.StatusCode{4429}},
		"one id twice": {spoken, func(ctx context.Context, c *websocket.Conn, token string) {
			greeted(ctx, c, token)
			for range 2 {
				_ = c.Write(ctx, websocket.MessageText, []byte(`{"type":"subscribe","id":"1","payload":{"query":"subscription { caseEvents { __typename } }"}}`))
			}
		}, []websocket.StatusCode{4409}},
		"a long id": {spoken, func(ctx context.Context, c *websocket.Conn, token string) {
			greeted(ctx, c, token)
			_ = c.Write(ctx, websocket.MessageText, []byte(`{"type":"subscribe","id":"`+strings.Repeat("x", 1000)+`","payload":{"query":"{ __typename }"}}`))
		}, []websocket.StatusCode{4400}},
		"binary": {spoken, func(ctx context.Context, c *websocket.Conn, _ string) {
			_ = c.Write(ctx, websocket.MessageBinary, []byte(`{"type":"ping"}`))
		}, []websocket.StatusCode{4400}},
	}
}

func TestHostileSocketsAreClosed(t *testing.T) {
	h := housetest.New(t)
	h.Seed(300, 1)
	token := h.Token("kiel-caseworker", map[string]any{"trust_level": "SUBSTANTIAL"}, time.Hour)
	watch := post(h)
	ctx, cancel := context.WithTimeout(h.Context(), time.Minute)
	defer cancel()
	var wait sync.WaitGroup
	for name, a := range socketAttacks() {
		wait.Go(func() {
			c, _, err := websocket.Dial(ctx, h.URL+"/graphql", &websocket.DialOptions{Subprotocols: []string{a.protocol}})
			if err != nil {
				t.Errorf("%s: %v", name, err)
				return
			}
			defer func() { _ = c.CloseNow() }()
			c.SetReadLimit(1 << 20)
			a.do(ctx, c, token)
			for {
				if _, _, err := c.Read(ctx); err != nil {
					if code := websocket.CloseStatus(err); !slices.Contains(a.want, code) {
						t.Errorf("%s: closed with %d (%v), not %v", name, code, err, a.want)
					}
					return
				}
			}
		})
	}
	wait.Wait()
	watch.end(t)
	_, answer, err := websocket.Dial(ctx, h.URL+"/graphql", &websocket.DialOptions{
		Subprotocols: []string{"graphql-transport-ws"}, HTTPHeader: http.Header{"Origin": {"https://elsewhere.example.org"}},
	})
	if err == nil || answer == nil || answer.StatusCode != http.StatusForbidden {
		t.Errorf("a page of another origin opens a socket: %v", err)
	}
}

// slowReader asks again and again over one connection without reading what comes back, until the house has enough of that.
func slowReader(ctx context.Context, address, token string) error {
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer c.Close()
	body := `{"query":"{ cases(first: 100) { nodes { id number service { title } unit { name } } } }"}`
	request := fmt.Sprintf("POST /graphql HTTP/1.1\r\nHost: house\r\nContent-Type: application/json\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s", token, len(body), body)
	_ = c.SetWriteDeadline(time.Now().Add(2 * time.Second))
	for {
		if _, err := io.WriteString(c, request); err != nil {
			return nil //nolint:nilerr // the house takes no more
		}
	}
}

func TestSlowReadersHoldNobodyUp(t *testing.T) {
	h := housetest.New(t)
	h.Seed(300, 1)
	token := h.Token("kiel-caseworker", map[string]any{"trust_level": "SUBSTANTIAL"}, time.Hour)
	before := heap()
	watch := post(h)
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			if err := slowReader(h.Context(), strings.TrimPrefix(h.URL, "http://"), token); err != nil {
				t.Error(err)
			}
		})
	}
	// Half a header, and then nothing.
	c, err := net.Dial("tcp", strings.TrimPrefix(h.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "POST /graphql HTTP/1.1\r\nHost: house\r\nX-"); err != nil {
		t.Fatal(err)
	}
	wait.Wait()
	watch.end(t)
	if after := heap(); after > before+64<<20 {
		t.Errorf("%d KB stay behind", (after-before)>>10)
	}
}
