// SPDX-License-Identifier: EUPL-1.2

package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/ozg-cloud/platform/federation/charter"
)

// ring are the keys of a seat that change while the house is open.
type ring struct {
	mu                        sync.Mutex
	operational, next, member *charter.Signer
	since, announced          int64 // when operational came into use, and when others were first told of next
	retired                   []retiredKey
}

// usedKey is a key that signs, or is about to, and from when on.
type usedKey struct {
	*charter.Signer
	from int64
}

// retiredKey is a key by which the house asked and answered before.
type retiredKey struct {
	Key         json.RawMessage `json:"key"`
	From        int64           `json:"from"`
	Until       int64           `json:"until"`
	Compromised bool            `json:"compromised,omitempty"`
}

// announcedFor is how long, in seconds, a key is told to the others before anything is signed by it: two rounds, so that all of them know it then.
const announcedFor = 2 * int64(pullEvery/1e9)

// Signer is the key by which this house asks and answers at present.
func (s *Seat) Signer() *charter.Signer {
	s.keys.mu.Lock()
	defer s.keys.mu.Unlock()
	return s.keys.operational
}

// Sign signs what this house asks and answers, by the key of the moment.
func (s *Seat) Sign(typ string, payload []byte) ([]byte, error) { return s.Signer().Sign(typ, payload) }

// Rotate lays another key beside the one by which the house asks and answers, for Turn to take up; at once takes it up without telling anybody before, from now on
// (in seconds since 1970). Of a key that is compromised nothing is believed; it is always put away at once. A second call before the first key is taken up gives another one.
func (s *Seat) Rotate(now int64, atOnce, compromised bool) (*charter.Signer, error) {
	fresh, err := charter.NewSigner()
	if err != nil {
		return nil, err
	}
	if err := s.keepKey(operationalFile+nextSuffix, fresh); err != nil || !atOnce && !compromised {
		return fresh, err
	}
	s.keys.mu.Lock()
	defer s.keys.mu.Unlock()
	s.keys.next = fresh
	return fresh, s.takeUp(now, compromised)
}

// takeUp puts the key in use away, and the next one in its place. The key comes last: whoever reads it finds when the one before was put away.
func (s *Seat) takeUp(now int64, compromised bool) error {
	k := s.keys
	old, err := json.Marshal(k.operational.Public())
	if err != nil {
		return fmt.Errorf("federation: writing a key: %w", err)
	}
	retired := append(slices.Clone(k.retired), retiredKey{Key: old, From: k.since, Until: now, Compromised: compromised})
	if err := s.keep(retiredFile, retired); err != nil {
		return err
	}
	if err := s.keep(sinceFile, now); err != nil {
		return err
	}
	if err := s.replace(operationalFile); err != nil {
		return err
	}
	k.operational, k.next, k.since, k.retired = k.next, nil, now, retired
	return nil
}

// replace puts the next key of a file into its place.
func (s *Seat) replace(name string) error {
	path := filepath.Join(s.folder, name)
	if err := os.Rename(path+nextSuffix, path); err != nil {
		return fmt.Errorf("federation: replacing %s: %w", name, err)
	}
	return nil
}

// load reads the key by which the house asks and answers, and those before it.
func (s *Seat) load() error {
	operational, err := s.key(operationalFile)
	if err != nil {
		return err
	}
	var retired []retiredKey
	if err := s.read(retiredFile, &retired); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var since int64 // zero for the first key
	if err := s.read(sinceFile, &since); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	s.keys.operational, s.keys.since, s.keys.retired = operational, since, retired
	return nil
}

// loadMember reads the key of the member, which may lie elsewhere.
func (s *Seat) loadMember() error {
	member, err := s.key(memberFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	s.keys.member = member // nil where there is none
	return nil
}

// turn takes up what has changed in the folder: a key that somebody, or another process of this house, has put in the place of the one in use; a key that is to be, of
// which the others are told first, and which is taken up once they all know it; and the next key of the member, once the charter in force has it.
// news tells whether others have to learn what this house says of itself.
func (s *Seat) turn(now int64, in *charter.Charter) (news bool, err error) {
	k := s.keys
	k.mu.Lock()
	defer k.mu.Unlock()
	lies, err := s.key(operationalFile)
	if err != nil {
		return false, err
	}
	if lies.KeyID() != k.operational.KeyID() {
		news, k.next = true, nil
		if err := s.load(); err != nil {
			return false, err
		}
	}
	next, err := s.key(operationalFile + nextSuffix)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return news, err
	case k.next == nil || k.next.KeyID() != next.KeyID():
		news, k.next, k.announced = true, next, now
	case now >= k.announced+announcedFor:
		news = true
		if err := s.takeUp(now, false); err != nil {
			return news, err
		}
	}
	return s.turnMember(news, in)
}

func (s *Seat) turnMember(news bool, in *charter.Charter) (bool, error) {
	next, err := s.key(memberFile + nextSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return news, nil
	}
	if err != nil || in == nil {
		return news, err
	}
	says, err := in.Draft()
	if err != nil {
		return news, err
	}
	if !slices.ContainsFunc(says.Members, func(e charter.Entry) bool { return e.ID == s.Member && holds(e, next) }) {
		return news, nil
	}
	if err := s.replace(memberFile); err != nil {
		return news, err
	}
	return true, s.loadMember()
}

// holds tells whether a member's entry in a charter has a key.
func holds(e charter.Entry, k *charter.Signer) bool {
	return slices.ContainsFunc(e.Keys, func(text json.RawMessage) bool {
		var has struct {
			ID string `json:"kid"`
		}
		return json.Unmarshal(text, &has) == nil && has.ID == k.KeyID()
	})
}

// Turn takes up the keys that were changed while the house is open, see Seat.Rotate, and says so to who asks. What is being signed meanwhile is signed by the key before,
// which the others take for as long as their clocks may differ.
func (b *Belonging) Turn(ctx context.Context) error {
	chain := b.Chain()
	if chain == nil {
		return nil
	}
	news, err := b.seat.turn(b.clock().Unix(), chain.At(b.clock()))
	if news {
		err = errors.Join(err, b.Renew(ctx, true))
	}
	return err
}
