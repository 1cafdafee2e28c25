// SPDX-License-Identifier: EUPL-1.2

// Package asktest has houses that ask and answer without network and database, for tests.
// What a real house does differently does not belong here: the suite for books proves both alike.
package asktest

import (
	"context"
	"slices"
	"sync"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/ozg-cloud/platform/federation/ask"
	"github.com/ozg-cloud/platform/federation/charter"
)

// Books are those of one house, in memory.
type Books struct {
	mu     sync.Mutex
	said   map[string][]byte
	lines  []ask.Line
	hashes []tlog.Hash
}

// Said is that of ask.Books.
func (b *Books) Said(_ context.Context, by charter.InstanceID, question string) ([]byte, bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	payload, ok := b.said[string(by)+" "+question]
	return payload, ok, nil
}

// Say is that of ask.Books.
func (b *Books) Say(_ context.Context, s ask.Statement, payload []byte) ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	key := string(s.Issuer) + " " + s.Question
	if kept, ok := b.said[key]; ok {
		return kept, nil
	}
	if b.said == nil {
		b.said = map[string][]byte{}
	}
	b.said[key] = payload
	return payload, nil
}

// Enter is that of ask.Books.
func (b *Books) Enter(_ context.Context, l ask.Line, record []byte, seen int64) (ask.Spot, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, known := range b.lines {
		if known.By == l.By && known.ID == l.ID {
			return ask.Spot{}, ask.ErrAsked
		}
	}
	hashes, at, err := ask.Grow(int64(len(b.lines)), record, seen, tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, 0, len(indexes))
		for _, i := range indexes {
			out = append(out, b.hashes[i])
		}
		return out, nil
	}))
	if err != nil {
		return ask.Spot{}, err
	}
	l.Index = at.Index
	b.lines, b.hashes = append(b.lines, l), append(b.hashes, hashes...)
	return at, nil
}

// Lines are all questions, the oldest first.
func (b *Books) Lines() []ask.Line {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.lines)
}

// Forget makes the log look as if it had never had more than n lines.
func (b *Books) Forget(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines, b.hashes = b.lines[:n], b.hashes[:tlog.StoredHashCount(int64(n))]
}
