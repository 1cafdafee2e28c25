// SPDX-License-Identifier: EUPL-1.2

// Package chartertest founds federations for tests: members with keys, a house each, and everything that can go wrong with them.
// It runs nothing: houses that answer are built in federation/lab.
package chartertest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/ozg-cloud/platform/federation/charter"
)

// Start is the moment at which every federation is founded.
var Start = time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC)

// House is a member with its one house and all keys.
type House struct {
	Member charter.MemberID
	ID     charter.InstanceID
	// Endpoint may be changed before Vouch.
	Endpoint string
	Editions []int
	// Key is that of the member, Own that by which the house speaks of itself, Operational those by which it asks and answers, the one in use first.
	Key, Own    *charter.Signer
	Operational []*charter.Signer
	// Times are those of operational keys by their id.
	Times  map[string]charter.Times
	Papers charter.Vouched
}

// Signer signs what the house asks and answers.
func (h *House) Signer() *charter.Signer { return h.Operational[0] }

// Federation is all of them. Now moves only by hand.
type Federation struct {
	Houses []*House
	Chain  *charter.Chain
	Lists  []*charter.Suspensions
	Now    time.Time

	t testing.TB
}

// URL is that of all together.
const URL = "https://foederation.example"

// New founds a federation of n members, each with a house that is vouched for. Every rule wants two thirds of the votes.
func New(t testing.TB, n int) *Federation {
	t.Helper()
	f := &Federation{Now: Start, t: t}
	for i := range n {
		h := &House{
			Member: charter.MemberID(fmt.Sprintf("https://land-%02d.example", i+1)), Key: f.signer(), Own: f.signer(), Operational: []*charter.Signer{f.signer()},
			Editions: []int{1}, Times: map[string]charter.Times{},
		}
		h.ID, h.Endpoint = charter.InstanceID(h.Member+"/ozg"), string(h.Member)+"/ozg"
		f.Houses = append(f.Houses, h)
	}
	first := f.Sign(f.First(), f.all()...)
	c, err := charter.Read(first)
	f.must(err)
	f.Chain, err = charter.Begin(first, c.Hash)
	f.must(err)
	for i := range f.Houses {
		f.Vouch(i)
	}
	return f
}

func (f *Federation) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *Federation) signer() *charter.Signer {
	s, err := charter.NewSigner()
	f.must(err)
	return s
}

func (f *Federation) all() []*charter.Signer {
	var out []*charter.Signer
	for _, h := range f.Houses {
		out = append(out, h.Key)
	}
	return out
}

// Entry is a member as a charter writes it.
func (f *Federation) Entry(h *House, keys ...*charter.Signer) charter.Entry {
	set, err := charter.KeysOf(keys...)
	f.must(err)
	return charter.Entry{
		ID: h.Member, Name: string(h.Member[len("https://"):]), State: charter.Owner, Since: "2026-11-01", Votes: 1, Share: 1 / float64(len(f.Houses)), Keys: set.Keys,
	}
}

// First is the draft of the first charter.
func (f *Federation) First() charter.Draft {
	d := charter.Draft{
		Federation: URL, Version: 1, Effective: Start.Unix(),
		Rules: []charter.Rule{
			{Kind: charter.OfCharter, Rule: charter.Consensus, Quorum: 0.67}, {Kind: charter.OfMembership, Rule: charter.QualifiedMajority, Quorum: 0.67},
		},
		Limits: charter.Limits{StatementTTL: 86400, Grace: 3 * 86400, ClockSkew: 30},
	}
	for _, h := range f.Houses {
		d.Members = append(d.Members, f.Entry(h, h.Key))
	}
	return d
}

// Next is the draft of a charter that changes nothing, in force at once.
func (f *Federation) Next() charter.Draft {
	d, err := f.Chain.Last().Draft()
	f.must(err)
	d.Version, d.Previous, d.Effective = d.Version+1, f.Chain.Last().Hash, f.Now.Unix()
	return d
}

// Sign writes a charter with the signatures of all of by.
func (f *Federation) Sign(d charter.Draft, by ...*charter.Signer) []byte {
	f.t.Helper()
	document, err := charter.Write(d, by[0])
	f.must(err)
	for _, s := range by[1:] {
		document, err = charter.Countersign(document, s)
		f.must(err)
	}
	return document
}

// Enact signs a draft by all members and accepts it.
func (f *Federation) Enact(d charter.Draft) {
	f.t.Helper()
	var err error
	f.Chain, err = f.Chain.Accept(f.Sign(d, f.all()...))
	f.must(err)
}

