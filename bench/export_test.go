// SPDX-License-Identifier: EUPL-1.2

package main

// What the tests outside look at.
var (
	Stat  = stat
	CPUOf = cpuOf
	Load  = load
	Drive = drive
	Post  = post
)

// Asking is asking.
type Asking = asking

// NewAsking makes one who asks.
func NewAsking(request func(n int) []byte, good func(status int, body []byte) bool) Asking {
	return asking{request, good}
}

// Table is table.
var Table = (*Results).table

// Took is how often somebody had an answer, and how often not a good one.
func Took(d driven) (answers, failed int) { return len(d.took), d.failed }
