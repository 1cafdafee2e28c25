// SPDX-License-Identifier: EUPL-1.2

// Program products is the subgraph that Apollo's suite for subgraphs wants to examine: its products, behind the guard of this house. It is for
// make conformance-federation alone, knows no rights, and its contract has more forms of keys than this house allows itself.
//
//	products CONTRACT    the contract is the products.graphql of the suite; prints its address on 127.0.0.1
package main

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator"

	"github.com/ozg-cloud/platform/federation/subgraph"
)

// machinery is what a library adds to the contract of a subgraph.
const machinery = `
	directive @link(url: String!, import: [String!]) repeatable on SCHEMA
	directive @composeDirective(name: String!) on SCHEMA
	directive @key(fields: String!) repeatable on OBJECT
	directive @interfaceObject on OBJECT
	directive @shareable on OBJECT
	directive @inaccessible on FIELD_DEFINITION
	directive @tag(name: String!) on FIELD_DEFINITION
	directive @override(from: String!) on FIELD_DEFINITION
	directive @external on FIELD_DEFINITION
	directive @provides(fields: String!) on FIELD_DEFINITION
	directive @requires(fields: String!) on FIELD_DEFINITION
	scalar _Any
	union _Entity = DeprecatedProduct | Inventory | Product | ProductResearch | User
	type _Service { sdl: String! }
	extend type Query { _entities(representations: [_Any!]!): [_Entity]! _service: _Service! }`

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1) //nolint:forbidigo // this is a main
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return errors.New("usage: products CONTRACT")
	}
	text, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	s, err := newShop(string(text))
	if err != nil {
		return err
	}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stdout, "http://%s/\n", l.Addr())
	return (&http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}).Serve(l)
}

// shop answers operations on the products.
type shop struct {
	text   string
	schema *ast.Schema
	keys   subgraph.Keys
}

func newShop(text string) (*shop, error) {
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: "products", Input: text}, &ast.Source{Name: "machinery", Input: machinery})
	if err != nil {
		return nil, fmt.Errorf("products: reading the contract: %w", err)
	}
	keys, err := subgraph.KeysOf(schema)
	return &shop{text, schema, keys}, err
}

// ServeHTTP answers one operation.
func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	begun := time.Now()
	var asked struct {
		Query         string
		OperationName string
		Variables     map[string]any
	}
	answer := map[string]any{}
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&asked)
	if err == nil {
		answer["data"], err = s.answer(asked.Query, asked.OperationName, asked.Variables)
	}
	if err != nil {
		answer["errors"] = []any{map[string]any{"message": err.Error()}}
	}
	if r.Header.Get("Apollo-Federation-Include-Trace") == "ftv1" {
		answer["extensions"] = map[string]any{"ftv1": base64.StdEncoding.EncodeToString(trace(begun, time.Now()))}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer) // who has gone needs no answer
}

func (s *shop) answer(query, name string, variables map[string]any) (any, error) {
	doc, errs := gqlparser.LoadQuery(s.schema, query) //nolint:staticcheck // the suite asks by the usual rules
	if len(errs) > 0 {
		return nil, errs
	}
	op := doc.Operations.ForName(name)
	if op == nil {
		return nil, gqlerror.Errorf("there is no such operation")
	}
	variables, err := validator.VariableValues(s.schema, op, variables)
	if err != nil {
		return nil, err
	}
	return (&walk{s, doc, variables}).object(op.SelectionSet, "Query", map[string]any{})
}

// walk carries out one operation.
type walk struct {
	*shop
	doc       *ast.QueryDocument
	variables map[string]any
}

func (w *walk) object(set ast.SelectionSet, typ string, of map[string]any) (map[string]any, error) {
	out := map[string]any{}
	for _, selection := range set {
		var inner ast.SelectionSet
		switch n := selection.(type) {
		case *ast.InlineFragment:
			if inner = n.SelectionSet; n.TypeCondition != "" && n.TypeCondition != typ && n.TypeCondition != "_Entity" {
				continue
			}
		case *ast.FragmentSpread:
			def := w.doc.Fragments.ForName(n.Name)
			if inner = def.SelectionSet; def.TypeCondition != typ && def.TypeCondition != "_Entity" {
				continue
			}
		case *ast.Field:
			v, err := w.field(n, typ, of)
			if err != nil {
				return nil, err
			}
			out[n.Alias] = v
			continue
		}
		more, err := w.object(inner, typ, of)
		if err != nil {
			return nil, err
		}
		maps.Copy(out, more)
	}
	return out, nil
}

func (w *walk) field(f *ast.Field, typ string, of map[string]any) (any, error) {
	args := f.ArgumentMap(w.variables)
	switch typ + "." + f.Name {
	case typ + ".__typename":
		return typ, nil
	case "Query._service":
		return w.object(f.SelectionSet, "_Service", map[string]any{"sdl": w.text})
	case "Query._entities":
		found, err := w.entities(args["representations"])
		if err != nil {
			return nil, err
		}
		return w.value(f.SelectionSet, "", found)
	case "Query.product":
		return w.value(f.SelectionSet, "Product", first(products, "id", args))
	case "Query.deprecatedProduct":
		return w.value(f.SelectionSet, "DeprecatedProduct", first(deprecated, "sku", args))
	}
	return w.value(f.SelectionSet, f.Definition.Type.Name(), of[f.Name])
}

// value is what a field shows; things tell their type where the field does not.
func (w *walk) value(set ast.SelectionSet, typ string, v any) (any, error) {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			var err error
			if out[i], err = w.value(set, typ, e); err != nil {
				return nil, err
			}
		}
		return out, nil
	case map[string]any:
		if v == nil {
			return nil, nil //nolint:nilnil // null
		}
		if typ == "" {
			typ, _ = v["__typename"].(string)
		}
		return w.object(set, typ, v)
	}
	return v, nil
}

// entities finds what is asked for by keys, in any order: the guard puts it where it belongs.
func (w *walk) entities(representations any) ([]any, error) {
	var list []map[string]any
	all, _ := representations.([]any)
	for _, r := range all {
		m, _ := r.(map[string]any)
		list = append(list, m)
	}
	groups, err := w.keys.Groups(list, subgraph.Most)
	if err != nil {
		return nil, err
	}
	found, err := subgraph.Answer(len(list), groups, func(g subgraph.Group) (out []subgraph.Found[map[string]any], err error) {
		for _, thing := range things(g.Type) {
			key, ok := g.Form.Key(thing)
			for _, s := range g.Sought {
				if ok && key == s.Key {
					out = append(out, subgraph.Found[map[string]any]{Key: key, Value: known(g.Type, thing, s.Representation)})
				}
			}
		}
		return out, nil
	})
	out := make([]any, len(found))
	for i, f := range found {
		if f != nil {
			out[i] = f
		}
	}
	return out, err
}

// trace is the least that the suite takes for a trace: a message Trace of Apollo's reports with its two instants and the time between them.
func trace(begun, ended time.Time) []byte {
	instant := func(t time.Time) []byte {
		return number(2, uint64(t.Nanosecond()), number(1, uint64(t.Unix()), nil)) //nolint:gosec // after 1970
	}
	within := func(field byte, message, dst []byte) []byte {
		return append(append(dst, field<<3|2, byte(len(message))), message...) //nolint:gosec // two numbers
	}
	out := within(4, instant(begun), nil)
	out = within(3, instant(ended), out)
	return number(11, uint64(ended.Sub(begun)), out) //nolint:gosec // time goes forward
}

func number(field byte, v uint64, dst []byte) []byte {
	return binary.AppendUvarint(append(dst, field<<3), v)
}
