// SPDX-License-Identifier: EUPL-1.2

// Package graph speaks GraphQL: one resolver file for each file in schema that has root fields, and one exit for errors.
// It decides nothing: reading answers what is stored, the desks carry out the verbs. Who may not know of a thing does not find it here:
// contracts.go gives everybody the contract of their own rights.
//
// graph/generated and graph/model are printed by gqlgen out of the contract, see gqlgenc.go; graph/answer holds the Go types of
// payloads and problems that the printed code works with.
package graph
