// SPDX-License-Identifier: EUPL-1.2

package authz

import (
	"context"
	"errors"
	"fmt"

	"github.com/ozg-cloud/platform/internal/problem"
)

// attempts is how often something is tried under rights that change all the time.
const attempts = 3

// Current does something that reads or writes by the rights of ctx's principal. Where do meets data that are younger than those rights (it then returns
// what Knows or the store said, wrapped or not), the principal is renewed, for ctx and for all that comes after, and do is done again. So do asks ctx
// for the principal each time, and leaves nothing behind when it fails.
//
// Whoever was blocked meanwhile is Unauthenticated. Where the rights have changed three times in a row, it is Busy (overloaded).
func Current(ctx context.Context, do func() error) error {
	for range attempts {
		err := do()
		var younger interface{ RightsVersion() int64 }
		if !errors.As(err, &younger) {
			return err
		}
		if err := renew(ctx, younger.RightsVersion()); err != nil {
			return err
		}
	}
	return problem.New(problem.Busy, "overloaded")
}

// Knows compares the principal's rights with the version that some data were read with: an error for Current where that is a newer one.
func (p *Principal) Knows(version int64) error {
	if p.Version != 0 && version > p.Version {
		return outdated(version)
	}
	return nil
}

// outdated is the version that has to be known.
type outdated int64

func (o outdated) Error() string        { return "authz: the rights have changed meanwhile" }
func (o outdated) RightsVersion() int64 { return int64(o) }

// renew lets the doorkeeper say anew who sits in ctx, with rights of at least a version. What was taken out of ctx before stays as it is.
func renew(ctx context.Context, atLeast int64) error {
	s, p, err := seated(ctx)
	switch {
	case err != nil:
		return err
	case p.Version >= atLeast: // another field of the same request was faster
		return nil
	case p.renew == nil:
		return fmt.Errorf("authz: nobody can say anew who %s is", p.Subject)
	}
	now, err := p.renew(ctx, atLeast)
	if err != nil {
		return err
	}
	if p.clerk != nil {
		clerk := *now
		clerk.clerk = p.clerk
		now = &clerk
	}
	s.principal.Store(now)
	return nil
}
