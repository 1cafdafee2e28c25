// SPDX-License-Identifier: EUPL-1.2

package inforce_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/extension/inforce"
	"github.com/ozg-cloud/platform/internal/housetest"
	"github.com/ozg-cloud/platform/schema"
)

const (
	ofSH       = `extend type Case { "Parcel (Flurstück)." flurstueck: String @filterable }`
	ofBavaria  = `extend type Case { "Parcel (Flurstück)." flurstueck: Int @filterable }`
	ofKiel     = `extend type Case { "Part of the city." kiel_ortsteil: String }`
	ofDistrict = `extend type Case { "Dike (Deich)." kreis_ostholstein_deich: String }`
)

// register is one over a house's database, as the serving login has it.
func register(h *housetest.House, log io.Writer) *inforce.Register {
	h.Helper()
	pool, err := pgxpool.NewWithConfig(h.Context(), must(pgxpool.ParseConfig(h.Serving().Config().ConnString())))
	if err != nil {
		h.Fatal(err)
	}
	h.Cleanup(pool.Close)
	return inforce.NewRegister(pool, must(schema.Load()), slog.New(slog.NewTextHandler(log, nil)))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// part is what a tenant covers.
func part(h *housetest.House, slug string) authz.Interval {
	h.Helper()
	var place authz.Place
	var kind authz.TenantKind
	if err := h.Database().QueryRow(h.Context(), "select place, kind from tenants where slug = $1", slug).Scan(&place, &kind); err != nil {
		h.Fatal(err)
	}
	return authz.Cover(kind, place)
}

// fields are the names of what is added to Case.
func fields(held *inforce.Held) string {
	if held == nil {
		return ""
	}
	var names []string
	for _, f := range held.Chain.Fields("Case") {
		names = append(names, f.Name+" "+f.Scalar)
	}
	return strings.Join(names, ", ")
}

func TestWhatHoldsAtATenantIsWhatTheOwnersAboveItAddAndItsOwn(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	r := register(h, io.Discard)
	if r.At(part(h, "kiel")) != nil {
		t.Error("something holds before anything was defined")
	}
	for slug, sdl := range map[string]string{"sh": ofSH, "by": ofBavaria, "kiel": ofKiel, "kreis-ostholstein": ofDistrict} {
		h.Define(slug, sdl)
	}
	if err := r.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	for slug, want := range map[string]string{
		"sh": "flurstueck String", "luebeck": "flurstueck String", "kiel": "flurstueck String, kiel_ortsteil String", "kreis-kiel": "flurstueck String",
		"eutin": "flurstueck String, kreis_ostholstein_deich String", "kreis-ostholstein": "flurstueck String, kreis_ostholstein_deich String",
		"by": "flurstueck Int", "muenchen": "flurstueck Int", "federation": "",
	} {
		if got := fields(r.At(part(h, slug))); got != want {
			t.Errorf("%s has %q, not %q", slug, got, want)
		}
	}
	if r.At(part(h, "luebeck")) != r.At(part(h, "flensburg")) {
		t.Error("two who inherit the same have not the same")
	}
	if a, b := r.At(part(h, "luebeck")), r.At(part(h, "kiel")); a.Hash == b.Hash || a.Hash != r.At(part(h, "sh")).Hash {
		t.Error("hashes do not tell who has the same")
	}
	if r.For(authz.System(authz.Operator)) != nil {
		t.Error("something holds for a system principal")
	}
	h.Define("sh", ofSH[:len(ofSH)-1]+` "Storeys." geschosse: Int }`)
	held := r.At(part(h, "luebeck"))
	if err := r.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := fields(r.At(part(h, "luebeck"))); got != "flurstueck String, geschosse Int" {
		t.Errorf("a change is not known: %q", got)
	}
	if fields(held) != "flurstueck String" {
		t.Error("what somebody held has changed under their hands")
	}
	if before := held.Chain.Fields("Case")[0].Number; before == 0 || before != r.At(part(h, "sh")).Chain.Fields("Case")[0].Number {
		t.Error("a field has got another number")
	}
}

func TestADraftAndWhatIsRetiredDoNotHold(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	r := register(h, io.Discard)
	h.Define("kiel", ofKiel)
	for _, c := range []struct {
		change, want string
		leaving      bool
	}{
		{"update extension_definitions set state = 'DEPRECATED'", "kiel_ortsteil String", true},
		{"update extension_definitions set state = 'RETIRED'", "", false},
		{"update extension_definitions set state = 'DRAFT', activated_at = null", "", false},
		{"update extension_definitions set state = 'ACTIVE', activated_at = now()", "kiel_ortsteil String", false},
		{"delete from extension_definitions", "", false},
	} {
		if _, err := h.Database().Exec(t.Context(), c.change); err != nil {
			t.Fatal(err)
		}
		if err := r.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		held := r.At(part(h, "kiel"))
		if fields(held) != c.want || held != nil && held.Chain[0].Leaving != c.leaving {
			t.Errorf("%s: %q holds", c.change, fields(held))
		}
	}
}

func TestADefinitionThatFitsNoMoreIsLeftOutAndToldOnceWithoutItsText(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	var log strings.Builder
	r := register(h, &log)
	h.Define("kiel", ofKiel)
	h.Define("luebeck", `extend type Case { "Gate." luebeck_tor: String }`)
	for _, spoil := range []string{
		`update extension_definitions set sdl = 'extend type Case { "Secret a91." kiel_a91: Nowhere }' where sdl like '%kiel%'`,
		`update extension_definitions set sdl = 'extend type Case { "Secret a91." kiel_a91: String }' where sdl like '%kiel%'`, // and no number
	} {
		log.Reset()
		if _, err := h.Database().Exec(t.Context(), "update extension_definitions set id = gen_random_uuid(), state = state; "+spoil); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := r.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if got := fields(r.At(part(h, "kiel"))); got != "" {
			t.Errorf("%q holds", got)
		}
		if got := fields(r.At(part(h, "luebeck"))); got != "luebeck_tor String" {
			t.Errorf("what fits is left out: %q", got)
		}
		if lines := strings.Count(log.String(), "\n"); lines != 1 || !strings.Contains(log.String(), "tenant=kiel") {
			t.Errorf("%d lines: %s", lines, log.String())
		}
	}
}

func TestWhatWasKnownStaysKnownWhileTheDatabaseDoesNotAnswer(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	r := register(h, io.Discard)
	h.Define("sh", ofSH)
	if err := r.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Database().Exec(t.Context(), "revoke select on extension_version from ozg_serving"); err != nil {
		t.Fatal(err)
	}
	if r.Refresh(t.Context()) == nil {
		t.Error("nobody hears that the register is not refreshed")
	}
	if fields(r.At(part(h, "kiel"))) != "flurstueck String" || r.Ready(t.Context()) != nil {
		t.Error("what was known is forgotten")
	}
	if register(h, io.Discard).Ready(t.Context()) == nil {
		t.Error("a register that knows nothing is ready")
	}
}

func TestARunningRegisterKnowsOfAChangeWithinASecond(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	ctx, stop := context.WithCancel(t.Context())
	registers := []*inforce.Register{register(h, io.Discard), register(h, io.Discard)}
	var running sync.WaitGroup
	for _, r := range registers {
		running.Go(func() { r.Run(ctx, slog.New(slog.DiscardHandler)) })
	}
	defer running.Wait()
	defer stop()
	here := part(h, "kiel")
	for n := range 3 {
		name := fmt.Sprintf("feld%d", n)
		h.Define("sh", `extend type Case { "A field." `+name+`: String }`)
		for end := time.Now().Add(20 * time.Second); ; { // on a busy machine
			if !slices.ContainsFunc(registers, func(r *inforce.Register) bool { return fields(r.At(here)) != name+" String" }) {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("%s is not known", name)
			}
		}
	}
}
