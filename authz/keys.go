// SPDX-License-Identifier: EUPL-1.2

package authz

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

const (
	freshFor     = 60 * time.Second // then the set is fetched again in the background
	retryAfter   = 5 * time.Second  // how often an unknown key or a failure may ask the key server
	longestKeys  = 64 << 10
	fetchTimeout = 3 * time.Second
)

// keySet holds the keys of an issuer. A new key is found within retryAfter of its first use, a removed one is gone within freshFor
// of its removal; a dead key server changes nothing, and unknown keys do not make anybody ask it more often.
type keySet struct {
	url    string
	client *http.Client
	clock  func() time.Time

	mu       sync.Mutex
	keys     map[string]key
	asked    time.Time
	fetching bool
	first    chan struct{} // closed after the first fetch
}

// fixedKeys are keys that never change.
func fixedKeys(set []byte) (*keySet, error) {
	keys, err := parseKeys(set)
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, errors.New("authz: a fixed key set has no usable key")
	}
	return &keySet{keys: keys}, nil
}

func fetchedKeys(url string, client *http.Client, clock func() time.Time) *keySet {
	return &keySet{url: url, client: client, clock: clock, first: make(chan struct{})}
}

// find gives the key with an id. Only the very first question waits for the key server.
func (s *keySet) find(id string) (key, bool) {
	if s.url == "" {
		k, ok := s.keys[id]
		return k, ok
	}
	s.mu.Lock()
	k, ok := s.keys[id]
	age := s.clock().Sub(s.asked)
	if !s.fetching && (s.asked.IsZero() || age > freshFor || !ok && age > retryAfter) {
		s.fetching = true
		s.asked = s.clock()
		go s.fetch()
	}
	none := s.keys == nil
	s.mu.Unlock()
	if none {
		<-s.first // fetch ends by its timeout
		s.mu.Lock()
		defer s.mu.Unlock()
		k, ok = s.keys[id]
	}
	return k, ok
}

func (s *keySet) fetch() {
	keys, err := s.ask()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fetching = false
	if err == nil {
		s.keys = keys
	} else if s.keys == nil {
		s.keys = map[string]key{} // nobody waits a second time
	}
	select {
	case <-s.first:
	default:
		close(s.first)
	}
}

func (s *keySet) ask() (map[string]key, error) {
	ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
	if err != nil {
		return nil, fmt.Errorf("authz: asking for keys: %w", err)
	}
	answer, err := s.client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("authz: asking for keys: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("authz: the key server answered %d", answer.StatusCode)
	}
	set, err := io.ReadAll(io.LimitReader(answer.Body, longestKeys+1))
	if err != nil {
		return nil, fmt.Errorf("authz: reading keys: %w", err)
	}
	if len(set) > longestKeys {
		return nil, errors.New("authz: the key set is too large")
	}
	return parseKeys(set)
}
