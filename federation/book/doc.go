// SPDX-License-Identifier: EUPL-1.2

// Package book is what the house keeps of the federation in its database.
// What the papers mean is said by federation/charter; when they are fetched, and from whom, belongs to cmd.
//
//	papers.go  charters, lists of who is suspended, and what stands for each house
//	bundle.go  all of that as one house hands it on to another
package book
