// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/ozg-cloud/platform/graph/answer"
	"github.com/ozg-cloud/platform/internal/problem"
)

// Failure turns whatever a resolver returned into the error that the caller sees; it is the one exit for errors in graph.
// A problem shows its code, rule and sentence. Everything else is logged once with a reference number, and the number is shown.
func Failure(log *slog.Logger) graphql.ErrorPresenterFunc {
	return func(ctx context.Context, err error) *gqlerror.Error {
		var ready *gqlerror.Error
		if errors.As(err, &ready) && ready.Err == nil {
			return ready // made by the executor for the caller
		}
		shown := &gqlerror.Error{Path: graphql.GetPath(ctx), Extensions: map[string]any{}}
		if ready != nil && ready.Path != nil {
			shown.Path = ready.Path // reading knows places inside of its answer
		}
		p, ok := problem.Of(err)
		if !ok {
			if p, ok = unfit(ctx, err); ok {
				shown.Path = graphql.GetPath(ctx)
			}
		}
		if !ok {
			reference := newReference()
			log.ErrorContext(ctx, "internal error", "reference", reference, "path", graphql.GetPath(ctx).String(), "error", err)
			p = problem.New(problem.Internal, "internal")
			shown.Extensions["reference"] = reference
		}
		shown.Message = p.Title(answer.Language(ctx))
		shown.Extensions["code"] = p.Code()
		shown.Extensions["rule"] = p.Rule
		if len(p.Path) > 0 {
			shown.Extensions["argument"] = p.Path
		}
		if p.RetryAfterSeconds > 0 {
			shown.Extensions["retryAfter"] = p.RetryAfterSeconds
		}
		return shown
	}
}

// unfit tells whether err says that an argument does not have the type of the contract. Validation leaves some of that to the printed code: an
// object or a list where a scalar belongs, the value of an enum in small letters. The problem has the path to it.
func unfit(ctx context.Context, err error) (*problem.Problem, bool) {
	field := graphql.GetFieldContext(ctx)
	var panicked *panicError
	if field == nil || field.Args != nil || len(field.Field.Definition.Arguments) == 0 || errors.As(err, &panicked) {
		return nil, false // the arguments have been read, or something else went wrong while they were
	}
	p := problem.New(problem.Invalid, "invalidDocument")
	if at, ok := errors.AsType[*gqlerror.Error](err); ok {
		for _, step := range at.Path[min(len(at.Path), len(graphql.GetPath(ctx))):] {
			p.Path = append(p.Path, fmt.Sprint(step))
		}
	}
	return p, true
}

// Recovered turns a panic into an internal error; the executor hands it to Failure.
func Recovered(_ context.Context, panicked any) error {
	return &panicError{panicked}
}

type panicError struct{ value any }

// Error does not show the value: it may hold anything.
func (p *panicError) Error() string {
	if err, ok := p.value.(error); ok {
		return "panic: " + err.Error()
	}
	return "panic"
}

func newReference() string {
	var b [6]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
