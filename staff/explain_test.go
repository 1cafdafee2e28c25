// SPDX-License-Identifier: EUPL-1.2

package staff_test

import (
	"bytes"
	"testing"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/internal/housetest"
)

const explain = `query($subject: String!, $action: String!, $id: ID!, $object: String) {
	explainAccess(subject: $subject, action: $action, id: $id, object: $object) {
		subject object action allowed known policyVersion grounds { assignment { role tenant { slug } } line reason } } }`

func explained(by *housetest.Caller, subject, action, id string, object any) housetest.Answer {
	return by.Ask(explain, map[string]any{"subject": "user:dev:" + subject, "action": action, "id": id, "object": object})
}

func TestAnAdministratorIsToldWhichLineAndWhichRoleLedToTheAnswer(t *testing.T) {
	t.Parallel()
	o := open(t)
	c := o.As("kiel-applicant").Submit(parking, kiel)
	admin := o.As("kiel-admin")
	for _, q := range []struct {
		subject, action string
		object          any
		allowed         bool
		role, reason    string
		line            any
	}{
		{"kiel-caseworker", "accept", nil, true, "CASEWORKER", "GRANTS", "p, role:caseworker, case, accept, units"},
		{"kiel-mailroom", "decide", nil, false, "MAIL_ROOM", "NO_LINE", nil},
		{"kiel-applicant", "read", "message.body", true, "APPLICANT", "GRANTS", "p, role:applicant, message.body, read, submissions"},
		{"somebody", "read", nil, false, "APPLICANT", "OTHER_OWNER", "p, role:applicant, case, read, submissions"},
		{"sh-admin", "read", nil, true, "TENANT_ADMIN", "GRANTS", "p, role:tenant_admin, case, read, subtree"}, // which lies above Kiel, and reaches it
	} {
		a := explained(admin, q.subject, q.action, c.ID, q.object).Works()
		if a.At("explainAccess.allowed") != q.allowed || a.At("explainAccess.known") != true || a.Text("explainAccess.grounds.0.assignment.role") != q.role ||
			a.Text("explainAccess.grounds.0.reason") != q.reason || a.At("explainAccess.grounds.0.line") != q.line {
			t.Errorf("%s %s: %s", q.subject, q.action, a.Raw)
		}
	}
	// Whoever does not work here has roles that are nobody's business here.
	if a := explained(admin, "muenchen-caseworker", "read", c.ID, nil).Works(); a.At("explainAccess.allowed") != false || len(a.At("explainAccess.grounds").([]any)) != 0 {
		t.Errorf("Kiel is told of München: %s", a.Raw)
	}
	if a := explained(o.As("sh-admin"), "sh-admin", "assign", o.tenant("sh"), "roleAssignment.product_team").Works(); a.Text("explainAccess.grounds.0.reason") != "NOTHING_NAMED" {
		t.Errorf("the right to give a role: %s", a.Raw)
	}
	stranger := admin.Ask(explain, map[string]any{"subject": "user:by:anna", "action": "read", "id": c.ID}).Works()
	if stranger.At("explainAccess.known") != false || stranger.At("explainAccess.allowed") != false {
		t.Errorf("of whom nobody knows: %s", stranger.Raw)
	}
}

func TestAForeignThingIsExplainedLikeOneThatNeverWas(t *testing.T) {
	t.Parallel()
	o := open(t)
	c := o.As("kiel-applicant").Submit(parking, kiel)
	luebeck := o.Give("luebeck-admin", "TENANT_ADMIN", "luebeck", "")
	foreign := explained(luebeck, "luebeck-caseworker", "read", c.ID, nil)
	for name, id := range map[string]string{"unknown": globalID("Case", uuid.Must(uuid.NewV7())), "no id": "x", "a service": o.service(parking)} {
		if a := explained(luebeck, "luebeck-caseworker", "read", id, nil); !bytes.Equal(a.Raw, foreign.Raw) || string(a.Raw) != `{"data":{"explainAccess":null}}` {
			t.Errorf("%s: %s, foreign: %s", name, a.Raw, foreign.Raw)
		}
	}
	// An officer has a say about the policy and does not see the case; a caseworker sees the case and has no say.
	if a := explained(o.Give("officer", "DATA_PROTECTION_OFFICER", "kiel", ""), "kiel-caseworker", "read", c.ID, nil); !bytes.Equal(a.Raw, foreign.Raw) {
		t.Errorf("the officer is told %s", a.Raw)
	}
	if a := explained(o.As("kiel-caseworker"), "kiel-caseworker", "read", c.ID, nil); a.Data["explainAccess"] != nil || len(a.Errors) == 0 {
		t.Errorf("the caseworker is told %s", a.Raw)
	}
	// Who administers Lübeck and works in Kiel sees the case, and has no say about it.
	o.Give("both", "TENANT_ADMIN", "luebeck", "")
	both := o.Give("both", "CASEWORKER", "kiel", "")
	if a := explained(both, "kiel-caseworker", "read", c.ID, nil); !bytes.Equal(a.Raw, foreign.Raw) {
		t.Errorf("both is told %s", a.Raw)
	}
}
