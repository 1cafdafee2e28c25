// SPDX-License-Identifier: EUPL-1.2

package authz

import (
	"fmt"
	"strconv"
)

// Place is where a tenant stands in the tree: the official regional key (ARS, 12 digits) times a thousand, plus a number that tells
// apart the tenants of one region: 0 for the Land or district itself, from 1 on for authorities. What a tenant covers follows from
// its place and kind alone, so that nothing is ever renumbered when a tenant joins.
type Place int64

// Last is the last place there can be.
const Last Place = 999_999_999_999_999

const (
	perLand     = 10_000_000_000_000
	perDistrict = 10_000_000_000
)

// Land is the number of the Land, 1 to 16; 0 for the federation and its own authorities.
func (p Place) Land() int64 { return int64(p) / perLand }

// District is the first five digits of the regional key.
func (p Place) District() int64 { return int64(p) / perDistrict }

// PlaceOf is the place of the n-th tenant (0 to 999) of a region.
func PlaceOf(regionalKey string, n int) (Place, error) {
	key, err := strconv.ParseUint(regionalKey, 10, 63)
	if err != nil || len(regionalKey) != 12 || n < 0 || n > 999 {
		return 0, fmt.Errorf("authz: no place for the region %q and number %d", regionalKey, n)
	}
	return Place(key)*1000 + Place(n), nil
}

// TenantKind is a level of the tree of tenants.
type TenantKind string

// The levels of the tree.
const (
	Federation TenantKind = "FEDERATION"
	Land       TenantKind = "LAND"
	District   TenantKind = "DISTRICT"
	Authority  TenantKind = "AUTHORITY"
)

// Interval is a part of the tree: all places from Lo to Hi, both included.
type Interval struct{ Lo, Hi Place }

// Everywhere is the whole tree.
var Everywhere = Interval{0, Last}

// Cover is the part of the tree below a tenant, itself included.
func Cover(kind TenantKind, at Place) Interval {
	switch kind {
	case Federation:
		return Everywhere
	case Land:
		lo := at / perLand * perLand
		return Interval{lo, lo + perLand - 1}
	case District:
		lo := at / perDistrict * perDistrict
		return Interval{lo, lo + perDistrict - 1}
	}
	return Interval{at, at}
}

// Contains tells whether a place lies in the part.
func (i Interval) Contains(p Place) bool { return i.Lo <= p && p <= i.Hi }

// Covers tells whether another part lies in this one.
func (i Interval) Covers(j Interval) bool { return i.Lo <= j.Lo && j.Hi <= i.Hi }

// Level says which level of the tree an interval is exactly, so that a reader can ask an index by one equality.
// An interval that is no node of the tree is reckoned to the next level above.
func (i Interval) Level() TenantKind {
	switch {
	case i.Lo == i.Hi:
		return Authority
	case i == Cover(District, i.Lo):
		return District
	case i == Cover(Land, i.Lo):
		return Land
	}
	return Federation
}
