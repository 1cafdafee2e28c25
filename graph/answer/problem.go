// SPDX-License-Identifier: EUPL-1.2

package answer

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"github.com/ozg-cloud/platform/graph/model"
	"github.com/ozg-cloud/platform/internal/problem"
)

// Problem is an expected failure as data. Every union of a verb's problems is this one interface.
type Problem interface{ isProblem() }

// Refused is the payload of a verb that a problem stopped. A problem of another kind than those of the contract gives false:
// it is an error of the request.
func Refused(p *problem.Problem) (*Payload, bool) {
	var as Problem
	s := stated{p}
	switch {
	case p.Kind == problem.Invalid:
		as = ValidationProblem{s}
	case p.Kind == problem.Missing:
		as = NotFoundProblem{s}
	case p.Kind == problem.Forbidden:
		as = ForbiddenProblem{s}
	case p.Kind == problem.Conflict && p.Rule == "invalidTransition":
		as = InvalidTransitionProblem{s}
	case p.Kind == problem.Conflict:
		as = ConflictProblem{s}
	default:
		return nil, false
	}
	return &Payload{Problems: []Problem{as}}, true
}

// ValidationProblem says that a value of the input is wrong.
type ValidationProblem struct{ stated }

// NotFoundProblem says that something is not there or not visible.
type NotFoundProblem struct{ stated }

// ForbiddenProblem says that the caller may not do this.
type ForbiddenProblem struct{ stated }

// ConflictProblem says that somebody was faster, or the time for this is over.
type ConflictProblem struct{ stated }

// InvalidTransitionProblem says that the states of a case have no such way.
type InvalidTransitionProblem struct{ stated }

// stated gives the fields of the contract from a problem.
type stated struct{ p *problem.Problem }

func (stated) isProblem() {}

func (s stated) Code() model.ProblemCode          { return model.ProblemCode(s.p.Code()) }
func (s stated) Type() string                     { return s.p.TypeURI() }
func (s stated) Title(ctx context.Context) string { return s.p.Title(Language(ctx)) }
func (s stated) Rule() string                     { return s.p.Rule }
func (s stated) Path() []string                   { return append([]string{}, s.p.Path...) }
func (s stated) Action() string                   { return s.p.Action }
func (s stated) Object() string                   { return s.p.Object }
func (s stated) From() model.CaseState            { return model.CaseState(s.p.From) }
func (s stated) To() model.CaseState              { return model.CaseState(s.p.To) }

// CurrentRevision is nil where the conflict is not about a revision.
func (s stated) CurrentRevision() *int {
	if s.p.CurrentRevision == 0 {
		return nil
	}
	return &s.p.CurrentRevision
}

// Allowed lists the states that can be reached.
func (s stated) Allowed() []model.CaseState {
	out := make([]model.CaseState, 0, len(s.p.Allowed))
	for _, a := range s.p.Allowed {
		out = append(out, model.CaseState(a))
	}
	return out
}

// Language is the language that the request prefers, "de" or "en".
func Language(ctx context.Context) string {
	if !graphql.HasOperationContext(ctx) {
		return "en"
	}
	return problem.Language(graphql.GetOperationContext(ctx).Headers.Get("Accept-Language"))
}
