// SPDX-License-Identifier: EUPL-1.2

package cmd_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ozg-cloud/platform/internal/housetest"
	"github.com/ozg-cloud/platform/schema"
)

func TestTheConsolePrintsTheContractThatATenantIsServed(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	c := consoleOf(h)
	prints := func(args ...string) string {
		status, printed := c.runs(append([]string{"schema", "print"}, args...)...)
		if status != 0 {
			t.Errorf("status %d: %s", status, printed)
		}
		return printed
	}
	if prints() != schema.SDL() || prints("--tenant", "kiel") != schema.SDL() {
		t.Error("where nothing is added it is not the standard house that is printed")
	}
	h.Define("sh", `extend type Case { "Parcel (Flurstück)." flurstueck: String }`)
	kiel := prints("--tenant", "kiel")
	if !strings.Contains(kiel, "flurstueck: String") || prints("--tenant", "luebeck") != kiel || prints("--tenant", "sh") != kiel {
		t.Error("what a Land adds is not printed for its authorities")
	}
	if prints() != schema.SDL() || prints("--tenant", "muenchen") != schema.SDL() {
		t.Error("what a Land adds is printed for others")
	}
	if as := prints("--subgraph", "--tenant", "kiel"); !strings.Contains(as, "flurstueck: String") || !strings.Contains(as, "federation/v2.7") || strings.Contains(as, "@policy") {
		t.Error("what a composer reads is not the contract of the tenant")
	}
	if as := prints("--subgraph"); strings.Contains(as, "flurstueck: String") || !strings.Contains(as, "federation/v2.7") {
		t.Error("what a composer reads is not the standard house")
	}
	served := ""
	for end := time.Now().Add(20 * time.Second); served != kiel && time.Now().Before(end); {
		served = string(h.As("kiel-caseworker").Send(h.Request(http.MethodGet, "/schema.graphql")).Raw)
	}
	if served != kiel {
		t.Error("what is served is not what is printed")
	}
	c.wants(1, "", "schema", "print", "--tenant", "atlantis")
	c.wants(2, "", "schema", "print", "--tenant")
	c.wants(2, "", "schema", "print", "kiel")
}
