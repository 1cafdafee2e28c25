// SPDX-License-Identifier: EUPL-1.2

package ask

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// Grow adds a line to a log of n lines, the tree of hashes of RFC 6962. It gives the hashes that have to be kept from tlog.StoredHashIndex(0, n) on, and
// where the line stands then, with the proof for somebody who saw the log when it had seen lines; more than there are count as none.
func Grow(n int64, line []byte, seen int64, kept tlog.HashReader) (hashes []tlog.Hash, at Spot, err error) {
	fail := func(err error) ([]tlog.Hash, Spot, error) {
		return nil, Spot{}, fmt.Errorf("ask: adding to the log: %w", err)
	}
	if hashes, err = tlog.StoredHashes(n, line, kept); err != nil {
		return fail(err)
	}
	first := tlog.StoredHashIndex(0, n)
	grown := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var old []int64
		for _, i := range indexes {
			if i < first {
				old = append(old, i)
			}
		}
		known, err := kept.ReadHashes(old)
		if err != nil {
			return nil, err
		}
		out := make([]tlog.Hash, 0, len(indexes))
		for _, i := range indexes {
			if i >= first {
				out = append(out, hashes[i-first])
				continue
			}
			out, known = append(out, known[0]), known[1:]
		}
		return out, nil
	})
	at = Spot{Size: n + 1, Index: n, Proof: tlog.RecordProof{}, Since: tlog.TreeProof{}}
	if at.Root, err = tlog.TreeHash(n+1, grown); err != nil {
		return fail(err)
	}
	proof, err := tlog.ProveRecord(n+1, n, grown)
	if err != nil {
		return fail(err)
	}
	at.Proof = append(at.Proof, proof...)
	if seen < 1 || seen > n {
		return hashes, at, nil
	}
	since, err := tlog.ProveTree(n+1, seen, grown)
	if err != nil {
		return fail(err)
	}
	at.Since = append(at.Since, since...)
	return hashes, at, nil
}
