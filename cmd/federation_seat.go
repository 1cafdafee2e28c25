// SPDX-License-Identifier: EUPL-1.2

package cmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"

	"github.com/ozg-cloud/platform/federation/charter"
	"github.com/ozg-cloud/platform/federation/gather"
)

// Seat (Sitz) is the place of this house in the federation: a folder with what it says of itself (house.json) and its keys. The key of its member may lie
// there too: then the house renews what its member says of it by itself; without it, somebody else puts voucher.jwt there in time.
type Seat struct {
	// Federation is the URL of all together, Member and Name those of the member, Instance that of this house, below the member's.
	Federation string             `json:"federation"`
	Member     charter.MemberID   `json:"member"`
	Name       string             `json:"name"`
	Instance   charter.InstanceID `json:"instance"`
	// Endpoint is where this house answers others, without a slash at the end.
	Endpoint string `json:"endpoint"`
	// Land is the slug of the tenant that this house speaks for, Region the beginning of its regional keys.
	Land   string `json:"land"`
	Region string `json:"region"`
	// Editions and Documents are what it answers.
	Editions  []int    `json:"editions"`
	Documents []string `json:"documents"`
	// Pin is the hash of the first charter, as the members have agreed on it outside the system; empty before there is one.
	Pin string `json:"pin"`
	// Peers are endpoints to learn from before anybody is known.
	Peers []string `json:"peers,omitempty"`

	folder string
	own    *charter.Signer
	keys   *ring
}

// The files of a seat.
const (
	seatFile        = "house.json"
	entryFile       = "entry.json"
	ownFile         = "own.jwk"
	memberFile      = "member.jwk"
	operationalFile = "operational.jwk"
	nextSuffix      = ".next" // a key that is to take the place of the one in the file without it
	sinceFile       = "operational.since"
	retiredFile     = "retired.json"
	voucherFile     = "voucher.jwt"
)

// OpenSeat reads the seat in a folder. Unknown members of its files, and missing keys of the house, are errors.
func OpenSeat(folder string) (*Seat, error) {
	s := &Seat{folder: folder, keys: &ring{}}
	if err := s.read(seatFile, s); err != nil {
		return nil, err
	}
	var err error
	if s.own, err = s.key(ownFile); err != nil {
		return nil, err
	}
	if err := s.load(); err != nil {
		return nil, err
	}
	if err := s.loadMember(); err != nil {
		return nil, err
	}
	if s.Member == "" || s.Instance == "" || s.Endpoint == "" || len(s.Editions) == 0 {
		return nil, errors.New("federation: house.json lacks member, instance, endpoint or editions")
	}
	return s, nil
}

func (s *Seat) read(name string, into any) error {
	f, err := os.Open(filepath.Join(s.folder, name))
	if err != nil {
		return fmt.Errorf("federation: reading %s: %w", name, err)
	}
	defer f.Close()
	d := json.NewDecoder(f)
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("federation: reading %s: %w", name, err)
	}
	return nil
}

func (s *Seat) key(name string) (*charter.Signer, error) {
	text, err := os.ReadFile(filepath.Join(s.folder, name))
	if err != nil {
		return nil, fmt.Errorf("federation: reading %s: %w", name, err)
	}
	k, err := charter.ReadSigner(text)
	if err != nil {
		return nil, fmt.Errorf("federation: reading %s: %w", name, err)
	}
	return k, nil
}

