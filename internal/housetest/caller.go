// SPDX-License-Identifier: EUPL-1.2

package housetest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"sort"
	"strings"
)

// Caller asks the house over HTTP.
type Caller struct {
	h     *House
	token func() string

	// Name is the demo principal's.
	Name string
	// Language is sent as Accept-Language where it is set.
	Language string
}

// Answer is what came back.
type Answer struct {
	Status int
	Header http.Header
	Raw    []byte
	Data   map[string]any
	Errors []Failure

	h *House
}

// Failure is an error of GraphQL.
type Failure struct {
	Message    string         `json:"message"`
	Path       []any          `json:"path"`
	Extensions map[string]any `json:"extensions"`
}

// Ask sends an operation. A body that is no GraphQL answer leaves Data and Errors empty.
func (c *Caller) Ask(document string, variables map[string]any) Answer {
	c.h.Helper()
	body, err := json.Marshal(map[string]any{"query": document, "variables": variables})
	if err != nil {
		c.h.Fatal(err)
	}
	r := c.h.Request(http.MethodPost, "/graphql")
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.ContentLength = int64(len(body))
	r.Header.Set("Content-Type", "application/json")
	return c.Send(r)
}

// Send sends a request with the caller's token.
func (c *Caller) Send(r *http.Request) Answer {
	c.h.Helper()
	if t := c.token(); t != "" {
		r.Header.Set("Authorization", "Bearer "+t)
	}
	if c.Language != "" {
		r.Header.Set("Accept-Language", c.Language)
	}
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		c.h.Fatal(err)
	}
	defer got.Body.Close()
	a := Answer{Status: got.StatusCode, Header: got.Header, h: c.h}
	if a.Raw, err = io.ReadAll(got.Body); err != nil {
		c.h.Fatal(err)
	}
	var parsed struct {
		Data   map[string]any `json:"data"`
		Errors []Failure      `json:"errors"`
	}
	if json.Unmarshal(a.Raw, &parsed) == nil {
		a.Data, a.Errors = parsed.Data, parsed.Errors
	}
	return a
}

// Works fails the test unless the answer is without errors, and gives it back.
func (a Answer) Works() Answer {
	a.h.Helper()
	if a.Status != http.StatusOK || len(a.Errors) > 0 {
		a.h.Fatalf("status %d: %s", a.Status, a.Raw)
	}
	return a
}

// At walks down the data by names and indexes, written as "cases.nodes.0.id"; nil where the way ends.
func (a Answer) At(path string) any {
	var at any = a.Data
	for step := range strings.SplitSeq(path, ".") {
		switch here := at.(type) {
		case map[string]any:
			at = here[step]
		case []any:
			var i int
			if _, err := fmt.Sscan(step, &i); err != nil || i >= len(here) {
				return nil
			}
			at = here[i]
		default:
			return nil
		}
	}
	return at
}

// Text is At for texts; empty for anything else.
func (a Answer) Text(path string) string {
	s, _ := a.At(path).(string)
	return s
}

// Number is At for numbers.
func (a Answer) Number(path string) int {
	f, _ := a.At(path).(float64)
	return int(f)
}

// Case is a case as a caller has last seen it.
type Case struct {
	ID       string
	Revision int
}

// Submit hands in an application with a small form and gives the case that it became.
func (c *Caller) Submit(service, region string) Case {
	c.h.Helper()
	a := c.Ask(`mutation($in: SubmitApplicationInput!) { submitApplication(input: $in) { case { id revision } problems { ... on Problem { code title } } } }`,
		map[string]any{"in": Application(service, region, fmt.Sprintf("t-%d", houses.Add(1)))}).Works()
	got := Case{a.Text("submitApplication.case.id"), a.Number("submitApplication.case.revision")}
	if got.ID == "" {
		c.h.Fatalf("%s cannot submit: %s", c.Name, a.Raw)
	}
	return got
}

