// SPDX-License-Identifier: EUPL-1.2

package charter_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"

	"github.com/ozg-cloud/platform/federation/charter"
	"github.com/ozg-cloud/platform/federation/charter/chartertest"
)

func p256(t testing.TB) (*ecdsa.PrivateKey, jwk.Key) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public, err := jwk.FromRaw(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	kid, err := charter.KeyID(public)
	if err != nil {
		t.Fatal(err)
	}
	if err := public.Set(jwk.KeyIDKey, kid); err != nil {
		t.Fatal(err)
	}
	return key, public
}

// credulous believes papers whose signatures hold by the keys that stand in them, as far as it finds any.
func credulous(t testing.TB, f *chartertest.Federation, p charter.Vouched) bool {
	t.Helper()
	var keys []jwk.Key
	for _, h := range f.Houses {
		keys = append(keys, h.Key.Public(), h.Own.Public(), h.Signer().Public())
	}
	holds := func(document []byte) bool {
		for _, k := range keys {
			if _, err := jws.Verify(document, jws.WithKey(jwa.EdDSA, k)); err == nil {
				return true
			}
		}
		return false
	}
	return holds(p.Voucher) && holds(p.Configuration)
}

func TestPapersOfAHouseAreRefusedForTheRightReason(t *testing.T) {
	type papers struct {
		v charter.Voucher
		c charter.Configuration
	}
	for name, c := range map[string]struct {
		change func(t testing.TB, f *chartertest.Federation, p *papers)
		signer func(f *chartertest.Federation) *chartertest.House // whose keys sign; nil: its own
		want   error
	}{
		"another member vouches": {
			func(testing.TB, *chartertest.Federation, *papers) {},
			func(f *chartertest.Federation) *chartertest.House {
				return &chartertest.House{Key: f.Houses[1].Key, Own: f.Houses[0].Own}
			},
			charter.ErrUnknown,
		},
		"another member vouches in its own name": {
			func(_ testing.TB, f *chartertest.Federation, p *papers) {
				p.v.Member, p.c.AuthorityHints = f.Houses[1].Member, []charter.MemberID{f.Houses[1].Member}
			},
			func(f *chartertest.Federation) *chartertest.House {
				return &chartertest.House{Key: f.Houses[1].Key, Own: f.Houses[0].Own}
			},
			charter.ErrPaths,
		},
		"two superiors": {func(_ testing.TB, f *chartertest.Federation, p *papers) {
			p.c.AuthorityHints = append(p.c.AuthorityHints, f.Houses[1].Member)
		}, nil, charter.ErrPaths},
		"no superior": {func(_ testing.TB, _ *chartertest.Federation, p *papers) { p.c.AuthorityHints = []charter.MemberID{} }, nil, charter.ErrPaths},
		"it speaks of another house": {func(_ testing.TB, f *chartertest.Federation, p *papers) {
			p.c.Issuer, p.c.Instance = f.Houses[1].ID, f.Houses[1].ID
		}, nil, charter.ErrPaths},
		"a house vouches for another one": {
			func(_ testing.TB, f *chartertest.Federation, p *papers) {
				p.v.Member, p.v.Instance = charter.MemberID(f.Houses[0].ID), f.Houses[0].ID+"/annexe"
			},
			func(f *chartertest.Federation) *chartertest.House {
				return &chartertest.House{Key: f.Houses[0].Own, Own: f.Houses[0].Own}
			},
			charter.ErrTooLong,
		},
		"it may vouch for others": {func(_ testing.TB, _ *chartertest.Federation, p *papers) { p.v.Constraints.MaxPathLength = 1 }, nil, charter.ErrTooLong},
		"an edition that it was not allowed": {func(_ testing.TB, _ *chartertest.Federation, p *papers) {
			p.c.Metadata.Instance.Editions = []int{1, 9}
		}, nil, charter.ErrPolicy},
		"the region of another Land": {func(_ testing.TB, _ *chartertest.Federation, p *papers) { p.c.Metadata.Instance.Region = "09" }, nil, charter.ErrPolicy},
		"a kind of questions that it was not allowed": {func(_ testing.TB, _ *chartertest.Federation, p *papers) {
			p.c.Metadata.Instance.Documents = []string{"cases"}
		}, nil, charter.ErrPolicy},
		"for a year":  {func(_ testing.TB, _ *chartertest.Federation, p *papers) { p.v.Expires = p.v.IssuedAt + 365*86400 }, nil, charter.ErrPolicy},
		"of tomorrow": {func(_ testing.TB, _ *chartertest.Federation, p *papers) { p.v.IssuedAt += 3600; p.v.Expires += 3600 }, nil, charter.ErrExpired},
		"a key that its member did not name": {
			func(testing.TB, *chartertest.Federation, *papers) {},
			func(f *chartertest.Federation) *chartertest.House {
				return &chartertest.House{Key: f.Houses[0].Key, Own: f.Houses[1].Own}
			},
			charter.ErrUnknown,
		},
		"one key for both": {func(_ testing.TB, _ *chartertest.Federation, p *papers) { p.c.Metadata.Instance.Keys = p.c.Keys }, nil, charter.ErrDoubled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := chartertest.New(t, 3)
			var p papers
			p.v, p.c = f.Papers(0)
			c.change(t, f, &p)
			by := f.Houses[0]
			if c.signer != nil {
				by = c.signer(f)
			}
			signed := f.SignPapers(p.v, p.c)(by)
			roll, refused := charter.NewRoll(f.Chain, []charter.Vouched{signed, f.Houses[1].Papers}, nil, f.Now)
			found := error(nil)
			for _, err := range refused {
				found = err
			}
			if !errors.Is(found, c.want) || len(refused) != 1 {
				t.Errorf("refused with %v", refused)
			}
			if _, there := roll.Instance(p.v.Instance); there {
				t.Error("it stands in the roll all the same")
			}
			if _, there := roll.Instance(f.Houses[1].ID); !there {
				t.Error("another house was lost with it")
			}
			if !credulous(t, f, signed) {
				t.Error("the twin refuses it as well: this proves nothing")
			}
		})
	}
}

