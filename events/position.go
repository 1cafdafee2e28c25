// SPDX-License-Identifier: EUPL-1.2

package events

import (
	"cmp"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"

	"github.com/ozg-cloud/platform/internal/seal"
)

// Position is where an event stands in the log: behind those of all transactions that are older, and behind those that its own
// transaction has written before it. A position that no event has stands behind all that are smaller.
type Position struct {
	XID uint64
	Seq int64
}

// Compare is negative where p comes before q.
func (p Position) Compare(q Position) int {
	return cmp.Or(cmp.Compare(p.XID, q.XID), cmp.Compare(p.Seq, q.Seq))
}

// Cursors turns positions into cursors and back. A cursor is the same on every replica and holds as long as the secret does.
//
// A position is a secret: the distance between two tells how much has happened elsewhere. It is therefore encrypted, as the one
// block that it fills, and sealed. The cursor of an event is always the same, so that whoever is told of it twice notices. No two cursors of checkpoints
// are alike: equal ones would tell that nobody in the house has written anything meanwhile.
type Cursors struct {
	block cipher.Block
	seal  *seal.Seal
}

// NewCursors makes the cursors of a secret.
func NewCursors(secret []byte) *Cursors {
	block, err := aes.NewCipher(seal.Key(secret, "event position"))
	if err != nil {
		panic(err) // the key has a length that AES knows
	}
	return &Cursors{block, seal.New(secret, "event cursor")}
}

// Of is the cursor of an event.
func (c *Cursors) Of(p Position) string { return c.text(p, 0) }

// Checkpoint is a cursor for a position that may be nobody's business.
func (c *Cursors) Checkpoint(p Position) string {
	var salt [4]byte
	_, _ = rand.Read(salt[:]) // never fails
	return c.text(p, binary.BigEndian.Uint32(salt[:])|1)
}

// text says xid and seq, each in 48 bits, and a salt in the rest.
func (c *Cursors) text(p Position, salt uint32) string {
	var room [40]byte // the block and its seal
	b := room[:aes.BlockSize]
	binary.BigEndian.PutUint64(b, p.XID<<16|uint64(p.Seq)>>32)        //nolint:gosec // never negative
	binary.BigEndian.PutUint64(b[8:], uint64(p.Seq)<<32|uint64(salt)) //nolint:gosec // as above
	c.block.Encrypt(b, b)
	return string(c.seal.Append(nil, b))
}

// Open gives back the position of a cursor; false for what is none.
func (c *Cursors) Open(text string) (Position, bool) {
	b, ok := c.seal.Open(text)
	if !ok || len(b) != aes.BlockSize {
		return Position{}, false
	}
	c.block.Decrypt(b, b)
	high, low := binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])
	return Position{high >> 16, int64(high&0xFFFF<<32 | low>>32)}, true //nolint:gosec // 48 bits
}
