// SPDX-License-Identifier: EUPL-1.2

package strictjson_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/internal/strictjson"
	"github.com/ozg-cloud/platform/internal/strictjson/strictjsontest"
)

// refusals counts the broken texts that a reader refuses as a problem without repeating them.
func refusals(t *testing.T, reader func([]byte) error) (missed []string) {
	t.Helper()
	for name, text := range strictjsontest.Broken {
		err := reader([]byte(text))
		if !errors.Is(err, problem.New(problem.Invalid, "")) {
			missed = append(missed, name)
		}
	}
	return missed
}

func TestTheReaderRefusesWhatIsNotExactlyOneJSONText(t *testing.T) {
	missed := refusals(t, func(b []byte) error {
		_, err := strictjson.Read(b, 32)
		return err
	})
	if len(missed) > 0 {
		t.Errorf("read although broken: %q", missed)
	}
}

func TestTheListOfBrokenTextsFindsALenientReader(t *testing.T) {
	missed := refusals(t, func(b []byte) error {
		var v any
		if json.NewDecoder(bytes.NewReader(b)).Decode(&v) != nil {
			return problem.New(problem.Invalid, "malformed")
		}
		return nil
	})
	if len(missed) < 8 {
		t.Errorf("encoding/json is found lenient in %d cases only: %q", len(missed), missed)
	}
}

// anyJSON generates values as they come out of a reader.
func anyJSON(depth int) *rapid.Generator[any] {
	leaf := rapid.OneOf(
		rapid.Just[any](nil),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Map(rapid.String(), func(s string) any { return s }),
		rapid.Map(rapid.Float64Range(-1e300, 1e300), func(f float64) any {
			b, _ := json.Marshal(f)
			return json.Number(b)
		}),
		rapid.Map(rapid.Int64(), func(i int64) any {
			b, _ := json.Marshal(i)
			return json.Number(b)
		}),
	)
	if depth == 0 {
		return leaf
	}
	inner := rapid.Deferred(func() *rapid.Generator[any] { return anyJSON(depth - 1) })
	return rapid.OneOf(leaf,
		rapid.Map(rapid.SliceOfN(inner, 0, 4), func(s []any) any { return s }),
		rapid.Map(rapid.MapOfN(rapid.String(), inner, 0, 4), func(m map[string]any) any { return m }),
	)
}

func TestTheReaderReadsWhatEncodersWrite(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := anyJSON(5).Draw(t, "value")
		text, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		if rapid.Bool().Draw(t, "spread over lines") {
			var b bytes.Buffer
			_ = json.Indent(&b, text, " ", "\t")
			text = b.Bytes()
		}
		got, err := strictjson.Read(text, 6)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("read %#v out of %s", got, text)
		}
	})
}

// FuzzReadJSON holds the reader against encoding/json: it reads nothing else, and nothing differently.
func FuzzReadJSON(f *testing.F) {
	for _, text := range strictjsontest.Broken {
		if len(text) < 1000 {
			f.Add([]byte(text))
		}
	}
	f.Add([]byte(`{"query":"{ __typename }","variables":{"a":[1,-2.5e+7,true,null,"\ud83c\udfc3 \"x\" \/"]}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := strictjson.Read(text, 16)
		if err != nil {
			if _, ok := problem.Of(err); !ok {
				t.Fatalf("no problem: %v", err)
			}
			return
		}
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		var want any
		if err := d.Decode(&want); err != nil {
			t.Fatalf("read what is no JSON: %v", err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("read %#v, not %#v", got, want)
		}
	})
}

// misread holds how a text is read whose only string has so many letters before something, against encoding/json, and tells where the two differ.
func misread(read func([]byte) (any, error)) (out []string) {
	for _, middle := range []string{``, `\n`, `\"`, `\\`, `\u00e4`, `ä`, `€`, "\x7f", "\x1f", "\t", `"`, `!`, `#`, `[`, `]`} {
		for before := range 20 {
			text := `"` + strings.Repeat("x", before) + middle + strings.Repeat("y", 19-before) + `"`
			var want any
			wrong := json.Unmarshal([]byte(text), &want)
			got, err := read([]byte(text))
			if (wrong == nil) != (err == nil) || err == nil && got != want {
				out = append(out, text)
			}
		}
	}
	return out
}

func TestAStringIsReadWhereverSomethingStandsInIt(t *testing.T) {
	if wrong := misread(func(text []byte) (any, error) { return strictjson.Read(text, 1) }); len(wrong) > 0 {
		t.Errorf("misread: %q", wrong)
	}
}

func TestAReaderThatLooksPastWhatStandsInAStringIsNoticed(t *testing.T) {
	for _, overlooked := range []string{`\`, "\x1f", `"`} {
		wrong := misread(func(text []byte) (any, error) {
			inner := text[1 : len(text)-1]
			if at := bytes.Index(inner, []byte(overlooked)); at >= 8 { // behind the first eight
				return string(inner), nil
			}
			return strictjson.Read(text, 1)
		})
		if len(wrong) == 0 {
			t.Errorf("nobody notices that %q is overlooked", overlooked)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	text, err := json.Marshal(map[string]any{"query": strings.Repeat("cases { nodes { number } } ", 20), "operationName": "Page", "variables": map[string]any{"first": 50, "filter": map[string]any{"state": map[string]any{"in": []string{"NEW", "ACCEPTED"}}}}})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := strictjson.Read(text, 32); err != nil {
			b.Fatal(err)
		}
	}
}
