// SPDX-License-Identifier: EUPL-1.2

package directory

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/ozg-cloud/platform/federation/charter"
)

// Path is where a house hands on its head; below it, behind a slash, the index and the parts by their hashes. Everybody may read it.
const Path = "/federation/v1/directory"

// What one house may hand on. The largest Land has some 400 authorities and 600 services.
const (
	mostHead     = 8 << 10
	mostIndex    = 2 << 20
	mostPart     = 8 << 20
	mostServices = 10_000
	mostEntries  = 20_000
)

// ErrHash says that what was handed on is not what was signed.
var ErrHash = errors.New("directory: what was handed on is not what was signed")

// Change is what is to be kept of a house: its head, the services of which it has nothing any more, and all of those that have changed.
type Change struct {
	Head     Head
	Document []byte
	Gone     []string
	New      []New
}

// New is a part that has changed.
type New struct {
	Part
	Content []byte
}

// Fetch gets what lies at a path below the endpoint of a house, at most so many bytes.
type Fetch func(ctx context.Context, path string, most int64) ([]byte, error)

// From fetches from an endpoint.
func From(client *http.Client, endpoint string) Fetch {
	return func(ctx context.Context, path string, most int64) ([]byte, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint+path, nil)
		if err != nil {
			return nil, fmt.Errorf("directory: asking: %w", err)
		}
		answer, err := client.Do(r)
		if err != nil {
			return nil, fmt.Errorf("directory: asking: %w", err)
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("directory: asking: the status is %d", answer.StatusCode)
		}
		text, err := io.ReadAll(io.LimitReader(answer.Body, most+1))
		if err != nil {
			return nil, fmt.Errorf("directory: reading: %w", err)
		}
		if int64(len(text)) > most {
			return nil, errors.New("directory: more was handed on than fits")
		}
		return text, nil
	}
}

// State is what is known of a house: the moment and the hash of its head, and the hash of each part by its service.
type State struct {
	At    time.Time
	Index string
	Parts map[string]string
}

// Pull reads what has changed at a house since the state that is known. All of it is checked before any of it is given: the signature of the head by a key that
// holds, everything else by its hash, each entry by its form and its territory.
func Pull(ctx context.Context, fetch Fetch, of charter.Instance, known State, roll *charter.Roll, now time.Time) (Change, error) {
	document, err := fetch(ctx, Path, mostHead)
	if err != nil {
		return Change{}, err
	}
	head, err := ReadHead(document, of.ID, roll, now)
	if err != nil {
		return Change{}, err
	}
	if head.At < known.At.Unix() {
		return Change{}, ErrOlder
	}
	c := Change{Head: head, Document: document}
	if head.Index == known.Index {
		return c, nil
	}
	hashed := func(hash string, most int64) ([]byte, error) {
		text, err := fetch(ctx, Path+"/"+hash, most)
		if err == nil && charter.Hash(text) != hash {
			err = ErrHash
		}
		return text, err
	}
	text, err := hashed(head.Index, mostIndex)
	if err != nil {
		return Change{}, err
	}
	index, err := readIndex(text, head)
	if err != nil {
		return Change{}, err
	}
	still := map[string]bool{}
	for _, p := range index {
		still[p.Service] = true
		if known.Parts[p.Service] == p.Hash {
			continue
		}
		content, err := hashed(p.Hash, mostPart)
		if err != nil {
			return Change{}, err
		}
		entries, err := readPart(content, of.Region, mostEntries)
		if err != nil {
			return Change{}, err
		}
		if len(entries) != p.Entries {
			return Change{}, errOrder
		}
		c.New = append(c.New, New{p, content})
	}
	for service := range known.Parts {
		if !still[service] {
			c.Gone = append(c.Gone, service)
		}
	}
	return c, nil
}

// readIndex reads the index that belongs to a head.
func readIndex(text []byte, head Head) ([]Part, error) {
	var index []Part
	if err := strict(text, &index); err != nil {
		return nil, err
	}
	entries := 0
	for i, p := range index {
		if !ofService.MatchString(p.Service) || p.Entries < 0 || p.Entries > mostEntries {
			return nil, errEntry
		}
		if i > 0 && index[i-1].Service >= p.Service {
			return nil, errOrder
		}
		entries += p.Entries
	}
	if len(index) != head.Parts || entries != head.Entries || len(index) > mostServices {
		return nil, errOrder
	}
	return index, nil
}
