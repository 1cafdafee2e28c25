// SPDX-License-Identifier: EUPL-1.2

package charter

import "time"

// MemberID is the URL of a member, as in the charter.
type MemberID string

// InstanceID is the URL of a house, below that of its member.
type InstanceID string

// MemberState is how a member stands.
type MemberState string

// The states. Owners vote and sign, observers do not; of those who are suspended or have left nothing new is believed.
const (
	Owner     MemberState = "OWNER"
	Observer  MemberState = "OBSERVER"
	Suspended MemberState = "SUSPENDED"
	Left      MemberState = "LEFT"
)

// Member (Mitglied) is a Land, or another body, that runs houses of its own.
type Member struct {
	ID    MemberID
	Name  string
	State MemberState
	// Since is the date of joining, such as 2026-01-01.
	Since string
	Votes int
	// Share is its part of what is paid for together, from 0 to 1.
	Share float64
}

// Instance (Instanz) is a house that a member vouches for.
type Instance struct {
	ID     InstanceID
	Member MemberID
	// Endpoint is where it answers other houses: questions go to Endpoint + "/federation/v1/ask".
	Endpoint string
	// Editions are those in which it answers, newest first.
	Editions []int
	// Region is the beginning of the regional keys (ARS) that it speaks for.
	Region string
	// Documents are the kinds of questions that it answers.
	Documents []string
	// Suspended is the moment from which nothing of it is believed; zero: it is.
	Suspended time.Time
	// Number is higher with each paper that stands for it.
	Number int64
	// VouchedUntil is how long its member vouches for it, without the time of grace.
	VouchedUntil time.Time
}
