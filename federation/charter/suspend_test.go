// SPDX-License-Identifier: EUPL-1.2

package charter_test

import (
	"errors"
	"testing"
	"time"

	"github.com/ozg-cloud/platform/federation/charter"
	"github.com/ozg-cloud/platform/federation/charter/chartertest"
)

func TestNothingIsBelievedOfWhoIsSuspendedFromThenOn(t *testing.T) {
	for name, suspend := range map[string]func(f *chartertest.Federation){
		"the member": func(f *chartertest.Federation) { f.SuspendMember(0) },
		"the house":  func(f *chartertest.Federation) { f.SuspendInstance(0) },
		"the member, by the charter": func(f *chartertest.Federation) {
			d := f.Next()
			d.Members[0].State = charter.Suspended
			f.Enact(d)
		},
	} {
		f := chartertest.New(t, 4)
		before := f.Now
		if err := keyOf(f, f.Roll(), 0, before); err != nil {
			t.Fatal(err)
		}
		f.Now = f.Now.Add(time.Hour)
		suspend(f)
		f.Now = f.Now.Add(time.Hour)
		f.Vouch(0) // that somebody vouches for it does not help
		roll := f.Roll()
		if err := keyOf(f, roll, 0, f.Now); !errors.Is(err, charter.ErrSuspended) {
			t.Errorf("%s: %v", name, err)
		}
		if err := roll.Standing(f.Houses[0].ID, f.Now); !errors.Is(err, charter.ErrSuspended) {
			t.Errorf("%s: %v", name, err)
		}
		if err := keyOf(f, roll, 0, before); err != nil {
			t.Errorf("%s: what it said before is lost: %v", name, err)
		}
		if err := keyOf(f, roll, 1, f.Now); err != nil {
			t.Errorf("%s: another one is suspended with it: %v", name, err)
		}
		if len(roll.Members()) != 4 || len(roll.Instances(f.Houses[0].Member)) != 1 {
			t.Errorf("%s: who is suspended is no longer listed", name)
		}
	}
}

func TestWhoHasLeftIsListedAndUnknown(t *testing.T) {
	f := chartertest.New(t, 4)
	before := f.Now
	f.Now = f.Now.Add(time.Hour)
	d := f.Next()
	d.Members[0].State = charter.Left
	f.Enact(d)
	roll := f.Roll()
	if err := keyOf(f, roll, 0, f.Now); !errors.Is(err, charter.ErrUnknown) {
		t.Error(err)
	}
	if err := keyOf(f, roll, 0, before); err != nil {
		t.Error(err)
	}
	if m := roll.Members()[0]; m.State != charter.Left {
		t.Errorf("it stands there as %s", m.State)
	}
}

func TestAListOfSuspensionsIsRefusedForTheRightReason(t *testing.T) {
	members := func(f *chartertest.Federation) charter.List {
		return charter.List{Issuer: chartertest.URL, Seq: 2, IssuedAt: f.Now.Unix(), Suspended: []charter.Suspension{
			{ID: string(f.Houses[0].Member), At: f.Now.Unix(), Reason: charter.Misconduct},
		}}
	}
	together := func(t *testing.T, l charter.List, by ...*charter.Signer) []byte {
		t.Helper()
		document, err := charter.SuspendMembers(l, by[0])
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range by[1:] {
			if document, err = charter.Countersign(document, s); err != nil {
				t.Fatal(err)
			}
		}
		return document
	}
	alone := func(t *testing.T, l charter.List, by *charter.Signer) []byte {
		t.Helper()
		document, err := charter.SuspendInstances(l, by)
		if err != nil {
			t.Fatal(err)
		}
		return document
	}
	for name, c := range map[string]struct {
		make func(t *testing.T, f *chartertest.Federation) []byte
		want error
	}{
		"one member suspends another": {func(t *testing.T, f *chartertest.Federation) []byte { return together(t, members(f), f.Houses[1].Key) }, charter.ErrQuorum},
		"a house of another member": {func(t *testing.T, f *chartertest.Federation) []byte {
			return alone(t, charter.List{Issuer: string(f.Houses[1].Member), Seq: 1, IssuedAt: f.Now.Unix(), Suspended: []charter.Suspension{{ID: string(f.Houses[0].ID), At: 1, Reason: charter.Misconduct}}}, f.Houses[1].Key)
		}, charter.ErrUnknown},
		"in the name of another member": {func(t *testing.T, f *chartertest.Federation) []byte {
			return alone(t, charter.List{Issuer: string(f.Houses[0].Member), Seq: 1, IssuedAt: f.Now.Unix()}, f.Houses[1].Key)
		}, charter.ErrUnknown},
		"by the key of a house": {func(t *testing.T, f *chartertest.Federation) []byte {
			return alone(t, charter.List{Issuer: string(f.Houses[0].Member), Seq: 1, IssuedAt: f.Now.Unix()}, f.Houses[0].Own)
		}, charter.ErrUnknown},
		"one for all, as a list of one's": {func(t *testing.T, f *chartertest.Federation) []byte { return alone(t, members(f), f.Houses[1].Key) }, charter.ErrUnknown},
		"a list without a number": {func(t *testing.T, f *chartertest.Federation) []byte {
			l := members(f)
			l.Seq = 0
			return together(t, l, keys(f, 0, 4)...)
		}, charter.ErrMalformed},
		"a list of tomorrow": {func(t *testing.T, f *chartertest.Federation) []byte {
			l := members(f)
			l.IssuedAt += 86400
			return together(t, l, keys(f, 0, 4)...)
		}, charter.ErrExpired},
		"nobody of the charter": {func(t *testing.T, f *chartertest.Federation) []byte {
			l := members(f)
			l.Suspended[0].ID = "https://nobody.example"
			return together(t, l, keys(f, 0, 4)...)
		}, charter.ErrUnknown},
		"a stranger signed as well": {func(t *testing.T, f *chartertest.Federation) []byte {
			return together(t, members(f), append(keys(f, 0, 4), newSigner(t))...)
		}, charter.ErrStranger},
		"a charter": {func(_ *testing.T, f *chartertest.Federation) []byte { return f.Chain.Last().Document }, charter.ErrType},
	} {
		t.Run(name, func(t *testing.T) {
			f := chartertest.New(t, 4)
			if _, err := f.Chain.Suspensions(c.make(t, f), f.Now); !errors.Is(err, c.want) {
				t.Errorf("refused with %v", err)
			}
		})
	}
}

func TestAnOlderListDoesNotTakeASuspensionBack(t *testing.T) {
	f := chartertest.New(t, 4)
	f.SuspendMember(0)
	first := f.Lists[0]
	f.Now = f.Now.Add(time.Minute)
	again, err := charter.SuspendMembers(charter.List{Issuer: chartertest.URL, Seq: 1, IssuedAt: f.Now.Unix()}, f.Houses[1].Key)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range f.Houses[2:] {
		if again, err = charter.Countersign(again, h.Key); err != nil {
			t.Fatal(err)
		}
	}
	other, err := f.Chain.Suspensions(again, f.Now)
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Supersedes(first); !errors.Is(err, charter.ErrForked) {
		t.Errorf("two lists of one number: %v", err)
	}
	if err := first.Supersedes(first); err != nil {
		t.Error(err)
	}
	newer := *first
	newer.Seq++
	if err := first.Supersedes(&newer); !errors.Is(err, charter.ErrRollback) {
		t.Errorf("an older list: %v", err)
	}
	if err := newer.Supersedes(first); err != nil {
		t.Error(err)
	}
	if f.Roll().SuspensionSeq() != 1 {
		t.Error("the roll does not count lists")
	}
}
