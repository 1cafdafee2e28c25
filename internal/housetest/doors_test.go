// SPDX-License-Identifier: EUPL-1.2

package housetest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/ozg-cloud/platform/cmd"
	"github.com/ozg-cloud/platform/internal/housetest"
)

// canary is in everything that is sent on purpose wrongly. Nothing that comes back and nothing that is logged may have it.
const canary = "Kanarienvogel7f3a"

// request is an odd one, and by whom.
type request struct {
	who  string
	make func(*housetest.Caller) *http.Request
}

// whole are the parts of a delivery that is accepted.
func whole() []housetest.Part {
	return []housetest.Part{
		{Name: "formData", MediaType: "application/json", Content: form},
		{Name: "representation", File: "Antrag.pdf", MediaType: "application/pdf", Content: pdf},
		{Name: "attachment", File: "Bild.png", MediaType: "image/png", Content: png},
	}
}

// deliveries are requests to /intake/gover that are odd in one thing.
func deliveries() map[string]func(*housetest.Caller) *http.Request {
	out := map[string]func(*housetest.Caller) *http.Request{}
	parts := func(name string, change func([]housetest.Part) []housetest.Part) {
		out[name] = func(c *housetest.Caller) *http.Request { return c.Delivery(change(whole())...) }
	}
	formed := func(name string, content []byte) {
		parts(name, func(p []housetest.Part) []housetest.Part { p[0].Content = content; return p })
	}
	changed := func(name string, change func(control, document map[string]any)) {
		var document map[string]any
		if err := json.Unmarshal(form, &document); err != nil {
			panic(err)
		}
		control, _ := document["control"].(map[string]any)
		control["transactionId"] = fmt.Sprintf("t-%d", len(out)) // one of its own, should it be taken after all
		change(control, document)
		content, err := json.Marshal(document)
		if err != nil {
			panic(err)
		}
		formed(name, content)
	}
	header := func(name, key, value string) {
		out[name] = func(c *housetest.Caller) *http.Request {
			r := c.Delivery(whole()...)
			r.Header.Set(key, value)
			return r
		}
	}
	for _, wrong := range []any{nil, "", "  ", canary, canary + "\x00", canary + strings.Repeat("ä", 100_000), 7, true, []any{canary}, map[string]any{canary: canary}} {
		for _, member := range []string{"transactionId", "zustaendigeStelle", "leikaIds", "serviceKonto"} {
			changed(fmt.Sprintf("%s: %.40v", member, wrong), func(control, _ map[string]any) { control[member] = wrong })
		}
		for _, member := range []string{"type", "trustLevel", "postfachAddress"} {
			changed(fmt.Sprintf("serviceKonto, %s: %.40v", member, wrong), func(control, _ map[string]any) {
				account, _ := control["serviceKonto"].(map[string]any)
				account[member] = wrong
			})
		}
		changed(fmt.Sprintf("formData: %.40v", wrong), func(_, document map[string]any) { document["formData"] = wrong })
		changed(fmt.Sprintf("control: %.40v", wrong), func(_, document map[string]any) { document["control"] = wrong })
	}
	for member := range map[string]bool{"transactionId": true, "zustaendigeStelle": true, "leikaIds": true} {
		changed("without "+member, func(control, _ map[string]any) { delete(control, member) })
	}
	changed("an unknown member", func(_, document map[string]any) { document[canary] = canary })
	changed("an item of another form", func(_, document map[string]any) {
		document["formData"] = []any{map[string]any{"name": canary, canary: 1}}
	})
	changed("two services", func(control, _ map[string]any) { control["leikaIds"] = []string{"99108001001000", "99108001020000"} })
	formed("no JSON", []byte(canary))
	formed("cut off", form[:len(form)/2])
	formed("no UTF-8", bytes.ReplaceAll(form, []byte("Erika"), []byte("\xff"+canary)))
	formed("nothing", nil)
	formed("twice", append(bytes.Clone(form), form...))
	formed("a name twice", bytes.Replace(form, []byte(`"control": {`), []byte(`"control": {}, "control": {`), 1))
	formed("brackets", []byte(strings.Repeat("[", 100_000)))
	formed("three megabytes", bytes.ReplaceAll(form, []byte("Erika"), []byte(canary+strings.Repeat("x", 3<<20))))
	formed("a number beyond all floats", bytes.ReplaceAll(form, []byte("4.2"), []byte("1e999")))
	parts("nothing at all", func([]housetest.Part) []housetest.Part { return nil })
	parts("no form", func(p []housetest.Part) []housetest.Part { return p[1:] })
	parts("no representation", func(p []housetest.Part) []housetest.Part { return p[:1] })
	parts("two forms", func(p []housetest.Part) []housetest.Part { return append(p, p[0]) })
	parts("two representations", func(p []housetest.Part) []housetest.Part { return append(p, p[1]) })
	parts("an unknown part", func(p []housetest.Part) []housetest.Part {
		return append(p, housetest.Part{Name: canary, MediaType: "text/plain", Content: []byte(canary)})
	})
	parts("a part in capitals", func(p []housetest.Part) []housetest.Part { p[0].Name = "FORMDATA"; return p })
	parts("21 attachments", func(p []housetest.Part) []housetest.Part { return append(p, slices.Repeat(p[2:], 20)...) })
	parts("a representation that is none", func(p []housetest.Part) []housetest.Part { p[1].Content = []byte(canary); return p })
	parts("an empty representation", func(p []housetest.Part) []housetest.Part { p[1].Content = nil; return p })
	header("another type of content", "Content-Type", "application/json")
	header("no boundary", "Content-Type", "multipart/form-data")
	header("another boundary", "Content-Type", "multipart/form-data; boundary="+canary)
	header("an odd type", "Content-Type", canary)
	for _, share := range []int{10, 50, 90, 99} {
		out[fmt.Sprintf("the first %d percent", share)] = func(c *housetest.Caller) *http.Request {
			r := c.Delivery(whole()...)
			all, err := io.ReadAll(r.Body)
			if err != nil {
				panic(err)
			}
			part := all[:len(all)*share/100]
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(part)), int64(len(part))
			return r
		}
	}
	return out
}

