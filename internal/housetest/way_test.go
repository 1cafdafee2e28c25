// SPDX-License-Identifier: EUPL-1.2

package housetest_test

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ozg-cloud/platform/internal/housetest"
)

//go:embed testdata/bewohnerparkausweis.json
var form []byte

// pdf is a page with nothing on it.
var pdf = []byte("%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n" +
	"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n")

// png is a picture of one grey pixel.
var png = []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x00\x00\x00\x00:~\x9bU\x00\x00\x00\nIDATx\x9cch\x00\x00\x00\x82\x00\x81w\xcdr\xb6\x00\x00\x00\x00IEND\xaeB`\x82")

// TestTheWayOfACase tells the main story through the real program and HTTP: a delivery of a form server becomes a case of Kiel, is worked
// on, talked about in both directions and decided, and Lübeck sees nothing of it. make demo-case shows it step by step.
func TestTheWayOfACase(t *testing.T) {
	p := program(t)
	say := func(format string, args ...any) { t.Helper(); t.Logf("• "+format, args...) }

	status, answer := p.deliver("gover", form)
	var receipt struct{ CaseID, Number string }
	p.into(status, answer, http.StatusCreated, &receipt)
	say("The form server delivers a form with a PDF and two attachments; it becomes case %s.", receipt.Number)

	status, answer = p.deliver("gover", form)
	p.into(status, answer, http.StatusOK, &receipt)
	say("Delivered once more, it is still case %s.", receipt.Number)

	ask := func(who, document string, variables map[string]any) map[string]any {
		return p.ask(who, document, variables)
	}
	show := `query($id: ID!) { case(id: $id) {
		id number state revision tenant { name } unit { name } service { title } allowedTransitions dueAt
		applicant { name } submission { formData { name formItems { name stringValue } } attachments(first: 10) { nodes { name mediaType url } } }
		messages(first: 20) { nodes { id direction subject body replyPolicy openedAt } }
		decisions(last: 1) { nodes { outcome announcement { announcedOn rule explanation { de en } } } } } }`
	look := func(who string) map[string]any {
		document := show
		if who == "kiel-applicant" { // for whom an authority has no units
			document = strings.Replace(show, "unit { name }", "", 1)
		}
		seen, _ := ask(who, document, map[string]any{"id": receipt.CaseID})["case"].(map[string]any)
		if seen == nil {
			t.Fatalf("%s does not see the case", who)
		}
		return seen
	}
	kiel := look("kiel-mailroom")
	is(t, kiel["state"], "NEW")
	say("It belongs to %s, %s, and asks for: %s. The mail room may: %v.", at(kiel, "tenant", "name"), at(kiel, "unit", "name"), at(kiel, "service", "title"), kiel["allowedTransitions"])
	files, _ := at(kiel, "submission", "attachments", "nodes").([]any)
	if len(files) != 3 {
		t.Fatalf("%d attachments, not 3", len(files))
	}
	content := p.get("kiel-mailroom", fmt.Sprint(at(files[0], "url")))
	if !bytes.Equal(content, pdf) {
		t.Fatalf("the PDF came back as %d bytes", len(content))
	}
	say("The PDF comes back through a signed link, byte for byte.")

	// Lübeck: the same answer as for an id that never existed.
	foreign := p.raw("luebeck-caseworker", show, map[string]any{"id": receipt.CaseID})
	unknown := p.raw("luebeck-caseworker", show, map[string]any{"id": neverGiven(receipt.CaseID)})
	if !bytes.Equal(foreign, unknown) || !bytes.Equal(foreign, []byte(`{"data":{"case":null}}`)) {
		t.Fatalf("Lübeck can tell a case of Kiel from none: %s %s", foreign, unknown)
	}
	say("Lübeck asks for it and gets what it gets for an id that never existed: %s", foreign)

	verb := func(who, name string, input map[string]any) map[string]any {
		t.Helper()
		seen := look("kiel-caseworker")
		in := map[string]any{"caseId": receipt.CaseID, "expectedRevision": seen["revision"]}
		maps.Copy(in, input)
		got := ask(who, fmt.Sprintf(`mutation($in: %sInput!) { %s(input: $in) { case { state revision dueAt } problems { ... on Problem { code title } } } }`,
			strings.ToUpper(name[:1])+name[1:], name), map[string]any{"in": in})
		if problems, _ := at(got, name, "problems").([]any); len(problems) > 0 {
			t.Fatalf("%s cannot %s: %v", who, name, problems)
		}
		done, _ := at(got, name, "case").(map[string]any)
		return done
	}
	done := verb("kiel-mailroom", "acceptCase", map[string]any{"documentsComplete": true, "fileReference": "32.4-BP-2026/1"})
	say("The mail room accepts it: %v, due at %v.", done["state"], done["dueAt"])
	done = verb("kiel-caseworker", "startCase", nil)
	say("The caseworker begins: %v.", done["state"])
	done = verb("kiel-caseworker", "askApplicant", map[string]any{"subject": "Nachweis der Haltereigenschaft", "body": "Bitte senden Sie uns die Zulassungsbescheinigung Teil I."})
	say("… and asks the applicant: %v.", done["state"])

	mine := look("kiel-applicant")
	question := at(mine, "messages", "nodes", 0)
	say("The applicant finds the question %q (%v).", at(question, "subject"), at(question, "replyPolicy"))
	ask("kiel-applicant", `mutation($in: OpenMessageInput!) { openMessage(input: $in) { message { openedAt } } }`, map[string]any{"in": map[string]any{"messageId": at(question, "id")}})
	upload := p.upload("kiel-applicant", "Zulassung Teil I.png", png)
	reply := ask("kiel-applicant", `mutation($in: ReplyToMessageInput!) { replyToMessage(input: $in) { case { state } message { attachments(first: 5) { nodes { name } } } problems { ... on Problem { title } } } }`,
		map[string]any{"in": map[string]any{"messageId": at(question, "id"), "subject": "Zulassung", "body": "Anbei die Zulassungsbescheinigung.", "uploadIds": []string{upload}}})
	is(t, at(reply, "replyToMessage", "case", "state"), "IN_PROGRESS")
	say("… and replies with %v: %v.", at(reply, "replyToMessage", "message", "attachments", "nodes", 0, "name"), at(reply, "replyToMessage", "case", "state"))

	done = verb("kiel-caseworker", "decideCase", map[string]any{"outcome": "GRANTED", "documentUploadId": p.upload("kiel-caseworker", "Bescheid.pdf", pdf)})
	say("The caseworker grants it: %v.", done["state"])
	mine = look("kiel-applicant")
	decision := at(mine, "decisions", "nodes", 0)
	say("The applicant sees the decision %v, announced on %v (%v):", at(decision, "outcome"), at(decision, "announcement", "announcedOn"), at(decision, "announcement", "rule"))
	steps, _ := at(decision, "announcement", "explanation").([]any)
	for _, s := range steps {
		say("    %v", at(s, "de"))
	}
	if at(decision, "announcement", "announcedOn") == nil || len(steps) == 0 {
		t.Fatal("the decision has no date of announcement")
	}
	done = verb("kiel-caseworker", "closeCase", nil)
	is(t, done["state"], "CLOSED")
	say("The case is closed.")
}

// house is a running program.
type house struct {
	testing.TB
	url, binary string
	environ     []string
	tokens      map[string]string
}

// program builds the real program and starts a house for development in a folder of its own.
func program(t *testing.T) *house {
	t.Helper()
	folder := t.TempDir()
	root := filepath.Dir(folder) // PostgreSQL runs as another user, who has to get in
	for range 2 {
		if err := os.Chmod(folder, 0o711); err != nil {
			t.Fatal(err)
		}
		folder, root = root, folder
	}
	h := &house{TB: t, binary: filepath.Join(root, "ozg"), tokens: map[string]string{}}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", h.binary, "../../cmd/ozg")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building: %v\n%s", err, out)
	}
	h.environ = append(os.Environ(), "OZG_DATABASE_URL="+housetest.Configured(t), "OZG_DATA="+filepath.Join(root, "data"), "OZG_LISTEN=127.0.0.1:0", "OZG_DRAIN_SECONDS=0")
	run := exec.Command(h.binary, "dev")
	run.Env = h.environ
	var logged bytes.Buffer
	run.Stderr = &logged
	out, err := run.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := run.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		if err := run.Wait(); err != nil {
			t.Errorf("the house did not end well: %v\n%s", err, logged.String())
		}
		if t.Failed() {
			t.Logf("the house said:\n%s", logged.String())
		}
	})
	address := regexp.MustCompile(`The house is open at (http://\S+)`)
	found := make(chan string, 1)
	go func() {
		defer close(found)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if m := address.FindStringSubmatch(lines.Text()); m != nil {
				found <- m[1]
			}
		}
	}()
	select {
	case h.url = <-found:
	case <-time.After(2 * time.Minute):
	}
	if h.url == "" {
		t.Fatalf("the house did not open:\n%s", logged.String())
	}
	return h
}

