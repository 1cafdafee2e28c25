// SPDX-License-Identifier: EUPL-1.2

// Package authz says who the caller is and what that caller may do. Casbin and tokens live here alone.
// How a right becomes SQL does not belong here: ent/rule renders it.
package authz

import (
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/casbin/casbin/v2"
	"github.com/casbin/casbin/v2/model"
	"github.com/google/uuid"
)

var (
	//go:embed model.conf
	modelText string
	//go:embed policy.csv
	policyText string
)

// reach is the fourth column of the policy.
type reach string

const (
	ownTenant      reach = "tenant"
	subtree        reach = "subtree"
	ownUnits       reach = "units"
	namedServices  reach = "services"
	contact        reach = "contact"
	ownSubmissions reach = "submissions"
)

var reaches = []reach{ownTenant, subtree, ownUnits, namedServices, contact, ownSubmissions}

// right is what a role may do, compiled out of the policy.
type right struct {
	object Object
	action Action
	reach  reach
}

// Policy is Casbin's policy, compiled: Casbin is asked once for every role, object and action, and never on the way of a request.
type Policy struct {
	enforcer *casbin.Enforcer
	rights   map[Role][]right
	version  string
}

// NewPolicy compiles the policy that the house is shipped with.
func NewPolicy() (*Policy, error) { return PolicyOf(policyText) }

// PolicyOf compiles a policy in the form of policy.csv. Refused are an empty one, one with a line that is not whole, has an unknown reach or
// would be without effect, and one that allows what nobody was given.
func PolicyOf(text string) (*Policy, error) { return policyOf(modelText, text) }

func policyOf(modelText, text string) (*Policy, error) {
	m, err := model.NewModelFromString(modelText)
	if err != nil {
		return nil, fmt.Errorf("authz: reading the model: %w", err)
	}
	e, err := casbin.NewEnforcer(m)
	if err != nil {
		return nil, fmt.Errorf("authz: reading the model: %w", err)
	}
	// Casbin's own reader passes over lines that it does not understand.
	r := csv.NewReader(strings.NewReader(text))
	r.Comment, r.TrimLeadingSpace, r.FieldsPerRecord = '#', true, 5
	lines, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("authz: reading the policy: %w", err)
	}
	if len(lines) == 0 {
		return nil, errors.New("authz: the policy is empty")
	}
	sum := sha256.Sum256([]byte(modelText + "\x00" + text))
	p := &Policy{enforcer: e, rights: map[Role][]right{}, version: hex.EncodeToString(sum[:8])}
	for _, line := range lines {
		if err := p.add(line); err != nil {
			return nil, fmt.Errorf("authz: the policy has the line %q: %w", line, err)
		}
	}
	return p, p.selfTest()
}

// add compiles a line. A line that is there already changes nothing.
func (p *Policy) add(line []string) error {
	name, ok := strings.CutPrefix(line[1], "role:")
	switch {
	case line[0] != "p" || slices.Contains(line, ""):
		return errors.New("it is not role, object, action and reach")
	case !ok || name == "" || name != strings.ToLower(name):
		return errors.New("it has no role")
	case !slices.Contains(reaches, reach(line[4])):
		return errors.New("its reach is not known")
	}
	if added, err := p.enforcer.AddPolicy(line[1], line[2], line[3], line[4]); err != nil || !added {
		return err
	}
	role, r := Role(strings.ToUpper(name)), right{Object(line[2]), Action(line[3]), reach(line[4])}
	allowed, err := p.Enforce(role, r.object, r.action)
	if err != nil {
		return err
	}
	if !allowed {
		return errors.New("it allows nothing")
	}
	p.rights[role] = append(p.rights[role], r)
	return nil
}

// selfTest asks Casbin what must be denied: nobody has a right by a name that resembles a role's, and none beyond the lines of the policy.
func (p *Policy) selfTest() error {
	for role, rights := range p.rights {
		name, object, action := strings.ToLower(string(role)), string(rights[0].object), string(rights[0].action)
		for _, q := range [][3]string{
			{"role:" + name, object, "nothing"}, {"role:" + name, "nothing", action}, {"role:nobody", object, action},
			{name, object, action}, {"user:dev:role:" + name, object, action}, {"role:" + name + "-nobody", object, action}, {"role:", object, action}, {"", "", ""},
		} {
			allowed, err := p.enforcer.Enforce(q[0], q[1], q[2])
			if err != nil {
				return fmt.Errorf("authz: asking Casbin: %w", err)
			}
			if allowed {
				return fmt.Errorf("authz: the policy allows %q, which nobody was given", q)
			}
		}
	}
	return nil
}