// requests are odd ones for every door that takes content or hands it out.
func requests(h *housetest.House) map[string]request {
	out := map[string]request{}
	for name, delivery := range deliveries() {
		out["delivery: "+name] = request{"gover", delivery}
	}
	for _, who := range []string{"kiel-caseworker", "kiel-applicant", "partner", ""} {
		out["delivery by "+who] = request{who, func(c *housetest.Caller) *http.Request { return c.Delivery(whole()...) }}
	}
	plain := func(who, method, path string, header http.Header, body []byte) {
		out[fmt.Sprintf("%s %.60s %v by %s, %d bytes", method, path, header, who, len(body))] = request{who, func(*housetest.Caller) *http.Request {
			r := h.Request(method, path)
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
			maps.Copy(r.Header, header)
			return r
		}}
	}
	for _, method := range []string{"GET", "PUT", "PATCH", "DELETE", "HEAD", "TRACE", "KANARIENVOGEL"} {
		plain("gover", method, "/intake/gover", nil, form)
		plain("kiel-applicant", method, "/uploads", http.Header{"X-Filename": {"a.txt"}}, png)
		plain("kiel-applicant", method, "/uploads/"+canary, nil, png)
	}
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "DELETE"} {
		for _, token := range []string{canary, strings.Repeat("A", 100), strings.Repeat(canary, 400), "%00" + canary, "..%2f..%2f" + canary, canary + ".", "%ff"} {
			plain("kiel-applicant", method, "/attachments/"+token, nil, nil)
		}
	}
	for _, name := range []string{"", "%", "%zz", canary + "%00", "..%2F" + canary, canary + "%2F", canary + "%5C", "%FF" + canary, canary + "%0D%0AX-A:b", strings.Repeat(canary, 40), ".", ".."} {
		plain("kiel-applicant", "POST", "/uploads", http.Header{"X-Filename": {name}}, png)
	}
	figures := func(body string, header ...string) {
		h := http.Header{"Content-Type": {"application/json"}}
		for i := 0; i < len(header); i += 2 {
			h.Set(header[i], header[i+1])
		}
		for _, door := range []string{"/statistics.csv", "/statistics.json"} {
			plain("sh-analyst", "POST", door, h, []byte(body))
		}
	}
	asks := func(members string) string {
		return `{"scope": "sh", "product": "EXACT", "measures": ["OPEN"]` + members + `}`
	}
	for _, body := range []string{
		"", "null", "[]", `"` + canary + `"`, "{", "{}", strings.Repeat("[", 10_000), strings.Repeat(" ", 70_000), asks(`, "` + canary + `": 1`), asks(`, "groupBy": "` + canary + `"`),
		asks(`, "groupBy": ["` + canary + `"]`), asks(`, "groupBy": ["_"]`), asks(`, "groupBy": ["DURATION"]`), asks(`, "groupBy": [null]`), asks(`, "where": [{}]`), asks(`, "where": [{"axis": "SERVICE", "values": ["` + canary + `\u0000"]}]`), asks(`, "where": [{"axis": "SERVICE", "values": []}]`),
		asks(`, "where": [{"axis": "` + canary + `", "values": ["1"]}]`), asks(`, "where": [{"axis": "SERVICE", "values": ["1"], "` + canary + `": 1}]`), asks(`, "from": "` + canary + `"`),
		asks(`, "from": "2026-13", "to": "2026-14"`), asks(`, "from": "9999-01", "to": "0000-01"`), asks(`, "scope": "` + canary + `"`), `{"scope": "` + canary + `\u0000", "product": "EXACT", "measures": ["OPEN"]}`,
		`{"scope": "` + canary + `", "product": "PROTECTED", "measures": ["OPEN"]}`, `{"scope": "sh", "product": "` + canary + `", "measures": ["OPEN"]}`, `{"scope": "sh", "product": "EXACT", "measures": ["` + canary + `"]}`,
		`{"scope": 1, "product": 2, "measures": 3}`, "\xff", asks("") + asks(""),
	} {
		figures(body)
	}
	figures(asks(""), "Content-Type", canary)
	figures(asks(""), "Content-Type", "application/x-www-form-urlencoded")
	figures(asks(""), "Content-Encoding", canary)
	plain("sh-analyst", "GET", "/statistics.csv?scope="+canary, nil, nil)
	plain("kiel-caseworker", "POST", "/statistics.csv", nil, []byte(canary))
	plain("kiel-applicant", "POST", "/uploads", nil, png)
	plain("kiel-applicant", "POST", "/uploads", http.Header{"X-Filename": {canary + ".txt"}}, bytes.Repeat([]byte("x"), 2<<20))
	for _, who := range []string{"", "partner", "kiel-mailroom"} {
		plain(who, "POST", "/uploads", http.Header{"X-Filename": {canary + ".txt"}}, png)
	}
	return out
}

