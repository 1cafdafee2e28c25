// SPDX-License-Identifier: EUPL-1.2

package authz_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/internal/problem"
)

// noon is when the tests take place.
var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

const (
	issuerURL = "https://login.example/realms/sh"
	audience  = "urn:ozg-cloud:api"
)

// clock is a clock that the test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// register is a roster in memory.
type register struct {
	mu       sync.Mutex
	given    map[string][]authz.Assignment
	blocked  map[string]bool
	tenants  map[string]authz.TenantRef
	failing  error
	asked    int  // how often for assignments
	outsider bool // somebody else than the doorkeeper has asked
}

func (r *register) enter(ctx context.Context) error {
	if p, err := authz.From(ctx); err != nil || p.Subject != string(authz.Doorkeeping) {
		r.outsider = true
	}
	return r.failing
}

func (r *register) Assignments(ctx context.Context, subject string) ([]authz.Assignment, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked++
	return r.given[subject], r.enter(ctx)
}

func (r *register) Blocked(ctx context.Context, subject string) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.blocked[subject], r.enter(ctx)
}

func (r *register) Tenant(ctx context.Context, slug string) (authz.TenantRef, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t, ok := r.tenants[slug]
	if !ok {
		return t, fmt.Errorf("no tenant %s", slug)
	}
	return t, r.enter(ctx)
}

// change does something to the register while others read it.
func (r *register) change(do func(*register)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	do(r)
}

func tenant(slug string, kind authz.TenantKind, regionalKey string, n int) authz.TenantRef {
	place, err := authz.PlaceOf(regionalKey, n)
	if err != nil {
		panic(err)
	}
	return authz.TenantRef{ID: uuid.NewSHA1(uuid.NameSpaceURL, []byte(slug)), Slug: slug, Kind: kind, Place: place}
}

// A part of the tree of tenants.
var (
	federation = tenant("federation", authz.Federation, "000000000000", 0)
	sh         = tenant("sh", authz.Land, "010000000000", 0)
	ostholst   = tenant("ostholstein", authz.District, "010550000000", 0)
	eutin      = tenant("eutin", authz.Authority, "010550012012", 1)
	kiel       = tenant("kiel", authz.Authority, "010020000000", 1)
	luebeck    = tenant("luebeck", authz.Authority, "010030000000", 1)
	by         = tenant("by", authz.Land, "090000000000", 0)
	muenchen   = tenant("muenchen", authz.Authority, "091620000000", 1)
	tenants    = []authz.TenantRef{federation, sh, ostholst, eutin, kiel, luebeck, by, muenchen}
)

func newRegister() *register {
	r := &register{given: map[string][]authz.Assignment{}, blocked: map[string]bool{}, tenants: map[string]authz.TenantRef{}}
	for _, t := range tenants {
		r.tenants[t.Slug] = t
	}
	return r
}

// trusting is an issuer of a Land whose key set is fixed.
func trusting(keys []byte) authz.Issuer {
	return authz.Issuer{
		Name: "sh", URL: issuerURL, Audience: audience, Keys: keys, TokenType: "at+jwt", Tenant: "sh",
		ClaimNames:  authz.ClaimNames{Subject: "sub", TrustLevel: "trust_level"},
		TrustLevels: map[string]authz.TrustLevel{"STORK-QAA-LEVEL-3": authz.Substantial, "STORK-QAA-LEVEL-4": authz.High},
	}
}

// office is a doorkeeper with everything around it.
type office struct {
	*authz.Doorkeeper
	clock *clock
	book  *register
	log   *bytes.Buffer
}

func newOffice(t testing.TB, issuers ...authz.Issuer) *office {
	t.Helper()
	c := &clock{now: noon}
	o := openAt(t, c.Now, issuers...)
	o.clock = c
	return o
}

// openAt is an office whose clock is not moved by the test alone.
func openAt(t testing.TB, now func() time.Time, issuers ...authz.Issuer) *office {
	t.Helper()
	o := &office{book: newRegister(), log: &bytes.Buffer{}}
	var mu sync.Mutex
	log := slog.New(slog.NewTextHandler(writer(func(p []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		return o.log.Write(p)
	}), &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	if o.Doorkeeper, err = authz.NewDoorkeeper(shipped(t), o.book, issuers, log, now); err != nil {
		t.Fatal(err)
	}
	return o
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

func shipped(t testing.TB) *authz.Policy {
	t.Helper()
	p, err := authz.NewPolicy()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// claims are those of a good token at a moment.
func claims(at time.Time) text {
	return text{
		{"iss", quote(issuerURL)}, {"aud", quote(audience)}, {"sub", `"anna"`},
		{"iat", strconv.FormatInt(at.Unix(), 10)}, {"exp", strconv.FormatInt(at.Add(time.Hour).Unix(), 10)},
	}
}

// refused says whether an error is what everybody hears whose token is not good.
func refused(err error) bool {
	p, ok := problem.Of(err)
	return ok && errors.Is(err, problem.New(problem.Unauthenticated, "badToken")) && p.Error() == "unauthenticated: badToken"
}
