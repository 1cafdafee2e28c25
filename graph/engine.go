// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"log/slog"

	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/ozg-cloud/platform/graph/generated"
)

// documents is how many parsed and validated documents are kept.
const documents = 1000

// Engine executes operations of the contract on the resolvers. Limits on documents are the front door's business.
func Engine(r *Resolver, log *slog.Logger) *executor.Executor {
	e := executor.New(generated.NewExecutableSchema(generated.Config{Resolvers: r}))
	e.SetQueryCache(lru.New[*ast.QueryDocument](documents))
	e.SetErrorPresenter(Failure(log))
	e.SetRecoverFunc(Recovered)
	return e
}
