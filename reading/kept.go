// SPDX-License-Identifier: EUPL-1.2

package reading

import (
	"slices"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent/catalog"
)

// mostKept bounds what is kept, some ten kilobytes each.
const mostKept = 1000

// shelf holds questions for one thing or for a page, compiled: the next time only the id is another one, or the cursor. Nothing of an answer is among them.
type shelf struct {
	mu sync.Mutex
	of map[inquiry]*compiled // nil: one that cannot be kept
}

// inquiry is equal only where all is that a compiled question depends on, the thing itself and the values of cursors left out. A field is one of a document, and that is valid in one
// contract; whoever has other rights than before has another name for them.
type inquiry struct {
	field  *ast.Field
	rights authz.Rights
	thing  *catalog.Type
	column string // empty: a page
	page   stretch
}

// stretch is what the text of a page's statements tells of its arguments.
type stretch struct {
	size                    int
	backward, after, before bool
}

type (
	// sought stands among the arguments of a compiled question for the value that its thing is sought by.
	sought struct{}
	// bound stands there for a value of the row that a page begins behind, or ends before.
	bound struct {
		before bool
		key    int // of the order
	}
)

func isMark(a any) bool {
	switch a.(type) {
	case sought, bound:
		return true
	}
	return false
}

// compiled is a question as it is sent: the levels of a field, the one at the top last, each with its statement.
type compiled struct {
	levels     []*level
	statements []fragment // those without a text have nothing to ask

	order     order // of a page: how its cursors are read
	signature uint32
}

// named names what a field asks, and for a page tells its arguments. ok is false where rights have no name, where the arguments are wrong, and where the field
// stands in its set more than once: what is compiled then depends on who else stands there.
func named(p *authz.Principal, f graphql.CollectedField, variables map[string]any, by *thing) (a inquiry, turned page, ok bool) {
	rights, ok := p.Rights()
	if !ok || by.typ == nil || len(f.Selections) == 0 || len(f.Selections) != len(f.Field.SelectionSet) {
		return inquiry{}, page{}, false
	}
	a = inquiry{field: f.Field, rights: rights, thing: by.typ, column: by.column}
	if by.column == "" {
		var err error
		if turned, err = pageOf(f.ArgumentMap(variables)); err != nil {
			return inquiry{}, page{}, false
		}
		a.page = stretch{turned.size, turned.backward, turned.after != nil, turned.before != nil}
	}
	return same(a), turned, true
}

// recall gives what was compiled before, or compiles it, and keeps it where no variable and nothing that changes by itself has a part in it.
func (k *shelf) recall(a inquiry, compile func() (*compiled, bool, error)) (*compiled, error) {
	k.mu.Lock()
	made, known := k.of[a]
	k.mu.Unlock()
	if made != nil {
		return made, nil
	}
	made, lasts, err := compile()
	if err != nil || known {
		return made, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.of == nil || len(k.of) >= mostKept {
		k.of = map[inquiry]*compiled{}
	}
	k.of[a] = nil
	if lasts && a.unvaried() {
		k.of[a] = made
	}
	return made, nil
}

// unvaried tells whether no variable stands in a question but those by which it is asked: of a thing all arguments, of a page those that turn pages.
func (a inquiry) unvaried() bool {
	if a.column == "" && varies(slices.DeleteFunc(slices.Clone(a.field.Arguments), func(a *ast.Argument) bool {
		return a.Name == "first" || a.Name == "last" || a.Name == "after" || a.Name == "before"
	})) {
		return false
	}
	return unvaried(a.field.SelectionSet)
}

// unvaried tells whether no variable stands in a selection.
func unvaried(sel ast.SelectionSet) bool {
	for _, s := range sel {
		var inner ast.SelectionSet
		var told ast.DirectiveList
		switch s := s.(type) {
		case *ast.Field:
			if varies(s.Arguments) {
				return false
			}
			inner, told = s.SelectionSet, s.Directives
		case *ast.InlineFragment:
			inner, told = s.SelectionSet, s.Directives
		case *ast.FragmentSpread:
			inner, told = s.Definition.SelectionSet, s.Directives
		}
		if slices.ContainsFunc(told, func(d *ast.Directive) bool { return varies(d.Arguments) }) || !unvaried(inner) {
			return false
		}
	}
	return true
}

func varies(arguments ast.ArgumentList) bool {
	return slices.ContainsFunc(arguments, func(a *ast.Argument) bool { return variable(a.Value) })
}

func variable(v *ast.Value) bool {
	return v != nil && (v.Kind == ast.Variable || slices.ContainsFunc(v.Children, func(c *ast.ChildValue) bool { return variable(c.Value) }))
}