func (h *house) token(who string) string {
	h.Helper()
	if t, ok := h.tokens[who]; ok {
		return t
	}
	c := exec.CommandContext(h.Context(), h.binary, "token", who)
	c.Env = h.environ
	out, err := c.Output()
	if err != nil {
		h.Fatal(err)
	}
	h.tokens[who] = strings.TrimSpace(string(out))
	return h.tokens[who]
}

func (h *house) send(who, method, path string, header http.Header, body io.Reader) (int, []byte) {
	h.Helper()
	ctx, cancel := context.WithTimeout(h.Context(), time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, h.url+path, body)
	if err != nil {
		h.Fatal(err)
	}
	r.Header = header
	r.Header.Set("Authorization", "Bearer "+h.token(who))
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		h.Fatal(err)
	}
	defer got.Body.Close()
	answer, err := io.ReadAll(got.Body)
	if err != nil {
		h.Fatal(err)
	}
	return got.StatusCode, answer
}

// deliver sends a form as Gover does, with a PDF and two attachments.
func (h *house) deliver(who string, form []byte) (int, []byte) {
	h.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	part := func(name, file, mediaType string, content []byte) {
		header := textproto.MIMEHeader{}
		disposition := fmt.Sprintf(`form-data; name=%q`, name)
		if file != "" {
			disposition += fmt.Sprintf(`; filename=%q`, file)
		}
		header.Set("Content-Disposition", disposition)
		header.Set("Content-Type", mediaType)
		w, err := m.CreatePart(header)
		if err != nil {
			h.Fatal(err)
		}
		if _, err := w.Write(content); err != nil {
			h.Fatal(err)
		}
	}
	part("formData", "", "application/json", form)
	part("representation", "Antrag.pdf", "application/pdf", pdf)
	part("attachment", "Meldebescheinigung.pdf", "application/pdf", append(bytes.Clone(pdf), '\n'))
	part("attachment", "Fahrzeug.png", "image/png", png)
	if err := m.Close(); err != nil {
		h.Fatal(err)
	}
	return h.send(who, http.MethodPost, "/intake/gover", http.Header{"Content-Type": {m.FormDataContentType()}}, &body)
}

