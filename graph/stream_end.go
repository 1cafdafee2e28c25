// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"bytes"
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// streamEnd gives the last answer of a stream that something stopped the form of the specification: a field that is never null makes what is around it null.
// The printed code asks for that before a stream begins, and not of what it tells.
func streamEnd(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	answer := next(ctx)
	if answer != nil && len(answer.Errors) > 0 && graphql.GetOperationContext(ctx).Operation.Operation == ast.Subscription && bytes.HasSuffix(answer.Data, []byte(":null}")) {
		answer.Data = []byte("null")
	}
	return answer
}
