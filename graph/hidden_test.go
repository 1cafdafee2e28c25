// SPDX-License-Identifier: EUPL-1.2

package graph_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ozg-cloud/platform/cmd"
	"github.com/ozg-cloud/platform/internal/housetest"
)

// question asks for something by its name, which stands where the mark § is.
type question struct {
	hidden, never string // a name of the contract, and one as long that nothing ever had and that looks like nothing
	document      string
	variables     string
}

// questions ask for what an applicant must not know of, wherever a name can stand.
var questions = map[string]question{
	"a list of a case":                 {"comments", "qqqqqqqq", `{ cases(first: 1) { nodes { id §(first: 1) { totalCount } } } }`, ""},
	"a list of a case, by its edges":   {"history", "qqqqqqq", `{ cases(first: 1) { edges { node { §(last: 1) { edges { node { id } } } } } } }`, ""},
	"an object of a case":              {"currentAssignment", "qqqqqqqqqqqqqqqqq", `{ cases(first: 1) { nodes { § { assignee } } } }`, ""},
	"an object of an offering":         {"unit", "qqqq", `{ offerings(first: 1) { nodes { § { name } } } }`, ""},
	"a list of a tenant":               {"units", "qqqqq", `{ tenant(slug: "kiel") { §(first: 1) { totalCount } } }`, ""},
	"a permission":                     {"comment", "qqqqqqq", `{ cases(first: 1) { nodes { viewerCan { § } } } }`, ""},
	"a list at the root":               {"followUps", "qqqqqqqqq", `{ §(first: 1) { nodes { id } } }`, ""},
	"a list that is no selection":      {"comments", "qqqqqqqq", `{ cases(first: 1) { nodes { § } } }`, ""},
	"a list with an unknown argument":  {"comments", "qqqqqqqq", `{ cases(first: 1) { nodes { §(second: 1) { totalCount } } } }`, ""},
	"a list that costs too much":       {"comments", "qqqqqqqq", `{ cases(first: 100) { nodes { §(first: 100) { nodes { case { a: messages(first: 100) { nodes { id } } b: messages(first: 100) { nodes { id } } } } } } } }`, ""},
	"an alias and a directive":         {"comments", "qqqqqqqq", `query($no: Boolean!) { cases(first: 1) { nodes { a: §(first: 1) @skip(if: $no) { totalCount } } } }`, `{"no": true}`},
	"a type in an inline fragment":     {"Comment", "Qqqqqqq", `{ node(id: "x") { ... on § { body } } }`, ""},
	"a type in a fragment":             {"OrganisationalUnit", "Qqqqqqqqqqqqqqqqqq", `{ node(id: "x") { ...f } } fragment f on § { name }`, ""},
	"a type of pages in a fragment":    {"AssignmentConnection", "Qqqqqqqqqqqqqqqqqqqq", `{ cases(first: 1) { ... on § { totalCount } } }`, ""},
	"a type of entries in a fragment":  {"HistoryEventEdge", "Qqqqqqqqqqqqqqqq", `{ cases(first: 1) { ... on § { cursor } } }`, ""},
	"a payload in a fragment":          {"AcceptCasePayload", "Qqqqqqqqqqqqqqqqq", `{ ... on § { case { id } } }`, ""},
	"a problem in a fragment":          {"AcceptCaseProblem", "Qqqqqqqqqqqqqqqqq", `{ ... on § { __typename } }`, ""},
	"a condition":                      {"assignee", "qqqqqqqq", `{ cases(first: 1, where: {§: {eq: "x"}}) { totalCount } }`, ""},
	"a condition further in":           {"assignee", "qqqqqqqq", `{ cases(first: 1, where: {or: [{state: NEW}, {not: {§: {isNull: true}}}]}) { totalCount } }`, ""},
	"a condition in a variable":        {"assignee", "qqqqqqqq", `query($w: CaseFilter) { cases(first: 1, where: $w) { totalCount } }`, `{"w": {"§": {"eq": "x"}}}`},
	"a condition in a list of them":    {"unit", "qqqq", `query($w: [CaseFilter!]) { cases(first: 1, where: {and: $w}) { totalCount } }`, `{"w": [{"§": {"isNull": true}}]}`},
	"a condition without a value":      {"assignee", "qqqqqqqq", `query($v: StringFilter) { cases(first: 1, where: {§: $v}) { totalCount } }`, ""},
	"the type of a variable: a filter": {"FollowUpFilter", "Qqqqqqqqqqqqqq", `query($w: §) { cases(first: 1) { totalCount } followUps(first: 1, where: $w) { totalCount } }`, ""},
	"the type of a variable: an order": {"FollowUpOrder", "Qqqqqqqqqqqqq", `query($o: [§!]) { viewer { subject } x(o: $o) }`, ""},
	"the type of a variable: a value":  {"FollowUpOrderField", "Qqqqqqqqqqqqqqqqqq", `query($o: §) { viewer { subject } x(o: $o) }`, `{"o": "DUE_ON"}`},
	"the type of a variable: an input": {"AcceptCaseInput", "Qqqqqqqqqqqqqqq", `mutation($in: §!) { openMessage(input: $in) { problems { __typename } } }`, `{"in": {}}`},
	"a verb":                           {"acceptCase", "qqqqqqqqqq", `mutation { §(input: {caseId: "x", expectedRevision: 1}) { problems { __typename } } }`, ""},
	"a verb with a variable":           {"assignRole", "qqqqqqqqqq", `mutation($x: ID) { §(input: {subject: $x}) { problems { __typename } } }`, ""},
	"a type in introspection":          {"Comment", "Qqqqqqq", `{ __type(name: "§") { kind name fields { name } } }`, ""},
	"an input in introspection":        {"FollowUpFilter", "Qqqqqqqqqqqqqq", `{ __type(name: "§") { kind name inputFields { name } } }`, ""},
	"a name that is nearly right":      {"commentz", "qqqqqqqq", `{ cases(first: 1) { nodes { §(first: 1) { totalCount } } } }`, ""},
	"a condition that is nearly right": {"assigne", "qqqqqqq", `{ cases(first: 1, where: {§: {eq: "x"}}) { totalCount } }`, ""},
	"a type that is nearly right":      {"Comments", "Qqqqqqqq", `{ node(id: "x") { ...f } } fragment f on § { id }`, ""},
	"a verb that is nearly right":      {"aceptCase", "qqqqqqqqq", `mutation { §(input: {caseId: "x", expectedRevision: 1}) { problems { __typename } } }`, ""},
}

