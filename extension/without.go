// SPDX-License-Identifier: EUPL-1.2

package extension

import (
	"encoding/json"
	"strconv"
)

// Without takes the values of fields that have gone out of a record, inside its objects and lists too. left is in the one form of records; nil where nothing
// is left at all.
func Without(stored json.RawMessage, gone func(number int) bool) (left json.RawMessage, changed bool, err error) {
	values, err := opened(stored)
	if err != nil {
		return nil, false, err
	}
	changed = without(values, gone)
	if len(values) == 0 {
		return nil, changed, nil
	}
	return printed(values), changed, nil
}

func without(v any, gone func(number int) bool) (changed bool) {
	switch v := v.(type) {
	case map[string]any:
		for key, inner := range v {
			if n, err := strconv.Atoi(key); err == nil && gone(n) {
				delete(v, key)
				changed = true
				continue
			}
			changed = without(inner, gone) || changed
		}
	case []any:
		for _, inner := range v {
			changed = without(inner, gone) || changed
		}
	}
	return changed
}
