// SPDX-License-Identifier: EUPL-1.2

package cmd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent/casefile"
	"github.com/ozg-cloud/platform/ent/catalog"
	"github.com/ozg-cloud/platform/ent/tenant"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/schema"
	"github.com/ozg-cloud/platform/staff"
)

// errDenied is the answer no, which has been printed.
var errDenied = errors.New("denied")

// policy tells whether somebody may do something to a thing (check), and why (explain).
// The verb is an action of the policy, with its object in front where that is not the thing's: accept, message.body.read.
// The thing is a global id, or a case as number@tenant.
func policy(ctx context.Context, c console, args []string) error {
	if len(args) != 4 || args[0] != "check" && args[0] != "explain" {
		return errUsage
	}
	return operate(ctx, c, func(ctx context.Context, o operator) error {
		e, err := o.explain(ctx, args[1], args[2], args[3])
		if err != nil {
			return err
		}
		word := "denied"
		if e.Allowed {
			word = "allowed"
		}
		fmt.Fprintln(c.out, word)
		if args[0] == "check" {
			if !e.Allowed {
				return errDenied
			}
			return nil
		}
		if !e.Known {
			fmt.Fprintln(c.out, "  the account is blocked, or no issuer vouches for it")
		}
		t := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
		for _, g := range e.Grounds {
			fmt.Fprintf(t, "  %s at %s\t%s\t%s\n", g.Assignment.Role, g.Assignment.Tenant.Slug, g.Reason, g.Line)
		}
		return t.Flush()
	})
}

func (o operator) explain(ctx context.Context, subject, verb, thing string) (*staff.Explanation, error) {
	number, slug, named := strings.Cut(thing, "@")
	if named {
		id, err := o.client.CaseFile.Query().Where(casefile.Number(number), casefile.HasTenantWith(tenant.Slug(slug))).OnlyID(ctx)
		if err != nil {
			return nil, missing(err, "OBJECT")
		}
		thing = schema.ID(catalog.Types["Case"].Number, id)
	}
	at, ok, err := o.reader.Locate(ctx, thing)
	if err != nil {
		return nil, err
	}
	q := staff.Question{Subject: subject, Object: at.Object, Action: authz.Action(verb), At: at.Target}
	if dot := strings.LastIndexByte(verb, '.'); dot >= 0 {
		q.Object, q.Action = authz.Object(verb[:dot]), authz.Action(verb[dot+1:])
	}
	if !ok || q.Object == "" {
		return nil, problem.New(problem.Missing, "notFound", "OBJECT")
	}
	e, ok, err := o.staff.Explain(ctx, q)
	if err == nil && !ok {
		err = problem.New(problem.Missing, "notFound", "OBJECT")
	}
	return e, err
}
