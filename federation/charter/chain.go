// SPDX-License-Identifier: EUPL-1.2

package charter

import (
	"fmt"
	"slices"
	"time"
)

// Chain is the charters that were accepted, one after the other. It does not change: Accept gives another one.
type Chain struct {
	versions []*Charter // the first is version 1
	fork     *Fork
}

// Fork is the proof that a version was signed in two forms: both documents, and who signed both. It can be shown to anybody.
type Fork struct {
	Version       int
	First, Second []byte
	Both          []MemberID
}

// Begin starts a chain with the first charter, whose hash was agreed on outside the system, and which every key in it has signed.
// Errors: those of Read, ErrPinned, ErrPossession, ErrSignature, ErrDoubled, ErrStranger.
func Begin(document []byte, pin string) (*Chain, error) {
	c, err := Read(document)
	if err != nil {
		return nil, err
	}
	if c.Version != 1 || c.Hash != pin {
		return nil, ErrPinned
	}
	// Every key of it has to sign: those who may not vote, too, are to know what they belong to.
	if _, err := (&Charter{}).proven(c); err != nil {
		return nil, err
	}
	return &Chain{versions: []*Charter{c}}, nil
}

// proven checks all signatures of a successor, and that every key which is new in it is among them.
func (c *Charter) proven(next *Charter) (agreement, error) {
	a, err := c.count(next.doc, TypeCharter, next)
	if err != nil {
		return a, err
	}
	for kid := range next.keys {
		if _, known := c.keys[kid]; !known && !a.keys[kid] {
			return a, ErrPossession
		}
	}
	return a, nil
}

// follows tells whether a charter is a valid successor of this one, and who of this one signed it.
func (c *Charter) follows(next *Charter) ([]MemberID, error) {
	if next.Previous != c.Hash || next.Federation != c.Federation || next.Effective < c.Effective {
		return nil, ErrPrevious
	}
	for kid, k := range next.keys {
		if before, known := c.keys[kid]; known && before.by != k.by {
			return nil, ErrStranger
		}
	}
	a, err := c.proven(next)
	if err != nil {
		return nil, err
	}
	if !c.suffices(OfCharter, a.members) {
		return nil, ErrQuorum
	}
	return a.members, nil
}

// Accept adds the next charter. The newest one again changes nothing. A second valid form of a version is ErrForked, and then the chain that comes with the
// error ends before it: of two, neither is believed, and nothing that follows either. Whether the charter is in force is a matter of time, see At.
// Errors: those of Read, ErrRollback, ErrGap, ErrPrevious, ErrQuorum, ErrPossession, ErrSignature, ErrDoubled, ErrStranger, ErrForked; but for ErrForked the
// chain stays what it was.
func (c *Chain) Accept(document []byte) (*Chain, error) {
	next, err := Read(document)
	if err != nil {
		return c, err
	}
	switch last := len(c.versions); {
	case c.fork != nil && next.Version >= c.fork.Version:
		return c, ErrForked
	case next.Version > last+1:
		return c, ErrGap
	case next.Version == 1 && next.Hash != c.versions[0].Hash:
		return c, ErrPinned
	case next.Version <= last && next.Hash == c.versions[next.Version-1].Hash:
		if next.Version < last {
			return c, ErrRollback
		}
		return c, nil
	case next.Version <= last:
		return c.forked(next)
	}
	if _, err := c.Last().follows(next); err != nil {
		return c, err
	}
	return &Chain{versions: append(slices.Clone(c.versions), next)}, nil
}

// forked judges a document beside another one of its version. If it is not valid, it proves nothing.
func (c *Chain) forked(second *Charter) (*Chain, error) {
	before, first := c.versions[second.Version-2], c.versions[second.Version-1]
	signed, err := before.follows(second)
	if err != nil {
		return c, err
	}
	signedFirst, err := before.follows(first)
	if err != nil {
		return c, fmt.Errorf("charter: reading again what was accepted: %w", err)
	}
	f := &Fork{Version: second.Version, First: first.Document, Second: second.Document}
	for _, m := range signedFirst {
		if slices.Contains(signed, m) {
			f.Both = append(f.Both, m)
		}
	}
	return &Chain{versions: c.versions[:second.Version-1], fork: f}, ErrForked
}

// Fork is the proof of a fork; nil without one.
func (c *Chain) Fork() *Fork { return c.fork }

// Last is the newest charter that was accepted, in force or not.
func (c *Chain) Last() *Charter { return c.versions[len(c.versions)-1] }

// Versions are all charters, the first first.
func (c *Chain) Versions() []*Charter { return slices.Clone(c.versions) }

// At is the charter in force at a moment. The first one is in force from the beginning.
func (c *Chain) At(now time.Time) *Charter {
	in := c.versions[0]
	for _, v := range c.versions[1:] {
		if v.Effective <= now.Unix() {
			in = v
		}
	}
	return in
}
