// SPDX-License-Identifier: EUPL-1.2

package authz_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/internal/problem"
)

// anna is who bears the tokens of these tests.
const anna = "user:sh:anna"

// letIn is the principal of a fresh token of anna.
func (o *office) letIn(t testing.TB) *authz.Principal {
	t.Helper()
	p, err := o.Principal(t.Context(), keys().ed.token(claims(o.clock.Now())))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (o *office) give(subject string, given ...authz.Assignment) {
	o.book.change(func(r *register) { r.given[subject] = given })
}

func caseworkerAt(at authz.TenantRef) authz.Assignment {
	return authz.Assignment{Role: "CASEWORKER", Tenant: at}
}

func reads(p *authz.Principal, at authz.TenantRef) bool {
	return p.May("case", authz.Read, authz.Target{Place: at.Place})
}

// speaking is an issuer for the subtree of a tenant.
func speaking(slug string, change ...func(*authz.Issuer)) authz.Issuer {
	i := trusting(published(keys().ed))
	i.Tenant = slug
	for _, c := range change {
		c(&i)
	}
	return i
}

func ofApplicants(i *authz.Issuer) { i.Applicants = true }

func TestAnIssuerSpeaksOnlyForItsSubtree(t *testing.T) {
	t.Parallel()
	within := map[string][]authz.TenantRef{
		"federation": tenants, "sh": {sh, ostholst, eutin, kiel, luebeck}, "ostholstein": {ostholst, eutin}, "kiel": {kiel}, "by": {by, muenchen},
	}
	for slug, inside := range within {
		o := newOffice(t, speaking(slug))
		for i, at := range tenants {
			o.give(anna, caseworkerAt(at))
			o.clock.advance(time.Duration(i+1) * time.Second)
			counts := false
			for _, in := range inside {
				counts = counts || in == at
			}
			if got := reads(o.letIn(t), at); got != counts {
				t.Errorf("the issuer of %s makes a caseworker of %s: %t", slug, at.Slug, got)
			}
		}
		// All roles at once: those elsewhere neither count nor widen the scope.
		var all []authz.Assignment
		for _, at := range tenants {
			all = append(all, caseworkerAt(at))
		}
		o.give(anna, all...)
		o.clock.advance(time.Hour)
		if p := o.letIn(t); len(p.Assignments) != len(inside) {
			t.Errorf("the issuer of %s lets %d roles count, not %d", slug, len(p.Assignments), len(inside))
		}
		if o.book.outsider {
			t.Error("the roster was asked by somebody else than the doorkeeper")
		}
	}
}

func TestABlockedSubjectIsRefusedWithinASecond(t *testing.T) {
	t.Parallel()
	o := newOffice(t, speaking("sh"))
	token := keys().ed.token(claims(noon))
	if !o.accepts(t, token) {
		t.Fatal("a good token is refused")
	}
	o.book.change(func(r *register) { r.blocked[anna] = true })
	o.clock.advance(time.Second)
	for what, ask := range map[string]func() (*authz.Principal, error){
		"a token":       func() (*authz.Principal, error) { return o.Principal(t.Context(), token) },
		"a signed link": func() (*authz.Principal, error) { return o.Recall(t.Context(), anna, authz.Basic) },
	} {
		if p, err := ask(); !errors.Is(err, problem.New(problem.Unauthenticated, "blocked")) || p != nil {
			t.Errorf("%s: %v, %v", what, p, err)
		}
	}
	o.book.change(func(r *register) { r.blocked[anna] = false })
	if !o.accepts(t, token) {
		t.Error("who is no longer blocked is refused")
	}
}

func TestARemovedRoleIsGoneAndANewOneThereWithinASecond(t *testing.T) {
	t.Parallel()
	o := newOffice(t, speaking("sh"))
	o.give(anna, caseworkerAt(kiel))
	if p := o.letIn(t); !reads(p, kiel) || reads(p, luebeck) {
		t.Fatal("a caseworker of Kiel does not read in Kiel alone")
	}
	o.give(anna, caseworkerAt(luebeck))
	o.clock.advance(999 * time.Millisecond)
	if p := o.letIn(t); !reads(p, kiel) {
		t.Log("a role is asked for more often than needed")
	}
	o.clock.advance(time.Millisecond)
	if p := o.letIn(t); reads(p, kiel) || !reads(p, luebeck) {
		t.Error("after a second the old role still counts")
	}
}

func TestOnlyAnIssuerOfApplicantsMakesApplicants(t *testing.T) {
	t.Parallel()
	mine := authz.Target{Place: muenchen.Place, Owner: anna}
	other := authz.Target{Place: muenchen.Place, Owner: "user:sh:bert"}
	applies := func(p *authz.Principal) bool { return p.May("case", authz.Read, mine) }

	o := newOffice(t, speaking("sh"))
	if p := o.letIn(t); applies(p) || p.MayAnywhere("case", "submit") || len(p.Assignments) > 0 {
		t.Error("a stranger from an issuer of staff applies")
	}
	o.give(anna, authz.Assignment{Role: authz.Applicant, Tenant: federation}, authz.Assignment{Role: authz.Applicant, Tenant: kiel})
	o.clock.advance(time.Second)
	if p := o.letIn(t); applies(p) || len(p.Assignments) > 0 {
		t.Error("somebody was made an applicant by an assignment")
	}

	o = newOffice(t, speaking("sh", ofApplicants))
	p := o.letIn(t)
	if !applies(p) || !p.May("case", "submit", mine) || p.May("case", authz.Read, other) {
		t.Error("an applicant does not have exactly the own submissions")
	}
	if s := p.Scope(); s.Owner != anna || s.Class() != "applicant" {
		t.Errorf("an applicant's scope is %+v", s)
	}
	o.give(anna, caseworkerAt(kiel), authz.Assignment{Role: authz.Applicant, Tenant: kiel})
	o.clock.advance(time.Second)
	if p := o.letIn(t); applies(p) || !reads(p, kiel) || p.Scope().Owner != "" {
		t.Error("who works here applies with the same token")
	}
	o.give(anna, caseworkerAt(by))
	o.clock.advance(time.Second)
	if p := o.letIn(t); !applies(p) || reads(p, by) {
		t.Error("whose only role does not count is no applicant")
	}
}

func TestASignedLinkRecallsOnlySubjectsOfAnIssuer(t *testing.T) {
	t.Parallel()
	o := newOffice(t, speaking("sh", ofApplicants))
	o.give(anna, caseworkerAt(kiel))
	p, err := o.Recall(t.Context(), anna, authz.High)
	if err != nil || p.Subject != anna || p.TrustLevel != authz.High || !reads(p, kiel) || !p.ExpiresAt.IsZero() {
		t.Errorf("%+v, %v", p, err)
	}
	if q := o.letIn(t); q.TrustLevel != authz.Basic || q.ExpiresAt.IsZero() {
		t.Error("the trust of a link was lent to a token")
	}
	for _, subject := range []string{"", "anna", "user:", "user:sh", "user::anna", "user:by:anna", "user:SH:anna", "sh:anna", "USER:sh:anna", string(authz.Relay), string(authz.Doorkeeping), " user:sh:anna"} {
		if p, err := o.Recall(t.Context(), subject, authz.High); !refused(err) || p != nil {
			t.Errorf("%q is recalled as %v, %v", subject, p, err)
		}
	}
}

func TestARosterThatFailsIsNoVerdictAboutTheToken(t *testing.T) {
	t.Parallel()
	o := newOffice(t, speaking("sh"))
	o.book.change(func(r *register) { r.failing = errors.New("the database is gone") })
	_, err := o.Principal(t.Context(), keys().ed.token(claims(noon)))
	if _, ok := problem.Of(err); err == nil || ok {
		t.Errorf("it is told as %v", err)
	}
	o.book.change(func(r *register) { r.failing = nil })
	o.letIn(t)
}

func TestNobodyComesInByAnIssuerWhoseTenantIsGone(t *testing.T) {
	t.Parallel()
	o := newOffice(t, speaking("atlantis", ofApplicants))
	if p, err := o.Principal(t.Context(), keys().ed.token(claims(noon))); err == nil {
		t.Errorf("somebody has: %+v", p)
	}
}

func TestManyAreLetInAtOnceWhileRolesChange(t *testing.T) {
	t.Parallel()
	o := newOffice(t, speaking("sh"))
	places := []authz.TenantRef{kiel, luebeck}
	o.give(anna, caseworkerAt(kiel))
	good, bad := keys().ed.token(claims(noon)), keys().stranger.token(claims(noon))
	var both atomic.Int64
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			for n := range 200 {
				switch i {
				case 0:
					o.give(anna, caseworkerAt(places[n%2]))
					o.clock.advance(300 * time.Millisecond)
				case 1:
					if o.accepts(t, bad) {
						t.Error("a bad token was accepted")
					}
				default:
					p, err := o.Principal(t.Context(), good)
					if err != nil {
						t.Error(err)
						return
					}
					if reads(p, kiel) == reads(p, luebeck) {
						both.Add(1)
					}
				}
			}
		})
	}
	wait.Wait()
	if both.Load() > 0 {
		t.Errorf("%d times somebody had the roles of two moments, or none", both.Load())
	}
}

