// SPDX-License-Identifier: EUPL-1.2

package charter

import "slices"

// agreement is who has signed a document.
type agreement struct {
	members []MemberID // each once, in the order of signing
	keys    map[string]bool
}

// count checks every signature of a document, by keys of this charter and by new ones of its successor, if there is one. One that does not hold, or is by a key
// that neither knows, refuses the whole: whoever wrote such a document did not mean well. Nothing is said yet about how many there have to be.
func (c *Charter) count(d signed, typ string, next *Charter) (agreement, error) {
	out := agreement{keys: map[string]bool{}}
	for _, s := range d.signatures {
		if err := s.of(typ); err != nil {
			return agreement{}, err
		}
		kid := s.header.Kid
		if out.keys[kid] {
			return agreement{}, ErrDoubled
		}
		out.keys[kid] = true
		k, known := c.keys[kid]
		fresh := false
		if !known && next != nil {
			k, fresh = next.keys[kid]
		}
		if !known && !fresh {
			return agreement{}, ErrStranger
		}
		if err := s.by(k.key); err != nil {
			return agreement{}, err
		}
		if !known {
			continue // it shows that its owner has it, and decides nothing
		}
		if c.owner[k.by] == 0 {
			return agreement{}, ErrStranger
		}
		if !slices.Contains(out.members, k.by) { // two keys are one member
			out.members = append(out.members, k.by)
		}
	}
	return out, nil
}

// suffices tells whether those who signed may decide something. More than half of all votes is always needed, so that two different decisions have a signer
// in common; and two members, where there are two, so that no single key decides.
func (c *Charter) suffices(kind string, signers []MemberID) bool {
	r := c.rule(kind)
	all, got := 0, 0
	for _, votes := range c.owner {
		all += votes
	}
	for _, m := range signers {
		got += c.owner[m]
	}
	needed := r.Quorum
	if r.Rule == QualifiedMajority {
		needed = max(needed, 2.0/3)
	}
	const rounding = 1e-9
	return float64(got) >= needed*float64(all)-rounding && len(signers) >= min(2, len(c.owner))
}
