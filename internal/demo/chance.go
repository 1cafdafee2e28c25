// SPDX-License-Identifier: EUPL-1.2

package demo

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"sort"
	"time"
)

// chance decides what happens; the same seed and stream decide the same.
type chance struct{ *rand.Rand }

func newChance(seed, stream uint64) chance {
	return chance{rand.New(rand.NewPCG(seed, stream))} //nolint:gosec // it has to be repeatable, and guards nothing
}

// of happens with a probability.
func (c chance) of(p float64) bool { return c.Float64() < p }

// span is a time that has this mean, is mostly shorter and now and then very much longer.
func (c chance) span(mean time.Duration) time.Duration {
	x := c.ExpFloat64() * 0.7
	if c.of(0.05) {
		x = c.ExpFloat64() * 6.7
	}
	return time.Duration(x * float64(mean))
}

// hex is n hexadecimal digits.
func (c chance) hex(n int) string {
	const digits = "0123456789abcdef"
	out := make([]byte, n)
	for i := range out {
		out[i] = digits[c.IntN(16)]
	}
	return string(out)
}

// rowID is a UUID in the shape that COPY takes without a detour, which costs as much as all the rest.
type rowID = [16]byte

// nothing is the id of no row.
var nothing rowID

// id is a UUIDv7 of an instant.
func (c chance) id(at time.Time) rowID {
	var id rowID
	binary.BigEndian.PutUint64(id[:8], c.Uint64())
	binary.BigEndian.PutUint64(id[8:], c.Uint64())
	return stamped(id, at)
}

// named is the id of a thing of the world: a UUIDv7 of the day on which the world was laid, and always the same.
func named(kind, name string) rowID {
	sum := sha256.Sum256([]byte(kind + "\x00" + name))
	return stamped(rowID(sum[:16]), laid)
}

// stamped makes a UUIDv7 (RFC 9562) out of any bits.
func stamped(id rowID, at time.Time) rowID {
	var milliseconds [8]byte
	binary.BigEndian.PutUint64(milliseconds[:], uint64(at.UnixMilli()))
	copy(id[:6], milliseconds[2:])
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	return id
}

// one takes one of several.
func one[T any](c chance, of ...T) T { return of[c.IntN(len(of))] }

// shares says how often each of several is taken, added up.
type shares []float64

// zipf has shares that fall with the rank, as those of words, cities and authorities do.
func zipf(n int, exponent float64) shares {
	s, sum := make(shares, n), 0.0
	for i := range s {
		sum += math.Pow(float64(i+1), -exponent)
		s[i] = sum
	}
	return s
}

func (s shares) take(c chance) int {
	x := c.Float64() * s[len(s)-1]
	return sort.SearchFloat64s(s, x)
}

// first is the share of the first.
func (s shares) first() float64 { return s[0] / s[len(s)-1] }
