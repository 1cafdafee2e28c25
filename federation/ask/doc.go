// SPDX-License-Identifier: EUPL-1.2

// Package ask is how one house asks another one: the signed question, the signed statement that does not depend on who asks, the receipt for the one who
// did, and the desk that answers. Whom to ask, and what becomes of many answers, belongs to gather; cases, messages and persons are never asked for.
//
//	edition.go    which documents can be asked in an edition, and with which variables
//	question.go   the question
//	statement.go  the statement, and two of them that contradict each other
//	receipt.go    the receipt, with the place of the question in the log of the house that was asked
//	record.go     that log: what was asked stands in a tree of hashes, from which nothing can be taken away unnoticed
//	once.go       a question counts once
//	consent.go    what a Land has agreed to tell (default: nothing)
//	desk.go       the desk that answers, and the order in which it looks at things
//	http.go       the desk's door
package ask
