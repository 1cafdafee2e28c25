// SPDX-License-Identifier: EUPL-1.2

package lab_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ozg-cloud/platform/cmd"
	"github.com/ozg-cloud/platform/federation/book"
	"github.com/ozg-cloud/platform/federation/charter"
	"github.com/ozg-cloud/platform/federation/lab"
	"github.com/ozg-cloud/platform/internal/housetest"
)

const told = `{ federation { self { id state instances { id } } charter { version hash previous document } suspensions members { id name state votes share instances { id suspended region editions } } } }`

// belonging asks a house in GraphQL who belongs.
func belonging(t *testing.T, h *lab.House) (out struct {
	Federation struct {
		Self    *struct{ ID, State string }
		Charter *struct {
			Version int
			Hash    string
		}
		Suspensions int
		Members     []struct {
			ID, State string
			Instances []struct {
				ID        string
				Suspended bool
			}
		}
	}
}) {
	t.Helper()
	answer := h.As("kiel-caseworker").Ask(told, nil).Works()
	text, err := json.Marshal(answer.Data)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestHousesLearnFromEachOtherWhoBelongsAndWhoIsSuspended(t *testing.T) {
	l := lab.New(t, 4)
	for i, h := range l.Houses {
		b := belonging(t, h).Federation
		if b.Self == nil || b.Self.ID != string(h.Seat.Member) || b.Charter.Version != 1 || len(b.Members) != 4 {
			t.Fatalf("house %d knows %+v", i, b)
		}
		for _, m := range b.Members {
			if m.State != "OWNER" || len(m.Instances) != 1 || m.Instances[0].Suspended {
				t.Errorf("house %d knows %+v", i, m)
			}
		}
	}

	// One house is told of a suspension, the next round tells the others, though two of four do not answer.
	l.Houses[1].Learn(book.Bundle{Suspensions: []string{string(l.Suspend(0))}})
	l.Houses[0].Front.Break(lab.Cut)
	l.Houses[2].Front.Break(lab.Cut)
	for _, i := range []int{2, 3} {
		if err := l.Houses[i].Belonging.Pull(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, i := range []int{1, 2, 3} {
		h := l.Houses[i]
		if err := h.Belonging.Roll().Standing(l.Houses[0].Seat.Instance, h.Clock.Now()); !errors.Is(err, charter.ErrSuspended) {
			t.Errorf("house %d believes who is suspended: %v", i, err)
		}
		if b := belonging(t, h).Federation; b.Members[0].State != "SUSPENDED" || !b.Members[0].Instances[0].Suspended || b.Suspensions != 1 || len(b.Members) != 4 {
			t.Errorf("house %d tells %+v", i, b)
		}
	}
	// The next charter goes the same way.
	document := l.Next()
	document.Members[1].Name = "Another name"
	signed := must(t)(sign(l, document, 1, 4))
	l.Houses[3].Learn(book.Bundle{Charters: []string{string(signed)}})
	if err := l.Houses[1].Belonging.Pull(t.Context()); err != nil {
		t.Fatal(err)
	}
	if b := belonging(t, l.Houses[1]).Federation; b.Charter.Version != 2 {
		t.Errorf("the next charter did not come: %+v", b.Charter)
	}

	// After a start, a house knows what it knew.
	again := l.Houses[1].Another()
	if err := again.Belonging.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r := again.Belonging.Roll(); r.Version() != 2 || r.SuspensionSeq() != 1 || len(r.Instances(l.Houses[3].Seat.Member)) != 1 {
		t.Error("a house has forgotten who belongs")
	}
}

func must(t *testing.T) func([]byte, error) []byte {
	return func(b []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
}

func TestAHouseThatHandsOnRubbishChangesNothing(t *testing.T) {
	l := lab.New(t, 3)
	h, other := l.Houses[0], l.Houses[1]
	known := other.Belonging.Known()
	// What the other one hands on, each wrong in its own way; one good paper is among it.
	alone := must(t)(sign(l, l.Next(), 1, 2))
	list, err := charter.SuspendMembers(charter.List{Issuer: lab.URL, Seq: 9, IssuedAt: 1, Suspended: []charter.Suspension{{ID: string(h.Seat.Member), At: 1, Reason: charter.Misconduct}}}, other.Seat.Voting())
	if err != nil {
		t.Fatal(err)
	}
	rubbish := book.Bundle{
		Charters:    []string{string(alone), "", "{}", `{"payload":"","signatures":[]}`, known.Charters[0]},
		Suspensions: []string{string(list), "x", "a.b.c"},
		Houses:      []book.Papers{{}, {Voucher: known.Houses[0].Configuration, Configuration: known.Houses[0].Voucher}, {Voucher: known.Houses[0].Voucher, Configuration: known.Houses[1].Configuration}},
	}
	text, err := json.Marshal(rubbish)
	if err != nil {
		t.Fatal(err)
	}
	before := h.Stored("federation_papers", "federation_vouchers")
	for name, body := range map[string]string{"wrong papers": string(text), "no papers": "[1,2", "nothing": "", "far too much": strings.Repeat(" ", 17<<20)} {
		other.Front.Break(lab.Changed(func([]byte) []byte { return []byte(body) }))
		l.Houses[2].Front.Break(lab.Cut)
		if err := h.Belonging.Pull(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if after := h.Stored("federation_papers", "federation_vouchers"); !maps.Equal(before, after) {
			t.Errorf("%s: something was kept", name)
		}
		if r := h.Belonging.Roll(); r.Version() != 1 || r.SuspensionSeq() != 0 || len(r.Members()) != 3 {
			t.Errorf("%s: the roll has changed", name)
		}
	}
	for line := range strings.SplitSeq(h.Log.String(), "\n") {
		if strings.Contains(line, known.Houses[0].Voucher) {
			t.Error("the log repeats what was read")
		}
	}
	// The twin: somebody who keeps what comes in, signatures unseen, would have another charter now.
	if c, err := charter.Read(alone); err != nil || c.Version != 2 {
		t.Error("what was refused is not even readable: this proves nothing")
	}
}

func TestAForkIsHandedOnAndStopsEveryHouse(t *testing.T) {
	l := lab.New(t, 4)
	one, other := l.Next(), l.Next()
	other.Members[3].Name = "Other"
	first, second := must(t)(sign(l, one, 0, 3)), must(t)(sign(l, other, 1, 4))
	l.Houses[0].Learn(book.Bundle{Charters: []string{string(first)}})
	l.Houses[3].Learn(book.Bundle{Charters: []string{string(second)}})
	if l.Houses[0].Belonging.Roll().Version() != 2 || l.Houses[3].Belonging.Roll().Version() != 2 {
		t.Fatal("neither was accepted")
	}
	for round := range 2 {
		for i, h := range l.Houses {
			if err := h.Belonging.Pull(t.Context()); err != nil {
				t.Fatalf("round %d, house %d: %v", round, i, err)
			}
		}
	}
	for i, h := range l.Houses {
		chain := h.Belonging.Chain()
		if chain.Fork() == nil || h.Belonging.Roll().Version() != 1 {
			t.Fatalf("house %d believes one of both", i)
		}
		if both := chain.Fork().Both; len(both) != 2 {
			t.Errorf("house %d names %v", i, both)
		}
	}
	// And so it stays after a start.
	again := l.Houses[2].Another()
	if err := again.Belonging.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if again.Belonging.Chain().Fork() == nil || again.Belonging.Roll().Version() != 1 {
		t.Error("a start forgets the fork")
	}
}

func TestEverybodyMayReadWhatStandsForAHouse(t *testing.T) {
	l := lab.New(t, 2)
	h := l.Houses[0]
	for path, wants := range map[string]struct {
		status int
		typ    string
	}{
		"/.well-known/openid-federation":                                {200, "application/entity-statement+jwt"},
		"/federation/v1/fetch?sub=" + string(l.Houses[1].Seat.Instance): {200, "application/entity-statement+jwt"},
		"/federation/v1/fetch?sub=https://nobody.example":               {404, "application/problem+json"},
		"/federation/v1/fetch":                                          {404, "application/problem+json"},
		book.Path:                                                       {200, "application/json"},
	} {
		asked, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(asked)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if err != nil || answer.StatusCode != wants.status || !strings.HasPrefix(answer.Header.Get("Content-Type"), wants.typ) {
			t.Errorf("%s: %d %s %v", path, answer.StatusCode, answer.Header.Get("Content-Type"), err)
		}
		for _, secret := range []*charter.Signer{h.Seat.Voting(), h.Seat.Signer()} {
			jwk, err := secret.Secret()
			if err != nil {
				t.Fatal(err)
			}
			var parts struct{ D string }
			if err := json.Unmarshal(jwk, &parts); err != nil || parts.D == "" {
				t.Fatal(err)
			}
			if strings.Contains(string(text), parts.D) {
				t.Errorf("%s tells a secret key", path)
			}
		}
	}
}

func TestAHouseRenewsWhatStandsForItInTime(t *testing.T) {
	l := lab.New(t, 2)
	h := l.Houses[0]
	before, _ := h.Belonging.Roll().Instance(h.Seat.Instance)
	renew := func() charter.Instance {
		if err := h.Belonging.Renew(t.Context(), false); err != nil {
			t.Fatal(err)
		}
		i, _ := h.Belonging.Roll().Instance(h.Seat.Instance)
		return i
	}
	h.Clock.Forward(time.Hour)
	if renew().Number != before.Number {
		t.Error("it was renewed long before its time")
	}
	h.Clock.Forward(12 * time.Hour)
	if after := renew(); after.Number <= before.Number || !after.VouchedUntil.After(before.VouchedUntil) {
		t.Error("it was not renewed after half of its time")
	}
}

func sign(l *lab.Lab, d charter.Draft, from, to int) ([]byte, error) {
	return cmd.Together(d, l.Seats(from, to)...)
}

func TestAHouseThatBelongsToNoFederationSaysSo(t *testing.T) {
	h := housetest.New(t)
	a := h.As("kiel-caseworker").Ask(told, nil).Works()
	if f := a.At("federation"); fmt.Sprint(f) != "map[charter:<nil> members:[] self:<nil> suspensions:0]" {
		t.Error(f)
	}
	if status := h.Anonymous().Ask(told, nil); len(status.Errors) == 0 || status.Errors[0].Extensions["code"] != "UNAUTHENTICATED" {
		t.Errorf("%s", status.Raw)
	}
}