func (h *house) into(status int, answer []byte, want int, v any) {
	h.Helper()
	if status != want {
		h.Fatalf("status %d: %s", status, answer)
	}
	if err := json.Unmarshal(answer, v); err != nil {
		h.Fatal(err)
	}
}

func (h *house) raw(who, document string, variables map[string]any) []byte {
	h.Helper()
	body, err := json.Marshal(map[string]any{"query": document, "variables": variables})
	if err != nil {
		h.Fatal(err)
	}
	status, answer := h.send(who, http.MethodPost, "/graphql", http.Header{"Content-Type": {"application/json"}}, bytes.NewReader(body))
	if status != http.StatusOK {
		h.Fatalf("status %d: %s", status, answer)
	}
	return answer
}

func (h *house) ask(who, document string, variables map[string]any) map[string]any {
	h.Helper()
	var answer struct {
		Data   map[string]any
		Errors []any
	}
	raw := h.raw(who, document, variables)
	if err := json.Unmarshal(raw, &answer); err != nil || len(answer.Errors) > 0 {
		h.Fatalf("%v: %s", err, raw)
	}
	return answer.Data
}

func (h *house) upload(who, name string, content []byte) string {
	h.Helper()
	var made struct{ ID string }
	status, answer := h.send(who, http.MethodPost, "/uploads", http.Header{"X-Filename": {strings.ReplaceAll(name, " ", "%20")}}, bytes.NewReader(content))
	h.into(status, answer, http.StatusCreated, &made)
	return made.ID
}

func (h *house) get(who, path string) []byte {
	h.Helper()
	status, answer := h.send(who, http.MethodGet, path, http.Header{}, nil)
	if status != http.StatusOK {
		h.Fatalf("status %d: %s", status, answer)
	}
	return answer
}

// at walks into an answer by names and indexes.
func at(v any, steps ...any) any {
	for _, s := range steps {
		switch s := s.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[s]
		case int:
			l, _ := v.([]any)
			if s >= len(l) {
				return nil
			}
			v = l[s]
		}
	}
	return v
}

// neverGiven is a global id of the same type that was never given to anything.
func neverGiven(id string) string {
	i := len(id) - 5
	other := byte('A')
	if id[i] == other {
		other = 'B'
	}
	return id[:i] + string(other) + id[i+1:]
}

func is(t *testing.T, got, want any) {
	t.Helper()
	if got != want {
		t.Fatalf("%v, not %v", got, want)
	}
}
