// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"context"
	"strconv"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/ozg-cloud/platform/authz"
)

// rightsVersion adds to the answer of a mutation the version of all rights by which it was decided (extensions.rightsVersion).
func rightsVersion(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	answer := next(ctx)
	if o := graphql.GetOperationContext(ctx).Operation; answer == nil || o == nil || o.Operation != ast.Mutation {
		return answer
	}
	// Whoever had to be renewed on the way sits there now.
	if p, err := authz.From(ctx); err == nil && p.Version > 0 {
		if answer.Extensions == nil {
			answer.Extensions = map[string]any{}
		}
		answer.Extensions["rightsVersion"] = strconv.FormatInt(p.Version, 10)
	}
	return answer
}
