// SPDX-License-Identifier: EUPL-1.2

package values_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/ozg-cloud/platform/authz"
)

// behind counts the rows of a table that serving sees in the scope of a tenant, without any first wall.
func (h *house) behind(table, slug, owner string) (n int) {
	h.Helper()
	var place authz.Place
	var kind authz.TenantKind
	if err := h.Database().QueryRow(h.Context(), "select place, kind from tenants where slug = $1", slug).Scan(&place, &kind); err != nil {
		h.Fatal(err)
	}
	part := authz.Cover(kind, place)
	err := pgx.BeginFunc(h.Context(), h.Serving(), func(tx pgx.Tx) error {
		if _, err := tx.Exec(h.Context(), "select ozg_enter($1, $2, $3)", int64(part.Lo), int64(part.Hi), owner); err != nil {
			return err
		}
		return tx.QueryRow(h.Context(), "select count(*) from "+table).Scan(&n)
	})
	if err != nil {
		h.Fatal(err)
	}
	return n
}

func TestTheSecondWallShowsWhatIsAddedToTheCatalogueWhereItHoldsAlone(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.setsService(h.shAdmin, map[string]any{"gruppe": "Verkehr"}).Works()
	h.setsService(h.kielAdmin, map[string]any{"kiel_raum": "R 1"}).Works()
	h.setsOffering(h.kielAdmin, map[string]any{"auskunft": "Rathaus", "kiel_schalter": 4}).Works()
	type scope struct{ slug, owner string }
	for _, table := range []string{"extension_records", "extension_entries"} {
		for s, want := range map[scope]int{
			{"kiel", ""}: 4, {"luebeck", ""}: 2, {"sh", ""}: 4, {"muenchen", ""}: 0, {"by", ""}: 0,
			{"kiel", "user:dev:kiel-applicant"}: 0, {"federation", ""}: 4,
		} {
			if got := h.behind(table, s.slug, s.owner); got != want {
				t.Errorf("%s in the scope of %v: %d rows, not %d", table, s, got, want)
			}
		}
		// The twins: a wall without the policy shows Lübeck nothing of its Land, and one that is open shows München everything.
		if _, err := h.Database().Exec(t.Context(), "drop policy catalogue on "+table); err != nil {
			t.Fatal(err)
		}
		if h.behind(table, "luebeck", "") == 2 {
			t.Errorf("no policy at %s: nobody would notice", table)
		}
		if _, err := h.Database().Exec(t.Context(), "create policy catalogue on "+table+" for select to ozg_serving using (case_id is null)"); err != nil {
			t.Fatal(err)
		}
		if h.behind(table, "muenchen", "") == 0 {
			t.Errorf("an open wall around %s: nobody would notice", table)
		}
	}
}

func TestTheSecondWallShowsApplicantsWhatIsAddedToTheirOwnCasesAlone(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.As("kiel-applicant").Submit(parking, kiel)
	tables := []string{"extension_records", "extension_entries"}
	for i, table := range tables {
		all := 2 - i // of the case and of the applicant, of which one is found by
		for owner, want := range map[string]int{"": all, "user:dev:kiel-applicant": all, "user:dev:wanda": 0} {
			if got := h.behind(table, "kiel", owner); got != want {
				t.Errorf("%s of %q: %d rows, not %d", table, owner, got, want)
			}
		}
		if got := h.behind(table, "luebeck", "user:dev:kiel-applicant"); got != 0 {
			t.Errorf("%s: %d rows in the scope of another authority", table, got)
		}
	}
	// The twin: a wall that takes every case for the applicant's.
	if _, err := h.Database().Exec(t.Context(), `create or replace function ozg_sees_case(place bigint, of_tenant uuid, of_case uuid) returns boolean language sql stable as 'select true'`); err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		if h.behind(table, "kiel", "user:dev:wanda") == 0 {
			t.Errorf("an open wall around %s: nobody would notice", table)
		}
	}
}
