// SPDX-License-Identifier: EUPL-1.2

// Package reading is the one door for reads: the validated selection of a field becomes flat SELECT statements, one for each
// list in it, sent in one pipeline under the caller's predicate; binary rows become the answer without anything in between.
// What is not stored (viewer, limits) does not belong here, and nothing is changed here: the pool cannot write.
//
// How a selection becomes an answer:
//
//	compile.go   walks the selection: columns, objects (joined), connections (a statement of their own)
//	filter.go    operator inputs become predicates
//	order.go     orders, keysets and cursors
//	rows.go      reads the rows of a statement into fragments of JSON with holes, and fills the holes from the statements below
//	denied.go    tells which fields of which rows were refused
//	encode.go    binary values to JSON
//	derived.go   the few fields that are derived from columns
//	extend.go    what tenants add to a type: selection, filter and order
//
// Which rows and fields a caller may see is asked of ent/rule, in one place each: compiler.predicate and compiler.visible.
package reading
