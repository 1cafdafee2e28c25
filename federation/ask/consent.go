// SPDX-License-Identifier: EUPL-1.2

package ask

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/federation/charter"
	"github.com/ozg-cloud/platform/statistics"
)

// Level is how finely a Land tells where something was counted.
type Level string

// The levels.
const (
	AtLand      Level = "land"
	AtDistrict  Level = "district"
	AtAuthority Level = "authority"
)

// Levels lists them, from coarse to fine.
func Levels() []Level { return []Level{AtLand, AtDistrict, AtAuthority} }

// levelOf is the level of a question.
func levelOf(v Vars) Level {
	switch {
	case slices.Contains(v.By, statistics.Authority):
		return AtAuthority
	case slices.Contains(v.By, statistics.District):
		return AtDistrict
	}
	return AtLand
}

// Consent (Freigabe) is what a Land has agreed to tell others, for each measure and level. It is a policy in the words of authz: lines such as
//
//	p, role:member, figures.applications.land, ask, federation
//	p, role:member/by.example, figures.timeToDecision.district, ask, federation
//
// The first is for every member, the second for the one whose URL has this host. Whatever has no line is declined; nil and the zero value decline everything.
type Consent struct{ policy *authz.Policy }

// ReadConsent reads the lines. Refused is what authz refuses of a policy, and a line that could never mean anything here.
func ReadConsent(text string) (*Consent, error) {
	p, err := authz.PolicyOf(text)
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, c := range Current().Catalogue.Cubes() {
		for _, m := range c.Measures {
			for _, l := range Levels() {
				known[string(object(m.Measure, l))] = true
			}
		}
	}
	for line := range strings.SplitSeq(text, "\n") {
		words := strings.Split(line, ",")
		if len(words) != 5 || strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue // authz has refused what is neither empty nor a comment
		}
		role, what, act := strings.TrimSpace(words[1]), strings.TrimSpace(words[2]), strings.TrimSpace(words[3])
		if role != "role:member" && !strings.HasPrefix(role, "role:member/") || !known[what] || act != string(asking) {
			return nil, fmt.Errorf("ask: the consent has the line %q, which agrees to nothing that can be asked", line)
		}
	}
	return &Consent{p}, nil
}

const asking authz.Action = "ask"

func object(m statistics.Measure, l Level) authz.Object {
	return authz.Object("figures." + string(m) + "." + string(l))
}

// Permits tells whether a member is told a measure at a level.
func (c *Consent) Permits(to charter.MemberID, m statistics.Measure, at Level) (bool, error) {
	if c == nil || c.policy == nil {
		return false, nil
	}
	roles := []authz.Role{"MEMBER"}
	if u, err := url.Parse(string(to)); err == nil && u.Host != "" {
		roles = append(roles, authz.Role("MEMBER/"+strings.ToUpper(u.Host)))
	}
	for _, r := range roles {
		if ok, err := c.policy.Enforce(r, object(m, at), asking); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// Anybody gives the levels at which every member is told a measure.
func (c *Consent) Anybody(m statistics.Measure) ([]Level, error) {
	out := []Level{}
	for _, l := range Levels() {
		ok, err := c.Permits("", m, l)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, l)
		}
	}
	return out, nil
}
