// SPDX-License-Identifier: EUPL-1.2

package reading

import (
	"bytes"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent/catalog"
	"github.com/ozg-cloud/platform/ent/rule"
)

// GapInRows leaves out the caller's predicate where gap says so; alias t1 is what stands at the top of a field, all others are reached
// by an edge.
func GapInRows(gap func(object authz.Object, alias string) bool) (mend func()) {
	remember := Forgetting()
	seenBy = func(p *authz.Principal, object authz.Object, shape rule.Shape, alias string) (string, []any) {
		if gap(object, alias) {
			return "", nil
		}
		return rule.Where(p, object, shape, alias)
	}
	return func() { seenBy = rule.Where; remember() }
}

// GapInCounts leaves the caller's predicate out of counts.
func GapInCounts() (mend func()) {
	remember := Forgetting()
	counted = func(which ...fragment) fragment {
		n := len(which)
		return where(append(which[:n-2:n-2], which[n-1])...)
	}
	return func() { counted = where; remember() }
}

// Filter compiles a filter on cases for a principal and gives its text with numbered marks, and how many arguments it has.
func Filter(p *authz.Principal, input any) (text string, args int, err error) {
	c := &compiler{r: &Reader{}, p: p}
	f, err := c.filter(catalog.Types["Case"], "t", input, []string{"where"})
	return f.numbered(), len(f.args), err
}

// AppendInstant writes an instant into an answer.
var AppendInstant = appendInstant

// Left gives what is left of answers where the next ones are made, as far as they can be found.
func Left() (out []byte) {
	for range 100 {
		set, ok := rowsets.Get().(*rowset)
		if !ok {
			break
		}
		for _, b := range [][]byte{set.buf, set.cursors, set.said} {
			out = append(out, b[:cap(b)]...)
		}
	}
	return bytes.Trim(out, "\x00")
}

// LeavingAnswers does not clear what an answer was made in.
func LeavingAnswers() (mend func()) {
	before := wipe
	wipe = func([]byte) {}
	return func() { wipe = before }
}

// Fewest lets tests reach what lies behind the entries that are looked at first.
var Fewest = &fewest

// Forgetting compiles each question anew.
func Forgetting() (mend func()) {
	return naming(func(a inquiry) inquiry { f := *a.field; a.field = &f; return a })
}

// Mistaking takes questions for the same that differ in a part of their names.
func Mistaking(part string) (mend func()) {
	one := &ast.Field{}
	return naming(func(a inquiry) inquiry {
		switch part {
		case "rights":
			a.rights = authz.Rights{}
		case "thing":
			a.thing = nil
		case "field":
			a.field = one
		case "size":
			a.page.size = 0
		case "side":
			a.page.backward, a.page.after, a.page.before = false, false, false
		}
		return a
	})
}

func naming(name func(inquiry) inquiry) (mend func()) {
	before := same
	same = name
	return func() { same = before }
}

// ForgetRights lets receivers share what was read of an event whatever their rights are.
func ForgetRights() (mend func()) {
	known := standing
	standing = func(*authz.Principal) any { return nil }
	return func() { standing = known }
}
