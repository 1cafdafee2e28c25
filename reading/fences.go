// SPDX-License-Identifier: EUPL-1.2

package reading

import "github.com/ozg-cloud/platform/ent/rule"

// The fences. They never change: they are variables so that a test can leave a gap in one and see that it would be noticed.
var (
	// seenBy says which rows of a type somebody may see, and on which rows a field.
	seenBy = rule.Where
	// counted says which of the rows are counted.
	counted = where
	// same gives a question the name under which it is kept.
	same = func(a inquiry) inquiry { return a }
	// wipe clears what an answer was made in.
	wipe = func(b []byte) { clear(b) }
)