// keyOf asks for the key of the house's signer.
func keyOf(f *chartertest.Federation, roll *charter.Roll, i int, at time.Time) error {
	_, err := roll.Key(f.Houses[i].ID, f.Houses[i].Signer().KeyID(), at)
	return err
}

func TestAHouseIsBelievedForATimeOfGraceAndNoLonger(t *testing.T) {
	f := chartertest.New(t, 3)
	for after, want := range map[time.Duration]error{
		0: nil, 23 * time.Hour: nil,
		25 * time.Hour: nil, 4 * 24 * time.Hour: nil, // its member cannot be reached
		4*24*time.Hour + time.Second: charter.ErrExpired, 1000 * time.Hour: charter.ErrExpired,
	} {
		now := f.Now.Add(after)
		roll, refused := charter.NewRoll(f.Chain, []charter.Vouched{f.Houses[0].Papers}, nil, now)
		if len(refused) > 0 {
			t.Fatal(refused)
		}
		if err := keyOf(f, roll, 0, now); !errors.Is(err, want) {
			t.Errorf("after %s: %v", after, err)
		}
		if err := roll.Standing(f.Houses[0].ID, now); !errors.Is(err, want) {
			t.Errorf("after %s: %v", after, err)
		}
	}
	// Without grace it ends with the paper.
	d := f.Next()
	d.Limits.Grace = 0
	f.Enact(d)
	if err := keyOf(f, f.Roll(), 0, f.Now.Add(25*time.Hour)); !errors.Is(err, charter.ErrExpired) {
		t.Errorf("believed without grace: %v", err)
	}
	if err := keyOf(f, f.Roll(), 0, f.Now.Add(24*time.Hour)); err != nil {
		t.Error(err)
	}
}

