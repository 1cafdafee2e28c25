// SPDX-License-Identifier: EUPL-1.2

package authz

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/ozg-cloud/platform/internal/problem"
)

// Roster knows who has which role.
type Roster interface {
	// Version is that of everything the roster says now: as long as it stays the same, asking again is asking for the same. Zero: nobody counts.
	Version(ctx context.Context) (int64, error)
	// Assignments are those of a subject, with the subtree of units filled in; none at all is no error.
	Assignments(ctx context.Context, subject string) ([]Assignment, error)
	// Blocked tells whether tokens of a subject are refused although they are valid.
	Blocked(ctx context.Context, subject string) (bool, error)
	// Tenant finds a tenant by its slug.
	Tenant(ctx context.Context, slug string) (TenantRef, error)
}

// rosterAge is how long what the roster said is believed without asking whether it still holds. It only saves work: whoever meets
// data that are younger is renewed at once (Current). A blocked subject who meets none is refused within it.
const rosterAge = time.Second

// mostRemembered bounds each of the doorkeeper's memories.
const mostRemembered = 20_000

// Doorkeeper turns bearer tokens into principals.
type Doorkeeper struct {
	policy  *Policy
	roster  Roster
	log     *slog.Logger
	clock   func() time.Time
	issuers map[string]*Issuer
	names   map[string]*Issuer
	keys    map[string]*keySet

	mu         sync.Mutex
	tokens     map[[sha256.Size]byte]*identity
	principals map[person]remembered
	parts      map[string]Interval
	counted    counted
}

// counted is the version that the roster had when it was asked last.
type counted struct {
	version int64
	at      time.Time
}

// person is whom the roster is asked for, once for all tokens.
type person struct {
	subject string
	trust   TrustLevel
}

type remembered struct {
	principal *Principal
	at        time.Time
}

// NewDoorkeeper makes a doorkeeper for tokens of these issuers.
func NewDoorkeeper(policy *Policy, roster Roster, issuers []Issuer, log *slog.Logger, clock func() time.Time) (*Doorkeeper, error) {
	d := &Doorkeeper{
		policy: policy, roster: roster, log: log, clock: clock,
		issuers: map[string]*Issuer{}, names: map[string]*Issuer{}, keys: map[string]*keySet{},
		tokens: map[[sha256.Size]byte]*identity{}, principals: map[person]remembered{}, parts: map[string]Interval{},
	}
	if len(issuers) == 0 {
		return nil, errors.New("authz: no issuer is configured, so nobody could sign in")
	}
	client := &http.Client{Timeout: fetchTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for _, i := range issuers {
		if err := i.Check(); err != nil {
			return nil, err
		}
		if d.issuers[i.URL] != nil || d.names[i.Name] != nil {
			return nil, fmt.Errorf("authz: issuer %q is configured twice", i.Name)
		}
		d.issuers[i.URL], d.names[i.Name] = &i, &i
		if i.KeysURL != "" {
			d.keys[i.URL] = fetchedKeys(i.KeysURL, client, log, clock)
			continue
		}
		keys, err := fixedKeys(i.Keys)
		if err != nil {
			return nil, err
		}
		d.keys[i.URL] = keys
	}
	return d, nil
}

// Ready tells of an issuer whose keys have never been had, so that nobody could sign in with it. One whose server is dead by now does no harm.
func (d *Doorkeeper) Ready() error {
	for url, keys := range d.keys {
		if !keys.had() {
			return fmt.Errorf("authz: there are no keys of issuer %q", d.issuers[url].Name)
		}
	}
	return nil
}

// Principal says who bears a token. Whatever is wrong with the token, the problem is the same: Unauthenticated.
func (d *Doorkeeper) Principal(ctx context.Context, token string) (*Principal, error) {
	id, err := d.identify(token)
	if err != nil {
		d.log.InfoContext(ctx, "token refused", "reason", err.Error())
		return nil, problem.New(problem.Unauthenticated, "badToken")
	}
	return d.of(ctx, id, 0)
}

// Recall says who a subject is that was identified before, by a signed link: with the rights that it has now.
func (d *Doorkeeper) Recall(ctx context.Context, subject string, trust TrustLevel) (*Principal, error) {
	rest, ok := strings.CutPrefix(subject, "user:")
	name, _, found := strings.Cut(rest, ":")
	issuer := d.names[name]
	if !ok || !found || issuer == nil {
		return nil, problem.New(problem.Unauthenticated, "badToken")
	}
	return d.of(ctx, &identity{issuer: issuer, subject: subject, trust: trust}, 0)
}

// identify verifies a token, or remembers that it was verified: that costs as much as answering a small question.
func (d *Doorkeeper) identify(token string) (*identity, error) {
	sum, now := sha256.Sum256([]byte(token)), d.clock()
	d.mu.Lock()
	id := d.tokens[sum]
	d.mu.Unlock()
	if id != nil {
		if !now.Before(id.expiresAt.Add(leeway)) {
			return nil, errors.New("token has expired or does not say when")
		}
		// A key that was removed takes its tokens with it.
		if now.Sub(id.verifiedAt) < freshFor {
			return id, nil
		}
	}
	id, err := d.read(token, now)
	if err != nil {
		return nil, err
	}
	id.verifiedAt = now
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.tokens) >= mostRemembered {
		clear(d.tokens)
	}
	d.tokens[sum] = id
	return id, nil
}

