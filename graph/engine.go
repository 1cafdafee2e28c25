// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"context"
	"log/slog"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/ozg-cloud/platform/extension"
	"github.com/ozg-cloud/platform/extension/inforce"
	"github.com/ozg-cloud/platform/graph/generated"
)

// documents is how many parsed and validated documents are kept of each contract.
const documents = 1000

// Engine executes operations on the resolvers, as far as they are valid in a contract: the whole one, or one of Contracts with what is held to be added to
// the standard house, nil for nothing. The documents that it remembers are valid in this contract alone. Limits on documents are the front door's business.
func Engine(r *Resolver, contract *ast.Schema, held *inforce.Held, log *slog.Logger) *executor.Executor {
	e := executor.New(generated.NewExecutableSchema(generated.Config{Resolvers: r, Schema: contract}))
	e.SetQueryCache(lru.New[*ast.QueryDocument](documents))
	e.SetErrorPresenter(Failure(log))
	e.SetRecoverFunc(Recovered)
	if held == nil {
		held = &inforce.Held{}
	}
	own := &own{chain: held.Chain, subgraph: subgraphOf(contract)}
	e.AroundOperations(func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
		return next(context.WithValue(ctx, ownKey{}, own))
	})
	e.AroundResponses(rightsVersion)
	e.AroundFields(saidAgain)
	e.AroundFields(told)
	e.AroundResponses(streamEnd)
	e.AroundResponses(lastAnswer(Failure(log)))
	return e
}

type ownKey struct{}

// own is what depends on the contract by which an operation was validated.
type own struct {
	chain    extension.Chain
	subgraph *asSubgraph
}

// Added is what the contract of the operation in the context adds to the standard house: as long as the operation lasts it is that by which it was
// validated, whatever comes into force meanwhile.
func Added(ctx context.Context) extension.Chain {
	if own, ok := ctx.Value(ownKey{}).(*own); ok {
		return own.chain
	}
	return nil
}
