// SPDX-License-Identifier: EUPL-1.2

package intake

import (
	"path"
	"strings"
	"unicode"
)

// longestEnding is how long an ending may be that a shortened file name keeps, in characters.
const longestEnding = 10

// fileName makes a file name that content accepts out of one that a form server found on somebody's machine: without folders, control characters
// and marks for the direction of writing, and at most 200 characters long, with its ending. What is then empty gets another name.
func fileName(given, otherwise string) string {
	if i := strings.LastIndexAny(given, `/\`); i >= 0 {
		given = given[i+1:]
	}
	given = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cc, unicode.Bidi_Control, unicode.Zl, unicode.Zp) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(given, "_")))
	if given == "" || given == "." || given == ".." {
		return otherwise
	}
	if name := []rune(given); len(name) > longestName {
		ending := []rune(path.Ext(given))
		if len(ending) > longestEnding {
			ending = nil
		}
		given = string(name[:longestName-len(ending)]) + string(ending)
	}
	return given
}