// of is the principal of an identity, out of the memory where that is young enough and has at least a version of rights.
func (d *Doorkeeper) of(ctx context.Context, id *identity, atLeast int64) (*Principal, error) {
	who, now := person{id.subject, id.trust}, d.clock()
	d.mu.Lock()
	have, ok := d.principals[who]
	d.mu.Unlock()
	holds := ok && have.principal.Version >= atLeast
	if holds && now.Sub(have.at) >= rosterAge {
		var err error
		if holds, have.at, err = d.unchanged(ctx, have.principal.Version, now); err != nil {
			return nil, err
		}
		if holds {
			d.remember(who, have)
		}
	}
	if !holds {
		p, err := d.look(ctx, id)
		if err != nil {
			return nil, err
		}
		have = remembered{p, now}
		d.remember(who, have)
	}
	if have.principal.ExpiresAt.Equal(id.expiresAt) {
		return have.principal, nil
	}
	p := *have.principal
	d.tie(&p, id)
	return &p, nil
}

func (d *Doorkeeper) remember(who person, what remembered) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.principals) >= mostRemembered {
		clear(d.principals)
	}
	d.principals[who] = what
}

// unchanged tells whether the roster still has a version, and since when that is known. It is asked once for all: where many people work and nothing
// changes, reading the roster of each anew every second costs the database more than what they do.
func (d *Doorkeeper) unchanged(ctx context.Context, version int64, now time.Time) (bool, time.Time, error) {
	if version == 0 {
		return false, now, nil
	}
	d.mu.Lock()
	last := d.counted
	d.mu.Unlock()
	if now.Sub(last.at) >= rosterAge {
		v, err := d.roster.Version(With(ctx, System(Doorkeeping)))
		if err != nil {
			return false, now, fmt.Errorf("authz: asking for the version of rights: %w", err)
		}
		last = counted{v, now}
		d.mu.Lock()
		if now.After(d.counted.at) {
			d.counted = last
		}
		d.mu.Unlock()
	}
	return last.version == version, last.at, nil
}

// tie gives a principal what comes from the token and not from the roster.
func (d *Doorkeeper) tie(p *Principal, id *identity) {
	p.ExpiresAt = id.expiresAt
	p.renew = func(ctx context.Context, atLeast int64) (*Principal, error) { return d.of(ctx, id, atLeast) }
}

// look asks the roster who a subject is.
func (d *Doorkeeper) look(ctx context.Context, id *identity) (*Principal, error) {
	ctx = With(ctx, System(Doorkeeping))
	// Before all else: rights may be younger than their version says, never older.
	version, err := d.roster.Version(ctx)
	if err != nil {
		return nil, fmt.Errorf("authz: asking for the version of rights: %w", err)
	}
	blocked, err := d.roster.Blocked(ctx, id.subject)
	if err != nil {
		return nil, fmt.Errorf("authz: asking whether a subject is blocked: %w", err)
	}
	if blocked {
		return nil, problem.New(problem.Unauthenticated, "blocked")
	}
	part, err := d.part(ctx, id.issuer)
	if err != nil {
		return nil, err
	}
	given, err := d.roster.Assignments(ctx, id.subject)
	if err != nil {
		return nil, fmt.Errorf("authz: asking for assignments: %w", err)
	}
	var counts []Assignment
	for _, a := range given {
		// An issuer speaks for its own subtree only, and nobody is made an applicant.
		if a.Role != Applicant && part.Covers(Cover(a.Tenant.Kind, a.Tenant.Place)) {
			counts = append(counts, a)
		}
	}
	// Who has a role in the administration works; everybody else applies. One token is never both.
	if len(counts) == 0 && id.issuer.Applicants {
		counts = []Assignment{{Role: Applicant, Tenant: TenantRef{Kind: Federation, Slug: "federation"}}}
	}
	p := d.policy.Principal(id.subject, id.trust, counts)
	p.Version = version
	d.tie(p, id)
	return p, nil
}

// part is the part of the tree that an issuer may speak for. It never changes, so it is asked once.
func (d *Doorkeeper) part(ctx context.Context, i *Issuer) (Interval, error) {
	d.mu.Lock()
	part, ok := d.parts[i.URL]
	d.mu.Unlock()
	if ok {
		return part, nil
	}
	t, err := d.roster.Tenant(ctx, i.Tenant)
	if err != nil {
		return Interval{}, fmt.Errorf("authz: finding the tenant of issuer %q: %w", i.Name, err)
	}
	part = Cover(t.Kind, t.Place)
	d.mu.Lock()
	d.parts[i.URL] = part
	d.mu.Unlock()
	return part, nil
}
