// SPDX-License-Identifier: EUPL-1.2

package statistics

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"sync"
)

// KeyMask is what sums of keys are kept under: two numbers of 62 bits can be added in a bigint of PostgreSQL without overflow,
// `(k + d) & 4611686018427387903`.
const KeyMask = 1<<62 - 1

// Cell is a count of records with the sum of their keys modulo 2^62. Cells are added and taken back in any order.
// A cell of one record is that record's key: K never leaves the house, neither in an answer nor in a log.
type Cell struct{ N, K int64 }

// Plus adds the records of another cell.
func (c Cell) Plus(d Cell) Cell { return Cell{c.N + d.N, (c.K + d.K) & KeyMask} }

// Minus takes the records of another cell back.
func (c Cell) Minus(d Cell) Cell { return Cell{c.N - d.N, (c.K - d.K) & KeyMask} }

// Keys gives records their keys under one secret. It may be used by many at once.
type Keys struct{ pool sync.Pool }

// NewKeys makes the keys of a secret of at least 32 bytes. Whoever has the secret can undo the protection of everything published under it.
func NewKeys(secret []byte) *Keys {
	if len(secret) < sha256.Size {
		panic("statistics: a secret of record keys is shorter than 32 bytes")
	}
	secret = append([]byte(nil), secret...)
	return &Keys{sync.Pool{New: func() any { return hmac.New(sha256.New, secret) }}}
}

// Of is the key of a record, 62 bits: the first eight bytes of HMAC-SHA256 over the id of the case, without the two highest bits.
func (k *Keys) Of(record [16]byte) int64 {
	h := k.pool.Get().(hash.Hash) //nolint:forcetypeassert // the pool holds nothing else
	defer k.pool.Put(h)
	h.Reset()
	h.Write(record[:])
	var sum [sha256.Size]byte
	return int64(binary.BigEndian.Uint64(h.Sum(sum[:0])) & KeyMask)
}

// Record is the cell of one record.
func (k *Keys) Record(record [16]byte) Cell { return Cell{1, k.Of(record)} }
