// SPDX-License-Identifier: EUPL-1.2

package extension

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
)

// Chain is what holds at a tenant: the definitions of the owners above it from the Land down, and its own as the last one.
type Chain []*Definition

// Hash names what the chain adds. Tenants with the same hash have the same schema, and the same values behind it.
func (c Chain) Hash() string {
	h := sha256.New()
	for _, d := range c {
		h.Write([]byte(d.Hash()))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Owned is a field with whose it is.
type Owned struct {
	*Field
	Definition *Definition
}

// Fields are those that are added to a target, in the order of the schema.
func (c Chain) Fields(target string) []Owned {
	var out []Owned
	for _, d := range c {
		if t := d.Targets[target]; t != nil {
			for _, f := range t.Fields {
				out = append(out, Owned{f, d})
			}
		}
	}
	return out
}

// Field finds a field that is added to a target.
func (c Chain) Field(target, name string) (Owned, bool) {
	for _, d := range c {
		if f := d.Targets[target].Field(name); f != nil {
			return Owned{f, d}, true
		}
	}
	return Owned{}, false
}

// Leaf finds a value by the names that lead to it from the target on, with its key in the index of its owner.
func (c Chain) Leaf(target string, path []string) (leaf *Leaf, key int64, ok bool) {
	for _, d := range c {
		for _, l := range d.leaves[target] {
			if slices.Equal(l.Path, path) {
				return l, Key(d.Owner, l.Number), true
			}
		}
	}
	return nil, 0, false
}
