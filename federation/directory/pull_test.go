// SPDX-License-Identifier: EUPL-1.2

package directory_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ozg-cloud/platform/federation/charter"
	"github.com/ozg-cloud/platform/federation/charter/chartertest"
	"github.com/ozg-cloud/platform/federation/directory"
)

const parking, tax = "99108001001000", "99102013002000"

// offered is what a house of the region 01 might offer.
func offered() map[string][]directory.Entry {
	return map[string][]directory.Entry{
		parking: {
			{Territory: "010020000000", Authority: "kiel", Name: "Landeshauptstadt Kiel", From: "2024-01-01", Maturity: 3},
			{Territory: "010030000000", Authority: "luebeck", Name: "Hansestadt Lübeck", From: "2024-01-01", To: "2030-01-01", Maturity: 3},
		},
		tax: {{Territory: "01", Authority: "sh", Name: "Schleswig-Holstein <&>", From: "2024-01-01", Maturity: 2}},
	}
}

func snapshot(t rapid.TB, of map[string][]directory.Entry) *directory.Snapshot {
	t.Helper()
	s, err := directory.NewSnapshot("01", of)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// shop hands on a snapshot as a house does, and counts what is asked of it. change may do harm to what it hands on.
type shop struct {
	head   []byte
	texts  *directory.Snapshot
	change func(path string, text []byte) []byte
	asked  int
}

func (s *shop) fetch(_ context.Context, path string, most int64) ([]byte, error) {
	s.asked++
	text := s.head
	if path != directory.Path {
		var ok bool
		if text, ok = s.texts.Text(strings.TrimPrefix(path, directory.Path+"/")); !ok {
			return nil, errors.New("there is no such text")
		}
	}
	if s.change != nil {
		text = s.change(path, text)
	}
	if int64(len(text)) > most {
		return nil, errors.New("too long")
	}
	return text, nil
}

func open(t rapid.TB, s *directory.Snapshot, by *charter.Signer, as charter.InstanceID, at time.Time) *shop {
	t.Helper()
	head, err := s.Sign(by, as, at)
	if err != nil {
		t.Fatal(err)
	}
	return &shop{head: head, texts: s}
}

// after is the state that a change makes of another one.
func after(known directory.State, c directory.Change) directory.State {
	out := directory.State{At: time.Unix(c.Head.At, 0), Index: c.Head.Index, Parts: map[string]string{}}
	maps.Copy(out.Parts, known.Parts)
	for _, service := range c.Gone {
		delete(out.Parts, service)
	}
	for _, p := range c.New {
		out.Parts[p.Service] = p.Hash
	}
	return out
}

func TestWhoeverPullsHasWhatTheHouseHasAndReadsOnlyWhatHasChanged(t *testing.T) {
	f := chartertest.New(t, 2)
	house, _ := f.Roll().Instance(f.Houses[0].ID)
	rapid.Check(t, func(t *rapid.T) {
		known, now := directory.State{}, f.Now
		last := map[string]string{}
		for range rapid.IntRange(1, 6).Draw(t, "rounds") {
			all := map[string][]directory.Entry{}
			for _, service := range []string{parking, tax, "99012008001000"} {
				for i := range rapid.IntRange(0, 3).Draw(t, "entries") {
					all[service] = append(all[service], directory.Entry{
						Territory: fmt.Sprintf("01%d", i), Authority: "a", Name: rapid.SampledFrom([]string{"A", "B <ß>"}).Draw(t, "name"), From: "2024-01-01",
					})
				}
			}
			now = now.Add(time.Second)
			s := snapshot(t, all)
			at := open(t, s, f.Houses[0].Signer(), house.ID, now)
			c, err := directory.Pull(t.Context(), at.fetch, house, known, f.Roll(), now)
			if err != nil {
				t.Fatal(err)
			}
			known = after(known, c)
			want, changed := map[string]string{}, 0
			for _, p := range s.Parts {
				want[p.Service] = p.Hash
				if last[p.Service] != p.Hash {
					changed++
				}
			}
			if !maps.Equal(known.Parts, want) || known.At.Unix() != now.Unix() {
				t.Fatalf("known is %v, not %v", known, want)
			}
			if most := 2 + changed; at.asked > most || maps.Equal(want, last) && at.asked != 1 && len(last) > 0 {
				t.Fatalf("%d questions for %d parts", at.asked, changed)
			}
			last = want
		}
	})
}

// TestAPullThatForgetsSomethingIsNoticed is the twin: two ways to apply a change that forget a part of it.
func TestAPullThatForgetsSomethingIsNoticed(t *testing.T) {
	f := chartertest.New(t, 2)
	house, _ := f.Roll().Instance(f.Houses[0].ID)
	before, now := offered(), offered()
	delete(now, tax)
	now[parking][0].Maturity++
	agrees := func(apply func(directory.State, directory.Change) directory.State) bool {
		known := directory.State{}
		for _, all := range []map[string][]directory.Entry{before, now} {
			c, err := directory.Pull(t.Context(), open(t, snapshot(t, all), f.Houses[0].Signer(), house.ID, f.Now).fetch, house, known, f.Roll(), f.Now)
			if err != nil {
				t.Fatal(err)
			}
			known = apply(known, c)
		}
		s := snapshot(t, now)
		return len(known.Parts) == len(s.Parts) && known.Parts[parking] == s.Parts[0].Hash
	}
	if !agrees(after) {
		t.Error("a pull that forgets nothing does not agree")
	}
	if agrees(func(known directory.State, c directory.Change) directory.State { c.Gone = nil; return after(known, c) }) {
		t.Error("nobody notices that what is gone stays")
	}
	if agrees(func(known directory.State, c directory.Change) directory.State {
		if known.Parts != nil {
			c.New = nil
		}
		return after(known, c)
	}) {
		t.Error("nobody notices that what has changed stays as it was")
	}
}

func TestAStateThatIsNotSignedAsItIsIsRefusedAsAWhole(t *testing.T) {
	f := chartertest.New(t, 3)
	f.Vouch(0)
	good := snapshot(t, offered())
	one, other := f.Houses[0], f.Houses[1]
	at := func(s *directory.Snapshot) *shop { return open(t, s, one.Signer(), one.ID, f.Now) }
	changed := func(change func(path string, text []byte) []byte) *shop {
		s := at(good)
		s.change = change
		return s
	}
	replaced := func(was, is string) *shop {
		return changed(func(path string, text []byte) []byte {
			if path == directory.Path {
				return text
			}
			return bytes.ReplaceAll(text, []byte(was), []byte(is))
		})
	}
	old := one.Signer()
	f.Rotate(0)
	f.Now = f.Now.Add(10 * time.Minute)
	fresh := one.Signer()
	house, _ := f.Roll().Instance(one.ID)
	suspended := chartertest.New(t, 3)
	for name, c := range map[string]struct {
		from  *shop
		known directory.State
		want  error
		says  string
	}{
		"the head of another house":               {from: open(t, good, other.Signer(), other.ID, f.Now), want: directory.ErrStranger},
		"a head signed by another house":          {from: open(t, good, other.Signer(), one.ID, f.Now), want: charter.ErrUnknown},
		"a head of tomorrow":                      {from: open(t, good, fresh, one.ID, f.Now.Add(24*time.Hour)), want: directory.ErrFuture},
		"a head by a key that was put away":       {from: open(t, good, old, one.ID, f.Now), says: "charter"},
		"an older head than is known":             {from: open(t, good, fresh, one.ID, f.Now), known: directory.State{At: f.Now.Add(time.Second)}, want: directory.ErrOlder},
		"a part with another name":                {from: replaced("Kiel", "Kjel"), want: directory.ErrHash},
		"an index with another hash":              {from: replaced(good.Parts[0].Hash, good.Parts[1].Hash), want: directory.ErrHash},
		"no head":                                 {from: changed(func(string, []byte) []byte { return []byte("{}") }), says: ""},
		"a head that is cut off":                  {from: changed(func(_ string, text []byte) []byte { return text[:len(text)/2] }), says: ""},
		"a head without end":                      {from: changed(func(string, []byte) []byte { return bytes.Repeat([]byte("a"), 1<<20) }), says: "too long"},
		"what was signed is of another type":      {from: &shop{head: sign(t, fresh, "ozg-statement+jwt", directory.Head{Instance: one.ID, At: f.Now.Unix()}), texts: good}, says: ""},
		"a territory of another Land":             {from: open(t, foreign(t), fresh, one.ID, f.Now), says: "territory that is not its own"},
		"a head with another number of entries":   {from: &shop{head: sign(t, fresh, "ozg-directory+jwt", directory.Head{Instance: one.ID, At: f.Now.Unix(), Index: indexOf(good), Parts: 2, Entries: 7}), texts: good}, says: "order"},
		"a head with something that nobody knows": {from: &shop{head: sign(t, fresh, "ozg-directory+jwt", map[string]any{"iss": one.ID, "at": f.Now.Unix(), "more": 1}), texts: good}, says: "form"},
	} {
		change, err := directory.Pull(t.Context(), c.from.fetch, house, c.known, f.Roll(), f.Now)
		if err == nil || c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
		if change.Document != nil || change.New != nil {
			t.Errorf("%s: something is kept of it", name)
		}
	}
	// The twin: what nobody has touched is taken.
	c, err := directory.Pull(t.Context(), open(t, good, fresh, one.ID, f.Now).fetch, house, directory.State{}, f.Roll(), f.Now)
	if err != nil || len(c.New) != 2 {
		t.Errorf("a good state: %v", err)
	}
	suspended.SuspendInstance(0)
	same, _ := suspended.Roll().Instance(suspended.Houses[0].ID)
	_, err = directory.Pull(t.Context(), open(t, good, suspended.Houses[0].Signer(), same.ID, suspended.Now).fetch, same, directory.State{}, suspended.Roll(), suspended.Now)
	if !errors.Is(err, charter.ErrSuspended) {
		t.Errorf("who is suspended: %v", err)
	}
}

func sign(t *testing.T, by *charter.Signer, typ string, payload any) []byte {
	t.Helper()
	text, err := json.Marshal(payload)
	if err != nil {
		t.Fatal(err)
	}
	out, err := by.Sign(typ, text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// foreign is a state in which a house of another region speaks of its own.
func foreign(t *testing.T) *directory.Snapshot {
	t.Helper()
	s, err := directory.NewSnapshot("02", map[string][]directory.Entry{parking: {{Territory: "02", Authority: "hh", Name: "Hamburg", From: "2024-01-01"}}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func indexOf(s *directory.Snapshot) string {
	text, _ := json.Marshal(s.Parts)
	return charter.Hash(text)
}

func TestTheSameOffersMakeTheSameStateInWhateverOrder(t *testing.T) {
	there, back := offered(), offered()
	slices.Reverse(back[parking])
	if !snapshot(t, there).Same(snapshot(t, back)) {
		t.Error("the order counts")
	}
	back[parking][0].Maturity++
	if snapshot(t, there).Same(snapshot(t, back)) {
		t.Error("a change does not count")
	}
}

func TestAHouseDoesNotSayWhatTheOthersWouldRefuse(t *testing.T) {
	for name, change := range map[string]func(*directory.Entry){
		"another Land":           func(e *directory.Entry) { e.Territory = "09" },
		"everywhere":             func(e *directory.Entry) { e.Territory = "" },
		"no number":              func(e *directory.Entry) { e.Territory = "01x" },
		"13 digits":              func(e *directory.Entry) { e.Territory = "0100200000000" },
		"no authority":           func(e *directory.Entry) { e.Authority = "" },
		"no name":                func(e *directory.Entry) { e.Name = "" },
		"a name with a null":     func(e *directory.Entry) { e.Name = "a\x00" },
		"a name without end":     func(e *directory.Entry) { e.Name = strings.Repeat("ä", 301) },
		"no day":                 func(e *directory.Entry) { e.From = "2026-02-30" },
		"an end before its time": func(e *directory.Entry) { e.To = "2024-01-01" },
		"a maturity of 8":        func(e *directory.Entry) { e.Maturity = 8 },
		"the same twice":         func(e *directory.Entry) { e.Territory, e.Authority = "010030000000", "luebeck" },
	} {
		all := offered()
		change(&all[parking][0])
		if _, err := directory.NewSnapshot("01", all); err == nil {
			t.Errorf("%s is said", name)
		}
	}
}
