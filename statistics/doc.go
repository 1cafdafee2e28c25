// SPDX-License-Identifier: EUPL-1.2

// Package statistics counts what happened and protects small counts: cells, bins, cubes, the noise of the cell-key method, and answers that are
// merged from parts. Rows of cases do not belong here, and nothing that is answered is reckoned from them.
//
//	cell.go      a count with the sum of its records' keys
//	bins.go      durations in fixed bins, median and 90th percentile
//	noise.go     what is published of a cell
//	cube.go      what is counted, and which tables are published
//	gain.go      what all published tables together give away
//	tally.go     counts events into cells
//	rebuild.go   counts all cases anew
//	life.go      what a case counts for, as migration 0007 says it
//	pour.go      adds that up along the tree of tenants, and writes it by COPY
//	count.go     reads cells
//	tenant.go    the part of the tree that is asked about
//	question.go  which questions are answered, exactly or protected
//	part.go      what one member counts, and how parts become one
//	answer.go    figures with their margins
//	ask.go       who may ask, and what is answered
//	standing.go  up to where is counted
//	watch.go     one's own figures as they change
//	names.go     what people call measures, axes and their values
//	export.go    answers as files, at doors of their own
//	csv.go, jsonstat.go
package statistics
