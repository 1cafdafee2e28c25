// SPDX-License-Identifier: EUPL-1.2

// Package extension holds the fields that a Land, a district or an authority adds to the standard house (Balkone): their definition, the schema
// of a tenant that has them, and what their values may be. Storing definitions and values does not belong here, nor does who may define them.
//
//	owner.go       who adds fields, and under which names
//	language.go    the language of definitions; language.graphql describes its directives
//	guard.go       what is refused before a definition is parsed
//	read.go        a definition out of its text, or what is wrong with it
//	definition.go  what was defined
//	number.go      the numbers by which values outlive a renaming
//	key.go         what a value is found by in the whole house
//	diff.go        what a new version changes, and what would be lost
//	chain.go       all that holds at a tenant
//	overlay.go     the schema of a tenant
//	documents.go   which documents would not be valid any more
//	value.go       values brought into the form in which they are kept
//	form.go        values out of a form
//	told.go        values in one form for all tenants
//	without.go     records without what has gone
package extension
