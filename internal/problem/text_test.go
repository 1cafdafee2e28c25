// SPDX-License-Identifier: EUPL-1.2

package problem_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ozg-cloud/platform/internal/problem"
)

func TestATextIsRefusedForWhatCannotBeStoredAndForItsLengthInCharacters(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][2]string{ // the rule of a text, and of one that must not be empty
		"":                       {"", "required"},
		" \n\t\u00a0":            {"", "required"},
		"Fuß":                    {"", ""},
		"a\x00":                  {"notText", "notText"},
		"\xff":                   {"notText", "notText"},
		strings.Repeat("ß", 5):   {"", ""},
		strings.Repeat("ß", 6):   {"maxLength", "maxLength"},
		"\x00" + "longer than 5": {"notText", "notText"},
	} {
		for i, check := range []func(string, int, ...string) error{problem.InText, problem.InFilledText} {
			err := check(text, 5, "input", "name")
			p, refused := problem.Of(err)
			switch {
			case want[i] == "":
				if err != nil {
					t.Errorf("%q: %v", text, err)
				}
			case !refused || p.Kind != problem.Invalid || p.Rule != want[i] || !slices.Equal(p.Path, []string{"input", "name"}):
				t.Errorf("%q: %v instead of %s", text, err, want[i])
			}
		}
	}
}
