// SPDX-License-Identifier: EUPL-1.2

package casework

import (
	"strings"
	"unicode/utf8"

	"github.com/ozg-cloud/platform/internal/problem"
)

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

// text checks a text of the input that must not be empty. The problem has the path input, name.
func text(value, name string, longest int) error {
	switch {
	case strings.TrimSpace(value) == "":
		return problem.New(problem.Invalid, "required", "input", name)
	case !utf8.ValidString(value) || strings.ContainsRune(value, 0):
		return problem.New(problem.Invalid, "notText", "input", name)
	case utf8.RuneCountInString(value) > longest:
		return problem.New(problem.Invalid, "maxLength", "input", name)
	}
	return nil
}
