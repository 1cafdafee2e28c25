// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"bytes"
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// stopKey is where what stopped a stream lies in its operation, once the stream is closed.
const stopKey = "ozg stream stopped"

// stopped says why a stream ends that has no frame for it. It is called before the stream is closed.
func stopped(ctx context.Context, err error) {
	graphql.GetOperationContext(ctx).Stats.SetExtension(stopKey, err)
}

// lastAnswer tells, behind the last answer of a stream, what stopped it.
func lastAnswer(show graphql.ErrorPresenterFunc) graphql.ResponseMiddleware {
	return func(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
		answer := next(ctx)
		op := graphql.GetOperationContext(ctx)
		if answer != nil || op.Operation == nil || op.Operation.Operation != ast.Subscription {
			return answer
		}
		err, ok := op.Stats.GetExtension(stopKey).(error)
		if !ok {
			return nil
		}
		op.Stats.SetExtension(stopKey, nil)
		return &graphql.Response{Data: []byte("null"), Errors: gqlerror.List{show(ctx, err)}}
	}
}

// streamEnd gives the last answer of a stream that something stopped the form of the specification: a field that is never null makes what is around it null.
// The printed code asks for that before a stream begins, and not of what it tells.
func streamEnd(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	answer := next(ctx)
	if answer != nil && len(answer.Errors) > 0 && graphql.GetOperationContext(ctx).Operation.Operation == ast.Subscription && bytes.HasSuffix(answer.Data, []byte(":null}")) {
		answer.Data = []byte("null")
	}
	return answer
}
