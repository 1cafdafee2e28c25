// SPDX-License-Identifier: EUPL-1.2

package charter_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"
	"pgregory.net/rapid"

	"github.com/ozg-cloud/platform/federation/charter"
	"github.com/ozg-cloud/platform/federation/charter/chartertest"
)

// form is a charter taken apart, to be put together wrongly.
type form struct {
	Payload    string      `json:"payload"`
	Signatures []signature `json:"signatures"`
}

type signature struct {
	Protected string         `json:"protected"`
	Signature string         `json:"signature"`
	Header    map[string]any `json:"header,omitempty"`
}

func apart(t testing.TB, document []byte) (f form) {
	t.Helper()
	if err := json.Unmarshal(document, &f); err != nil {
		t.Fatal(err)
	}
	return f
}

func together(t testing.TB, f form) []byte {
	t.Helper()
	document, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	return document
}

func encoded(v any) string {
	text, ok := v.([]byte)
	if !ok {
		text, _ = json.Marshal(v)
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

func protected(t testing.TB, s signature) (out map[string]any) {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(s.Protected)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// forged replaces a signature by one that holds nothing.
func forged(s signature) signature {
	s.Signature = encoded(bytes.Repeat([]byte{7}, 64))
	return s
}

// naive are checks that suggest themselves; each lets something through.
var naive = map[string]func(t testing.TB, f *chartertest.Federation, document []byte) bool{
	// jws.Verify returns on the first signature that holds.
	"jws.Verify with a good key": func(_ testing.TB, f *chartertest.Federation, document []byte) bool {
		for _, h := range f.Houses {
			if _, err := jws.Verify(document, jws.WithKey(jwa.EdDSA, h.Key.Public())); err == nil {
				return true
			}
		}
		return false
	},
	// as many signatures as two thirds of the members, whosesoever
	"enough signatures that hold": func(t testing.TB, f *chartertest.Federation, document []byte) bool {
		all, hold := apart(t, document), 0
		for _, s := range all.Signatures {
			for _, h := range f.Houses {
				if _, err := jws.Verify([]byte(s.Protected+"."+all.Payload+"."+s.Signature), jws.WithKey(jwa.EdDSA, h.Key.Public())); err == nil {
					hold++
				}
			}
		}
		return 3*hold >= 2*len(f.Houses)
	},
	// every key that the document itself names has signed
	"the keys that it brings along": func(t testing.TB, _ *chartertest.Federation, document []byte) bool {
		all := apart(t, document)
		text, err := base64.RawURLEncoding.DecodeString(all.Payload)
		if err != nil {
			return false
		}
		var d charter.Draft
		if err := json.Unmarshal(text, &d); err != nil {
			return false
		}
		for _, e := range d.Members {
			for _, k := range e.Keys {
				key, err := jwk.ParseKey(k)
				if err != nil {
					return false
				}
				if _, err := jws.Verify(document, jws.WithKey(jwa.EdDSA, key)); err != nil {
					return false
				}
			}
		}
		return true
	},
	// a higher version than the one known
	"a higher version": func(_ testing.TB, f *chartertest.Federation, document []byte) bool {
		c, err := charter.Read(document)
		return err == nil && c.Version > f.Chain.Last().Version
	},
	// some version with enough good signatures, whichever is known
	"whoever signed": func(_ testing.TB, _ *chartertest.Federation, document []byte) bool {
		_, err := charter.Read(document)
		return err == nil
	},
}

// keys are those of houses i to j.
func keys(f *chartertest.Federation, i, j int) []*charter.Signer {
	var out []*charter.Signer
	for _, h := range f.Houses[i:j] {
		out = append(out, h.Key)
	}
	return out
}

func newSigner(t testing.TB) *charter.Signer {
	t.Helper()
	s, err := charter.NewSigner()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestACharterIsRefusedForTheRightReason(t *testing.T) {
	for name, c := range map[string]struct {
		make  func(t testing.TB, f *chartertest.Federation) []byte
		want  error
		naive string // the check that lets it through; empty where none would
	}{
		"fifteen of sixteen signatures are forged": {func(t testing.TB, f *chartertest.Federation) []byte {
			d := apart(t, f.Sign(f.Next(), keys(f, 0, 16)...))
			for i := 1; i < 16; i++ {
				d.Signatures[i] = forged(d.Signatures[i])
			}
			return together(t, d)
		}, charter.ErrSignature, "jws.Verify with a good key"},
		"one of sixteen is forged": {func(t testing.TB, f *chartertest.Federation) []byte {
			d := apart(t, f.Sign(f.Next(), keys(f, 0, 16)...))
			d.Signatures[15] = forged(d.Signatures[15])
			return together(t, d)
		}, charter.ErrSignature, "enough signatures that hold"},
		"one has signed": {func(_ testing.TB, f *chartertest.Federation) []byte {
			return f.Sign(f.Next(), f.Houses[3].Key)
		}, charter.ErrQuorum, "jws.Verify with a good key"},
		"ten of sixteen have signed": {func(_ testing.TB, f *chartertest.Federation) []byte {
			return f.Sign(f.Next(), keys(f, 0, 10)...)
		}, charter.ErrQuorum, "jws.Verify with a good key"},
		"one has signed sixteen times": {func(t testing.TB, f *chartertest.Federation) []byte {
			d := apart(t, f.Sign(f.Next(), f.Houses[0].Key))
			d.Signatures = slices.Repeat(d.Signatures, 16)
			return together(t, d)
		}, charter.ErrDoubled, "enough signatures that hold"},
		"the last one has signed twice": {func(t testing.TB, f *chartertest.Federation) []byte {
			d := apart(t, f.Sign(f.Next(), keys(f, 0, 10)...))
			d.Signatures = append(d.Signatures, d.Signatures[9])
			return together(t, d)
		}, charter.ErrDoubled, "enough signatures that hold"},
		"a stranger has signed beside the members": {func(t testing.TB, f *chartertest.Federation) []byte {
			return f.Sign(f.Next(), append(keys(f, 0, 16), newSigner(t))...)
		}, charter.ErrStranger, "enough signatures that hold"},
		"the members are replaced by strangers, who sign": {func(t testing.TB, f *chartertest.Federation) []byte {
			d, theirs := f.Next(), []*charter.Signer{}
			for i, h := range f.Houses {
				s := newSigner(t)
				d.Members[i], theirs = f.Entry(h, s), append(theirs, s)
			}
			return f.Sign(d, theirs...)
		}, charter.ErrQuorum, "the keys that it brings along"},
		"a new key has not signed": {func(t testing.TB, f *chartertest.Federation) []byte {
			d := f.Next()
			d.Members[0] = f.Entry(f.Houses[0], f.Houses[0].Key, newSigner(t))
			return f.Sign(d, keys(f, 0, 16)...)
		}, charter.ErrPossession, "enough signatures that hold"},
		"a key goes over to another member": {func(_ testing.TB, f *chartertest.Federation) []byte {
			d := f.Next()
			d.Members[0].Keys, d.Members[1].Keys = d.Members[1].Keys, d.Members[0].Keys
			return f.Sign(d, keys(f, 0, 16)...)
		}, charter.ErrStranger, "the keys that it brings along"},
		"it is the version before": {func(_ testing.TB, f *chartertest.Federation) []byte {
			old := f.Chain.Last().Document
			f.Enact(f.Next())
			f.Enact(f.Next())
			return old
		}, charter.ErrRollback, "jws.Verify with a good key"},
		"a version is left out": {func(_ testing.TB, f *chartertest.Federation) []byte {
			d := f.Next()
			d.Version++
			return f.Sign(d, keys(f, 0, 16)...)
		}, charter.ErrGap, "a higher version"},
		"it follows another one": {func(_ testing.TB, f *chartertest.Federation) []byte {
			d := f.Next()
			d.Previous = charter.Hash([]byte("another"))
			return f.Sign(d, keys(f, 0, 16)...)
		}, charter.ErrPrevious, "a higher version"},
		"it is of another federation": {func(_ testing.TB, f *chartertest.Federation) []byte {
			d := f.Next()
			d.Federation = "https://other.example"
			return f.Sign(d, keys(f, 0, 16)...)
		}, charter.ErrPrevious, "a higher version"},
		"it would come into force before the one it follows": {func(_ testing.TB, f *chartertest.Federation) []byte {
			d := f.Next()
			d.Effective -= 3600
			return f.Sign(d, keys(f, 0, 16)...)
		}, charter.ErrPrevious, "a higher version"},
		"it is another first one": {func(_ testing.TB, f *chartertest.Federation) []byte {
			d := f.First()
			d.Members[0].Name = "Other"
			return f.Sign(d, keys(f, 0, 16)...)
		}, charter.ErrPinned, "whoever signed"},
		"it is signed without an algorithm": {func(t testing.TB, f *chartertest.Federation) []byte {
			d := apart(t, f.Sign(f.Next(), keys(f, 0, 16)...))
			head := protected(t, d.Signatures[15])
			head["alg"] = "none"
			d.Signatures[15] = signature{Protected: encoded(head)}
			return together(t, d)
		}, charter.ErrAlgorithm, "enough signatures that hold"},
		"a public key was used as the secret of HS256": {func(t testing.TB, f *chartertest.Federation) []byte {
			d := apart(t, f.Sign(f.Next(), keys(f, 0, 16)...))
			head := protected(t, d.Signatures[15])
			head["alg"] = "HS256"
			d.Signatures[15] = hmac(t, encoded(head), d.Payload, f.Houses[15].Key)
			return together(t, d)
		}, charter.ErrAlgorithm, "enough signatures that hold"},
		"the algorithm is not that of the key": {func(t testing.TB, f *chartertest.Federation) []byte {
			d := apart(t, f.Sign(f.Next(), keys(f, 0, 16)...))
			head := protected(t, d.Signatures[15])
			head["alg"] = "ES256"
			d.Signatures[15].Protected = encoded(head)
			return together(t, d)
		}, charter.ErrAlgorithm, "enough signatures that hold"},
		"the signatures are of another type of document": {func(t testing.TB, f *chartertest.Federation) []byte {
			d := apart(t, f.Sign(f.Next(), keys(f, 0, 16)...))
			list, err := charter.SuspendMembers(charter.List{Issuer: chartertest.URL, Seq: 1, IssuedAt: 1}, f.Houses[0].Key)
			if err != nil {
				t.Fatal(err)
			}
			d.Signatures[15].Protected = apart(t, list).Signatures[0].Protected
			return together(t, d)
		}, charter.ErrType, "enough signatures that hold"},
		"a header brings its own key": {func(t testing.TB, f *chartertest.Federation) []byte {
			d := apart(t, f.Sign(f.Next(), keys(f, 0, 16)...))
			head := protected(t, d.Signatures[15])
			head["jwk"] = newSigner(t).Public()
			d.Signatures[15].Protected = encoded(head)
			return together(t, d)
		}, charter.ErrMalformed, "enough signatures that hold"},
		"a header is unprotected": {func(t testing.TB, f *chartertest.Federation) []byte {
			d := apart(t, f.Sign(f.Next(), keys(f, 0, 16)...))
			d.Signatures[0].Header = map[string]any{"note": "x"}
			return together(t, d)
		}, charter.ErrMalformed, "enough signatures that hold"},
		"a member stands in it twice": {func(t testing.TB, f *chartertest.Federation) []byte {
			d := f.Next()
			d.Members = append(d.Members, f.Entry(f.Houses[0], newSigner(t)))
			return unchecked(t, d, keys(f, 0, 16)...)
		}, charter.ErrDoubled, "enough signatures that hold"},
		"two members have one key": {func(t testing.TB, f *chartertest.Federation) []byte {
			d := f.Next()
			d.Members[1].Keys = d.Members[0].Keys
			return unchecked(t, d, keys(f, 0, 16)...)
		}, charter.ErrDoubled, "enough signatures that hold"},
		"a member lies below another one": {func(t testing.TB, f *chartertest.Federation) []byte {
			d := f.Next()
			d.Members[1].ID = d.Members[0].ID + "/ozg"
			return unchecked(t, d, keys(f, 0, 16)...)
		}, charter.ErrMalformed, "enough signatures that hold"},
		"half of the votes would do from now on": {func(t testing.TB, f *chartertest.Federation) []byte {
			d := f.Next()
			d.Rules[0].Quorum = 0.5
			return unchecked(t, d, keys(f, 0, 16)...)
		}, charter.ErrRules, "enough signatures that hold"},
		"nothing says how charters are changed": {func(t testing.TB, f *chartertest.Federation) []byte {
			d := f.Next()
			d.Rules = d.Rules[1:]
			return unchecked(t, d, keys(f, 0, 16)...)
		}, charter.ErrRules, "enough signatures that hold"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := chartertest.New(t, 16)
			document := c.make(t, f)
			before := f.Chain
			after, err := before.Accept(document)
			if !errors.Is(err, c.want) || errors.Is(err, charter.ErrMalformed) != (c.want == charter.ErrMalformed) {
				t.Errorf("refused with %v", err)
			}
			if after != before || before.Fork() != nil {
				t.Error("what was refused changed the chain")
			}
			if !naive[c.naive](t, f, document) {
				t.Errorf("the twin, %s, refuses it as well: this proves nothing", c.naive)
			}
		})
	}
}

// unchecked signs a draft that Write would refuse.
func unchecked(t testing.TB, d charter.Draft, by ...*charter.Signer) []byte {
	t.Helper()
	payload, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	f := form{Payload: encoded(payload)}
	for _, s := range by {
		compact, err := s.Sign(charter.TypeCharter, payload)
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(string(compact), ".")
		f.Signatures = append(f.Signatures, signature{Protected: parts[0], Signature: parts[2]})
	}
	return together(t, f)
}

func hmac(t testing.TB, head, payload string, with *charter.Signer) signature {
	t.Helper()
	s, err := jws.NewSigner(jwa.HS256)
	if err != nil {
		t.Fatal(err)
	}
	public, err := json.Marshal(with.Public())
	if err != nil {
		t.Fatal(err)
	}
	sig, err := s.Sign([]byte(head+"."+payload), public)
	if err != nil {
		t.Fatal(err)
	}
	return signature{Protected: head, Signature: encoded(sig)}
}

func TestACharterThatTwoThirdsHaveSignedIsAccepted(t *testing.T) {
	f := chartertest.New(t, 16)
	next, err := f.Chain.Accept(f.Sign(f.Next(), keys(f, 0, 11)...))
	if err != nil || next.Last().Version != 2 {
		t.Fatal(err)
	}
	again, err := next.Accept(next.Last().Document)
	if err != nil || again != next {
		t.Error("the newest charter again is not nothing", err)
	}
	if more, err := next.Accept(f.Sign(f.Next(), keys(f, 0, 16)...)); err != nil || more != next {
		t.Error("the same charter with more signatures is another one", err)
	}
}

func TestTwoKeysOfOneMemberAreOneVote(t *testing.T) {
	f := chartertest.New(t, 3)
	second := newSigner(t)
	d := f.Next()
	d.Members[0] = f.Entry(f.Houses[0], f.Houses[0].Key, second)
	chain, err := f.Chain.Accept(f.Sign(d, append(keys(f, 0, 3), second)...))
	if err != nil {
		t.Fatal(err)
	}
	f.Chain = chain
	if _, err := chain.Accept(f.Sign(f.Next(), f.Houses[0].Key, second)); !errors.Is(err, charter.ErrQuorum) {
		t.Errorf("two keys of one member count as two: %v", err)
	}
}

func TestNoSingleMemberDecidesHoweverManyVotesItHas(t *testing.T) {
	f := chartertest.New(t, 3)
	d := f.Next()
	d.Members[0].Votes = 100
	f.Enact(d)
	if _, err := f.Chain.Accept(f.Sign(f.Next(), f.Houses[0].Key)); !errors.Is(err, charter.ErrQuorum) {
		t.Errorf("one key decides: %v", err)
	}
	if _, err := f.Chain.Accept(f.Sign(f.Next(), f.Houses[0].Key, f.Houses[2].Key)); err != nil {
		t.Error(err)
	}
}

func TestAForkStopsBothAndNamesWhoSignedBoth(t *testing.T) {
	f := chartertest.New(t, 16)
	one, other := f.Next(), f.Next()
	other.Members[4].Name = "Other"
	first, second := f.Sign(one, keys(f, 0, 11)...), f.Sign(other, keys(f, 5, 16)...)
	for name, order := range map[string][2][]byte{"one way": {first, second}, "the other way": {second, first}} {
		chain, err := f.Chain.Accept(order[0])
		if err != nil {
			t.Fatal(err)
		}
		// Something was built on the first of them already.
		f2 := *f
		f2.Chain = chain
		chain, err = chain.Accept(f2.Sign(f2.Next(), keys(f, 0, 16)...))
		if err != nil {
			t.Fatal(err)
		}
		stopped, err := chain.Accept(order[1])
		if !errors.Is(err, charter.ErrForked) || stopped.Fork() == nil {
			t.Fatalf("%s: %v", name, err)
		}
		if stopped.Last().Version != 1 || stopped.At(f.Now.Add(time.Hour)).Version != 1 {
			t.Errorf("%s: one of both is still believed", name)
		}
		var both []charter.MemberID
		for _, h := range f.Houses[5:11] {
			both = append(both, h.Member)
		}
		found := slices.Sorted(slices.Values(stopped.Fork().Both))
		if !slices.Equal(found, both) || stopped.Fork().Version != 2 {
			t.Errorf("%s: %v signed both", name, found)
		}
		for _, document := range order {
			if again, err := stopped.Accept(document); !errors.Is(err, charter.ErrForked) || again != stopped {
				t.Errorf("%s: after the fork one of both is accepted: %v", name, err)
			}
		}
	}
	// The twin: who keeps the last one that came believes one thing here, and another one there.
	if !naive["whoever signed"](t, f, first) || !naive["whoever signed"](t, f, second) {
		t.Error("the two documents are not valid each")
	}
}

func TestASecondFormThatTooFewSignedProvesNothing(t *testing.T) {
	f := chartertest.New(t, 16)
	f2 := *f
	chain, err := f.Chain.Accept(f.Sign(f.Next(), keys(f, 0, 16)...))
	if err != nil {
		t.Fatal(err)
	}
	other := f2.Next()
	other.Members[4].Name = "Other"
	if after, err := chain.Accept(f2.Sign(other, keys(f, 0, 3)...)); !errors.Is(err, charter.ErrQuorum) || after != chain {
		t.Errorf("three keys stop the federation: %v", err)
	}
}

func TestAnyTwoValidFormsOfAVersionHaveASignerInCommon(t *testing.T) {
	founded := map[int]*chartertest.Federation{}
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.IntRange(2, 6).Draw(r, "members")
		if founded[n] == nil {
			founded[n] = chartertest.New(t, n)
		}
		copied := *founded[n]
		f := &copied
		d := f.Next()
		for i := range d.Members {
			d.Members[i].Votes = rapid.IntRange(1, 5).Draw(r, "votes")
		}
		d.Rules[0].Quorum = rapid.Float64Range(0.500001, 1).Draw(r, "quorum")
		d.Rules[0].Rule = rapid.SampledFrom([]charter.RuleKind{charter.Consensus, charter.SimpleMajority, charter.QualifiedMajority}).Draw(r, "rule")
		f.Enact(d)
		signed := func(label, name string) (who []int, ok bool) {
			next := f.Next()
			next.Members[0].Name = name
			for i := range n {
				if rapid.Bool().Draw(r, label) {
					who = append(who, i)
				}
			}
			if who == nil {
				return nil, false
			}
			var by []*charter.Signer
			for _, i := range who {
				by = append(by, f.Houses[i].Key)
			}
			_, err := f.Chain.Accept(f.Sign(next, by...))
			return who, err == nil
		}
		one, ok := signed("one", "one")
		other, also := signed("other", "other")
		if ok && also && !slices.ContainsFunc(one, func(i int) bool { return slices.Contains(other, i) }) {
			r.Fatal("two different charters, and nobody signed both")
		}
		if ok && len(one) < 2 {
			r.Fatal("one member decided alone")
		}
	})
}

func TestACharterComesIntoForceWhenItSays(t *testing.T) {
	f := chartertest.New(t, 4)
	d := f.Next()
	d.Effective = f.Now.Add(time.Hour).Unix()
	f.Enact(d)
	if v := f.Chain.At(f.Now).Version; v != 1 {
		t.Errorf("version %d holds already", v)
	}
	if v := f.Chain.At(f.Now.Add(time.Hour)).Version; v != 2 {
		t.Errorf("version %d holds still", v)
	}
}

func TestTheFirstCharterIsTheOneThatWasAgreedOnAndSignedByEveryKey(t *testing.T) {
	f := chartertest.New(t, 4)
	whole := f.Sign(f.First(), keys(f, 0, 4)...)
	c, err := charter.Read(whole)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := charter.Begin(whole, charter.Hash([]byte("another"))); !errors.Is(err, charter.ErrPinned) {
		t.Error(err)
	}
	if _, err := charter.Begin(f.Sign(f.First(), keys(f, 0, 3)...), c.Hash); !errors.Is(err, charter.ErrPossession) {
		t.Error(err)
	}
	broken := apart(t, whole)
	broken.Signatures[2] = forged(broken.Signatures[2])
	if _, err := charter.Begin(together(t, broken), c.Hash); !errors.Is(err, charter.ErrSignature) {
		t.Error(err)
	}
}

func TestWhatIsSignedByES256HoldsAsWell(t *testing.T) {
	f := chartertest.New(t, 4)
	d := f.Next()
	key, public := p256(t)
	text, err := json.Marshal(public)
	if err != nil {
		t.Fatal(err)
	}
	d.Members[0].Keys = append(d.Members[0].Keys, text)
	all := apart(t, f.Sign(d, keys(f, 0, 4)...))
	if _, err := f.Chain.Accept(together(t, all)); !errors.Is(err, charter.ErrPossession) {
		t.Error(err)
	}
	s, err := jws.NewSigner(jwa.ES256)
	if err != nil {
		t.Fatal(err)
	}
	head := encoded(map[string]any{"alg": "ES256", "kid": public.KeyID(), "typ": charter.TypeCharter})
	sig, err := s.Sign([]byte(head+"."+all.Payload), key)
	if err != nil {
		t.Fatal(err)
	}
	all.Signatures = append(all.Signatures, signature{Protected: head, Signature: encoded(sig)})
	if _, err := f.Chain.Accept(together(t, all)); err != nil {
		t.Error(err)
	}
}

func BenchmarkTheSignaturesOfSixteen(b *testing.B) {
	f := chartertest.New(b, 16)
	document := f.Sign(f.Next(), keys(f, 0, 16)...)
	next, err := charter.Read(document)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("counted", func(b *testing.B) {
		for b.Loop() {
			if _, err := f.Chain.Last().Follows(next); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("with reading the document", func(b *testing.B) {
		b.ReportMetric(float64(len(document)), "bytes")
		for b.Loop() {
			if _, err := f.Chain.Accept(document); err != nil {
				b.Fatal(err)
			}
		}
	})
}
