// SPDX-License-Identifier: EUPL-1.2

// Package gather asks all members of the federation the same question and makes one answer of theirs, in which nobody is missing without being named.
// How one house is asked, and what it may say, belongs to ask; what is kept of it lies with whoever keeps the books.
//
//	gather.go     asks everybody, waits no longer than the deadline, merges
//	variant.go    the question as each edition understands it
//	fetch.go      one house: a signed question, a second one where the first takes long, and what came back
//	peer.go       what is known of a house: breaker, usual time
//	plausible.go  whether what a house says can be true beside what else it said
//	shelf.go      what is kept: statements, for ever; how much each member usually has
package gather
