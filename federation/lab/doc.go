// SPDX-License-Identifier: EUPL-1.2

// Package lab builds federations of whole houses for tests: a database each on one cluster, papers of their own, real requests between them, and a front before
// each that can break what the house answers.
// What one room promises is tested in the room.
//
//	l := lab.New(t, 4)
//	l.Houses[2].Front.Break(lab.Cut)
package lab