// Application is the input of submitApplication with a small form.
func Application(service, region, transaction string) map[string]any {
	return map[string]any{
		"serviceKey": service, "regionalKey": region, "transactionId": transaction,
		"applicant": map[string]any{"name": "Erika Beispiel"},
		"formData": []any{map[string]any{"name": "fahrzeug", "formItems": []any{
			map[string]any{"name": "kennzeichen", "label": "Kennzeichen", "stringValue": "KI-XX 123"},
		}}},
	}
}

// Do carries out a verb on a case as it was last seen and gives the whole payload. What input has further is added.
// The case is updated when the verb worked.
func (c *Caller) Do(verb string, on *Case, input map[string]any) Answer {
	c.h.Helper()
	in := map[string]any{"caseId": on.ID, "expectedRevision": on.Revision}
	maps.Copy(in, input)
	a := c.Say(verb, in)
	if revision := a.Number(verb + ".case.revision"); revision > 0 {
		on.Revision = revision
	}
	return a
}

// Say carries out a verb with exactly this input and gives the whole payload.
func (c *Caller) Say(verb string, input map[string]any) Answer {
	c.h.Helper()
	return c.Ask(Mutation(verb), map[string]any{"in": input})
}

// Mutation is the operation that carries out a verb with the input $in and asks for everything about its problems.
func Mutation(verb string) string {
	changed := "case { id revision state }"
	if verb == "openMessage" || strings.HasSuffix(verb, "Role") || strings.Contains(verb, "Webhook") || strings.Contains(verb, "Bulk") || verb == "eraseExtensionValues" ||
		strings.HasSuffix(verb, "Extension") && !slices.Contains(onCases, verb) {
		changed = ""
	}
	return fmt.Sprintf(`mutation($in: %s!) { %s(input: $in) { %s %s problems { __typename ... on Problem { code type title } %s } } }`,
		strings.ToUpper(verb[:1])+verb[1:]+"Input", verb, changed, made[verb], details(verb))
}

// onCases are the verbs on extension fields that change a case.
var onCases = []string{"setApplicantExtension", "setCaseExtension", "setDecisionExtension", "setMessageExtension"}

var made = map[string]string{
	"setApplicantExtension": "applicant { id }", "setDecisionExtension": "decision { id }", "setMessageExtension": "message { id }",
	"setServiceExtension": "service { id }", "setServiceOfferingExtension": "serviceOffering { id }",
	"askApplicant": "message { id }", "sendMessage": "message { id }", "decideCase": "decision { id }",
	"commentOnCase": "comment { id }", "addFollowUp": "followUp { id }", "completeFollowUp": "followUp { id }",
	"replyToMessage": "message { id }", "openMessage": "message { id openedAt }",
	"defineExtension": "extensionDefinition { id version state } changes { class kind coordinate lost } documents", "deprecateExtension": "extensionDefinition { id state }",
	"activateExtension":    "extensionDefinition { id state } changes { class kind coordinate lost } documents",
	"retireExtension":      "extensionDefinition { id state } changes { class kind coordinate lost } documents",
	"eraseExtensionValues": "extensionDefinition { id state erasedAt }",
	"assignRole":           "roleAssignment { id }", "removeRole": "removedId",
	"createWebhook": "webhook { id }", "pauseWebhook": "webhook { id }", "resumeWebhook": "webhook { id }", "deleteWebhook": "removedId",
	"replayWebhookDelivery": "webhookDelivery { id }", "startBulkExport": "bulkOperation { id }", "cancelBulkExport": "bulkOperation { id }",
}

// transitions are the verbs whose union of problems has InvalidTransitionProblem.
var transitions = []string{"acceptCase", "askApplicant", "closeCase", "decideCase", "discardCase", "reopenCase", "restoreCase", "startCase"}

func details(verb string) string {
	out := "... on ValidationProblem { path rule } ... on NotFoundProblem { path } ... on ForbiddenProblem { action object } ... on ConflictProblem { rule currentRevision }"
	if i := sort.SearchStrings(transitions, verb); i < len(transitions) && transitions[i] == verb {
		out += " ... on InvalidTransitionProblem { from to allowed }"
	}
	return out
}

