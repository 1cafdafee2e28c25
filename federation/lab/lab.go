// SPDX-License-Identifier: EUPL-1.2

package lab

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/ozg-cloud/platform/cmd"
	"github.com/ozg-cloud/platform/federation/book"
	"github.com/ozg-cloud/platform/federation/charter"
	"github.com/ozg-cloud/platform/internal/housetest"
)

// Consent is what every house tells the others.
const Consent = `p, role:member, figures.applications.land, ask, federation
p, role:member, figures.decided.land, ask, federation
`

// URL is that of all together.
const URL = "https://foederation.example"

// House is one of them, with its place in the federation and its front.
type House struct {
	*housetest.House
	Seat  *cmd.Seat
	Front *Front
}

// Lab is a federation of houses that run.
type Lab struct {
	Houses []*House
	// First is the first charter, signed by all.
	First []byte
	t     testing.TB
}

// lands are the slugs of the Länder in the demo's furniture, for the houses in their order; a lab of more members uses them again.
var lands = []struct{ slug, region string }{{"sh", "01"}, {"by", "09"}, {"hh", "02"}, {"nw", "05"}}

// New builds a federation of n members, each with one house that knows all the others. changes are made to the ground of each house.
func New(t testing.TB, n int, changes ...func(i int, g *cmd.Ground)) *Lab {
	t.Helper()
	l := &Lab{t: t}
	var seats []*cmd.Seat
	var entries []charter.Entry
	for i := range n {
		member := charter.MemberID(fmt.Sprintf("https://land-%02d.example", i+1))
		front := newFront(t)
		land := lands[i%len(lands)]
		s, err := cmd.FoundSeat(t.TempDir(), cmd.Seat{
			Federation: URL, Member: member, Name: fmt.Sprintf("Land %d", i+1), Instance: charter.InstanceID(member + "/ozg"), Endpoint: front.URL,
			Land: land.slug, Region: land.region, Editions: []int{1}, Documents: []string{"statistics"},
		}, charter.Entry{State: charter.Owner, Since: "2026-01-01", Votes: 1, Share: 1 / float64(n)})
		l.must(err)
		l.must(os.WriteFile(filepath.Join(s.Folder(), "consent.csv"), []byte(Consent), 0o600))
		e, err := s.Entry()
		l.must(err)
		seats, entries = append(seats, s), append(entries, e)
		l.Houses = append(l.Houses, &House{Seat: s, Front: front})
	}
	clock := (&housetest.Clock{}).Now
	var err error
	l.First, err = cmd.Together(cmd.Found(URL, entries, clock()), seats...)
	l.must(err)
	first, err := charter.Read(l.First)
	l.must(err)
	for i, h := range l.Houses {
		l.must(h.Seat.Agree(first.Hash))
		h.House = housetest.New(t, func(g *cmd.Ground) {
			g.Seat = h.Seat
			if n > 4 { // all of them share one server
				u, err := url.Parse(g.DatabaseURL)
				l.must(err)
				q := u.Query()
				q.Set("pool_max_conns", "2")
				u.RawQuery = q.Encode()
				g.DatabaseURL = u.String()
			}
			for _, change := range changes {
				change(i, g)
			}
		})
		h.Front.lead(h.House)
		h.Learn(book.Bundle{Charters: []string{string(l.First)}})
		l.must(h.Belonging.Renew(t.Context(), true))
	}
	for i, h := range l.Houses { // one house knows all, and the others learn from it
		if i > 0 {
			l.Houses[0].Learn(h.Belonging.Known())
		}
	}
	for _, h := range l.Houses[1:] {
		h.Learn(l.Houses[0].Belonging.Known())
	}
	return l
}

func (l *Lab) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

// Learn hands papers to the house; all have to be good.
func (h *House) Learn(b book.Bundle) {
	h.Helper()
	_, refused, err := h.Belonging.Learn(h.Context(), b)
	if err != nil || len(refused) > 0 {
		h.Fatal(err, refused)
	}
}

// Seats are those of all members, or of houses from to to.
func (l *Lab) Seats(from, to int) []*cmd.Seat {
	var out []*cmd.Seat
	for _, h := range l.Houses[from:to] {
		out = append(out, h.Seat)
	}
	return out
}

// Next is the draft of the next charter, in force at once.
func (l *Lab) Next() charter.Draft {
	l.t.Helper()
	last := l.Houses[0].Belonging.Chain().Last()
	d, err := last.Draft()
	l.must(err)
	d.Version, d.Previous, d.Effective = d.Version+1, last.Hash, l.Houses[0].Clock.Now().Unix()
	return d
}

// Suspend has the others suspend member i from now on; who is told is left to who calls.
func (l *Lab) Suspend(i int) []byte {
	l.t.Helper()
	now := l.Houses[0].Clock.Now().Unix()
	list := charter.List{Issuer: URL, Seq: 1, IssuedAt: now, Suspended: []charter.Suspension{{ID: string(l.Houses[i].Seat.Member), At: now, Reason: charter.Misconduct}}}
	for _, h := range l.Houses { // whoever knows the newest list
		if known := h.Belonging.Lists()[URL]; known != nil && known.Seq >= list.Seq {
			list.Seq, list.Suspended = known.Seq+1, append(list.Suspended[:1:1], known.Suspended...)
		}
	}
	var document []byte
	for j, h := range l.Houses {
		var err error
		switch {
		case j == i:
		case document == nil:
			document, err = charter.SuspendMembers(list, h.Seat.Voting())
		default:
			document, err = charter.Countersign(document, h.Seat.Voting())
		}
		l.must(err)
	}
	return document
}