// twice asks with the hidden name and with the one that never was, and gives both answers with the mark in place of the name.
func (q question) twice(t *testing.T, who *housetest.Caller) (hidden, never string) {
	t.Helper()
	ask := func(name string) string {
		var variables map[string]any
		if q.variables != "" {
			if err := json.Unmarshal([]byte(strings.ReplaceAll(q.variables, "§", name)), &variables); err != nil {
				t.Fatal(err)
			}
		}
		a := who.Ask(strings.ReplaceAll(q.document, "§", name), variables)
		if a.Status >= 500 {
			t.Errorf("status %d: %s", a.Status, a.Raw)
		}
		return strings.ReplaceAll(string(a.Raw), name, "§")
	}
	return ask(q.hidden), ask(q.never)
}

func TestWhatIsHiddenIsAnsweredAsWhatNeverWas(t *testing.T) {
	t.Parallel()
	for mode, h := range map[string]*housetest.House{
		"in development": housetest.New(t),
		"in production":  housetest.New(t, func(g *cmd.Ground) { g.Development = false }),
	} {
		for name, q := range questions {
			if hidden, never := q.twice(t, h.As("somebody-who-applies")); hidden != never {
				t.Errorf("%s, %s:\n%s\n%s", mode, name, hidden, never)
			}
			if h.Anonymous().Ask(strings.ReplaceAll(q.document, "§", q.hidden), nil).Status >= 500 {
				t.Errorf("%s, %s: nobody gets an internal error", mode, name)
			}
		}
	}
}

// TestTheQuestionsFindWhatIsThere is the twin: asked by somebody who may know, each tells the name from one that never was.
func TestTheQuestionsFindWhatIsThere(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	who := h.Give("somebody", "CASEWORKER", "kiel", "")
	h.Give("somebody", "TENANT_ADMIN", "kiel", "")
	for name, q := range questions {
		if hidden, never := q.twice(t, who); hidden == never {
			t.Errorf("%s: it cannot be told: %s", name, hidden)
		}
	}
}

