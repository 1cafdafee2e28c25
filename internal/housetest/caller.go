// SPDX-License-Identifier: EUPL-1.2

package housetest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
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
	a := c.Ask(fmt.Sprintf(`mutation($in: %s!) { %s(input: $in) { case { id revision state } %s problems { __typename ... on Problem { code type title } %s } } }`,
		strings.ToUpper(verb[:1])+verb[1:]+"Input", verb, made[verb], details(verb)), map[string]any{"in": in})
	if revision := a.Number(verb + ".case.revision"); revision > 0 {
		on.Revision = revision
	}
	return a
}

var made = map[string]string{
	"askApplicant": "message { id }", "sendMessage": "message { id }", "decideCase": "decision { id }",
	"commentOnCase": "comment { id }", "addFollowUp": "followUp { id }", "completeFollowUp": "followUp { id }",
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
	if list, _ := a.At(verb + ".problems").([]any); len(list) > 0 {
		c.h.Fatalf("%s cannot %s: %s", c.Name, verb, a.Raw)
	}
	return a
}
