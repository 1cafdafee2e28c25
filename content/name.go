// SPDX-License-Identifier: EUPL-1.2

package content

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ozg-cloud/platform/internal/problem"
)

// longestName is in characters.
const longestName = 200

// checkName refuses what is no file name on some machine, or shows as another than it is: marks that turn the direction of
// writing make "annexe" and "fdp.exe" look alike.
func checkName(name string) error {
	var rule string
	switch {
	case strings.TrimSpace(name) == "":
		rule = "required"
	case !utf8.ValidString(name):
		rule = "notText"
	case utf8.RuneCountInString(name) > longestName:
		rule = "maxLength"
	case name == "." || name == ".." || strings.ContainsFunc(name, func(r rune) bool {
		return r == '/' || r == '\\' || unicode.In(r, unicode.Cc, unicode.Bidi_Control, unicode.Zl, unicode.Zp)
	}):
		rule = "pattern"
	default:
		return nil
	}
	return problem.New(problem.Invalid, rule, "name")
}
