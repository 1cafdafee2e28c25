// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/99designs/gqlgen/graphql"

	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/once"
)

// saidAgain tells the desks under which key a verb may be said again, where it has one: that of the directive idempotent, or that of the header
// Idempotency-Key together with the name of the field in the answer. A submission has a key of its own, its transactionId.
func saidAgain(ctx context.Context, next graphql.Resolver) (any, error) {
	field := graphql.GetFieldContext(ctx)
	if field.Object != "Mutation" || field.Field.Name == "submitApplication" {
		return next(ctx)
	}
	key, given, err := keyOf(ctx, field)
	if err != nil {
		return nil, err
	}
	if !given {
		return next(ctx)
	}
	input, err := json.Marshal(field.Args)
	if err != nil {
		return nil, fmt.Errorf("graph: writing down what is asked: %w", err)
	}
	sum := sha256.Sum256(append([]byte(field.Field.Name+" "), input...))
	return next(once.With(ctx, once.Request{Key: key, Hash: hex.EncodeToString(sum[:])}))
}

func keyOf(ctx context.Context, field *graphql.FieldContext) (key string, given bool, err error) {
	operation := graphql.GetOperationContext(ctx)
	if d := field.Field.Directives.ForName("idempotent"); d != nil {
		key, _ = d.ArgumentMap(operation.Variables)["key"].(string) // the contract says that it is a text
		return key, true, printable(key, "key")
	}
	all := operation.Headers.Values("Idempotency-Key")
	if len(all) == 0 {
		return "", false, nil
	}
	if len(all) > 1 {
		return "", false, problem.New(problem.Invalid, "exactlyOne", "Idempotency-Key")
	}
	// The name keeps the verbs of one request apart. A slash is no part of it, so that no two pairs look alike.
	return field.Field.Alias + "/" + all[0], true, printable(all[0], "Idempotency-Key")
}

// longestKey is in characters.
const longestKey = 200

// printable refuses a key that is no text of 1 to 200 printable ASCII characters.
func printable(key string, path ...string) error {
	if key == "" || len(key) > longestKey || strings.ContainsFunc(key, func(c rune) bool { return c < ' ' || c > '~' }) {
		return problem.New(problem.Invalid, "pattern", path...)
	}
	return nil
}