// keep writes a file that only this house reads; what was there is replaced at once or not at all.
func (s *Seat) keep(name string, content any) error {
	text, raw := content.([]byte)
	if !raw {
		var err error
		if text, err = json.MarshalIndent(content, "", "  "); err != nil {
			return fmt.Errorf("federation: writing %s: %w", name, err)
		}
		text = append(text, '\n')
	}
	path := filepath.Join(s.folder, name)
	if err := os.WriteFile(path+".new", text, 0o600); err != nil {
		return fmt.Errorf("federation: writing %s: %w", name, err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("federation: writing %s: %w", name, err)
	}
	return nil
}

func (s *Seat) keepKey(name string, k *charter.Signer) error {
	text, err := k.Secret()
	if err != nil {
		return err
	}
	return s.keep(name, text)
}

// FoundSeat makes a seat with fresh keys, the member's among them, and entry.json: what a charter says of the member. A folder that has a seat is refused.
func FoundSeat(folder string, s Seat, entry charter.Entry) (*Seat, error) {
	if _, err := os.Stat(filepath.Join(folder, seatFile)); !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("federation: there is a seat already")
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("federation: making the folder: %w", err)
	}
	s.folder, s.keys = folder, &ring{}
	for name, key := range map[string]**charter.Signer{ownFile: &s.own, operationalFile: &s.keys.operational, memberFile: &s.keys.member} {
		k, err := charter.NewSigner()
		if err != nil {
			return nil, err
		}
		if err := s.keepKey(name, k); err != nil {
			return nil, err
		}
		*key = k
	}
	set, err := charter.KeysOf(s.keys.member)
	if err != nil {
		return nil, err
	}
	entry.ID, entry.Name, entry.Keys = s.Member, s.Name, set.Keys
	if err := s.keep(entryFile, entry); err != nil {
		return nil, err
	}
	return &s, s.keep(seatFile, s)
}

// Agree writes down which first charter was agreed on.
func (s *Seat) Agree(pin string) error {
	s.Pin = pin
	return s.keep(seatFile, s)
}

// configuration is what the house says of itself.
func (s *Seat) configuration(now, ttl int64) (charter.Configuration, error) {
	c := charter.Configuration{Issuer: s.Instance, Instance: s.Instance, IssuedAt: now, Expires: now + ttl, AuthorityHints: []charter.MemberID{s.Member}}
	var err error
	if c.Keys, err = charter.KeysOf(s.own); err != nil {
		return c, err
	}
	m := &c.Metadata.Instance
	m.Endpoint, m.Editions, m.Region, m.Documents = s.Endpoint, s.Editions, s.Region, s.Documents
	s.keys.mu.Lock()
	defer s.keys.mu.Unlock()
	inUse := []usedKey{{s.keys.operational, s.keys.since}}
	if s.keys.next != nil {
		inUse = append(inUse, usedKey{s.keys.next, s.keys.announced})
	}
	for _, k := range inUse {
		key, err := charter.Operational(k.Public(), charter.Times{From: k.from})
		if err != nil {
			return c, err
		}
		m.Keys.Keys = append(m.Keys.Keys, key)
	}
	for _, r := range s.keys.retired {
		key, err := charter.Retired(r.Key, charter.Times{From: r.From, Until: r.Until, Compromised: r.Compromised})
		if err != nil {
			return c, err
		}
		m.Keys.Keys = append(m.Keys.Keys, key)
	}
	return c, nil
}

// voucher is what the member says of the house, as far as the house says it of itself.
func (s *Seat) voucher(now, ttl int64) (charter.Voucher, error) {
	v := charter.Voucher{Member: s.Member, Instance: s.Instance, IssuedAt: now, Expires: now + ttl}
	var err error
	if v.Keys, err = charter.KeysOf(s.own); err != nil {
		return v, err
	}
	v.Policy.Instance.Editions.SubsetOf, v.Policy.Instance.Region.OneOf, v.Policy.Instance.Documents.SubsetOf = s.Editions, []string{s.Region}, s.Documents
	return v, nil
}

// client reaches other houses. Only where this house itself answers on a loopback address do the others, too.
func (s *Seat) client() *http.Client {
	at, err := url.Parse(s.Endpoint)
	return gather.Outside(err == nil && loopback(at.Hostname()))
}

// Folder is where the seat lies.
func (s *Seat) Folder() string { return s.folder }

// Voting signs in the name of the member; nil where its key does not lie here.
func (s *Seat) Voting() *charter.Signer {
	s.keys.mu.Lock()
	defer s.keys.mu.Unlock()
	return s.keys.member
}

// Entry is what a charter says of the member, as it was written when the seat was founded.
func (s *Seat) Entry() (e charter.Entry, err error) { return e, s.read(entryFile, &e) }

// Together lets all of these seats sign a charter.
func Together(d charter.Draft, seats ...*Seat) ([]byte, error) {
	if len(seats) == 0 {
		return nil, charter.ErrQuorum
	}
	document, err := charter.Write(d, seats[0].Voting())
	if err != nil {
		return nil, err
	}
	for _, s := range seats[1:] {
		if document, err = charter.Countersign(document, s.Voting()); err != nil {
			return nil, err
		}
	}
	return document, nil
}
