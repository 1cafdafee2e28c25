// SPDX-License-Identifier: EUPL-1.2

package schema_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/ozg-cloud/platform/schema"
)

func TestAnIDIsReadBackAndNoOtherTextIsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.Byte().Draw(t, "number")
		id := uuid.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
		text := schema.ID(number, id)
		if n, back, ok := schema.ParseID(text); !ok || n != number || back != id {
			t.Fatalf("%s is read as %d %s", text, n, back)
		}
		at, c := rapid.IntRange(0, len(text)-1).Draw(t, "at"), rapid.Byte().Draw(t, "byte")
		if other := text[:at] + string(rune(c)) + text[at+1:]; other != text {
			if n, back, ok := schema.ParseID(other); ok && n == number && back == id {
				t.Fatalf("%q is the same thing as %q", other, text)
			}
		}
	})
}

func TestWhatIsNoIDIsNone(t *testing.T) {
	whole := schema.ID(7, uuid.New())
	for _, text := range []string{
		"", " ", whole[1:], whole + "A", whole + "=", " " + whole[1:], whole[:22] + "\n", strings.Repeat("=", 23), strings.Repeat("é", 23),
		whole[:22] + "_", // bits that belong to nothing
		base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("\xff", 17))),
	} {
		if n, id, ok := schema.ParseID(text); ok {
			t.Errorf("%q is read as %d %s", text, n, id)
		}
	}
}

func FuzzParseID(f *testing.F) {
	f.Add(schema.ID(7, uuid.New()))
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		n, id, ok := schema.ParseID(text)
		if ok && schema.ID(n, id) != text {
			t.Errorf("%q is another spelling of %q", text, schema.ID(n, id))
		}
	})
}
