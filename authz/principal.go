// SPDX-License-Identifier: EUPL-1.2

package authz

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/internal/problem"
)

// Object is a thing of the policy, "case", or a field of one, "message.body".
type Object string

// Action is what somebody does to an object.
type Action string

// Read is the action that rows and fields are asked for.
const Read Action = "read"

// Role is a name that the policy knows, without the prefix.
type Role string

// TrustLevel says how sure somebody's identity is (Vertrauensniveau).
type TrustLevel string

// The trust levels of the BundID, from weak to strong.
const (
	Basic       TrustLevel = "BASIC"
	Substantial TrustLevel = "SUBSTANTIAL"
	High        TrustLevel = "HIGH"
)

// TenantRef is what a principal knows of a tenant.
type TenantRef struct {
	ID    uuid.UUID
	Slug  string
	Kind  TenantKind
	Place Place
}

// Assignment gives a role at a tenant.
type Assignment struct {
	Role     Role
	Tenant   TenantRef
	Units    []uuid.UUID // the unit that it is narrowed to, and all below; nil: not narrowed
	Services []uuid.UUID // the services that it is narrowed to; nil: none are named
}

// Principal is who is asking, with everything that decides what is answered. It never changes once made.
type Principal struct {
	Subject     string // user:<issuer>:<sub>, or a name out of system.go
	TrustLevel  TrustLevel
	Assignments []Assignment
	ExpiresAt   time.Time // of the token; zero for system principals
	// Version is that of all rights in the house when these were read: it rises with every change of anybody's. Zero stands for a principal
	// whose rights never change, as a system principal.
	Version int64

	classOf map[right]int // of the policy
	rows    []Rows        // of each class
	scope   Scope
	system  bool
	clerk   *Place
	renew   func(ctx context.Context, atLeast int64) (*Principal, error)
}

// SignedInUntil is when the sign-in ends: half a minute after the token, for which clocks may be apart and a new one may be fetched. The zero time: never.
func (p *Principal) SignedInUntil() time.Time {
	if p.ExpiresAt.IsZero() {
		return time.Time{}
	}
	return p.ExpiresAt.Add(leeway)
}

// Rows says which rows somebody may see or act on: those that meet at least one of the conditions. None at all is nothing.
type Rows struct{ Any []Condition }

// Condition is met by a row that meets all of its parts.
type Condition struct {
	Place             Interval
	Units             []uuid.UUID // nil: any
	Services          []uuid.UUID // nil: any
	Owner             string      // empty: anybody's
	ViaPointOfContact bool        // false: either way
}

// Target is the row that a right is asked for.
type Target struct {
	Place             Place
	Unit, Service     uuid.UUID // zero: none
	Owner             string
	ViaPointOfContact bool
}

func (c *Condition) meets(t *Target) bool {
	return c.Place.Contains(t.Place) &&
		(c.Owner == "" || c.Owner == t.Owner) &&
		(!c.ViaPointOfContact || t.ViaPointOfContact) &&
		(c.Units == nil || slices.Contains(c.Units, t.Unit)) &&
		(c.Services == nil || slices.Contains(c.Services, t.Service))
}

// Contains tells whether a row is among them.
func (r Rows) Contains(t Target) bool {
	for i := range r.Any {
		if r.Any[i].meets(&t) {
			return true
		}
	}
	return false
}

// Rights names all that a principal may do and see, and who it is: it is equal only for one and the same, however often that signs in, and after a change of
// rights it is another one. It says nothing else.
type Rights struct {
	rows  *Rows
	clerk *Place
}

// Rights gives the name of the principal's rights; ok is false for a system principal, whose rights have none.
func (p *Principal) Rights() (name Rights, ok bool) {
	if p.system || len(p.rows) == 0 {
		return Rights{}, false
	}
	return Rights{&p.rows[0], p.clerk}, true
}

// Rows are the rows of an object that the principal may read.
func (p *Principal) Rows(object Object) Rows { return p.held(object, Read) }

func (p *Principal) held(object Object, action Action) Rows {
	class, ok := p.classOf[right{object, action}]
	if !ok {
		return Rows{}
	}
	return p.rows[class]
}

// May tells whether the principal may do something to a row.
func (p *Principal) May(object Object, action Action, at Target) bool {
	return p.held(object, action).Contains(at)
}

// MayAnywhere tells whether there is any row at all that the principal may do something to.
func (p *Principal) MayAnywhere(object Object, action Action) bool {
	return len(p.held(object, action).Any) > 0
}

// Ask is May as an error: a problem of the kind Forbidden that names object and action.
func (p *Principal) Ask(object Object, action Action, at Target) error {
	if p.May(object, action, at) {
		return nil
	}
	return Refusal(object, action)
}

