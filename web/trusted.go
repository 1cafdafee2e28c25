// SPDX-License-Identifier: EUPL-1.2

package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/ozg-cloud/platform/internal/problem"
)

// request is what a client asks: a document, or the hash of one that was loaded before.
type request struct {
	graphql.RawParams
	hash string
}

// hashIn finds the hash of the document that is asked for: documentId (GraphQL over HTTP), extensions.persistedQuery (Apollo), doc_id (Relay), id
// (graphql-codegen's example). Where there is a document, nobody looks for a hash: none is learnt on the way (no automatic persisted queries).
func hashIn(given, extensions map[string]any) string {
	persisted, _ := extensions["persistedQuery"].(map[string]any)
	for _, v := range []any{given["documentId"], persisted["sha256Hash"], given["doc_id"], given["id"]} {
		if hash, ok := v.(string); ok {
			return hash
		}
	}
	return ""
}

// find puts the document into a request that names one, and refuses one that was not loaded for who asks. A document is trusted by what it says, however it came.
func (d *Door) find(ctx context.Context, q *request) error {
	switch {
	case q.hash != "":
		text, known := d.trusted(ctx, q.hash)
		if !known {
			return problem.New(problem.Invalid, "unknownDocument")
		}
		q.Query = text
	case d.o.TrustedOnly:
		sum := sha256.Sum256([]byte(q.Query))
		if _, known := d.trusted(ctx, hex.EncodeToString(sum[:])); !known {
			return problem.New(problem.Invalid, "untrustedDocument")
		}
	}
	return nil
}

func (d *Door) trusted(ctx context.Context, hash string) (string, bool) {
	if d.o.Documents == nil {
		return "", false
	}
	return d.o.Documents(ctx, hash)
}

// Fits says what keeps a document from being trusted: it cannot be read, is beyond a limit in one of its operations, or does not fit the contract.
// The cost of an operation with variables is left open: how long its lists are is known when it is asked.
func (g *Guard) Fits(text string) error {
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: text}, g.limits.Tokens)
	if err != nil {
		return fmt.Errorf("it cannot be read: %w", err)
	}
	if len(doc.Operations) == 0 {
		return errors.New("it has no operation")
	}
	for _, o := range doc.Operations { // before validation, whose time grows with the square of what is bounded here
		_, err := g.Measure(&graphql.RawParams{Query: text, OperationName: o.Name})
		if p, ok := problem.Of(err); ok && p.Rule == "tooCostly" && len(o.VariableDefinitions) > 0 {
			continue
		}
		if err != nil {
			return fmt.Errorf("%s is beyond the limits: %w", o.Name, err)
		}
	}
	if found := validator.ValidateWithRules(g.schema, doc, rules.NewDefaultRules()); len(found) > 0 {
		return fmt.Errorf("it does not fit the contract: %w", found)
	}
	return nil
}

// Warm lets an engine read and validate so many documents before somebody asks for them. What is wrong with one is told when it is asked.
func (e Engine) Warm(ctx context.Context, documents iter.Seq[string], most int) {
	for text := range documents {
		if most--; most < 0 || ctx.Err() != nil {
			return
		}
		_, _ = e.Executor.CreateOperationContext(graphql.StartOperationTrace(ctx), &graphql.RawParams{Query: text})
	}
}
