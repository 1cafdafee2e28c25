// SPDX-License-Identifier: EUPL-1.2

package reading_test

import (
	"strings"
	"testing"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/internal/strictjson"
	"github.com/ozg-cloud/platform/reading"
)

// FuzzFilter compiles whatever JSON can say as a filter: it must never panic, and nothing of a text that was sent may stand in the statement.
func FuzzFilter(f *testing.F) {
	for _, seed := range []string{
		`{"state":["NEW"]}`, `{"and":[{"or":[{"not":{"number":{"contains":"x"}}}]}]}`, `{"tenant":{"under":"x"}}`, `{"receivedAt":{"gte":"2026-01-01T00:00:00Z"}}`,
		`{"unit":{"in":["a",null]}}`, `{"search":"'; drop table cases --"}`, `{"service":{"leikaKey":{"startsWith":"99"}}}`, `{"overdue":1}`, `{"assignee":{"isNull":true,"ne":"q"}}`, `[]`, `null`, `{"x":{}}`,
	} {
		f.Add(seed)
	}
	policy, err := authz.NewPolicy()
	if err != nil {
		f.Fatal(err)
	}
	p := policy.Principal("user:dev:somebody", authz.High, []authz.Assignment{{Role: "CASEWORKER", Tenant: authz.TenantRef{Kind: authz.Authority, Place: 1}}})
	const canary = "canary_9f3a"
	f.Fuzz(func(t *testing.T, text string) {
		input, err := strictjson.Read([]byte(strings.ReplaceAll(text, "x", canary)), 64)
		if err != nil {
			return
		}
		if statement, args, err := reading.Filter(p, input); err == nil && (strings.Contains(statement, canary) || strings.Count(statement, "$") < args) {
			t.Errorf("%d arguments in %s", args, statement)
		}
	})
}
