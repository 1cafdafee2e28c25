// SPDX-License-Identifier: EUPL-1.2

package charter

import (
	"encoding/json"
	"math"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwk"
)

// TypeCharter is the type (typ) of a charter.
const TypeCharter = "ozg-charter+jws"

// RuleKind is how something is decided.
type RuleKind string

// The kinds of rules.
const (
	Consensus         RuleKind = "CONSENSUS"
	OfApprovers       RuleKind = "CONSENT_OF_APPROVERS"
	QualifiedMajority RuleKind = "QUALIFIED_MAJORITY"
	SimpleMajority    RuleKind = "SIMPLE_MAJORITY"
)

// What is decided by rules of the charter and shows in this room.
const (
	OfCharter    = "CHARTER"
	OfMembership = "MEMBERSHIP"
)

// Rule is how one kind of things is decided (Beschlussregel).
type Rule struct {
	Kind string   `json:"kind"`
	Rule RuleKind `json:"rule"`
	// Quorum is the share of all votes that has to take part, above 0.5.
	Quorum float64 `json:"quorum"`
	// OpenDays is how long the final wording lies open before it is decided.
	OpenDays int `json:"open_days,omitempty"`
}

// Limits are times, in seconds.
type Limits struct {
	// StatementTTL is for how long a member vouches for a house at most; Grace for how much longer it is believed where the member cannot be reached.
	StatementTTL int64 `json:"statement_ttl"`
	Grace        int64 `json:"grace"`
	// ClockSkew is by how much clocks may differ.
	ClockSkew int64 `json:"clock_skew"`
}

// Entry is a member as a charter writes it: Keys are JWKs whose kid is their thumbprint.
type Entry struct {
	ID    MemberID          `json:"id"`
	Name  string            `json:"name"`
	State MemberState       `json:"state"`
	Since string            `json:"since"`
	Votes int               `json:"votes"`
	Share float64           `json:"share"`
	Keys  []json.RawMessage `json:"keys"`
}

// Draft is what a charter says, as it is written: the payload that the members sign.
type Draft struct {
	Federation string  `json:"iss"`
	Version    int     `json:"version"`
	Previous   string  `json:"prev,omitempty"`
	Effective  int64   `json:"effective"`
	Members    []Entry `json:"members"`
	Rules      []Rule  `json:"rules"`
	Limits     Limits  `json:"limits"`
}

// Charter (Satzung) is one version of who belongs. What it says has the right form; who signed it is for Chain to judge.
type Charter struct {
	// Federation is the URL of all together.
	Federation string
	Version    int
	// Hash names its payload, Previous that of the version before; empty for the first.
	Hash, Previous string
	// Effective is when it comes into force, in seconds since 1970.
	Effective int64
	Members   []Member
	Rules     []Rule
	Limits    Limits
	// Document is the charter as it was signed.
	Document []byte

	keys  map[string]held // by key id
	doc   signed
	owner map[MemberID]int // votes of those who vote
}

// held is a key and whose it is.
type held struct {
	key jwk.Key
	by  MemberID
}

// most bounds the members of a charter and the keys of each.
const (
	mostMembers = 64
	mostKeys    = 4
)

// Draft is what the charter says, to write its successor from.
func (c *Charter) Draft() (Draft, error) {
	var d Draft
	return d, strict(c.doc.payload, &d)
}

// Write signs a draft for the first time; Countersign adds the others. Errors are those of Read.
func Write(d Draft, s *Signer) ([]byte, error) {
	payload, err := json.Marshal(d)
	if err != nil {
		return nil, ErrMalformed
	}
	if _, err := readText(payload); err != nil {
		return nil, err
	}
	return signTogether(payload, TypeCharter, s)
}

// Read reads a charter and checks everything that can be seen in it alone; signatures are not among that.
// Errors: ErrMalformed, ErrAlgorithm, ErrDoubled, ErrRules.
func Read(document []byte) (*Charter, error) {
	d, err := readGeneral(document)
	if err != nil {
		return nil, err
	}
	for _, s := range d.signatures {
		if err := s.of(TypeCharter); err != nil {
			return nil, err
		}
	}
	c, err := readText(d.payload)
	if err != nil {
		return nil, err
	}
	c.doc, c.Document = d, document
	return c, nil
}

