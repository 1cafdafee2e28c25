// SPDX-License-Identifier: EUPL-1.2

package cmd_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/ozg-cloud/platform/cmd"
	"github.com/ozg-cloud/platform/internal/housetest"
)

// console runs commands as the operator of a house, with the login of its owner.
type console struct {
	testing.TB
	environ []string
}

func consoleOf(h *housetest.House) console {
	h.Helper()
	return console{h.TB, []string{"OZG_DATABASE_URL=" + h.Database().Config().ConnString(), "OZG_DATA=" + h.TempDir()}}
}

// runs gives the exit status and what was printed.
func (c console) runs(args ...string) (int, string) {
	c.Helper()
	var out, errOut bytes.Buffer
	status := cmd.Main(c.Context(), args, c.environ, &out, &errOut)
	return status, out.String() + errOut.String()
}

// wants fails the test unless the command ends with a status and prints a text.
func (c console) wants(status int, text string, args ...string) string {
	c.Helper()
	got, printed := c.runs(args...)
	if got != status || !strings.Contains(printed, text) {
		c.Errorf("ozg %s: status %d, not %d with %q: %s", strings.Join(args, " "), got, status, text, printed)
	}
	return printed
}

const numbers = `{ cases(first: 5) { totalCount nodes { number } } }`

func TestTheOperatorGivesAndTakesRolesAndIsWrittenDown(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	c := consoleOf(h)
	h.As("kiel-applicant").Submit("99108001001000", "010020000000")
	anna := h.As("anna")

	c.wants(0, "", "role", "assign", "--unit", "32", "user:dev:anna", "caseworker", "kiel")
	if n := anna.Ask(numbers, nil).Works().Number("cases.totalCount"); n != 1 {
		t.Errorf("anna sees %d cases", n)
	}
	c.wants(0, "system:operator", "role", "list", "--subject", "user:dev:anna")
	c.wants(1, "already been done", "role", "assign", "--unit", "32", "user:dev:anna", "CASEWORKER", "kiel")
	c.wants(1, "does not exist", "role", "remove", "user:dev:anna", "CASEWORKER", "kiel") // that was another one
	c.wants(0, "", "role", "remove", "--unit", "32", "user:dev:anna", "CASEWORKER", "kiel")
	if n := anna.Ask(numbers, nil).Number("cases.totalCount"); n != 0 {
		t.Errorf("anna still sees %d cases", n)
	}
	// The first administrator of all, and what only all members together give.
	c.wants(0, "", "role", "assign", "user:dev:root", "TENANT_ADMIN", "federation")
	c.wants(0, "", "role", "assign", "user:dev:anna", "PRODUCT_TEAM", "federation")
	c.wants(0, "", "role", "assign", "--services", "99108001001000,99108001020000", "user:dev:machine", "PARTNER", "kiel")

	for name, args := range map[string][]string{
		"no tenant":        {"role", "assign", "user:dev:anna", "CASEWORKER", "atlantis"},
		"no role":          {"role", "assign", "user:dev:anna", "MAYOR", "kiel"},
		"no service":       {"role", "assign", "--services", "1,2", "user:dev:machine", "PARTNER", "luebeck"},
		"no unit":          {"role", "assign", "--unit", "99", "user:dev:anna", "CASEWORKER", "kiel"},
		"no such issuer":   {"role", "assign", "user:by:anna", "CASEWORKER", "kiel"},
		"the operator":     {"role", "assign", "system:operator", "CASEWORKER", "kiel"},
		"nothing to block": {"subject", "unblock", "user:dev:anna"},
	} {
		if status, printed := c.runs(args...); status != 1 || strings.Contains(printed, "panic") {
			t.Errorf("%s: status %d: %s", name, status, printed)
		}
	}
	for _, args := range [][]string{{"role"}, {"role", "assign"}, {"role", "give", "a", "b", "c"}, {"subject", "block"}, {"subject", "shut", "x"}, {"policy", "check", "x"}, {"policy", "guess", "a", "b", "c"}} {
		if status, _ := c.runs(args...); status != 2 {
			t.Errorf("ozg %v: status %d", args, status)
		}
	}
	var lines int
	err := h.Database().QueryRow(t.Context(), "select count(*) from audit_entries where actor = 'system:operator'").Scan(&lines)
	if err != nil || lines != 5 {
		t.Errorf("%d lines in the audit log: %v", lines, err)
	}
}

