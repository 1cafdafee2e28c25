// SPDX-License-Identifier: EUPL-1.2

package lab_test

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ozg-cloud/platform/cmd"
	"github.com/ozg-cloud/platform/federation/ask"
	"github.com/ozg-cloud/platform/federation/book"
	"github.com/ozg-cloud/platform/federation/charter"
	"github.com/ozg-cloud/platform/federation/lab"
)

func turn(t *testing.T, h *lab.House) {
	t.Helper()
	if err := h.Belonging.Turn(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func pull(t *testing.T, houses ...*lab.House) {
	t.Helper()
	for _, h := range houses {
		if err := h.Belonging.Pull(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func forward(l *lab.Lab, by time.Duration) {
	for _, h := range l.Houses {
		h.Clock.Forward(by)
	}
}

func TestKeysAreChangedWhileTheHouseIsOpenAndNoQuestionIsLost(t *testing.T) {
	l := lab.New(t, 3)
	asker, h := l.Houses[0], l.Houses[1]
	id := string(h.Seat.Member)
	const deadline = 5000
	wants := func(what string, by *lab.House, month, of, state string) {
		t.Helper()
		if got := asked(t, by, period{month, month}, nil, deadline); got.states[of] != state {
			t.Errorf("%s: %v", what, got.states)
		}
	}
	wants("before", asker, "2025-01", id, "ANSWERED")
	old := h.Seat.Signer().KeyID()

	fresh, err := h.Seat.Rotate(h.Clock.Now().Unix(), false, false)
	if err != nil {
		t.Fatal(err)
	}
	turn(t, h) // the others are told
	pull(t, asker, l.Houses[2])
	turn(t, h)
	if h.Seat.Signer().KeyID() != old {
		t.Fatal("the key was taken up before the others could know it")
	}
	wants("while both keys are told", asker, "2025-02", id, "ANSWERED")

	// The key is taken up while an answer is under way that the one before has signed.
	forward(l, 11*time.Minute)
	h.Front.Break(func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		lab.Changed(func(body []byte) []byte {
			if r.URL.Path == ask.Path {
				turn(t, h)
			}
			return body
		})(w, r, next)
	})
	wants("in flight", asker, "2025-03", id, "ANSWERED")
	h.Front.Mend()
	if h.Seat.Signer().KeyID() != fresh.KeyID() {
		t.Fatal("the key was not taken up")
	}
	wants("by the next key, which nobody has had to learn since", asker, "2025-04", id, "ANSWERED")
	wants("asking by the next key", h, "2025-05", string(asker.Seat.Member), "ANSWERED")

	// What the key before has signed is good for ever, also where everybody knows that it was put away.
	pull(t, asker)
	forward(l, time.Hour)
	for _, each := range l.Houses {
		if err := each.Belonging.Renew(t.Context(), true); err != nil {
			t.Fatal(err)
		}
	}
	pull(t, asker)
	wants("what was said before", asker, "2025-01", id, "CACHED")
	if _, err := asker.Belonging.Roll().Key(h.Seat.Instance, old, asker.Clock.Now()); !errors.Is(err, charter.ErrExpired) {
		t.Errorf("the key that was put away signs on: %v", err)
	}
	if again, err := cmd.OpenSeat(h.Seat.Folder()); err != nil || again.Signer().KeyID() != fresh.KeyID() {
		t.Errorf("after a start the house signs by another key: %v", err)
	}

	// The twin: whoever takes a key up without telling anybody is not believed until the others have learnt of it.
	if _, err := h.Seat.Rotate(h.Clock.Now().Unix(), true, false); err != nil {
		t.Fatal(err)
	}
	wants("by a key that nobody knows", asker, "2025-06", id, "REJECTED key")
	forward(l, 2*time.Second)
	if err := h.Belonging.Renew(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	pull(t, asker)
	wants("once it is known", asker, "2025-06", id, "ANSWERED")
}

func TestTheKeyOfAMemberIsChangedByACharterWhileItsHouseIsOpen(t *testing.T) {
	l := lab.New(t, 3)
	asker, h := l.Houses[0], l.Houses[1]
	id := string(h.Seat.Member)
	fresh, err := charter.NewSigner()
	if err != nil {
		t.Fatal(err)
	}
	secret := must(t)(fresh.Secret())
	next := filepath.Join(h.Seat.Folder(), "member.jwk.next")
	if err := os.WriteFile(next, secret, 0o600); err != nil {
		t.Fatal(err)
	}
	before := h.Seat.Voting().KeyID()
	pull(t, asker) // as it does when it starts
	turn(t, h)
	if h.Seat.Voting().KeyID() != before {
		t.Fatal("the key was taken up before a charter has it")
	}
	forward(l, time.Minute)
	d := l.Next()
	set, err := charter.KeysOf(fresh)
	if err != nil {
		t.Fatal(err)
	}
	d.Members[1].Keys = set.Keys
	document := must(t)(charter.Countersign(must(t)(sign(l, d, 0, 3)), fresh))

	// The twin: where the charter has come and the house has not turned, what stands for it is signed by nobody.
	asker.Learn(book.Bundle{Charters: []string{string(document)}})
	if got := asked(t, asker, period{"2025-01", "2025-01"}, nil, 5000); got.states[id] == "ANSWERED" {
		t.Errorf("a house for which nobody vouches is believed: %v", got.states)
	}
	h.Learn(book.Bundle{Charters: []string{string(document)}})
	turn(t, h)
	if h.Seat.Voting().KeyID() != fresh.KeyID() {
		t.Fatal("the key was not taken up")
	}
	if _, err := os.Stat(next); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the key lies in two places: %v", err)
	}
	pull(t, asker)
	if got := asked(t, asker, period{"2025-01", "2025-01"}, nil, 5000); got.states[id] != "ANSWERED" || !got.full {
		t.Errorf("after the change: %v", got.states)
	}
}
