// SPDX-License-Identifier: EUPL-1.2

package cmd_test

import (
	"strings"
	"testing"

	"github.com/ozg-cloud/platform/internal/housetest"
)

func TestTheConsoleHandsOutWhatExtensionFieldsHoldAlsoWhenTheyHaveGone(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	c := consoleOf(h)
	h.Define("sh", `"A part." type Teil { "What." was: String } extend type Case { "Number plate." kennzeichen: String "Parts." teile: [Teil!] }`)
	h.As("kiel-applicant").Submit("99108001001000", "010020000000")
	if _, err := h.Database().Exec(t.Context(), `insert into extension_records (id, tenant_id, place, case_id, target, target_id, owner, document, updated_at)
		select gen_random_uuid(), c.tenant_id, c.place, c.id, 'CASE', c.id, d.place,
			jsonb_build_object(d.numbers #>> '{of,Case.kennzeichen}', 'KI <1>', d.numbers #>> '{of,Case.teile}', jsonb_build_array(jsonb_build_object(d.numbers #>> '{of,Teil.was}', 'Dach'))), now()
		from cases c, extension_definitions d`); err != nil {
		t.Fatal(err)
	}
	h.Define("sh", `extend type Case { "Storeys." geschosse: Int }`)
	status, printed := c.runs("extension", "export", "--tenant", "sh", "--version", "1")
	want := `"values":[{"name":"kennzeichen","path":[],"type":"String","value":"KI <1>"},{"name":"teile","path":["0","was"],"type":"String","value":"Dach"}]}`
	if status != 0 || strings.Count(printed, "\n") != 1 || !strings.HasPrefix(printed, `{"type":"Case","id":"`) || !strings.Contains(printed, want) {
		t.Errorf("status %d: %s", status, printed)
	}
	if status, printed := c.runs("extension", "export", "--tenant", "sh"); status != 0 || printed != "" {
		t.Errorf("of the version in force: status %d: %s", status, printed)
	}
	var lines int
	if err := h.Database().QueryRow(t.Context(), "select count(*) from audit_entries where action = 'EXTENSION_EXPORTED' and actor = 'system:operator'").Scan(&lines); err != nil || lines != 2 {
		t.Errorf("%d lines of the audit log: %v", lines, err)
	}
	c.wants(1, "", "extension", "export", "--tenant", "atlantis")
	c.wants(1, "", "extension", "export", "--tenant", "sh", "--version", "9")
	c.wants(2, "", "extension", "export")
	c.wants(2, "", "extension", "import", "--tenant", "sh")
}
