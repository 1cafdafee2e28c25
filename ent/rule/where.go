// SPDX-License-Identifier: EUPL-1.2

package rule

import (
	"strings"

	"github.com/ozg-cloud/platform/authz"
)

// Shape says how the rows of a type hang in the tree of tenants.
type Shape uint8

// The shapes.
const (
	Shared     Shape = iota // belongs to nobody in particular
	Cases                   // the case itself
	OfCase                  // has case_id: seen by who sees the case, if the policy shows the object at all
	OfDecision              // has case_id as well, and decision_id: as secret as the decision
	Owned                   // has tenant_id and place, nothing finer
	Kept                    // has tenant_id, place and the subject who keeps it: whose right is finer than a place sees the own ones
)

// Where renders which rows of a type the principal may see, over the table alias: SQL text with a question mark for
// each argument. An empty text means all rows, "false" none.
//
// object names the type in the policy ("case", "message"). The text holds only leakproof operators on columns, so that
// indexes serve it under row level security.
func Where(p *authz.Principal, object authz.Object, shape Shape, alias string) (string, []any) {
	if at, ok := p.ClerkAt(); ok && shape != Shared {
		return alias + ".place = ?", []any{int64(at)}
	}
	rows := p.Rows(object)
	if shape == Shared {
		if len(rows.Any) == 0 {
			return "false", nil
		}
		return "", nil
	}
	var (
		alternatives []string
		args         []any
	)
	for _, c := range rows.Any {
		text, a := condition(p, object, c, shape, alias)
		if text == "" {
			return "", nil
		}
		alternatives = append(alternatives, text)
		args = append(args, a...)
	}
	switch len(alternatives) {
	case 0:
		return "false", nil
	case 1:
		return alternatives[0], args
	}
	return "(" + strings.Join(alternatives, " or ") + ")", args
}

// condition renders one alternative; empty means that it holds for every row.
func condition(p *authz.Principal, object authz.Object, c authz.Condition, shape Shape, alias string) (string, []any) {
	var (
		all  []string
		args []any
	)
	add := func(text string, a ...any) { all, args = append(all, text), append(args, a...) }
	place(add, c.Place, shape, alias)
	finer := c.Units != nil || c.Services != nil || c.Owner != "" || c.ViaPointOfContact
	switch {
	case !finer:
	case shape == Cases:
		ofTheCase(add, c, alias)
	case shape == OfCase, shape == OfDecision:
		var inner []string
		ofTheCase(func(text string, a ...any) { inner, args = append(inner, text), append(args, a...) }, c, "k")
		all = append(all, "exists (select from cases k where k.tenant_id = "+alias+".tenant_id and k.id = "+alias+".case_id and "+strings.Join(inner, " and ")+")")
	case shape == Kept:
		add(alias+".subject = ?", p.Subject)
	default:
		// What is no case and hangs on none belongs to no unit, no service and no applicant.
		return "false", nil
	}
	if c.Owner != "" && shape != Kept {
		trusted(add, p, object, shape, alias)
	}
	return strings.Join(all, " and "), args
}

func place(add func(string, ...any), at authz.Interval, shape Shape, alias string) {
	switch {
	case at == authz.Everywhere:
	case at.Lo == at.Hi:
		add(alias+".place = ?", int64(at.Lo))
	case shape == Cases && at.Level() == authz.Land:
		// One equality on an indexed column: a page of a Land costs what a page of an authority costs.
		add(alias+".land = ?", at.Lo.Land())
	case shape == Cases && at.Level() == authz.District:
		add(alias+".district = ?", at.Lo.District())
	default:
		add(alias+".place between ? and ?", int64(at.Lo), int64(at.Hi))
	}
}

func ofTheCase(add func(string, ...any), c authz.Condition, alias string) {
	if c.Units != nil {
		add(alias+".unit_id = any(?)", c.Units)
	}
	if c.Services != nil {
		add(alias+".service_id = any(?)", c.Services)
	}
	if c.ViaPointOfContact {
		add(alias + ".via_point_of_contact")
	}
	if c.Owner != "" {
		add(alias+".owner = ?", c.Owner)
	}
}

// trusted keeps from applicants what their sign-in is too weak for (trust levels of the BundID: a basic login reads basic
// messages only). What a message carries is as secret as the message.
func trusted(add func(string, ...any), p *authz.Principal, object authz.Object, shape Shape, alias string) {
	if p.TrustLevel == authz.High || shape == Cases {
		return
	}
	levels := []string{string(authz.Basic)}
	if p.TrustLevel == authz.Substantial {
		levels = append(levels, string(authz.Substantial))
	}
	switch {
	case shape == OfDecision:
		add("exists (select from decisions d join messages m on m.tenant_id = d.tenant_id and m.id = d.message_id where d.tenant_id = "+alias+".tenant_id and d.id = "+alias+".decision_id and m.trust_level = any(?))", levels)
	case object == "message":
		add(alias+".trust_level = any(?)", levels)
	case object == "decision":
		add("exists (select from messages m where m.tenant_id = "+alias+".tenant_id and m.id = "+alias+".message_id and m.trust_level = any(?))", levels)
	case object == "attachment":
		add("("+alias+".message_id is null or exists (select from messages m where m.tenant_id = "+alias+".tenant_id and m.id = "+alias+".message_id and m.trust_level = any(?)))", levels)
	}
}
