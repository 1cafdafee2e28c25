// SPDX-License-Identifier: EUPL-1.2

package partners

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/ozg-cloud/platform/internal/problem"
)

const (
	// longestDocument is in bytes.
	longestDocument = 50_000
	// mostTokens is as many as the front door reads.
	mostTokens = 1000
	// pageLength is how many things an export asks for at once: as many as anybody gets.
	pageLength = "100"
	// nextPage, behind and upToNow name what is added to documents.
	nextPage = "ozgPage"
	behind   = "ozgAfter"
	upToNow  = "ozgCaughtUp"
)

// only gives the one operation of a document and the one field at its root. Whether they fit the contract is asked of the engine.
func only(document string, kind ast.Operation) (*ast.QueryDocument, *ast.Field, error) {
	if len(document) > longestDocument {
		return nil, nil, problem.New(problem.Invalid, "tooComplex", "input", "document")
	}
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: document}, mostTokens)
	if err != nil {
		return nil, nil, problem.New(problem.Invalid, "unreadableDocument", "input", "document")
	}
	wrong := problem.New(problem.Invalid, "unfitDocument", "input", "document")
	if len(doc.Operations) != 1 || doc.Operations[0].Operation != kind || len(doc.Operations[0].VariableDefinitions) > 0 || len(doc.Operations[0].SelectionSet) != 1 {
		return nil, nil, wrong
	}
	field, ok := doc.Operations[0].SelectionSet[0].(*ast.Field)
	if !ok || len(field.Directives) > 0 {
		return nil, nil, wrong
	}
	return doc, field, nil
}

// subscribes refuses what no webhook can be made of: it has to be a subscription of caseEvents alone, without variables, that goes on live and selects
// __typename of each frame, so that the receiver and this house can tell frames apart. Where it begins, the webhook says.
func subscribes(document string) error {
	_, field, err := only(document, ast.Subscription)
	if err != nil {
		return err
	}
	if field.Name != "caseEvents" || field.Arguments.ForName("after") != nil || field.Arguments.ForName("follow") != nil {
		return problem.New(problem.Invalid, "unfitDocument", "input", "document")
	}
	for _, s := range field.SelectionSet {
		if f, ok := s.(*ast.Field); ok && f.Name == "__typename" && f.Alias == f.Name && len(f.Directives) == 0 {
			return nil
		}
	}
	return problem.New(problem.Invalid, "typeNameNeeded", "input", "document")
}

// live turns the document of a webhook into the one that is played: it says of checkpoints, which are not sent, whether everything up to now was told.
func live(document string) (string, error) {
	doc, field, err := only(document, ast.Subscription)
	if err != nil {
		return "", err
	}
	field.SelectionSet = append(field.SelectionSet, &ast.InlineFragment{
		TypeCondition: "StreamCheckpoint", SelectionSet: ast.SelectionSet{&ast.Field{Name: "caughtUp", Alias: upToNow}},
	})
	return written(doc), nil
}

func written(doc *ast.QueryDocument) string {
	var out strings.Builder
	formatter.NewFormatter(&out).FormatQueryDocument(doc)
	return out.String()
}

// pages turns a query of one list into one that asks for a page of it, behind the cursor in the variable ozgAfter. The list has to be one that can be
// read in both directions by anybody, which leaves out the log of events; nothing but nodes may be selected of it, so that no line is lost.
func pages(document string, contract *ast.Schema) (string, error) {
	doc, field, err := only(document, ast.Query)
	if err != nil {
		return "", err
	}
	wrong := problem.New(problem.Invalid, "unfitDocument", "input", "document")
	def := contract.Query.Fields.ForName(field.Name)
	if def == nil || !strings.HasSuffix(def.Type.Name(), "Connection") || def.Arguments.ForName("last") == nil {
		return "", wrong
	}
	for _, a := range []string{"first", "after", "last", "before"} {
		if field.Arguments.ForName(a) != nil {
			return "", wrong
		}
	}
	if len(field.SelectionSet) != 1 {
		return "", wrong
	}
	nodes, ok := field.SelectionSet[0].(*ast.Field)
	if !ok || nodes.Name != "nodes" || nodes.Alias != nodes.Name || len(nodes.Directives) > 0 {
		return "", wrong
	}
	doc.Operations[0].VariableDefinitions = ast.VariableDefinitionList{{Variable: behind, Type: ast.NamedType("Cursor", nil)}}
	field.Arguments = append(field.Arguments,
		&ast.Argument{Name: "first", Value: &ast.Value{Raw: pageLength, Kind: ast.IntValue}},
		&ast.Argument{Name: "after", Value: &ast.Value{Raw: behind, Kind: ast.Variable}},
	)
	leaf := func(name string) *ast.Field { return &ast.Field{Name: name, Alias: name} }
	field.SelectionSet = append(field.SelectionSet, &ast.Field{Name: "pageInfo", Alias: nextPage, SelectionSet: ast.SelectionSet{leaf("hasNextPage"), leaf("endCursor")}})
	return written(doc), nil
}
