// SPDX-License-Identifier: EUPL-1.2

// Package seal signs what the house hands out and takes back, such as cursors, so that it is only ever what this house has given out.
// What is said in it does not belong here, nor do tokens of people (authz).
package seal

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"sync"
)

// length is how many bytes of the HMAC a text carries: enough that nobody makes one, short enough for every row.
const length = 8

// longest is the length of the longest text that is looked at.
const longest = 2048

// Seal signs for one purpose. What was sealed for one purpose is refused for every other.
type Seal struct{ pool sync.Pool }

// New makes a seal. secret is the same on every replica.
func New(secret []byte, purpose string) *Seal {
	key := Key(secret, purpose)
	return &Seal{sync.Pool{New: func() any { return &press{Hash: hmac.New(sha256.New, key)} }}}
}

// press makes seals, one at a time. A list has one for each of its rows.
type press struct {
	hash.Hash
	sum [sha256.Size]byte
}

// Key derives a key of 32 bytes for a purpose.
func Key(secret []byte, purpose string) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(purpose))
	return h.Sum(nil)
}

func (s *Seal) mac(dst, said []byte) []byte {
	p := s.pool.Get().(*press) //nolint:forcetypeassert // the pool holds nothing else
	defer s.pool.Put(p)
	p.Reset()
	_, _ = p.Write(said) // a hash never fails
	return append(dst, p.Sum(p.sum[:0])[:length]...)
}

// Append appends said and its seal as URL-safe base64. It may write behind said.
func (s *Seal) Append(dst, said []byte) []byte {
	said = s.mac(said, said)
	return base64.RawURLEncoding.AppendEncode(dst, said)
}

// Open gives back what a sealed text says.
func (s *Seal) Open(text string) ([]byte, bool) {
	if len(text) > longest {
		return nil, false
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) < length {
		return nil, false
	}
	said := raw[:len(raw)-length]
	return said, hmac.Equal(s.mac(nil, said), raw[len(raw)-length:])
}
