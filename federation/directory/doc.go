// SPDX-License-Identifier: EUPL-1.2

// Package directory knows which authority offers which service where, in all houses of the federation, and answers without asking any of them.
// Who belongs is said by federation/charter; when others are asked is the business of cmd.
//
//	entry.go     what there is to know, and its form
//	snapshot.go  the state of a house: its parts by their hashes, and a signed head
//	pull.go      reads the state of another house: what has changed, checked
//	shelf.go     keeps the states, and answers
package directory
