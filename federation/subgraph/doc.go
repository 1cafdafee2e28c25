// SPDX-License-Identifier: EUPL-1.2

// Package subgraph guards the two doors by which gateways of others join a house to what is theirs (Apollo Federation, version 2): what is asked for by
// keys, and what a composer is told. How a thing is found, and who may see it, does not belong here: finders are handed in.
//
// It trusts neither who asks nor who finds. Representations are counted and read before anything is looked for, those of one type and one form of key are
// looked for together, and what was found is put where its own key was asked for, never where it stands in the answer of the finder.
package subgraph