// Refusal is the problem of somebody who has not a right.
func Refusal(object Object, action Action) *problem.Problem {
	return &problem.Problem{Kind: problem.Forbidden, Rule: "notAllowed", Object: string(object), Action: string(action)}
}

// AskToKeep asks for the right to keep something of one's own at a place, such as a webhook, that shows nothing but what its keeper may see at each
// moment: units and services that the right is narrowed to narrow what is shown, and not whether it may be kept. Refused as by Ask.
func (p *Principal) AskToKeep(object Object, action Action, at Place) error {
	for _, c := range p.held(object, action).Any {
		if c.Place.Contains(at) {
			return nil
		}
	}
	return Refusal(object, action)
}

// Scope is what the second wall is entered with: the smallest interval around everything that the principal may touch, and
// for an applicant the own subject. It is coarser than Rows where roles lie apart in the tree; the first wall is exact.
type Scope struct {
	Lo, Hi Place
	Owner  string
}

// Scope gives the principal's scope.
func (p *Principal) Scope() Scope { return p.scope }

// Class names the level of a scope; statements of different classes do not share a plan.
func (s Scope) Class() string {
	if s.Owner != "" {
		return "applicant"
	}
	switch (Interval{s.Lo, s.Hi}).Level() {
	case Authority:
		return "authority"
	case District:
		return "district"
	case Land:
		return "land"
	}
	return "federation"
}

// System tells whether this is a system principal.
func (p *Principal) System() bool { return p.system }

// Watched tells whether it is written down when the principal is shown personal data: always, but for applicants, who read their own,
// and for the tasks of the house, which show nobody anything.
func (p *Principal) Watched() bool { return p.scope.Owner == "" && !p.system }

// MayWriteAt tells whether the principal's scope lets it make rows at a place. Whether it may do what makes them is asked by Ask.
func (p *Principal) MayWriteAt(at Place) bool {
	if p.clerk != nil {
		return *p.clerk == at
	}
	return Interval{p.scope.Lo, p.scope.Hi}.Contains(at)
}

// ClerkAt is the place at which the principal sees all rows, where it is somebody's clerk.
func (p *Principal) ClerkAt() (Place, bool) {
	if p.clerk == nil {
		return 0, false
	}
	return *p.clerk, true
}

// Clerk gives a desk the hand that keeps its books: the caller's subject and scope, but all rows at exactly one place, and none
// elsewhere. A desk takes it after it has asked whether the caller may do what is to be done.
func Clerk(ctx context.Context, at Place) (context.Context, error) {
	p, err := From(ctx)
	if err != nil {
		return nil, err
	}
	clerk := *p
	clerk.clerk = &at
	return With(ctx, &clerk), nil
}

// Personal tells whether some right of the principal's depends on who it is: two principals of whom neither is personal, with equal assignments and
// trust levels, see the same rows.
func (p *Principal) Personal() bool {
	return p.system || p.clerk != nil || p.scope.Owner != "" || slices.ContainsFunc(p.rows, func(r Rows) bool {
		return slices.ContainsFunc(r.Any, func(c Condition) bool { return c.Owner != "" })
	})
}

type contextKey struct{}

// seat is where a context has its principal: one who is renewed sits down there, for all who share the context.
type seat struct{ principal atomic.Pointer[Principal] }

// With puts the principal into the context.
func With(ctx context.Context, p *Principal) context.Context {
	s := &seat{}
	s.principal.Store(p)
	return context.WithValue(ctx, contextKey{}, s)
}

// Renewed seats whoever has signed in anew in the place of the principal of ctx, for ctx and for all that comes after. It has to be the same person with
// the same trust level: anybody else is Forbidden.
func Renewed(ctx context.Context, p *Principal) error {
	s, before, err := seated(ctx)
	if err != nil {
		return err
	}
	if p.Subject != before.Subject || p.TrustLevel != before.TrustLevel {
		return problem.New(problem.Forbidden, "notAllowed")
	}
	s.principal.Store(p)
	return nil
}

// From takes the principal out of the context. A door without one is closed: a problem of the kind Unauthenticated.
// It is another one after Current has renewed it.
func From(ctx context.Context) (*Principal, error) {
	_, p, err := seated(ctx)
	return p, err
}

// Near gives a context in which whoever sits in ctx is found without a search: for who asks again
// and again deep inside of a request. A missing principal is refused as by From.
func Near(ctx context.Context) (context.Context, *Principal, error) {
	s, p, err := seated(ctx)
	if err != nil {
		return nil, nil, err
	}
	return context.WithValue(ctx, contextKey{}, s), p, nil
}

func seated(ctx context.Context) (*seat, *Principal, error) {
	if s, ok := ctx.Value(contextKey{}).(*seat); ok {
		if p := s.principal.Load(); p != nil {
			return s, p, nil
		}
	}
	return nil, nil, problem.New(problem.Unauthenticated, "noPrincipal")
}
