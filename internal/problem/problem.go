// SPDX-License-Identifier: EUPL-1.2

// Package problem holds the one kind of error that a caller may hear of.
// How a problem is put into an answer does not belong here: graph and web each have one exit that does it.
package problem

import (
	"errors"
	"fmt"
)

// Kind says what sort of refusal a problem is. It decides the code in GraphQL and the status in HTTP.
type Kind string

// The kinds. There are no others: whatever does not fit is an internal error, logged once and shown as a reference number.
const (
	Invalid         Kind = "invalid"         // the input breaks a rule
	Unauthenticated Kind = "unauthenticated" // nobody, or nobody we know, is asking
	Forbidden       Kind = "forbidden"       // visible, but this caller may not do that
	Missing         Kind = "missing"         // not there or not visible, never told which
	Conflict        Kind = "conflict"        // true once, but not any more: revision, transition, repeated key
	Busy            Kind = "busy"            // try again later

	// Internal is what the exits in graph and web show of an error that is nobody else's business. Rooms never make one.
	Internal Kind = "internal"
)

// Problem is an error that a caller may hear of. It holds no personal data, and nothing that the caller
// sent but the path to it.
type Problem struct {
	Kind Kind
	// Rule is the stable name of what was broken, for machines: "maxLength", "unknownService".
	// Its sentences stand in texts.go; a rule without them does not pass the test.
	Rule string
	// Path leads into the input, e.g. input, formData, 0, name.
	Path []string

	// ID is the global id that was asked for (Missing), as the caller sent it.
	ID string
	// Action and Object name what was refused (Forbidden).
	Action, Object string
	// CurrentRevision is the revision that the case has now (Conflict with rule staleRevision).
	CurrentRevision int
	// From, To and Allowed are states of a case (Conflict with rule invalidTransition).
	From, To string
	Allowed  []string
	// RetryAfterSeconds is set for Busy.
	RetryAfterSeconds int
}

// Error gives kind and rule, for logs. People read Title.
func (p *Problem) Error() string {
	if len(p.Path) == 0 {
		return fmt.Sprintf("%s: %s", p.Kind, p.Rule)
	}
	return fmt.Sprintf("%s: %s at %v", p.Kind, p.Rule, p.Path)
}

// Is makes errors.Is match on the kind and, where the target names one, on the rule.
func (p *Problem) Is(target error) bool {
	t, ok := target.(*Problem)
	return ok && t.Kind == p.Kind && (t.Rule == "" || t.Rule == p.Rule)
}

// New makes a problem of a kind and rule, with the path into the input that it concerns.
func New(kind Kind, rule string, path ...string) *Problem {
	return &Problem{Kind: kind, Rule: rule, Path: path}
}

// Of finds the problem in err, however deeply it is wrapped.
func Of(err error) (*Problem, bool) {
	var p *Problem
	ok := errors.As(err, &p)
	return p, ok
}

// Code is the stable code of the contract's enum ProblemCode.
func (p *Problem) Code() string {
	switch p.Kind {
	case Invalid:
		return "VALIDATION"
	case Unauthenticated:
		return "UNAUTHENTICATED"
	case Forbidden:
		return "FORBIDDEN"
	case Missing:
		return "NOT_FOUND"
	case Conflict:
		if p.Rule == "keyReused" || p.Rule == "transactionReused" {
			return "IDEMPOTENCY_CONFLICT"
		}
		return "CONFLICT"
	case Busy:
		if p.Rule == "quotaExceeded" {
			return "QUOTA_EXCEEDED"
		}
		return "UNAVAILABLE"
	case Internal:
		return "INTERNAL"
	}
	panic("problem: unknown kind " + string(p.Kind))
}

// TypeURI identifies the type of the problem (RFC 9457, section 3.1.1); docs/problems.md explains each rule.
func (p *Problem) TypeURI() string { return "urn:ozg-cloud:problem:" + p.Rule }

// Title is one plain sentence in the language asked for, "de" or else English.
func (p *Problem) Title(language string) string {
	t, ok := texts[p.Rule]
	if !ok {
		t = texts["other"]
	}
	if language == "de" {
		return t.de
	}
	return t.en
}
