// SPDX-License-Identifier: EUPL-1.2

package casework

import (
	"slices"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/internal/problem"
)

// State is where a case stands, as in the contract's enum CaseState.
type State string

// The states of a case.
const (
	New                 State = "NEW"
	Accepted            State = "ACCEPTED"
	InProgress          State = "IN_PROGRESS"
	WaitingForApplicant State = "WAITING_FOR_APPLICANT"
	Forwarded           State = "FORWARDED"
	Decided             State = "DECIDED"
	Closed              State = "CLOSED"
	Discarded           State = "DISCARDED"
	ToBeDeleted         State = "TO_BE_DELETED"
	Erased              State = "ERASED"
)

// Transition is a step from one state to another, as in the contract's enum CaseTransition.
type Transition string

// The transitions.
const (
	Accept           Transition = "ACCEPT"
	Discard          Transition = "DISCARD"
	Start            Transition = "START"
	AskApplicant     Transition = "ASK_APPLICANT"
	ApplicantReplied Transition = "APPLICANT_REPLIED"
	Forward          Transition = "FORWARD"
	ForwardAccepted  Transition = "FORWARD_ACCEPTED"
	ForwardDeclined  Transition = "FORWARD_DECLINED"
	Decide           Transition = "DECIDE"
	DecideByFiction  Transition = "DECIDE_BY_FICTION"
	Close            Transition = "CLOSE"
	Reopen           Transition = "REOPEN"
	Restore          Transition = "RESTORE"
	MarkForDeletion  Transition = "MARK_FOR_DELETION"
	Unmark           Transition = "UNMARK"
	Erase            Transition = "ERASE"
)

// Way is a transition with the states it leads from and to.
type Way struct {
	Transition Transition
	From, To   []State
	// Right is the action of the policy that somebody needs who takes the way by a verb of this desk; empty where no verb takes it yet.
	Right authz.Action
}

// Ways are all there are. Anything else is a problem with the rule invalidTransition.
var Ways = []Way{
	{Accept, []State{New}, []State{Accepted}, "accept"},
	{Discard, []State{New}, []State{Discarded}, "discard"},
	{Start, []State{Accepted, WaitingForApplicant}, []State{InProgress}, "start"},
	{AskApplicant, []State{InProgress}, []State{WaitingForApplicant}, "askApplicant"},
	{ApplicantReplied, []State{WaitingForApplicant}, []State{InProgress}, "reply"},
	{Forward, []State{New, Accepted}, []State{Forwarded}, ""},
	{ForwardAccepted, []State{Forwarded}, []State{ToBeDeleted}, ""},
	{ForwardDeclined, []State{Forwarded}, []State{Accepted}, ""},
	{Decide, []State{InProgress, Decided}, []State{Decided}, "decide"},
	{DecideByFiction, []State{Accepted, InProgress, WaitingForApplicant}, []State{Decided}, ""},
	{Close, []State{Decided}, []State{Closed}, "close"},
	{Reopen, []State{Decided, Closed}, []State{InProgress}, "reopen"},
	{Restore, []State{Discarded}, []State{New}, "restore"},
	{MarkForDeletion, []State{Closed, Discarded}, []State{ToBeDeleted}, ""},
	{Unmark, []State{ToBeDeleted}, []State{Closed, Discarded}, ""},
	{Erase, []State{ToBeDeleted}, []State{Erased}, ""},
}

// Allowed lists the transitions that the state leaves open and that the principal may bring about by a verb, in the order of Ways.
func Allowed(p *authz.Principal, in State, at authz.Target) []Transition {
	var out []Transition
	for _, w := range Ways {
		if w.Right != "" && slices.Contains(w.From, in) && p.May("case", w.Right, at) {
			out = append(out, w.Transition)
		}
	}
	return out
}

// next is the state that a transition leads to. The problem names every state that can be reached from where the case is.
func next(t Transition, in State) (State, error) {
	var reachable []string
	var wanted State
	for _, w := range Ways {
		if w.Transition == t {
			if wanted = w.To[0]; slices.Contains(w.From, in) {
				return wanted, nil
			}
		}
		if slices.Contains(w.From, in) {
			for _, to := range w.To {
				if !slices.Contains(reachable, string(to)) {
					reachable = append(reachable, string(to))
				}
			}
		}
	}
	return "", &problem.Problem{Kind: problem.Conflict, Rule: "invalidTransition", From: string(in), To: string(wanted), Allowed: reachable}
}

// finished tells whether nothing but a transition may change a case in this state.
func finished(s State) bool {
	return s == Closed || s == Discarded || s == ToBeDeleted || s == Erased
}
