// SPDX-License-Identifier: EUPL-1.2

//go:build ignore

// The printing press of the contract: go generate ./graph prints graph/generated and graph/model out of schema/*.graphql.
//
// Before printing it turns every type that is stored, with what hangs on it, into a scalar of the Go type reading.Value:
// the resolver of such a field hands the selection to reading. The contract that is served stays as written.
package main

import (
	"log"
	"os"
	"strings"

	"github.com/99designs/gqlgen/api"
	"github.com/99designs/gqlgen/codegen"
	"github.com/99designs/gqlgen/codegen/config"
	"github.com/99designs/gqlgen/plugin/modelgen"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/ozg-cloud/platform/ent/catalog"
)

const house = "github.com/ozg-cloud/platform/"

func main() {
	if err := os.Chdir(".."); err != nil { // go generate runs in graph, the paths of gqlgen.yml begin one above
		log.Fatal(err)
	}
	cfg, err := config.LoadConfig("gqlgen.yml")
	if err != nil {
		log.Fatalf("printing the contract: %v", err)
	}
	if err := api.Generate(cfg, api.NoPlugins(), api.AddPlugin(press{cfg}), api.AddPlugin(modelgen.New())); err != nil {
		log.Fatalf("printing the contract: %v", err)
	}
}

type press struct{ cfg *config.Config }

func (press) Name() string { return "stored types to scalars" }

func (p press) MutateSchema(s *ast.Schema) error {
	stored := map[string]bool{"Node": true, "_Entity": true}
	for name := range catalog.Types {
		mark(s, name, stored)
	}
	for _, name := range []string{"CaseEventConnection", "CaseStreamFrame", "MessageStreamFrame", "WorkListStreamFrame"} { // the log is stored as well
		mark(s, name, stored)
	}
	arguments := map[string]bool{}
	for name, def := range s.Types {
		for _, f := range def.Fields {
			if stored[name] || stored[f.Type.Name()] {
				for _, a := range f.Arguments {
					markInput(s, a.Type.Name(), arguments)
				}
			}
		}
	}
	for name := range stored {
		def := s.Types[name]
		if def == nil {
			continue // not in the contract yet
		}
		def.Kind, def.Fields, def.Interfaces, def.Types = ast.Scalar, nil, nil, nil
		delete(s.PossibleTypes, name)
		if strings.HasSuffix(name, "StreamFrame") {
			p.bind(name, house+"reading.Frame")
		} else {
			p.bind(name, house+"reading.Value")
		}
	}
	for name := range arguments {
		def := s.Types[name]
		def.Kind, def.Fields = ast.Scalar, nil
		p.bind(name, "github.com/99designs/gqlgen/graphql.Map")
	}
	for name, def := range s.Types {
		switch {
		case def.BuiltIn:
		case strings.HasSuffix(name, "Payload"):
			p.bind(name, house+"graph/answer.Payload")
		case strings.HasSuffix(name, "Problem") && def.Kind == ast.Object:
			p.bind(name, house+"graph/answer."+name)
		case strings.HasSuffix(name, "Problem"): // the interface and the unions of each verb
			p.bind(name, house+"graph/answer.Problem")
		}
	}
	return nil
}

// GenerateCode lets the doors for gateways have resolvers as everything else has: gqlgen itself would want them from its federation plugin, which finds
// by the first representation and puts by place (docs/decisions/0031).
func (press) GenerateCode(d *codegen.Data) error {
	for _, f := range d.QueryRoot.Fields {
		if name := map[string]string{"_entities": "Entities", "_service": "Subgraph"}[f.Name]; name != "" {
			f.IsResolver, f.NoErr, f.GoFieldName = true, false, name
		}
	}
	return nil
}

// mark collects a type and every object, interface and union that can be reached from it.
func mark(s *ast.Schema, name string, seen map[string]bool) {
	def := s.Types[name]
	if def == nil || seen[name] {
		return
	}
	switch def.Kind {
	case ast.Object, ast.Interface, ast.Union:
	default:
		return
	}
	seen[name] = true
	for _, f := range def.Fields {
		mark(s, f.Type.Name(), seen)
	}
	for _, t := range def.Types {
		mark(s, t, seen)
	}
	// The connections of a type are found by name, so that those used by a root field alone are found too.
	mark(s, name+"Connection", seen)
}

func markInput(s *ast.Schema, name string, seen map[string]bool) {
	def := s.Types[name]
	if def == nil || def.Kind != ast.InputObject || seen[name] {
		return
	}
	seen[name] = true
	for _, f := range def.Fields {
		markInput(s, f.Type.Name(), seen)
	}
}

func (p press) bind(name, model string) {
	p.cfg.Models[name] = config.TypeMapEntry{Model: config.StringList{model}}
}
