// SPDX-License-Identifier: EUPL-1.2

package authz

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

const (
	freshFor     = 60 * time.Second // then the set is fetched again in the background
	staleAfter   = 3 * time.Minute  // when it is so old, because nobody asked, a question waits for the answer
	retryAfter   = 5 * time.Second  // how often an unknown key or a failure may ask the key server
	longestKeys  = 64 << 10
	fetchTimeout = 3 * time.Second
)

// keySet holds the keys of an issuer. A new key is found within retryAfter of its first use. A removed one is gone within freshFor of its
// removal while there are questions, and after staleAfter at the latest. A dead key server changes nothing, and unknown keys do
// not make anybody ask it more often.
type keySet struct {
	url    string
	client *http.Client
	log    *slog.Logger
	clock  func() time.Time

	mu      sync.Mutex
	keys    map[string]key
	asked   time.Time     // when the server was asked last
	ended   time.Time     // when it had answered, or failed to
	failed  bool          // the last time
	running chan struct{} // closed when the server that is being asked has answered; nil when it is not
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

func fetchedKeys(url string, client *http.Client, log *slog.Logger, clock func() time.Time) *keySet {
	return &keySet{url: url, client: client, log: log, clock: clock}
}

// find gives the key with an id. Only the first question, and the first after a long pause, waits for the key server.
func (s *keySet) find(id string) (key, bool) {
	if s.url == "" {
		k, ok := s.keys[id]
		return k, ok
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock()
	k, ok := s.keys[id]
	age := now.Sub(s.asked)
	if s.running == nil && (age > freshFor || (!ok || s.failed) && age > retryAfter) {
		s.asked, s.running = now, make(chan struct{})
		go s.fetch()
	}
	if now.Sub(s.ended) > staleAfter {
		running := s.running // whoever has not been answered for so long was asked just now
		s.mu.Unlock()
		<-running // fetch ends by its timeout
		s.mu.Lock()
		k, ok = s.keys[id]
	}
	return k, ok
}

// had tells whether there ever were keys. While there were none it asks for them, no more often than find does.
func (s *keySet) had() bool {
	if s.url == "" || s.some() {
		return true
	}
	_, _ = s.find("")
	return s.some()
}

func (s *keySet) some() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.keys) > 0
}

func (s *keySet) fetch() {
	keys, err := s.ask()
	if err != nil {
		s.log.Warn("keys not fetched", "url", s.url, "error", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed = err != nil; !s.failed {
		s.keys = keys
	}
	s.ended = s.clock()
	close(s.running)
	s.running = nil
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
