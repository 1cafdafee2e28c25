// SPDX-License-Identifier: EUPL-1.2

package extension

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Axis is a field of Case that figures are told by.
type Axis struct {
	*Leaf
	// Name is that of the value in the contract's enumeration: EXTENSION_ and the names that lead to it in capitals, with two underscores between a
	// field and one inside it.
	Name string
	Key  int64
}

// axes begins the names of axes. The standard house has none that begins so.
const axes = "EXTENSION_"

// Axes are the fields of Case that figures are told by in one of two ways, in the order of the schema.
func (c Chain) Axes(how Counted) []Axis {
	var out []Axis
	for _, d := range c {
		for _, l := range d.leaves["Case"] {
			if l.Counted() == how {
				out = append(out, Axis{l, axisName(l.Path), Key(d.Owner, l.Number)})
			}
		}
	}
	return out
}

func axisName(path []string) string { return axes + strings.ToUpper(strings.Join(path, "__")) }

// counts is the enumeration of a contract with what the chain adds to it; nil where that is nothing.
func (c Chain) counts(was *ast.Definition, how Counted) *ast.Definition {
	added := c.Axes(how)
	if was == nil || len(added) == 0 {
		return nil
	}
	def := *was
	def.Kind, def.EnumValues = ast.Enum, append(ast.EnumValueList{}, was.EnumValues...)
	for _, a := range added {
		def.EnumValues = append(def.EnumValues, &ast.EnumValueDefinition{Name: a.Name, Description: a.Description, Directives: gone(a.Deprecated), Position: here})
	}
	return &def
}
