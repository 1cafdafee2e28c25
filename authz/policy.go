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
	"maps"
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
	federation     reach = "federation"
)

var reaches = []reach{ownTenant, subtree, ownUnits, namedServices, contact, ownSubmissions, federation}

// right is something that one may do to an object.
type right struct {
	object Object
	action Action
}

// holders are the roles that have a right, each with how far it reaches.
type holders map[Role][]reach

// Policy is Casbin's policy, compiled: Casbin is asked once for every role, object and action, and never on the way of a request.
type Policy struct {
	enforcer *casbin.Enforcer
	rights   map[right]holders
	version  string

	// Rights with the same holders apply to the same rows, whoever asks: they are one class, of which a principal is compiled once.
	classOf map[right]int
	classes []holders
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
	p := &Policy{enforcer: e, rights: map[right]holders{}, version: hex.EncodeToString(sum[:8])}
	for _, line := range lines {
		if err := p.add(line); err != nil {
			return nil, fmt.Errorf("authz: the policy has the line %q: %w", line, err)
		}
	}
	p.classify()
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
	role, r := Role(strings.ToUpper(name)), right{Object(line[2]), Action(line[3])}
	allowed, err := p.Enforce(role, r.object, r.action)
	if err != nil {
		return err
	}
	if !allowed {
		return errors.New("it allows nothing")
	}
	if p.rights[r] == nil {
		p.rights[r] = holders{}
	}
	p.rights[r][role] = append(p.rights[r][role], reach(line[4]))
	return nil
}

func (p *Policy) classify() {
	p.classOf = map[right]int{}
	known := map[string]int{}
	for r, held := range p.rights {
		for _, reaches := range held {
			slices.Sort(reaches)
		}
		signature := fmt.Sprint(held) // maps are printed in the order of their keys
		class, ok := known[signature]
		if !ok {
			class = len(p.classes)
			known[signature], p.classes = class, append(p.classes, held)
		}
		p.classOf[r] = class
	}
}

// selfTest asks Casbin what must be denied: nobody has a right by a name that resembles a role's, and none beyond the lines of the policy.
func (p *Policy) selfTest() error {
	tried := map[Role]bool{}
	for r, held := range p.rights {
		for role := range held {
			if tried[role] {
				continue
			}
			tried[role] = true
			if err := p.deniesBeside(role, r); err != nil {
				return err
			}
		}
	}
	return nil
}

// deniesBeside asks for what lies closely beside a right of a role.
func (p *Policy) deniesBeside(role Role, r right) error {
	name, object, action := strings.ToLower(string(role)), string(r.object), string(r.action)
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
	roles := map[Role]bool{}
	for _, held := range p.rights {
		for role := range held {
			roles[role] = true
		}
	}
	return slices.Sorted(maps.Keys(roles))
}

// Principal compiles who has a subject, a trust level and these assignments. Roles that the policy does not know give nothing.
func (p *Policy) Principal(subject string, trust TrustLevel, assignments []Assignment) *Principal {
	made := &Principal{Subject: subject, TrustLevel: trust, Assignments: assignments, classOf: p.classOf, rows: make([]Rows, len(p.classes))}
	staff, lo, hi := false, Last, Place(0)
	for class, held := range p.classes {
		var all []Condition
		for _, a := range assignments {
			for _, r := range held[a.Role] {
				c, ok := condition(subject, a, r)
				if !ok {
					continue
				}
				all = append(all, c)
				if c.Owner == "" {
					staff, lo, hi = true, min(lo, c.Place.Lo), max(hi, c.Place.Hi)
				}
			}
		}
		made.rows[class] = Rows{pruned(all)}
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
	case federation:
		if a.Tenant.Kind != Federation {
			return Condition{}, false
		}
		c.Place = Everywhere
	}
	return c, true
}

// pruned leaves out what another condition covers, and sorts the rest by place, the wider first.
func pruned(all []Condition) []Condition {
	slices.SortStableFunc(all, func(a, b Condition) int {
		return cmp.Or(cmp.Compare(a.Place.Lo, b.Place.Lo), cmp.Compare(b.Place.Hi, a.Place.Hi))
	})
	var out []Condition
	for i := range all {
		c := &all[i]
		if c.coveredBy(out) {
			continue
		}
		// As they are sorted, what comes later covers only what has the same place.
		same := len(out)
		for same > 0 && out[same-1].Place == c.Place {
			same--
		}
		out = append(out[:same], slices.DeleteFunc(out[same:], func(have Condition) bool { return c.covers(&have) })...)
		out = append(out, *c)
	}
	return out
}

func (c *Condition) coveredBy(others []Condition) bool {
	for i := range others {
		if others[i].covers(c) {
			return true
		}
	}
	return false
}

// covers tells whether every row that meets d meets c too.
func (c *Condition) covers(d *Condition) bool {
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
