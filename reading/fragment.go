// SPDX-License-Identifier: EUPL-1.2

package reading

import (
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// fragment is a piece of SQL with a question mark for each of its arguments. The text is made of constants and of names out of
// the catalog; whatever a caller sent is an argument.
type fragment struct {
	text  string
	args  []any
	ready string // the text with its question marks numbered
	open  bool   // and there are marks among them
	fixed bool   // that one plan is right whatever the arguments are, though the server reckons otherwise
}

func sql(text string, args ...any) fragment { return fragment{text: text, args: args} }

// with appends text and arguments.
func (f fragment) with(text string, args ...any) fragment {
	return fragment{text: f.text + text, args: append(f.args[:len(f.args):len(f.args)], args...), fixed: f.fixed}
}

// then appends another fragment.
func (f fragment) then(g fragment) fragment {
	f = f.with(g.text, g.args...)
	f.fixed = f.fixed || g.fixed
	return f
}

// and joins conditions; empty ones are left out.
func and(conditions ...fragment) fragment { return joined(" and ", conditions) }

// or joins conditions; none at all is false.
func or(conditions ...fragment) fragment {
	if len(conditions) == 0 {
		return sql("false")
	}
	f := joined(" or ", conditions)
	if len(conditions) > 1 {
		f.text = "(" + f.text + ")"
	}
	return f
}

func joined(by string, parts []fragment) fragment {
	var f fragment
	for _, p := range parts {
		switch {
		case p.text == "":
		case f.text == "":
			f = p
		default:
			f = f.with(by).then(p)
		}
	}
	return f
}

// where is the WHERE clause of conditions, empty when there are none.
func where(conditions ...fragment) fragment {
	f := and(conditions...)
	if f.text == "" {
		return f
	}
	return sql(" where ").then(f)
}

// queue puts the statement into a batch.
func (f fragment) queue(b *pgx.Batch) {
	if f.ready == "" {
		f = f.finished()
	}
	b.Queue(f.ready, f.args...)
}

// finished is the statement as it is sent.
func (f fragment) finished() fragment {
	f.ready, f.open = f.numbered(), slices.ContainsFunc(f.args, isMark)
	return f
}

// given is what stands in a question where marks are: the value of a thing, and the rows that a page lies between.
type given struct {
	value any
	bounds
}

// into puts what is given into its places in a statement that is finished.
func (g given) into(f fragment) fragment {
	if !f.open {
		return f
	}
	args := slices.Clone(f.args)
	for i, a := range args {
		switch a := a.(type) {
		case sought:
			args[i] = g.value
		case bound:
			at := g.after
			if a.before {
				at = g.before
			}
			args[i] = at[a.key]
		}
	}
	f.args = args
	return f
}

// numbered turns the question marks into $1, $2 and so on.
func (f fragment) numbered() string {
	if len(f.args) == 0 {
		return f.text
	}
	var b strings.Builder
	b.Grow(len(f.text) + 2*len(f.args))
	n := 0
	for rest := f.text; ; {
		before, after, found := strings.Cut(rest, "?")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		n++
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(n))
		rest = after
	}
}
