// SPDX-License-Identifier: EUPL-1.2

package problem

import (
	"strconv"
	"strings"
)

// Language picks the language of sentences from an Accept-Language header (RFC 9110, section 12.5.4): "de" or "en", whichever
// has the greater weight; English when neither is asked for.
func Language(header string) string {
	best, weight := "en", 0.0
	for part := range strings.SplitSeq(header, ",") {
		tag, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		primary, _, _ := strings.Cut(strings.ToLower(tag), "-")
		if primary != "de" && primary != "en" {
			continue
		}
		q := 1.0
		if v, ok := strings.CutPrefix(strings.TrimSpace(params), "q="); ok {
			parsed, err := strconv.ParseFloat(v, 64)
			if err != nil {
				continue
			}
			q = parsed
		}
		if q > weight {
			best, weight = primary, q
		}
	}
	return best
}
