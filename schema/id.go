// SPDX-License-Identifier: EUPL-1.2

// Package schema holds the contract that portals and partners build on, and the form of its global ids.
// How the contract is carried out does not belong here.
package schema

import (
	"embed"
	"encoding/base64"
	"fmt"
	"io/fs"
	"strings"
	"sync"

	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
)

//go:embed *.graphql
var files embed.FS

// Sources are the files of the contract, in the order of their names.
func Sources() []*ast.Source {
	names, err := fs.Glob(files, "*.graphql")
	if err != nil {
		panic(err) // the pattern is a constant
	}
	var out []*ast.Source
	for _, n := range names {
		text, err := fs.ReadFile(files, n)
		if err != nil {
			panic(err) // embedded
		}
		out = append(out, &ast.Source{Name: n, Input: string(text)})
	}
	return out
}

// Load parses and checks the contract.
func Load() (*ast.Schema, error) {
	s, err := gqlparser.LoadSchema(Sources()...)
	if err != nil {
		return nil, fmt.Errorf("loading the contract: %w", err)
	}
	return s, nil
}

// SDL is the contract as one text, as /schema.graphql serves it: each type whole in one place, since not every tool of clients reads extensions.
var SDL = sync.OnceValue(func() string {
	s, err := Load()
	if err != nil {
		panic(err) // embedded
	}
	return Print(s)
})

// Print gives a contract that was made of this one as text, its definitions in the order of their names.
func Print(s *ast.Schema) string {
	var b strings.Builder
	formatter.NewFormatter(&b, formatter.WithIndent("  ")).FormatSchema(s)
	return b.String()
}

// idLength is the length of a global id as text: 17 bytes in base64.
const idLength = 23

// AppendID appends the global id of a thing of the type with this number: URL-safe base64 of the number and the UUID.
func AppendID(dst []byte, number byte, id [16]byte) []byte {
	var raw [17]byte
	raw[0] = number
	copy(raw[1:], id[:])
	return base64.RawURLEncoding.AppendEncode(dst, raw[:])
}

// ID is the global id of a thing of the type with this number.
func ID(number byte, id uuid.UUID) string { return string(AppendID(nil, number, id)) }

// ParseID takes a global id apart. A text that is none gives false, as does an encoding that is not the canonical one.
func ParseID(text string) (number byte, id uuid.UUID, ok bool) {
	if len(text) != idLength {
		return 0, uuid.UUID{}, false
	}
	var raw [18]byte
	n, err := base64.RawURLEncoding.Strict().Decode(raw[:], []byte(text))
	if err != nil || n != 17 {
		return 0, uuid.UUID{}, false
	}
	copy(id[:], raw[1:17])
	return raw[0], id, true
}