func TestWhatWasSignedBeforeARotationStaysVerifiable(t *testing.T) {
	f := chartertest.New(t, 3)
	old := f.Houses[0].Signer()
	statement, err := old.Sign("ozg-statement+jwt", []byte(`{"n":1}`))
	if err != nil {
		t.Fatal(err)
	}
	then := f.Now
	f.Now = f.Now.Add(time.Hour)
	f.Rotate(0)
	roll := f.Roll()
	read := func(at time.Time) error {
		_, err := charter.Open(statement, "ozg-statement+jwt", func(kid string, _ []byte) (jwk.Key, error) { return roll.Key(f.Houses[0].ID, kid, at) })
		return err
	}
	if err := read(then); err != nil {
		t.Errorf("what was signed before is lost: %v", err)
	}
	if err := read(f.Now.Add(time.Hour)); !errors.Is(err, charter.ErrExpired) {
		t.Errorf("the old key signs still: %v", err)
	}
	if err := keyOf(f, roll, 0, f.Now); err != nil {
		t.Error(err)
	}
	if err := keyOf(f, roll, 0, then.Add(-time.Hour)); !errors.Is(err, charter.ErrExpired) {
		t.Errorf("the new key signed before there was one: %v", err)
	}
	// The twin: who looks for keys in use alone loses what was signed before.
	if _, err := roll.Key(f.Houses[0].ID, old.KeyID(), f.Now.Add(time.Hour)); err == nil {
		t.Error("the twin finds the old key among those in use")
	}
	// Of a key that somebody else has, nothing is believed, whatever date it bears.
	f.Houses[0].Times[old.KeyID()] = charter.Times{Until: f.Now.Unix(), Compromised: true}
	f.Vouch(0)
	roll = f.Roll()
	if err := read(then); !errors.Is(err, charter.ErrRevoked) {
		t.Errorf("a compromised key is believed by the date that it wrote: %v", err)
	}
}

func TestAMemberThatRotatesItsKeyVouchesAnew(t *testing.T) {
	f := chartertest.New(t, 3)
	fresh := newSigner(t)
	d := f.Next()
	d.Members[0] = f.Entry(f.Houses[0], fresh)
	chain, err := f.Chain.Accept(f.Sign(d, append(keys(f, 0, 3), fresh)...))
	if err != nil {
		t.Fatal(err)
	}
	f.Chain = chain
	if _, refused := charter.NewRoll(chain, []charter.Vouched{f.Houses[0].Papers}, nil, f.Now); len(refused) != 1 {
		t.Error("a voucher by the key that was put away is believed")
	}
	f.Houses[0].Key = fresh
	f.Vouch(0)
	if err := keyOf(f, f.Roll(), 0, f.Now); err != nil {
		t.Error(err)
	}
}

func TestOfTwoPapersForAHouseTheYoungerOneCounts(t *testing.T) {
	f := chartertest.New(t, 3)
	old := f.Houses[0].Papers
	f.Now = f.Now.Add(time.Hour)
	f.Houses[0].Endpoint = "https://elsewhere.example"
	f.Vouch(0)
	for _, order := range [][]charter.Vouched{{old, f.Houses[0].Papers}, {f.Houses[0].Papers, old}} {
		roll, _ := charter.NewRoll(f.Chain, order, nil, f.Now)
		if i, _ := roll.Instance(f.Houses[0].ID); i.Endpoint != "https://elsewhere.example" {
			t.Error("an old paper brings back what it said")
		}
	}
}

func TestAKeyOfAnotherHouseIsUnknown(t *testing.T) {
	f := chartertest.New(t, 3)
	roll := f.Roll()
	if _, err := roll.Key(f.Houses[0].ID, f.Houses[1].Signer().KeyID(), f.Now); !errors.Is(err, charter.ErrUnknown) {
		t.Error(err)
	}
	if _, err := roll.Key("https://nobody.example/ozg", f.Houses[1].Signer().KeyID(), f.Now); !errors.Is(err, charter.ErrUnknown) {
		t.Error(err)
	}
	if _, err := roll.Key(f.Houses[0].ID, f.Houses[0].Own.KeyID(), f.Now); !errors.Is(err, charter.ErrUnknown) {
		t.Error("the key by which a house speaks of itself answers questions")
	}
}

func TestASignerIsReadAsItWasWritten(t *testing.T) {
	s := newSigner(t)
	text, err := s.Secret()
	if err != nil {
		t.Fatal(err)
	}
	again, err := charter.ReadSigner(text)
	if err != nil || again.KeyID() != s.KeyID() {
		t.Fatal(err)
	}
	public, err := json.Marshal(s.Public())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := charter.ReadSigner(public); !errors.Is(err, charter.ErrAlgorithm) {
		t.Error(err)
	}
}
