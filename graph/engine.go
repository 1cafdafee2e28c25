// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"log/slog"

	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/ozg-cloud/platform/graph/generated"
)

// documents is how many parsed and validated documents are kept of each contract.
const documents = 1000

// Engine executes operations on the resolvers, as far as they are valid in a contract: the whole one, or one of Contracts.
// The documents that it remembers are valid in this contract alone. Limits on documents are the front door's business.
func Engine(r *Resolver, contract *ast.Schema, log *slog.Logger) *executor.Executor {
	e := executor.New(generated.NewExecutableSchema(generated.Config{Resolvers: r, Schema: contract}))
	e.SetQueryCache(lru.New[*ast.QueryDocument](documents))
	e.SetErrorPresenter(Failure(log))
	e.SetRecoverFunc(Recovered)
	e.AroundResponses(rightsVersion)
	e.AroundFields(saidAgain)
	e.AroundResponses(streamEnd)
	return e
}