// Must is Do that has to work.
func (c *Caller) Must(verb string, on *Case, input map[string]any) Answer {
	c.h.Helper()
	a := c.Do(verb, on, input).Works()
	if a.Rule() != "" {
		c.h.Fatalf("%s cannot %s: %s", c.Name, verb, a.Raw)
	}
	return a
}

// Problem is the first problem in the payload of the one verb that was asked for; nil where there is none.
func (a Answer) Problem() map[string]any {
	for _, payload := range a.Data {
		list, _ := Answer{Data: map[string]any{"": payload}}.At(".problems").([]any)
		if len(list) > 0 {
			p, _ := list[0].(map[string]any)
			return p
		}
	}
	return nil
}

// Rule is the rule of the first problem, empty where there is none.
func (a Answer) Rule() string {
	uri, _ := a.Problem()["type"].(string)
	return strings.TrimPrefix(uri, "urn:ozg-cloud:problem:")
}

// Unknown tells whether the operation was refused because it names what the caller's contract does not have.
func (a Answer) Unknown() bool {
	return a.Data == nil && len(a.Errors) > 0 && a.Errors[0].Extensions["rule"] == "invalidDocument"
}

// Wants fails the test unless exactly one problem of this rule stopped the verb, and gives it back.
func (a Answer) Wants(rule string) map[string]any {
	a.h.Helper()
	if a.Status != http.StatusOK || len(a.Errors) > 0 || a.Rule() != rule {
		a.h.Fatalf("not %s: status %d: %s", rule, a.Status, a.Raw)
	}
	return a.Problem()
}

// Upload hands in content and gives the id of the upload.
func (c *Caller) Upload(name string, content []byte) string {
	c.h.Helper()
	r := c.h.Request(http.MethodPost, "/uploads")
	r.Body = io.NopCloser(bytes.NewReader(content))
	r.ContentLength = int64(len(content))
	r.Header.Set("X-Filename", url.PathEscape(name))
	a := c.Send(r)
	var made struct{ ID string }
	if err := json.Unmarshal(a.Raw, &made); err != nil || a.Status != http.StatusCreated {
		c.h.Fatalf("%s cannot upload: status %d: %s", c.Name, a.Status, a.Raw)
	}
	return made.ID
}

// Deliver delivers a form as a form server does, with the form in readable shape and nothing else, and gives the case that it became.
func (c *Caller) Deliver(form []byte) Case {
	c.h.Helper()
	a := c.Send(c.Delivery(Part{"formData", "", "application/json", form}, Part{"representation", "Antrag.pdf", "application/pdf", []byte(page)}))
	var made struct{ CaseID string }
	if err := json.Unmarshal(a.Raw, &made); err != nil || a.Status != http.StatusCreated {
		c.h.Fatalf("%s cannot deliver: status %d: %s", c.Name, a.Status, a.Raw)
	}
	return Case{made.CaseID, 1}
}

// page is as much of a PDF as is needed to be taken for one.
const page = "%PDF-1.4\n%%EOF\n"

// Part is a part of a delivery.
type Part struct {
	Name, File, MediaType string
	Content               []byte
}

// Delivery is a request that delivers parts.
func (c *Caller) Delivery(parts ...Part) *http.Request {
	c.h.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	for _, p := range parts {
		header := textproto.MIMEHeader{}
		header.Set("Content-Type", p.MediaType)
		disposition := fmt.Sprintf("form-data; name=%q", p.Name)
		if p.File != "" {
			disposition += fmt.Sprintf("; filename=%q", p.File)
		}
		header.Set("Content-Disposition", disposition)
		w, err := m.CreatePart(header)
		if err == nil {
			_, err = w.Write(p.Content)
		}
		if err != nil {
			c.h.Fatal(err)
		}
	}
	if err := m.Close(); err != nil {
		c.h.Fatal(err)
	}
	r := c.h.Request(http.MethodPost, "/intake/gover")
	r.Body = io.NopCloser(&body)
	r.ContentLength = int64(body.Len())
	r.Header.Set("Content-Type", m.FormDataContentType())
	return r
}
