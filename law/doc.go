// SPDX-License-Identifier: EUPL-1.2

// Package law computes legal dates and deadlines: when a decision counts as announced and why, and when a case is due.
// What happens on such a day does not belong here, nor a clock, a database or a right: every function is pure and knows only what it is told.
//
// A legal date is a day in Europe/Berlin, written as midnight UTC, so that counting days never meets a change of clocks.
//
//	announce.go  from facts and rule to the day of announcement, with its explanation
//	rules.go     the rules, as a table
//	facts.go     what rules count from, and how it is said
//	due.go       the service's promise and the fiction of approval
//	calendar.go  days, months and working days
package law