func readText(payload []byte) (*Charter, error) {
	var t Draft
	if err := strict(payload, &t); err != nil {
		return nil, err
	}
	c := &Charter{
		Federation: t.Federation, Version: t.Version, Hash: Hash(payload), Previous: t.Previous, Effective: t.Effective, Rules: t.Rules, Limits: t.Limits,
		keys: map[string]held{}, owner: map[MemberID]int{},
	}
	first := t.Version == 1
	if !isURL(t.Federation) || t.Version < 1 || first != (t.Previous == "") || t.Effective <= 0 || t.Effective > math.MaxInt32*4 || len(t.Members) == 0 || len(t.Members) > mostMembers {
		return nil, ErrMalformed
	}
	l := t.Limits
	if l.StatementTTL < 60 || l.StatementTTL > 7*86400 || l.Grace < 0 || l.Grace > 30*86400 || l.ClockSkew < 0 || l.ClockSkew > 300 {
		return nil, ErrMalformed
	}
	seen := map[MemberID]bool{}
	for _, e := range t.Members {
		if seen[e.ID] {
			return nil, ErrDoubled
		}
		for other := range seen { // whose a house is, is seen by its URL
			if e.ID.above(string(other)) || other.above(string(e.ID)) {
				return nil, ErrMalformed
			}
		}
		seen[e.ID] = true
		if err := c.add(e); err != nil {
			return nil, err
		}
	}
	return c, c.decidable()
}

func (c *Charter) add(e Entry) error {
	if !isURL(string(e.ID)) || e.Name == "" || len(e.Name) > 200 || e.Votes < 0 || e.Votes > 1000 || e.Share < 0 || e.Share > 1 || len(e.Keys) > mostKeys {
		return ErrMalformed
	}
	if _, err := time.Parse(time.DateOnly, e.Since); err != nil {
		return ErrMalformed
	}
	switch e.State {
	case Owner:
		if e.Votes == 0 || len(e.Keys) == 0 {
			return ErrMalformed
		}
		c.owner[e.ID] = e.Votes
	case Observer, Suspended, Left:
	default:
		return ErrMalformed
	}
	for _, k := range e.Keys {
		key, err := readKey(k)
		if err != nil {
			return err
		}
		if _, taken := c.keys[key.KeyID()]; taken {
			return ErrDoubled
		}
		c.keys[key.KeyID()] = held{key, e.ID}
	}
	c.Members = append(c.Members, Member{ID: e.ID, Name: e.Name, State: e.State, Since: e.Since, Votes: e.Votes, Share: e.Share})
	return nil
}

// decidable refuses rules by which two different successors could be signed without anybody signing both, and such as nobody could keep.
func (c *Charter) decidable() error {
	seen := map[string]bool{}
	for _, r := range c.Rules {
		if seen[r.Kind] {
			return ErrDoubled
		}
		seen[r.Kind] = true
		switch r.Rule {
		case Consensus, OfApprovers, QualifiedMajority, SimpleMajority:
		default:
			return ErrMalformed
		}
		if math.IsNaN(r.Quorum) || r.Quorum <= 0.5 || r.Quorum > 1 || r.OpenDays < 0 || r.OpenDays > 365 {
			return ErrRules
		}
	}
	if !seen[OfCharter] || !seen[OfMembership] || len(c.owner) == 0 {
		return ErrRules
	}
	return nil
}

// rule is how something is decided; there always is one for what this room decides.
func (c *Charter) rule(kind string) Rule {
	for _, r := range c.Rules {
		if r.Kind == kind {
			return r
		}
	}
	return Rule{Kind: kind, Rule: Consensus, Quorum: 1}
}

// Member is the member with an id.
func (c *Charter) Member(id MemberID) (Member, bool) {
	for _, m := range c.Members {
		if m.ID == id {
			return m, true
		}
	}
	return Member{}, false
}

// above tells whether a URL lies below that of a member.
func (m MemberID) above(url string) bool { return strings.HasPrefix(url, string(m)+"/") }

// isURL tells whether a text is the URL of a member or a house: https, without query or trailing slash. On one's own machine http will do.
func isURL(s string) bool {
	u, err := url.Parse(s)
	if err != nil || len(s) > 200 || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.HasSuffix(s, "/") || u.String() != s {
		return false
	}
	if strings.Contains(u.Path, "//") || strings.Contains(u.Path, "/.") || u.RawPath != "" || strings.ToLower(u.Host) != u.Host {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Scheme == "https" || u.Scheme == "http" && err == nil && ip.IsLoopback()
}
