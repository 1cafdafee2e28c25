// SPDX-License-Identifier: EUPL-1.2

// Package charter says who belongs to the federation (Föderation) and by which keys they speak: the charter (Satzung) that the members sign together, below
// it the houses that each member vouches for, and who is suspended. It reads and checks documents; fetching and keeping them does not belong here, and
// neither does what members ask each other.
//
//	charter.go   the charter: members, keys, rules, limits
//	chain.go     one version after the other, and what a fork is
//	quorum.go    whose signatures suffice
//	vouch.go     a member vouches for a house, and the house for its keys (a profile of OpenID Federation 1.0: a tree of exactly two levels)
//	suspend.go   who is not believed at present
//	roll.go      all of it at a moment: the one thing that other rooms ask
//	signed.go    signed documents: what is read, and what is refused before any key is looked for
package charter