func TestABlockedAccountIsShutOutUntilTheOperatorLetsItIn(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	c := consoleOf(h)
	clerk := h.As("kiel-caseworker")
	clerk.Ask(numbers, nil).Works()
	c.wants(0, "", "subject", "block", "user:dev:kiel-caseworker")
	c.wants(1, "already been done", "subject", "block", "user:dev:kiel-caseworker")
	h.Clock.Forward(2 * time.Second)
	if a := clerk.Ask(numbers, nil); a.Status != 401 {
		t.Errorf("blocked, and answered %d: %s", a.Status, a.Raw)
	}
	c.wants(1, "denied", "policy", "check", "user:dev:kiel-caseworker", "accept", caseOf(h))
	c.wants(0, "the account is blocked", "policy", "explain", "user:dev:kiel-caseworker", "accept", caseOf(h))
	c.wants(0, "", "subject", "unblock", "user:dev:kiel-caseworker")
	h.Clock.Forward(2 * time.Second)
	clerk.Ask(numbers, nil).Works()
	log := h.Give("auditor", "AUDITOR", "federation", "").Ask(`{ auditEntries(first: 5, where: {action: [SUBJECT_BLOCKED, SUBJECT_UNBLOCKED]}) { nodes { action actor subject role tenant { slug } } } }`, nil).Works()
	for i, action := range []string{"SUBJECT_UNBLOCKED", "SUBJECT_BLOCKED"} {
		line, _ := log.At("auditEntries.nodes").([]any)[i].(map[string]any)
		if line["action"] != action || line["actor"] != "system:operator" || line["subject"] != "user:dev:kiel-caseworker" || line["role"] != nil {
			t.Errorf("line %d: %v", i, line)
		}
	}
}

// caseOf submits an application in Kiel and gives the case as number@tenant.
func caseOf(h *housetest.House) string {
	h.Helper()
	c := h.As("kiel-applicant").Submit("99108001001000", "010020000000")
	return h.As("kiel-applicant").Ask(`query($id: ID!) { case(id: $id) { number } }`, map[string]any{"id": c.ID}).Works().Text("case.number") + "@kiel"
}

func TestThePolicyIsAskedAndExplainedAtTheConsole(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	c := consoleOf(h)
	file := caseOf(h)
	number, _, _ := strings.Cut(file, "@")
	c.wants(0, "allowed", "policy", "check", "user:dev:kiel-caseworker", "accept", file)
	c.wants(1, "denied", "policy", "check", "user:dev:kiel-mailroom", "decide", file)
	c.wants(1, "denied", "policy", "check", "user:dev:luebeck-caseworker", "accept", file)
	c.wants(0, "allowed", "policy", "check", "user:dev:kiel-applicant", "read", file)
	c.wants(1, "denied", "policy", "check", "user:dev:another-applicant", "read", file)
	c.wants(1, "denied", "policy", "check", "user:by:kiel-caseworker", "read", file)
	c.wants(1, "denied", "policy", "check", "user:dev:kiel-admin", "message.body.read", file)

	c.wants(0, "CASEWORKER at kiel  GRANTS  p, role:caseworker, case, accept, units", "policy", "explain", "user:dev:kiel-caseworker", "accept", file)
	c.wants(0, "CASEWORKER at luebeck  ELSEWHERE", "policy", "explain", "user:dev:luebeck-caseworker", "accept", file)
	c.wants(0, "MAIL_ROOM at kiel  NO_LINE", "policy", "explain", "user:dev:kiel-mailroom", "decide", file)
	c.wants(0, "APPLICANT at federation  OTHER_OWNER", "policy", "explain", "user:dev:another-applicant", "read", file)
	for _, nothing := range []string{number + "@luebeck", number, "x@kiel", "AAAA", "@", ""} {
		c.wants(1, "does not exist", "policy", "check", "user:dev:kiel-caseworker", "accept", nothing)
	}
}
