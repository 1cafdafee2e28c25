// SPDX-License-Identifier: EUPL-1.2

package graph_test

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"testing"

	"github.com/ozg-cloud/platform/internal/housetest"
)

// apart says how two answers differ in anything that a caller can see, but for when it was given and its number.
func apart(a, b housetest.Answer) string {
	for _, each := range []housetest.Answer{a, b} {
		for _, h := range []string{"Date", "X-Request-Id"} {
			each.Header.Del(h)
		}
	}
	switch {
	case a.Status != b.Status:
		return fmt.Sprintf("status %d and %d", a.Status, b.Status)
	case fmt.Sprint(a.Header) != fmt.Sprint(b.Header):
		return fmt.Sprintf("%v and %v", a.Header, b.Header)
	case !bytes.Equal(a.Raw, b.Raw):
		return fmt.Sprintf("%s and %s", a.Raw, b.Raw)
	}
	return ""
}

// set is an input with another value in one field.
func set(in map[string]any, field string, v any) map[string]any {
	out := maps.Clone(in)
	out[field] = v
	return out
}

func TestNoVerbTellsAForeignThingFromNone(t *testing.T) {
	t.Parallel()
	s := build(t)
	elsewhere := s.foreign()
	asked := 0
	// same says the verb twice, with something of Lübeck and with something that never was.
	same := func(who *housetest.Caller, verb string, in map[string]any, field string, foreign, none any) {
		t.Helper()
		asked++
		a := who.Say(verb, set(in, field, foreign))
		b := who.Say(verb, set(in, field, none))
		if difference := apart(a, b); difference != "" || a.Status != http.StatusOK || len(a.Errors) > 0 || a.Problem() == nil {
			t.Errorf("%s by %s with another %s: %s: %s", verb, who.Name, field, difference, a.Raw)
		}
	}
	for _, verb := range mutations(t) {
		who, in := s.works(verb)
		before := s.Stored()
		if _, ok := in["caseId"]; ok {
			for _, revision := range []any{in["expectedRevision"], 1} {
				same(s.caseworker, verb, set(in, "expectedRevision", revision), "caseId", elsewhere["a case of Lübeck"], never("Case"))
			}
			same(s.As("muenchen-caseworker"), verb, in, "caseId", in["caseId"], never("Case"))
		}
		if _, ok := in["messageId"]; ok && in["caseId"] == nil {
			same(s.As("another-applicant"), verb, in, "messageId", in["messageId"], never("Message"))
		}
		upload := "01980000-0000-7000-8000-000000000000"
		for field, pair := range map[string][2]any{
			"messageId":        {elsewhere["a message of Lübeck"], never("Message")},
			"decisionId":       {elsewhere["a decision of Lübeck"], never("Decision")},
			"followUpId":       {elsewhere["a follow-up of Lübeck"], never("FollowUp")},
			"unitId":           {elsewhere["a unit of Lübeck"], never("OrganisationalUnit")},
			"assignee":         {"user:dev:luebeck-caseworker", "user:dev:nobody"},
			"documentUploadId": {elsewhere["somebody else's upload"], upload},
			"uploadIds":        {[]any{elsewhere["somebody else's upload"]}, []any{upload}},
		} {
			if _, ok := in[field]; ok && who != s.applicant { // whose case of Lübeck it is
				same(who, verb, in, field, pair[0], pair[1])
			}
		}
		for table, after := range s.Stored() {
			if before[table] != after {
				t.Errorf("%s by a stranger has stored something in %s", verb, table)
			}
		}
	}
	if asked < 45 {
		t.Errorf("only %d questions", asked)
	}
	// Whoever may see the case of Lübeck hears something else: the comparison can fail.
	_, in := s.works("closeCase")
	land := s.Give("land", "CASEWORKER", "luebeck", "")
	if apart(land.Say("closeCase", set(in, "caseId", elsewhere["a case of Lübeck"])), land.Say("closeCase", set(in, "caseId", never("Case")))) == "" {
		t.Error("a case that one sees and one that never was are the same")
	}
}
