// SPDX-License-Identifier: EUPL-1.2

package authz

import (
	"fmt"
	"slices"
	"strings"
)

// Reason says what a line of the policy comes to for an assignment and a row.
type Reason string

// The reasons. Where several hold, the first in this order is told.
const (
	Grants        Reason = "GRANTS"          // the line allows it
	NoLine        Reason = "NO_LINE"         // no line gives the role this right
	NothingNamed  Reason = "NOTHING_NAMED"   // the assignment has not what the line's reach needs
	Elsewhere     Reason = "ELSEWHERE"       // the row lies in another part of the tree
	OtherOwner    Reason = "OTHER_OWNER"     // the row is another applicant's, or nobody's
	NotViaContact Reason = "NOT_VIA_CONTACT" // the row did not come through the point of single contact
	OtherUnit     Reason = "OTHER_UNIT"      // the row belongs to another unit, or to none
	OtherService  Reason = "OTHER_SERVICE"   // the row belongs to a service that the assignment does not name
)

// Ground is an assignment beside a line of the policy, and what came of it.
type Ground struct {
	Assignment Assignment
	Line       string // as in policy.csv; empty with NoLine
	Reason     Reason
}

// Explanation tells why somebody may do something to a row, or why not.
type Explanation struct {
	// Allowed is what May says.
	Allowed bool
	// Grounds has every line of the policy that gives one of the principal's roles the right, and one ground with NoLine for each
	// assignment whose role has no such line. A system principal has none: what it may stands in system.go.
	Grounds []Ground
}

// Explain finds what led to the answer of May. The principal has to be one of this policy.
func (p *Policy) Explain(who *Principal, object Object, action Action, at Target) Explanation {
	out := Explanation{Allowed: who.May(object, action, at)}
	for _, a := range who.Assignments {
		reaches := p.rights[right{object, action}][a.Role]
		if len(reaches) == 0 {
			out.Grounds = append(out.Grounds, Ground{a, "", NoLine})
		}
		for _, r := range reaches {
			line := fmt.Sprintf("p, role:%s, %s, %s, %s", strings.ToLower(string(a.Role)), object, action, r)
			c, ok := condition(who.Subject, a, r)
			if !ok {
				out.Grounds = append(out.Grounds, Ground{a, line, NothingNamed})
				continue
			}
			out.Grounds = append(out.Grounds, Ground{a, line, c.refusal(&at)})
		}
	}
	return out
}

// refusal is meets in words.
func (c *Condition) refusal(t *Target) Reason {
	switch {
	case !c.Place.Contains(t.Place):
		return Elsewhere
	case c.Owner != "" && c.Owner != t.Owner:
		return OtherOwner
	case c.ViaPointOfContact && !t.ViaPointOfContact:
		return NotViaContact
	case c.Units != nil && !slices.Contains(c.Units, t.Unit):
		return OtherUnit
	case c.Services != nil && !slices.Contains(c.Services, t.Service):
		return OtherService
	}
	return Grants
}
