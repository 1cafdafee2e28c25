// SPDX-License-Identifier: EUPL-1.2

// Package strictjson reads JSON from strangers, for every door of the house.
// What the values mean does not belong here.
package strictjson

import (
	"encoding/binary"
	"encoding/json"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/ozg-cloud/platform/internal/problem"
)

// longestNumber is the length of a number in characters; none of ours is longer than that of an IEEE double.
const longestNumber = 64

// Read reads exactly one JSON text (RFC 8259) and is stricter than encoding/json: valid UTF-8 without a byte order mark, whole
// surrogate pairs, no name twice in an object (RFC 7493, section 2), numbers of bounded length, nothing after the text, no deeper
// than depth. Numbers come as json.Number, objects as map[string]any, lists as []any.
// The problem that it returns never repeats what was read. Who calls bounds the length first.
func Read(text []byte, depth int) (any, error) {
	if !utf8.Valid(text) {
		return nil, malformed
	}
	r := reader{text: text, left: depth}
	v, err := r.value()
	if err != nil {
		return nil, err
	}
	if r.next() != 0 || r.at < len(r.text) {
		return nil, malformed
	}
	return v, nil
}

var (
	malformed = problem.New(problem.Invalid, "malformed")
	tooDeep   = problem.New(problem.Invalid, "tooDeep")
)

type reader struct {
	text []byte
	at   int
	left int // levels that may still be entered
}

// next skips white space and gives the character that follows, 0 at the end.
func (r *reader) next() byte {
	for ; r.at < len(r.text); r.at++ {
		switch c := r.text[r.at]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

func (r *reader) value() (any, error) {
	switch r.next() {
	case '{':
		return r.object()
	case '[':
		return r.list()
	case '"':
		return r.string()
	case 't':
		return true, r.word("true")
	case 'f':
		return false, r.word("false")
	case 'n':
		return nil, r.word("null")
	}
	return r.number()
}

func (r *reader) object() (any, error) {
	if r.left == 0 {
		return nil, tooDeep
	}
	r.left--
	r.at++
	out := map[string]any{}
	for first := true; ; first = false {
		c := r.next()
		if c == '}' && first {
			break
		}
		if c != '"' {
			return nil, malformed
		}
		name, err := r.string()
		if err != nil {
			return nil, err
		}
		if _, twice := out[name]; twice {
			return nil, malformed
		}
		if r.next() != ':' {
			return nil, malformed
		}
		r.at++
		if out[name], err = r.value(); err != nil {
			return nil, err
		}
		c = r.next()
		if c == '}' {
			break
		}
		if c != ',' {
			return nil, malformed
		}
		r.at++
	}
	r.at++
	r.left++
	return out, nil
}

func (r *reader) list() (any, error) {
	if r.left == 0 {
		return nil, tooDeep
	}
	r.left--
	r.at++
	out := []any{}
	if r.next() != ']' {
		for {
			v, err := r.value()
			if err != nil {
				return nil, err
			}
			out = append(out, v)
			c := r.next()
			if c == ']' {
				break
			}
			if c != ',' {
				return nil, malformed
			}
			r.at++
		}
	}
	r.at++
	r.left++
	return out, nil
}

func (r *reader) word(w string) error {
	if len(r.text)-r.at < len(w) || string(r.text[r.at:r.at+len(w)]) != w {
		return malformed
	}
	r.at += len(w)
	return nil
}

func (r *reader) number() (any, error) {
	from := r.at
	digits := func() bool {
		start := r.at
		for r.at < len(r.text) && '0' <= r.text[r.at] && r.text[r.at] <= '9' {
			r.at++
		}
		return r.at > start
	}
	is := func(one string) bool {
		if r.at < len(r.text) && strings.IndexByte(one, r.text[r.at]) >= 0 {
			r.at++
			return true
		}
		return false
	}
	is("-")
	if !is("0") && !digits() {
		return nil, malformed
	}
	if is(".") && !digits() {
		return nil, malformed
	}
	if is("eE") {
		is("+-")
		if !digits() {
			return nil, malformed
		}
	}
	if r.at-from > longestNumber {
		return nil, malformed
	}
	return json.Number(r.text[from:r.at]), nil
}

// string reads what stands between quotation marks; r stands on the first of them.
func (r *reader) string() (string, error) {
	r.at++
	from := r.at
	var out []byte // what was read before the last escape, where there is one
	for {
		r.at += ordinary(r.text[r.at:])
		if r.at == len(r.text) {
			return "", malformed
		}
		switch r.text[r.at] {
		case '"':
			whole := r.text[from:r.at]
			if out != nil {
				whole = append(out, whole...)
			}
			r.at++
			return string(whole), nil
		case '\\':
			out = append(out, r.text[from:r.at]...)
			c, ok := r.escape()
			if !ok {
				return "", malformed
			}
			out = utf8.AppendRune(out, c)
			from = r.at
		default: // a control character
			return "", malformed
		}
	}
}

// ordinary counts the bytes before the first that is a quotation mark, a backslash or a control character. It looks at eight at a time: most of what
// strangers send is one long text.
func ordinary(text []byte) int {
	const each, high = 0x0101010101010101, 0x8080808080808080
	n := 0
	for ; len(text)-n >= 8; n += 8 {
		v := binary.LittleEndian.Uint64(text[n:])
		quote, slash := v^each*'"', v^each*'\\'
		if ((v-each*' ')&^v|(quote-each)&^quote|(slash-each)&^slash)&high != 0 {
			break
		}
	}
	for ; n < len(text); n++ {
		if c := text[n]; c < ' ' || c == '"' || c == '\\' {
			break
		}
	}
	return n
}

func (r *reader) escape() (rune, bool) {
	if r.at+1 >= len(r.text) {
		return 0, false
	}
	c := r.text[r.at+1]
	r.at += 2
	switch c {
	case '"', '\\', '/':
		return rune(c), true
	case 'b':
		return '\b', true
	case 'f':
		return '\f', true
	case 'n':
		return '\n', true
	case 'r':
		return '\r', true
	case 't':
		return '\t', true
	case 'u':
		high, ok := r.hex()
		if !ok || !utf16.IsSurrogate(high) {
			return high, ok
		}
		if r.word(`\u`) != nil {
			return 0, false
		}
		low, ok := r.hex()
		whole := utf16.DecodeRune(high, low)
		return whole, ok && whole != utf8.RuneError
	}
	return 0, false
}

func (r *reader) hex() (rune, bool) {
	if len(r.text)-r.at < 4 {
		return 0, false
	}
	var out rune
	for _, c := range r.text[r.at : r.at+4] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		out = out<<4 | rune(c)
	}
	r.at += 4
	return out, true
}