func TestWhatADoorkeeperRemembersIsBounded(t *testing.T) {
	t.Parallel()
	o := newOffice(t, speaking("sh"))
	authz.Crowd(o.Doorkeeper, authz.MostRemembered-5)
	fewest := authz.MostRemembered
	for i := range 10 {
		if _, err := o.Principal(t.Context(), keys().ed.token(claims(noon).set("sub", quote(fmt.Sprint("u", i))))); err != nil {
			t.Fatal(err)
		}
		tokens, principals := authz.Remembered(o.Doorkeeper)
		if tokens > authz.MostRemembered || principals > authz.MostRemembered {
			t.Errorf("it remembers %d tokens and %d principals", tokens, principals)
		}
		fewest = min(fewest, tokens, principals)
	}
	if fewest >= 10 {
		t.Error("the bound was never reached: then this test is of no use")
	}
}

func TestWhatIsRefusedIsNotRemembered(t *testing.T) {
	t.Parallel()
	o := newOffice(t, speaking("sh"))
	for i := range 100 {
		o.accepts(t, fmt.Sprintf("%s.%d", keys().stranger.token(claims(noon)), i))
		o.accepts(t, keys().stranger.token(claims(noon).set("sub", quote(fmt.Sprint(i)))))
	}
	if tokens, principals := authz.Remembered(o.Doorkeeper); tokens+principals > 0 {
		t.Errorf("%d tokens and %d principals are remembered", tokens, principals)
	}
}