// foreignWords are parts of names that an applicant must find nowhere.
var foreignWords = regexp.MustCompile(`(?i)comment|followup|assign|history|organisationalunit|audit|explain|"units?"`)

func TestIntrospectionKnowsNothingOfWhatIsHidden(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	document := `{ __schema { types { name kind fields { name args { name type { ...t } } type { ...t } } inputFields { name type { ...t } } enumValues { name }
		interfaces { name } possibleTypes { name } } mutationType { name fields { name } } directives { name args { name } } } } fragment t on __Type { name ofType { name ofType { name ofType { name } } } }`
	for _, nobody := range []*housetest.Caller{h.As("somebody-who-applies"), h.Anonymous()} {
		a := nobody.Ask(document, nil).Works()
		if found := foreignWords.FindAllString(string(a.Raw), -1); len(found) > 0 {
			t.Errorf("%s finds %q", nobody.Name, found)
		}
	}
	if !foreignWords.Match(h.As("kiel-caseworker").Ask(document, nil).Works().Raw) {
		t.Error("a caseworker does not find it either")
	}
}

func TestNobodyLearnsOfACommentFromItsEvent(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	c := h.As("kiel-applicant").Submit("99108001001000", "010020000000")
	for verb, input := range map[string]map[string]any{
		"commentOnCase": {"body": "x"}, "addFollowUp": {"dueOn": "2999-12-31", "note": "x"}, "assignCase": {"assignee": "user:dev:kiel-caseworker"}, "acceptCase": nil,
	} {
		h.As("kiel-caseworker").Must(verb, &c, input)
	}
	types := func(name string) []string {
		var out []string
		list, _ := h.As(name).Ask(`{ caseEvents(first: 100) { nodes { type } } }`, nil).Works().At("caseEvents.nodes").([]any)
		for _, e := range list {
			out = append(out, e.(map[string]any)["type"].(string))
		}
		slices.Sort(out)
		return out
	}
	all := []string{"CASE_ACCEPTED", "CASE_ASSIGNED", "CASE_OPENED", "COMMENT_ADDED", "FOLLOW_UP_ADDED"}
	got := types("kiel-caseworker")
	for deadline := time.Now().Add(time.Minute); len(got) < len(all) && time.Now().Before(deadline); got = types("kiel-caseworker") {
		// the log is read up to where no transaction is open any more, and that may be one of another test
	}
	if !slices.Equal(got, all) {
		t.Errorf("the caseworker is told of %q", got)
	}
	if got := types("kiel-applicant"); !slices.Equal(got, []string{"CASE_ACCEPTED", "CASE_OPENED"}) {
		t.Errorf("the applicant is told of %q", got)
	}
}

// TestADocumentOfOneContractIsNeverCarriedOutInAnother sends the same documents for two at once over one connection.
func TestADocumentOfOneContractIsNeverCarriedOutInAnother(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	h.As("kiel-applicant").Submit("99108001001000", "010020000000")
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
	t.Cleanup(client.CloseIdleConnections)
	body := []byte(`{"query": "{ cases(first: 1) { nodes { comments(first: 1) { totalCount } } } }"}`)
	tokens := map[string]string{}
	for _, name := range []string{"kiel-caseworker", "kiel-applicant"} {
		tokens[name] = h.Token(name, map[string]any{"trust_level": "SUBSTANTIAL"}, time.Hour)
	}
	ask := func(subject string) string {
		r := h.Request(http.MethodPost, "/graphql")
		r.Body = io.NopCloser(bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+tokens[subject])
		got, err := client.Do(r)
		if err != nil {
			t.Error(err)
			return ""
		}
		defer got.Body.Close()
		answer, err := io.ReadAll(got.Body)
		if err != nil {
			t.Error(err)
		}
		return string(answer)
	}
	var group sync.WaitGroup
	for range 200 {
		group.Go(func() {
			if a := ask("kiel-caseworker"); a != `{"data":{"cases":{"nodes":[{"comments":{"totalCount":0}}]}}}` {
				t.Errorf("the caseworker is answered %s", a)
			}
		})
		group.Go(func() {
			if a := ask("kiel-applicant"); !strings.Contains(a, "errors") || strings.Contains(a, "data") {
				t.Errorf("the applicant is answered %s", a)
			}
		})
	}
	group.Wait()
}
