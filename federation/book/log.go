// SPDX-License-Identifier: EUPL-1.2

package book

import (
	"context"
	"errors"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/ozg-cloud/platform/ent/store"
	"github.com/ozg-cloud/platform/federation/ask"
	"github.com/ozg-cloud/platform/federation/charter"
)

// What may be wrong with the log of a house. They are for those who look after it, and never cross a border.
var (
	// ErrLogShorter says that the log has fewer lines than another house has seen: it was restored from an older copy, or lines were taken away at its end.
	ErrLogShorter = errors.New("the log has fewer lines than the other house has seen")
	// ErrLogForked says that the log had other lines when it was as long as what another house has seen: lines were changed, or written anew after a restore.
	ErrLogForked = errors.New("the log has other lines than the other house has seen")
	// ErrLogBroken says that a line is missing, or that the hashes of the log do not belong together. What else a line says is not part of its hash.
	ErrLogBroken = errors.New("the hashes of the log do not belong together")
)

// SeenHead is how the log of another house looked when it last answered.
type SeenHead struct {
	House charter.InstanceID
	ask.Head
	At time.Time
}

// Log reads the whole log of questions that this house was asked, and gives how it looks now. It refuses one in which a line is missing, or a hash does not
// follow from those below it (ErrLogBroken), and one that does not continue what another house has seen (ErrLogShorter, ErrLogForked); a head of size 0 is
// continued by every log. It takes 64 bytes of memory for each line.
func (a *Asked) Log(ctx context.Context, seen ask.Head) (now ask.Head, err error) {
	ctx = asHouse(ctx)
	var lines, last int64
	if err := store.Each(ctx, a.on, func(row func(...any) error) error { return row(&lines, &last) },
		"select count(*), coalesce(max(idx) + 1, 0) from federation_answered"); err != nil {
		return now, wrap("counting the log", err)
	}
	var kept []tlog.Hash
	if err := store.Each(ctx, a.on, func(row func(...any) error) error {
		var i int64
		var h []byte
		if err := row(&i, &h); err != nil {
			return err
		}
		if i != int64(len(kept)) {
			return ErrLogBroken
		}
		kept = append(kept, tlog.Hash(h))
		return nil
	}, "select idx, hash from federation_log_hashes where idx < $1 order by idx", tlog.StoredHashIndex(0, last)); err != nil {
		return now, wrap("reading the log", err)
	}
	if lines != last || int64(len(kept)) != tlog.StoredHashCount(last) {
		return now, wrap("reading the log", ErrLogBroken)
	}
	read := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, 0, len(indexes))
		for _, i := range indexes {
			out = append(out, kept[i])
		}
		return out, nil
	})
	for n := range last {
		first := tlog.StoredHashIndex(0, n)
		above, err := tlog.StoredHashesForRecordHash(n, kept[first], read)
		if err != nil {
			return now, wrap("checking the log", err)
		}
		for i, h := range above {
			if kept[first+int64(i)] != h {
				return now, wrap("checking the log", ErrLogBroken)
			}
		}
	}
	now.Size = last
	if now.Root, err = tlog.TreeHash(last, read); err != nil {
		return now, wrap("checking the log", err)
	}
	switch {
	case seen.Size > last:
		return now, ErrLogShorter
	case seen.Size > 0:
		then, err := tlog.TreeHash(seen.Size, read)
		if err != nil {
			return now, wrap("checking the log", err)
		}
		if then != seen.Root {
			return now, ErrLogForked
		}
	}
	return now, nil
}

// Heads are how the logs of all other houses looked when they last answered, by house.
func (a *Asked) Heads(ctx context.Context) (out []SeenHead, err error) {
	err = store.Each(asHouse(ctx), a.on, func(row func(...any) error) error {
		var house string
		var root []byte
		var h SeenHead
		if err := row(&house, &h.Size, &root, &h.At); err != nil {
			return err
		}
		h.House, h.Root = charter.InstanceID(house), tlog.Hash(root)
		out = append(out, h)
		return nil
	}, "select house, size, root, seen_at from federation_heads order by house")
	return out, wrap("reading logs", err)
}

// Forget forgets how the log of a house looked, so that what it answers next is believed as if it had never answered before, and gives what was forgotten.
// Statements stay: a house that tells other figures than before contradicts itself all the same. Only the owner's login may do so. ok is false where nothing was known.
func (a *Asked) Forget(ctx context.Context, house charter.InstanceID) (was ask.Head, ok bool, err error) {
	err = store.Each(asHouse(ctx), a.on, func(row func(...any) error) error {
		ok = true
		var root []byte
		if err := row(&was.Size, &root); err != nil {
			return err
		}
		was.Root = tlog.Hash(root)
		return nil
	}, "delete from federation_heads where house = $1 returning size, root", string(house))
	return was, ok, wrap("forgetting a log", err)
}