func TestTwoTokensOfOnePersonEndEachAtItsTime(t *testing.T) {
	t.Parallel()
	o := newOffice(t, speaking("sh"))
	for range 2 {
		for _, life := range []int64{60, 3600} {
			p, err := o.Principal(t.Context(), keys().ed.token(claims(noon).set("exp", fmt.Sprint(noon.Unix()+life))))
			if err != nil || p.ExpiresAt.Unix() != noon.Unix()+life {
				t.Errorf("%v, %v", p, err)
			}
		}
	}
	if o.book.asked != 1 {
		t.Errorf("the roster was asked %d times for one person", o.book.asked)
	}
}

func TestAnIssuerThatIsNotWholeStopsTheStart(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*authz.Issuer){
		"no name":                         func(i *authz.Issuer) { i.Name = "" },
		"a name with a colon":             func(i *authz.Issuer) { i.Name = "sh:admin" },
		"a name in capitals":              func(i *authz.Issuer) { i.Name = "SH" },
		"no URL":                          func(i *authz.Issuer) { i.URL = "" },
		"a URL without a host":            func(i *authz.Issuer) { i.URL = "issuer" },
		"no audience":                     func(i *authz.Issuer) { i.Audience = "" },
		"no keys":                         func(i *authz.Issuer) { i.Keys = nil },
		"two sources of keys":             func(i *authz.Issuer) { i.KeysURL = "https://login.example/keys" },
		"keys that anybody may change":    func(i *authz.Issuer) { i.Keys, i.KeysURL = nil, "http://login.example/keys" },
		"keys from a name like localhost": func(i *authz.Issuer) { i.Keys, i.KeysURL = nil, "http://localhost.example/keys" },
		"keys from a file":                func(i *authz.Issuer) { i.Keys, i.KeysURL = nil, "file:///etc/keys" },
		"keys that are none":              func(i *authz.Issuer) { i.Keys = []byte("keys") },
		"keys of which none is good":      func(i *authz.Issuer) { i.Keys = published(keys().weak) },
		"no type of token":                func(i *authz.Issuer) { i.TokenType = "" },
		"no claim for the subject":        func(i *authz.Issuer) { i.ClaimNames.Subject = "" },
		"no claim for the trust level":    func(i *authz.Issuer) { i.ClaimNames.TrustLevel = "" },
		"an unknown trust level":          func(i *authz.Issuer) { i.TrustLevels = map[string]authz.TrustLevel{"4": "VERY_HIGH"} },
		"no tenant":                       func(i *authz.Issuer) { i.Tenant = "" },
	} {
		if _, err := authz.NewDoorkeeper(shipped(t), newRegister(), []authz.Issuer{speaking("sh", change)}, nil, time.Now); err == nil {
			t.Errorf("%s: it starts", name)
		}
	}
	for name, issuers := range map[string][]authz.Issuer{
		"no issuer":       nil,
		"two of one URL":  {speaking("sh"), speaking("sh", func(i *authz.Issuer) { i.Name = "by" })},
		"two of one name": {speaking("sh"), speaking("sh", func(i *authz.Issuer) { i.URL += "/2" })},
	} {
		if _, err := authz.NewDoorkeeper(shipped(t), newRegister(), issuers, nil, time.Now); err == nil {
			t.Errorf("%s: it starts", name)
		}
	}
	for _, url := range []string{"https://login.example/keys", "http://127.0.0.1:18390/keys", "http://[::1]/keys", "http://localhost:8080/keys"} {
		if _, err := authz.NewDoorkeeper(shipped(t), newRegister(), []authz.Issuer{asking(url)}, nil, time.Now); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestAMintKeepsItsKeyForItsOwnerAlone(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "mint.json")
	like := speaking("sh")
	like.Keys = nil
	first, err := authz.OpenMint(file, like, func() time.Time { return noon })
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key is kept as %v, %v", info, err)
	}
	token, err := first.Token("anna", map[string]any{"trust_level": "STORK-QAA-LEVEL-4"}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	again, err := authz.OpenMint(file, like, func() time.Time { return noon })
	if err != nil {
		t.Fatal(err)
	}
	p, err := newOffice(t, again.Issuer()).Principal(t.Context(), token)
	if err != nil || p.Subject != anna || p.TrustLevel != authz.High {
		t.Errorf("the mint's own token: %+v, %v", p, err)
	}
	if published := string(again.Issuer().Keys); strings.Contains(published, `"d"`) {
		t.Error("the private key is published")
	}
	other, err := authz.NewMint(like, func() time.Time { return noon })
	if err != nil {
		t.Fatal(err)
	}
	if newOffice(t, other.Issuer()).accepts(t, token) {
		t.Error("another mint's issuer accepts the token")
	}
	if err := os.WriteFile(file, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := authz.OpenMint(file, like, time.Now); err == nil {
		t.Error("a broken key was accepted")
	}
}

func TestADoorWithoutAPrincipalIsClosed(t *testing.T) {
	t.Parallel()
	closed := problem.New(problem.Unauthenticated, "noPrincipal")
	if p, err := authz.From(t.Context()); !errors.Is(err, closed) || p != nil {
		t.Errorf("%v, %v", p, err)
	}
	if p, err := authz.From(authz.With(t.Context(), nil)); !errors.Is(err, closed) || p != nil {
		t.Errorf("%v, %v", p, err)
	}
	if _, err := authz.Clerk(t.Context(), kiel.Place); !errors.Is(err, closed) {
		t.Error(err)
	}
}

func TestAClerkSeesOnePlaceAndItsPrincipalIsWhoItWas(t *testing.T) {
	t.Parallel()
	p := shipped(t).Principal(anna, authz.Basic, []authz.Assignment{caseworkerAt(kiel)})
	ctx, err := authz.Clerk(authz.With(t.Context(), p), luebeck.Place)
	if err != nil {
		t.Fatal(err)
	}
	clerk, err := authz.From(ctx)
	if err != nil || clerk.Subject != anna {
		t.Fatal(clerk, err)
	}
	if at, ok := clerk.ClerkAt(); !ok || at != luebeck.Place || !clerk.MayWriteAt(luebeck.Place) || clerk.MayWriteAt(kiel.Place) {
		t.Errorf("the clerk is at %v, %t", at, ok)
	}
	if _, ok := p.ClerkAt(); ok || p.MayWriteAt(luebeck.Place) || !p.MayWriteAt(kiel.Place) {
		t.Error("the principal has become a clerk")
	}
}

func TestWhoMayNotIsToldWhatWasRefused(t *testing.T) {
	t.Parallel()
	p := shipped(t).Principal(anna, authz.Basic, []authz.Assignment{{Role: "CASEWORKER", Tenant: kiel, Units: []uuid.UUID{{1}}}})
	if err := p.Ask("case", "decide", authz.Target{Place: kiel.Place, Unit: uuid.UUID{1}}); err != nil {
		t.Error(err)
	}
	err := p.Ask("case", "decide", authz.Target{Place: kiel.Place, Unit: uuid.UUID{2}})
	if told, ok := problem.Of(err); !ok || told.Kind != problem.Forbidden || told.Object != "case" || told.Action != "decide" {
		t.Errorf("told is %v", err)
	}
}

func TestASystemPrincipalReadsWhatItsTaskNeedsAndDoesNothing(t *testing.T) {
	t.Parallel()
	for name, wants := range map[authz.SystemName][]authz.Object{authz.Doorkeeping: {"roleAssignment", "blockedSubject"}, authz.Relay: {"message"}, authz.Sweeping: nil, "system:unknown": nil} {
		p := authz.System(name)
		for _, o := range wants {
			if !p.May(o, authz.Read, authz.Target{Place: muenchen.Place}) {
				t.Errorf("%s does not read %s", name, o)
			}
		}
		if !p.System() || p.MayAnywhere("case", "decide") || p.MayAnywhere("comment", authz.Read) || p.MayAnywhere("message.body", authz.Read) {
			t.Errorf("%s may more than its task needs", name)
		}
	}
	if p := shipped(t).Principal(string(authz.Relay), authz.High, nil); p.System() || p.MayAnywhere("case", authz.Read) {
		t.Error("a person has become a system principal by a name")
	}
}