// Enforce asks Casbin itself whether a role may do something, whatever its reach.
func (p *Policy) Enforce(role Role, object Object, action Action) (bool, error) {
	allowed, err := p.enforcer.Enforce("role:"+strings.ToLower(string(role)), string(object), string(action))
	if err != nil {
		return false, fmt.Errorf("authz: asking Casbin: %w", err)
	}
	return allowed, nil
}

// Version tells policies apart.
func (p *Policy) Version() string { return p.version }

// Roles lists the roles that the policy knows.
func (p *Policy) Roles() []Role {
	var out []Role
	for r := range p.rights {
		out = append(out, r)
	}
	slices.Sort(out)
	return out
}

// Principal compiles who has a subject, a trust level and these assignments. Roles that the policy does not know give nothing.
func (p *Policy) Principal(subject string, trust TrustLevel, assignments []Assignment) *Principal {
	made := &Principal{Subject: subject, TrustLevel: trust, Assignments: assignments, rows: map[Object]map[Action]Rows{}}
	staff, lo, hi := false, Last, Place(0)
	for _, a := range assignments {
		for _, r := range p.rights[a.Role] {
			c, ok := condition(subject, a, r.reach)
			if !ok {
				continue
			}
			of := made.rows[r.object]
			if of == nil {
				of = map[Action]Rows{}
				made.rows[r.object] = of
			}
			of[r.action] = of[r.action].with(c)
			if c.Owner == "" {
				staff = true
				lo, hi = min(lo, c.Place.Lo), max(hi, c.Place.Hi)
			}
		}
	}
	switch {
	case staff && lo <= hi && !slices.ContainsFunc(assignments, func(a Assignment) bool { return a.Role == Applicant }):
		made.scope = Scope{Lo: lo, Hi: hi}
	default:
		made.scope = Scope{Lo: 0, Hi: Last, Owner: subject}
	}
	return made
}

// Applicant is the role of people who apply. It is no row in the database: an issuer of applicants gives it.
const Applicant Role = "APPLICANT"

// condition is what a reach means for an assignment. An assignment without the attribute that its reach needs gives nothing.
func condition(subject string, a Assignment, r reach) (Condition, bool) {
	c := Condition{Place: Interval{a.Tenant.Place, a.Tenant.Place}}
	switch r {
	case ownTenant:
	case subtree:
		c.Place = Cover(a.Tenant.Kind, a.Tenant.Place)
	case ownUnits:
		c.Units = a.Units
	case namedServices:
		if len(a.Services) == 0 {
			return Condition{}, false
		}
		c.Place, c.Services = Cover(a.Tenant.Kind, a.Tenant.Place), a.Services
	case contact:
		c.Place, c.ViaPointOfContact = Cover(a.Tenant.Kind, a.Tenant.Place), true
	case ownSubmissions:
		c.Place, c.Owner = Everywhere, subject
	}
	return c, true
}

// with adds a condition and keeps the list short: what another condition covers is left out.
func (r Rows) with(c Condition) Rows {
	for _, have := range r.Any {
		if have.covers(c) {
			return r
		}
	}
	out := slices.DeleteFunc(slices.Clone(r.Any), c.covers)
	out = append(out, c)
	slices.SortStableFunc(out, func(a, b Condition) int {
		return cmp.Or(cmp.Compare(a.Place.Lo, b.Place.Lo), cmp.Compare(a.Place.Hi, b.Place.Hi))
	})
	return Rows{out}
}

// covers tells whether every row that meets d meets c too.
func (c Condition) covers(d Condition) bool {
	return c.Place.Covers(d.Place) &&
		(c.Owner == "" || c.Owner == d.Owner) &&
		(!c.ViaPointOfContact || d.ViaPointOfContact) &&
		within(d.Units, c.Units) && within(d.Services, c.Services)
}

// within tells whether everything that the narrower list allows is allowed by the wider one; nil allows all.
func within(narrower, wider []uuid.UUID) bool {
	if wider == nil {
		return true
	}
	if narrower == nil {
		return false
	}
	for _, id := range narrower {
		if !slices.Contains(wider, id) {
			return false
		}
	}
	return true
}
