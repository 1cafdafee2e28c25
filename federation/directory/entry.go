// SPDX-License-Identifier: EUPL-1.2

package directory

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// Entry says that an authority offers a service in a territory.
type Entry struct {
	// Territory is the beginning of the regional keys that are covered, 1 to 12 digits.
	Territory string `json:"territory"`
	// Authority tells the authority from all others of its house, and Name is its name.
	Authority string `json:"authority"`
	Name      string `json:"name"`
	// From is the first day on which it holds, To the first on which it no longer does, empty: none; both as 2026-02-28.
	From string `json:"from"`
	To   string `json:"to,omitempty"`
	// Maturity of the online service (Reifegrad), 0 to 7.
	Maturity int `json:"maturity"`
}

var (
	ofService   = regexp.MustCompile(`^99[0-9]{12}$`)
	ofTerritory = regexp.MustCompile(`^[0-9]{1,12}$`)
	errEntry    = errors.New("directory: an entry has not the form expected")
	errAbroad   = errors.New("directory: a house speaks of a territory that is not its own")
	errOrder    = errors.New("directory: entries are not in their order, or there is one twice")
)

// check tells whether an entry may be said by the house of a region.
func (e Entry) check(region string) error {
	from, err := time.Parse(time.DateOnly, e.From)
	if err != nil {
		return errEntry
	}
	if e.To != "" {
		if to, err := time.Parse(time.DateOnly, e.To); err != nil || !to.After(from) {
			return errEntry
		}
	}
	switch {
	case !ofTerritory.MatchString(e.Territory), !text(e.Authority, 100), !text(e.Name, 300), e.Maturity < 0, e.Maturity > 7:
		return errEntry
	case !strings.HasPrefix(e.Territory, region):
		return errAbroad
	}
	return nil
}

// text tells whether something can be stored and shown.
func text(s string, most int) bool {
	return s != "" && utf8.ValidString(s) && utf8.RuneCountInString(s) <= most && !strings.ContainsFunc(s, func(c rune) bool { return c < ' ' })
}

// before is the order of entries in a part.
func (e Entry) before(o Entry) bool {
	if e.Territory != o.Territory {
		return e.Territory < o.Territory
	}
	if e.Authority != o.Authority {
		return e.Authority < o.Authority
	}
	return e.From < o.From
}

// write is a part as it is hashed and handed on.
func write(entries []Entry) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(entries); err != nil {
		panic("directory: texts and numbers cannot be written as JSON")
	}
	return b.Bytes()
}

// readPart reads what another house has handed on as the part of a service, at most so many entries of its own region.
func readPart(content []byte, region string, most int) ([]Entry, error) {
	var out []Entry
	if err := strict(content, &out); err != nil {
		return nil, err
	}
	if len(out) > most {
		return nil, errors.New("directory: a part has too many entries")
	}
	for i, e := range out {
		if err := e.check(region); err != nil {
			return nil, err
		}
		if i > 0 && !out[i-1].before(e) {
			return nil, errOrder
		}
	}
	return out, nil
}

// strict reads JSON without members that nobody knows and without anything behind it.
func strict(content []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(content))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("directory: what was handed on cannot be read: %w", errEntry)
	}
	if d.More() {
		return errEntry
	}
	return nil
}
