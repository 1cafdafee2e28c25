// SPDX-License-Identifier: EUPL-1.2

package reading

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"sync"
)

// sealLength is how many bytes of the HMAC a cursor carries: enough that nobody makes one, short enough for every row.
const sealLength = 8

// seal signs cursors, so that a position is only ever one that this house has given out.
// The key is the same on every replica.
type seal struct{ pool sync.Pool }

func newSeal(secret []byte) *seal {
	key := hmac.New(sha256.New, secret)
	key.Write([]byte("cursor"))
	derived := key.Sum(nil)
	return &seal{sync.Pool{New: func() any { return hmac.New(sha256.New, derived) }}}
}

func (s *seal) mac(dst, said []byte) []byte {
	h := s.pool.Get().(hash.Hash) //nolint:forcetypeassert // the pool holds nothing else
	defer s.pool.Put(h)
	h.Reset()
	h.Write(said)
	var sum [sha256.Size]byte
	return append(dst, h.Sum(sum[:0])[:sealLength]...)
}

// append appends said and its seal as URL-safe base64.
func (s *seal) append(dst, said []byte) []byte {
	said = s.mac(said, said)
	return base64.RawURLEncoding.AppendEncode(dst, said)
}

// open gives back what a sealed text says.
func (s *seal) open(text string) ([]byte, bool) {
	if len(text) > 2048 {
		return nil, false
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) < sealLength {
		return nil, false
	}
	said := raw[:len(raw)-sealLength]
	return said, hmac.Equal(s.mac(nil, said), raw[len(raw)-sealLength:])
}
