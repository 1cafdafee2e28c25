// SPDX-License-Identifier: EUPL-1.2

package subgraph

import (
	"fmt"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// The names that the specification gives to what a subgraph has for gateways.
const (
	unionOfEntities = "_Entity"
	representation  = "_Any"
	service         = "_Service"
)

// Keys are the types of a contract that can be asked for by a key, each with the forms of its key in the order in which it has them.
type Keys map[string][]Form

// KeysOf reads the directives @key of the members of _Entity. A member without a key, and a key that is none, is an error.
func KeysOf(contract *ast.Schema) (Keys, error) {
	out := Keys{}
	union := contract.Types[unionOfEntities]
	if union == nil {
		return out, nil
	}
	for _, name := range union.Types {
		def := contract.Types[name]
		for _, d := range def.Directives.ForNames("key") {
			f, err := form(contract, def, d.Arguments.ForName("fields").Value.Raw)
			if err != nil {
				return nil, err
			}
			out[name] = append(out[name], f)
		}
		if out[name] == nil {
			return nil, fmt.Errorf("subgraph: %s has no key", name)
		}
	}
	return out, nil
}

// Faults lists in sentences what is wrong with the keys of a contract: more than one form for a type, a key on a type that nobody can ask for, one that
// could be null. One form for each type is the rule of this house; a Keys copes with several.
func Faults(contract *ast.Schema) (out []string) {
	keys, err := KeysOf(contract)
	if err != nil {
		return []string{err.Error()}
	}
	for name, def := range contract.Types {
		all := def.Directives.ForNames("key")
		switch {
		case len(all) > 1:
			out = append(out, name+" has more than one key")
		case len(all) == 1 && keys[name] == nil:
			out = append(out, name+" has a key, and nobody can ask for it")
		case len(all) == 1:
			for _, p := range keys[name][0].fields {
				if !def.Fields.ForName(p.name).Type.NonNull {
					out = append(out, name+"."+p.name+" is a key and may be null")
				}
			}
		}
	}
	slices.Sort(out)
	return out
}
