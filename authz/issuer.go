// SPDX-License-Identifier: EUPL-1.2

package authz

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
)

// Issuer is somebody whose tokens are accepted. What protects has no default.
type Issuer struct {
	// Name is short and stands in every subject: user:<name>:<sub>.
	Name string `json:"name"`
	// URL is the claim iss, exactly.
	URL string `json:"url"`
	// Audience has to be in the claim aud.
	Audience string `json:"audience"`
	// KeysURL is where the key set is fetched: by https, or from this machine. Empty: Keys.
	KeysURL string `json:"keysUrl,omitempty"`
	// Keys is a fixed key set.
	Keys []byte `json:"keys,omitempty"`
	// TokenType is the header typ.
	TokenType string `json:"tokenType"`
	// ClaimNames says which claims hold what.
	ClaimNames ClaimNames `json:"claimNames"`
	// TrustLevels translates values of the claim for the trust level; what is not listed is BASIC.
	TrustLevels map[string]TrustLevel `json:"trustLevels,omitempty"`
	// Applicants: whoever signs in here is an applicant, without any assignment.
	Applicants bool `json:"applicants,omitempty"`
	// Accounts are the kinds of service account (serviceKonto.type of a form server) whose identifiers are this issuer's subjects.
	Accounts []string `json:"accounts,omitempty"`
	// Tenant is the slug of the tenant whose subtree the issuer may speak for; roles elsewhere do not count.
	Tenant string `json:"tenant"`
}

// ClaimNames are names of claims.
type ClaimNames struct {
	Subject    string `json:"subject"`
	TrustLevel string `json:"trustLevel,omitempty"`
}

var issuerName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,30}$`)

// Check says what is missing.
func (i Issuer) Check() error {
	var wrong []error
	say := func(text string) { wrong = append(wrong, errors.New(text)) }
	if !issuerName.MatchString(i.Name) {
		say("name must match " + issuerName.String())
	}
	if u, err := url.Parse(i.URL); err != nil || u.Scheme == "" || u.Host == "" {
		say("url is no absolute URL")
	}
	if i.Audience == "" {
		say("audience is missing")
	}
	if (i.KeysURL == "") == (len(i.Keys) == 0) {
		say("exactly one of keysUrl and keys is needed")
	}
	if i.KeysURL != "" && !protected(i.KeysURL) {
		say("keysUrl is neither https nor on this machine, so that anybody on the way could put in a key")
	}
	if i.TokenType == "" {
		say("tokenType is missing")
	}
	if i.ClaimNames.Subject == "" {
		say("claimNames.subject is missing")
	}
	if i.Tenant == "" {
		say("tenant is missing")
	}
	if len(i.TrustLevels) > 0 && i.ClaimNames.TrustLevel == "" {
		say("claimNames.trustLevel is missing, so that trustLevels would never be used")
	}
	for value, level := range i.TrustLevels {
		if level != Basic && level != Substantial && level != High {
			say(fmt.Sprintf("trustLevels has no known level for %q", value))
		}
	}
	if len(wrong) > 0 {
		return fmt.Errorf("authz: issuer %q: %w", i.Name, errors.Join(wrong...))
	}
	return nil
}

// protected tells whether nobody can change on the way what is fetched from a URL.
func protected(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Scheme == "https" || u.Scheme == "http" && (u.Hostname() == "localhost" || err == nil && ip.IsLoopback())
}
