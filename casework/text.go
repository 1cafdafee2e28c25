// SPDX-License-Identifier: EUPL-1.2

package casework

// The longest texts, in characters.
const (
	longestSubject   = 200
	longestBody      = 50_000
	longestComment   = 10_000
	longestDecision  = 20_000
	longestReason    = 1_000
	longestReference = 100
	longestAssignee  = 300 // a subject: user, the name of an issuer and what that calls somebody
	mostUploads      = 20
)
