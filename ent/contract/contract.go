// SPDX-License-Identifier: EUPL-1.2

// Package contract carries the annotation that ties an entity of the store to its type in the contract.
// What that type looks like does not belong here: schema/*.graphql says it.
package contract

// Type says under which name and number an entity appears in the contract.
// The number is the first byte of every global id of the type: it is never changed and never given away again.
type Type struct {
	Type   string
	Number int
}

// Name is what ent files the annotation under.
func (Type) Name() string { return "Contract" }

// As annotates an entity.
func As(name string, number int) Type { return Type{Type: name, Number: number} }
