// SPDX-License-Identifier: EUPL-1.2

package staff_test

import (
	"strings"
	"testing"

	"github.com/ozg-cloud/platform/internal/housetest"
)

func TestARoleGivenOrTakenAgainUnderItsKeyIsGivenOrTakenOnce(t *testing.T) {
	t.Parallel()
	o := open(t)
	admin := o.As("kiel-admin")
	say := func(verb, key string, in map[string]any) housetest.Answer {
		document := strings.Replace(housetest.Mutation(verb), "(input: $in)", `(input: $in) @idempotent(key: "`+key+`")`, 1)
		return admin.Ask(document, map[string]any{"in": in}).Works()
	}
	give := o.give("anna", "CASEWORKER", "kiel")
	given := say("assignRole", "k1", give)
	id := given.Text("assignRole.roleAssignment.id")
	if again := say("assignRole", "k1", give); id == "" || again.Text("assignRole.roleAssignment.id") != id {
		t.Errorf("%s, and then %s", given.Raw, again.Raw)
	}
	take := map[string]any{"roleAssignmentId": id}
	taken := say("removeRole", "k2", take)
	if again := say("removeRole", "k2", take); taken.Text("removeRole.removedId") != id || again.Text("removeRole.removedId") != id {
		t.Errorf("%s, and then %s", taken.Raw, again.Raw)
	}
	// The twin: under other keys both have been done.
	say("removeRole", "k3", take).Wants("notFound")
	say("assignRole", "k2", give).Wants("keyReused")
}
