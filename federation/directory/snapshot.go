// SPDX-License-Identifier: EUPL-1.2

package directory

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwk"

	"github.com/ozg-cloud/platform/federation/charter"
)

// headType is the type of a head's signature.
const headType = "ozg-directory+jwt"

// Head is what a house signs: which state holds at a moment. A house signs again while nothing changes, so that others know how old what they have is.
type Head struct {
	Instance charter.InstanceID `json:"iss"`
	At       int64              `json:"at"`    // seconds since 1970
	Index    string             `json:"index"` // hash of the index
	Parts    int                `json:"parts"`
	Entries  int                `json:"entries"`
}

// Part is a line of the index: the hash of what there is of a service.
type Part struct {
	Service string `json:"service"`
	Hash    string `json:"hash"`
	Entries int    `json:"entries"`
}

// Snapshot is the state of this house. It does not change.
type Snapshot struct {
	Parts   []Part // in the order of the services
	entries int
	index   string
	texts   map[string][]byte // by hash
}

// NewSnapshot makes the state of what is offered, by service, in the house of a region. An entry that the others would refuse is an error.
func NewSnapshot(region string, offered map[string][]Entry) (*Snapshot, error) {
	s := &Snapshot{Parts: []Part{}, texts: map[string][]byte{}}
	for _, service := range slices.Sorted(maps.Keys(offered)) {
		entries := slices.Clone(offered[service])
		slices.SortFunc(entries, func(a, b Entry) int {
			return cmp.Or(cmp.Compare(a.Territory, b.Territory), cmp.Compare(a.Authority, b.Authority), cmp.Compare(a.From, b.From))
		})
		content := write(entries)
		if _, err := readPart(content, region, mostEntries); err != nil || !ofService.MatchString(service) {
			return nil, errors.Join(fmt.Errorf("directory: others would refuse what there is of service %s", service), err)
		}
		p := Part{service, charter.Hash(content), len(entries)}
		s.Parts, s.texts[p.Hash] = append(s.Parts, p), content
		s.entries += p.Entries
	}
	index, err := json.Marshal(s.Parts)
	if err != nil {
		return nil, fmt.Errorf("directory: writing the index: %w", err)
	}
	s.index = charter.Hash(index)
	s.texts[s.index] = index
	return s, nil
}

// Text gives the index or a part by its hash.
func (s *Snapshot) Text(hash string) ([]byte, bool) {
	text, ok := s.texts[hash]
	return text, ok
}

// Sign says that the state holds at a moment: a compact JWS by the house's operational key.
func (s *Snapshot) Sign(by *charter.Signer, as charter.InstanceID, at time.Time) ([]byte, error) {
	payload, err := json.Marshal(Head{as, at.Unix(), s.index, len(s.Parts), s.entries})
	if err != nil {
		return nil, fmt.Errorf("directory: writing a head: %w", err)
	}
	head, err := by.Sign(headType, payload)
	if err != nil {
		return nil, fmt.Errorf("directory: signing a head: %w", err)
	}
	return head, nil
}

// Errors of heads, beside those of charter's keys.
var (
	// ErrFuture says that a head is of a moment that has not come.
	ErrFuture = errors.New("directory: a head is of the future")
	// ErrOlder says that a younger one of the same house is known.
	ErrOlder = errors.New("directory: a younger head is known")
	// ErrStranger says that a head is of another house than was asked.
	ErrStranger = errors.New("directory: a head is of another house")
)

// ReadHead checks a head that was handed on by a house, against those who belong at present.
func ReadHead(document []byte, of charter.InstanceID, roll *charter.Roll, now time.Time) (Head, error) {
	var h Head
	payload, err := charter.Open(document, headType, func(kid string, payload []byte) (jwk.Key, error) {
		if err := strict(payload, &h); err != nil {
			return nil, err
		}
		if h.Instance != of {
			return nil, ErrStranger
		}
		if at := time.Unix(h.At, 0); at.After(now.Add(time.Duration(roll.Charter().Limits.ClockSkew) * time.Second)) {
			return nil, ErrFuture
		}
		if err := roll.Standing(of, now); err != nil {
			return nil, err
		}
		return roll.Key(of, kid, time.Unix(h.At, 0))
	})
	if err != nil {
		return Head{}, err
	}
	if err := strict(payload, &h); err != nil || h.Parts < 0 || h.Entries < 0 {
		return Head{}, errEntry
	}
	return h, nil
}

// Same tells whether two states are the same.
func (s *Snapshot) Same(o *Snapshot) bool { return s.index == o.index }