// harmed says what is wrong with the answer to an odd request: a fault of the house, an echo, or something stored although it was refused.
func harmed(h *housetest.House, a housetest.Answer, before map[string]string) (wrong []string) {
	if a.Status >= 500 {
		wrong = append(wrong, fmt.Sprintf("status %d", a.Status))
	}
	if bytes.Contains(a.Raw, []byte(canary)) || strings.Contains(fmt.Sprint(a.Header), canary) {
		wrong = append(wrong, "the answer repeats what was sent")
	}
	for table, after := range h.Stored() {
		if a.Status >= 400 && before[table] != after {
			wrong = append(wrong, "something was stored in "+table)
		}
	}
	return wrong
}

func TestNoRequestToADoorDoesHarm(t *testing.T) {
	t.Parallel()
	h := housetest.New(t, func(g *cmd.Ground) { g.Development = false })
	before := h.Stored()
	all, taken := requests(h), 0
	for _, name := range slices.Sorted(maps.Keys(all)) {
		who := h.Anonymous()
		if all[name].who != "" {
			who = h.As(all[name].who)
		}
		a := who.Send(all[name].make(who))
		if wrong := harmed(h, a, before); len(wrong) > 0 {
			t.Errorf("%s: %v: %.300s", name, wrong, a.Raw)
		}
		if a.Status < 400 {
			taken++
			before = h.Stored()
		}
	}
	if log := h.Log.String(); strings.Contains(log, canary) || strings.Contains(log, "internal error") {
		for l := range strings.Lines(log) {
			if strings.Contains(l, canary) || strings.Contains(l, "internal error") {
				t.Errorf("logged: %.500s", l)
			}
		}
	}
	// What a form server delivers is taken as it is: an account without a mailbox, an unknown kind of account. Not more than that.
	if t.Logf("%d requests, %d taken", len(all), taken); taken > 12 {
		t.Errorf("%d odd requests were taken", taken)
	}
	// The watch finds an echo, a fault, and what was stored although it was refused.
	gover := h.As("gover")
	good := gover.Send(gover.Delivery(whole()...))
	if wrong := harmed(h, good, before); good.Status != http.StatusCreated || len(wrong) > 0 {
		t.Errorf("a good delivery: status %d, %v", good.Status, wrong)
	}
	good.Status, good.Raw = http.StatusInternalServerError, []byte(canary)
	if wrong := harmed(h, good, before); len(wrong) < 5 {
		t.Errorf("the watch only finds %v", wrong)
	}
}
