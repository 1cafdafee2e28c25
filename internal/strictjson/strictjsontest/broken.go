// SPDX-License-Identifier: EUPL-1.2

// Package strictjsontest holds what a strict reader of JSON refuses, for the tests of every door that reads JSON.
// What a door refuses beyond that does not belong here.
package strictjsontest

import "strings"

// Broken are texts that encoding/json reads, or that have hurt readers elsewhere.
var Broken = map[string]string{
	"nothing":                    ``,
	"white space":                " \n",
	"a byte order mark":          "\ufeff{}",
	"two texts":                  `{} {}`,
	"something behind":           `{"a":1}x`,
	"a name twice":               `{"a":1,"a":2}`,
	"a name twice, escaped":      `{"a":1,"\u0061":2}`,
	"a name twice, further in":   `[{"b":{"a":1,"a":1}}]`,
	"not UTF-8":                  "{\"a\":\"\xff\"}",
	"an overlong slash":          "[\"\xc0\xaf\"]",
	"half a surrogate pair":      `["\ud83c"]`,
	"a pair the wrong way round": `["\udfc3\ud83c"]`,
	"half a pair and a letter":   `["\ud83ca"]`,
	"a pair cut off":             `["\ud83c\u`,
	"an unknown escape":          `["\x"]`,
	"a bare control character":   "[\"a\nb\"]",
	"a comma at the end":         `[1,]`,
	"a comma in an object":       `{"a":1,}`,
	"no colon":                   `{"a" 1}`,
	"a name without quotes":      `{a:1}`,
	"single quotes":              `{'a':1}`,
	"a comment":                  `{} // no`,
	"a leading zero":             `[01]`,
	"a plus":                     `[+1]`,
	"a bare point":               `[.5]`,
	"nothing behind the point":   `[5.]`,
	"nothing behind the e":       `[5e]`,
	"a minus alone":              `[-]`,
	"not a number":               `[NaN]`,
	"a number of 65 digits":      `[` + strings.Repeat("1", 65) + `]`,
	"true cut off":               `[tru`,
	"capitals":                   `[True]`,
	"a list cut off":             `[1`,
	"an object cut off":          `{"a":`,
	"text cut off":               `["a`,
	"an escape cut off":          `["a\`,
	"the wrong bracket":          `[1}`,
	"a megabyte of brackets":     strings.Repeat("[", 1<<20),
	"too deep":                   strings.Repeat(`{"a":`, 33) + `1` + strings.Repeat(`}`, 33),
}
