// SPDX-License-Identifier: EUPL-1.2

package problem

import (
	"strings"
	"unicode/utf8"
)

// InText is what is wrong with a text of so many characters at most: it cannot be stored, or it is too long. The problem has the path.
func InText(value string, longest int, path ...string) error {
	switch {
	case !utf8.ValidString(value) || strings.ContainsRune(value, 0):
		return New(Invalid, "notText", path...)
	case utf8.RuneCountInString(value) > longest:
		return New(Invalid, "maxLength", path...)
	}
	return nil
}

// InFilledText is what is wrong with such a text that must also not be empty. White space alone is empty.
func InFilledText(value string, longest int, path ...string) error {
	if strings.TrimSpace(value) == "" {
		return New(Invalid, "required", path...)
	}
	return InText(value, longest, path...)
}
