// SPDX-License-Identifier: EUPL-1.2

package cmd_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/ozg-cloud/platform/cmd"
	"github.com/ozg-cloud/platform/schema"
)

// personal are things that must not stand in a log, wrapped in what might stand around them.
func personal() map[string]string {
	id := uuid.Must(uuid.NewV7())
	return map[string]string{
		"a token":       "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhOTEifQ.c2ln",
		"half a token":  "eyJhbGciOiJFUzI1NiJ9",
		"an address":    "erika.mustermann@example.org",
		"a global id":   schema.ID(7, id),
		"a value":       `"Mustermann"`,
		"an open value": `"Mustermann`,
	}
}

func TestLogsTellNothingPersonal(t *testing.T) {
	var out bytes.Buffer
	log := cmd.Redacted(slog.New(slog.NewTextHandler(&out, nil)))
	for name, secret := range personal() {
		out.Reset()
		log.Info("request", "error", errors.New("reading "+secret+": failed"), "reason", "("+secret+")", "subject", secret, "path", "/"+secret)
		log.With("error", fmt.Errorf("x %s", secret)).WithGroup("g").Info("again", slog.Group("h", "error", secret, "applicant", secret), "path", struct{ Name string }{secret})
		if got := out.String(); strings.Contains(got, strings.Trim(secret, `"`)) || strings.Count(got, "[left out]") < 6 {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestLogsTellWhatHelps(t *testing.T) {
	var out bytes.Buffer
	log := cmd.Redacted(slog.New(slog.NewTextHandler(&out, nil)))
	document := strings.Repeat("a91c", 16)
	log.Warn("slow operation", "document", document, "operation", "CasesOfMyOwnOrganisation", "duration", time.Second, "cost", 12,
		"error", errors.New(`store: violates unique constraint "cases_number_key" (SQLSTATE 23505)`))
	for _, want := range []string{"slow operation", document, "CasesOfMyOwnOrganisation", "1s", "cost=12", "cases_number_key", "23505"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s is not told: %s", want, out.String())
		}
	}
	if cmd.Redacted(log) != log {
		t.Error("a careful log is made careful twice")
	}
}

func TestTheSearchForPersonalDataFindsThemInAnotherLog(t *testing.T) {
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Info("request", "error", errors.New("reading "+personal()["an address"]))
	if !strings.Contains(out.String(), personal()["an address"]) {
		t.Error("nothing is found")
	}
}

// TestATextThatIsNotSearchedHasNothingToBeFound draws texts out of pieces of what is looked for, around the length from which on ids are.
func TestATextThatIsNotSearchedHasNothingToBeFound(t *testing.T) {
	pieces := []string{"GET", "/graphql", "Page_1", "-", ".", " ", "eyJ", "eyJhbGciOi", "bearer", "Bearer ", "@", `"`, "'", "a", "Z9", "ü", "K"}
	for _, secret := range personal() {
		pieces = append(pieces, secret)
	}
	differs := 0
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 6).Draw(t, "text"), "")
		if got, want := cmd.Said(text), cmd.Searched(text); got != want {
			t.Fatalf("%q is told as %q, not as %q", text, got, want)
		}
		if cmd.Searched(text) != text {
			differs++
		}
	})
	// The twin: to search no short text would be noticed.
	if short := "eyJhbGciOiJI"; cmd.Searched(short) == short || differs == 0 {
		t.Errorf("only %d texts had something to be found", differs)
	}
}

func BenchmarkALineOfARequest(b *testing.B) {
	var out bytes.Buffer // and not slog.DiscardHandler, which says that no line is wanted, so that none would be looked through
	log := cmd.Redacted(slog.New(slog.NewTextHandler(&out, nil)))
	b.ReportAllocs()
	for b.Loop() {
		out.Reset()
		log.LogAttrs(b.Context(), slog.LevelInfo, "request", slog.String("method", "POST"), slog.String("route", "/graphql"), slog.Int("status", 200),
			slog.Duration("duration", time.Millisecond), slog.String("operation", "CaseWithMessages"))
	}
	if out.Len() == 0 {
		b.Error("nothing was written down")
	}
}