// Papers are what house i would say of itself at present, and its member of it.
func (f *Federation) Papers(i int) (charter.Voucher, charter.Configuration) {
	f.t.Helper()
	h := f.Houses[i]
	v := charter.Voucher{Member: h.Member, Instance: h.ID, IssuedAt: f.Now.Unix(), Expires: f.Now.Unix() + 86400}
	own, err := charter.KeysOf(h.Own)
	f.must(err)
	v.Keys = own
	v.Policy.Instance.Editions.SubsetOf = slices.Clone(h.Editions)
	v.Policy.Instance.Region.OneOf = []string{fmt.Sprintf("%02d", i+1)}
	v.Policy.Instance.Documents.SubsetOf = []string{"statistics"}
	c := charter.Configuration{
		Issuer: h.ID, Instance: h.ID, IssuedAt: v.IssuedAt, Expires: v.Expires, Keys: own, AuthorityHints: []charter.MemberID{h.Member},
	}
	m := &c.Metadata.Instance
	m.Endpoint, m.Editions, m.Region, m.Documents = h.Endpoint, h.Editions, fmt.Sprintf("%02d", i+1), []string{"statistics"}
	for _, s := range h.Operational {
		k, err := charter.Operational(s.Public(), h.Times[s.KeyID()])
		f.must(err)
		m.Keys.Keys = append(m.Keys.Keys, k)
	}
	return v, c
}

// Vouch gives house i fresh papers.
func (f *Federation) Vouch(i int) {
	f.t.Helper()
	f.Houses[i].Papers = f.SignPapers(f.Papers(i))(f.Houses[i])
}

// SignPapers signs papers by the keys of a house.
func (f *Federation) SignPapers(v charter.Voucher, c charter.Configuration) func(h *House) charter.Vouched {
	return func(h *House) charter.Vouched {
		f.t.Helper()
		voucher, err := v.Sign(h.Key)
		f.must(err)
		configuration, err := c.Sign(h.Own)
		f.must(err)
		return charter.Vouched{Voucher: voucher, Configuration: configuration}
	}
}

// Rotate gives house i another key to ask and answer by, and fresh papers. What it signed before stays verifiable.
func (f *Federation) Rotate(i int) {
	f.t.Helper()
	h := f.Houses[i]
	old, fresh := h.Operational[0], f.signer()
	h.Times[old.KeyID()] = charter.Times{From: h.Times[old.KeyID()].From, Until: f.Now.Unix()}
	h.Times[fresh.KeyID()] = charter.Times{From: f.Now.Unix()}
	h.Operational = append([]*charter.Signer{fresh}, h.Operational...)
	f.Vouch(i)
}

// SuspendMember puts member i on the list of suspended members from now on, by the signatures of the others.
func (f *Federation) SuspendMember(i int) {
	f.t.Helper()
	l := charter.List{Issuer: URL, Seq: len(f.Lists) + 1, IssuedAt: f.Now.Unix()}
	l.Suspended = []charter.Suspension{{ID: string(f.Houses[i].Member), At: f.Now.Unix(), Reason: charter.Misconduct}}
	var document []byte
	var err error
	for j, h := range f.Houses {
		switch {
		case j == i:
			continue
		case document == nil:
			document, err = charter.SuspendMembers(l, h.Key)
		default:
			document, err = charter.Countersign(document, h.Key)
		}
		f.must(err)
	}
	f.list(document)
}

// SuspendInstance puts house i on the list of its member from now on.
func (f *Federation) SuspendInstance(i int) {
	f.t.Helper()
	h := f.Houses[i]
	document, err := charter.SuspendInstances(charter.List{
		Issuer: string(h.Member), Seq: len(f.Lists) + 1, IssuedAt: f.Now.Unix(),
		Suspended: []charter.Suspension{{ID: string(h.ID), At: f.Now.Unix(), Reason: charter.Compromised}},
	}, h.Key)
	f.must(err)
	f.list(document)
}

func (f *Federation) list(document []byte) {
	f.t.Helper()
	l, err := f.Chain.Suspensions(document, f.Now)
	f.must(err)
	f.Lists = append(slices.DeleteFunc(f.Lists, func(known *charter.Suspensions) bool { return known.Issuer == l.Issuer }), l)
}

// Roll is who belongs now; every house has to have its papers in order.
func (f *Federation) Roll() *charter.Roll {
	f.t.Helper()
	var papers []charter.Vouched
	for _, h := range f.Houses {
		papers = append(papers, h.Papers)
	}
	r, refused := charter.NewRoll(f.Chain, papers, f.Lists, f.Now)
	if len(refused) > 0 {
		f.t.Fatal(refused)
	}
	return r
}
