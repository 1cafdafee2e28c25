// SPDX-License-Identifier: EUPL-1.2

package partners_test

import (
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/partners"
	"github.com/ozg-cloud/platform/schema"
)

func ruleOf(err error) string {
	if p, ok := problem.Of(err); ok {
		return p.Rule
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

func TestAWebhookTakesOneSubscriptionOfEventsThatTellsItsFramesApart(t *testing.T) {
	for text, rule := range map[string]string{
		document: "", `subscription { a: caseEvents(where: {types: [CASE_OPENED]}) { __typename } }`: "",
		`{ viewer { subject } }`: "unfitDocument", `mutation { x }`: "unfitDocument", `subscription { messages(caseId: "x") { __typename } }`: "unfitDocument",
		`subscription { caseEvents { ... on CaseEvent { caseId } } }`: "typeNameNeeded", `subscription { caseEvents { kind: __typename } }`: "typeNameNeeded",
		`subscription { caseEvents { __typename @skip(if: true) } }`: "typeNameNeeded", `subscription($a: EventCursor) { caseEvents(after: $a) { __typename } }`: "unfitDocument",
		`subscription { caseEvents(after: "x") { __typename } }`: "unfitDocument", `subscription { caseEvents(follow: false) { __typename } }`: "unfitDocument",
		`subscription { caseEvents { __typename } b: caseEvents { __typename } }`: "unfitDocument", `subscription { ...f } fragment f on Subscription { caseEvents { __typename } }`: "unfitDocument",
		`subscription {`: "unreadableDocument", ``: "unfitDocument", document + document: "unfitDocument", strings.Repeat("a", 60_000): "tooComplex",
	} {
		if got := ruleOf(partners.Subscribes(text)); got != rule {
			t.Errorf("%s: %q, not %q", text, got, rule)
		}
	}
}

func TestAnExportTakesOneListAndAsksForItPageByPage(t *testing.T) {
	contract, err := schema.Load()
	if err != nil {
		t.Fatal(err)
	}
	for text, rule := range map[string]string{
		`{ cases { nodes { id } } }`: "", `query All { c: cases(where: {state: [NEW]}, orderBy: [{field: RECEIVED_AT}]) { nodes { ...n } } } fragment n on Case { id number }`: "",
		`{ webhooks { nodes { id } } }`: "", `{ cases(first: 5) { nodes { id } } }`: "unfitDocument", `{ cases(after: "x") { nodes { id } } }`: "unfitDocument",
		`{ cases { edges { node { id } } } }`: "unfitDocument", `{ cases { nodes { id } totalCount } }`: "unfitDocument", `{ cases { n: nodes { id } } }`: "unfitDocument",
		`{ cases { nodes { id } } services { nodes { id } } }`: "unfitDocument", `{ viewer { subject } }`: "unfitDocument", `{ caseEvents { nodes { caseId } } }`: "unfitDocument",
		`query($a: CaseFilter) { cases(where: $a) { nodes { id } } }`: "unfitDocument", `{ noSuchList { nodes { id } } }`: "unfitDocument", `subscription { cases { nodes { id } } }`: "unfitDocument",
		`{ cases { nodes { id } } } { cases { nodes { id } } }`: "unfitDocument", `{ cases @skip(if: true) { nodes { id } } }`: "unfitDocument", `{ cases {`: "unreadableDocument",
	} {
		asked, err := partners.Pages(text, contract)
		if got := ruleOf(err); got != rule {
			t.Errorf("%s: %q, not %q", text, got, rule)
		}
		if err != nil {
			continue
		}
		if _, errs := gqlparser.LoadQueryWithRules(contract, asked, rules.NewDefaultRules()); errs != nil || !strings.Contains(asked, "first: 100, after: $ozgAfter") {
			t.Errorf("%s becomes %s: %v", text, asked, errs)
		}
	}
}
