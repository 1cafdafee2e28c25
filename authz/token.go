// SPDX-License-Identifier: EUPL-1.2

package authz

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/ozg-cloud/platform/internal/strictjson"
)

const (
	longestToken   = 8 << 10
	longestKeyID   = 128
	longestSubject = 200
	longestLife    = 24 * time.Hour
	// leeway is how far clocks may be apart, and for how long a token that has expired is good still: time to fetch another.
	leeway = 30 * time.Second
)

// identity is what a verified token says.
type identity struct {
	issuer    *Issuer
	subject   string
	trust     TrustLevel
	expiresAt time.Time

	verifiedAt time.Time
}

// read verifies a token strictly (RFC 8725): compact serialisation and nothing else, a header of alg, kid and typ, the algorithm from the
// key and never from the token, typed claims without duplicates, issuer and audience required. Errors are for the log; they hold
// nothing of the token.
func (d *Doorkeeper) read(token string, now time.Time) (*identity, error) {
	if len(token) > longestToken {
		return nil, errors.New("token too long")
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, errors.New("token has not three parts")
	}
	header, err := object(parts[0])
	if err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	claims, err := object(parts[1])
	if err != nil {
		return nil, fmt.Errorf("claims: %w", err)
	}
	if signature, err := decode(parts[2]); err != nil || len(signature) == 0 {
		return nil, errors.New("signature is no base64url")
	}
	for name := range header {
		if name != "alg" && name != "kid" && name != "typ" {
			return nil, errors.New("header has a parameter that is not understood")
		}
	}
	url, _ := claims["iss"].(string)
	issuer := d.issuers[url]
	if issuer == nil {
		return nil, errors.New("issuer is not known")
	}
	if typ, _ := header["typ"].(string); !strings.EqualFold(typ, issuer.TokenType) {
		return nil, errors.New("token is of another type")
	}
	kid, _ := header["kid"].(string)
	if kid == "" || len(kid) > longestKeyID {
		return nil, errors.New("header has no key id")
	}
	k, ok := d.keys[url].find(kid)
	if !ok {
		return nil, errors.New("key is not known")
	}
	if alg, _ := header["alg"].(string); alg != k.algorithm {
		return nil, errors.New("algorithm is not the key's")
	}
	if !k.verify(token) {
		return nil, errors.New("signature does not fit")
	}
	return issuer.identity(claims, now)
}

// identity checks the claims of a token whose signature fits.
func (i *Issuer) identity(claims map[string]any, now time.Time) (*identity, error) {
	expires, ok := moment(claims, "exp")
	if !ok || !now.Before(expires.Add(leeway)) {
		return nil, errors.New("token has expired or does not say when")
	}
	issued, ok := moment(claims, "iat")
	if !ok || issued.After(now.Add(leeway)) || expires.Sub(issued) > longestLife || !expires.After(issued) {
		return nil, errors.New("token does not say soundly when it was issued")
	}
	if _, given := claims["nbf"]; given {
		if from, ok := moment(claims, "nbf"); !ok || from.After(now.Add(leeway)) {
			return nil, errors.New("token is not valid yet")
		}
	}
	if !i.addressed(claims["aud"]) {
		return nil, errors.New("token is for another audience")
	}
	subject, _ := claims[i.ClaimNames.Subject].(string)
	if subject == "" || len(subject) > longestSubject || strings.ContainsFunc(subject, unreadable) {
		return nil, errors.New("token names no subject")
	}
	trust := Basic
	if claimed, given := claims[i.ClaimNames.TrustLevel]; given {
		text, ok := claimed.(string)
		if !ok {
			return nil, errors.New("trust level is no text")
		}
		if level, known := i.TrustLevels[text]; known {
			trust = level
		}
	}
	return &identity{issuer: i, subject: "user:" + i.Name + ":" + subject, trust: trust, expiresAt: expires}, nil
}

// unreadable tells whether a sign cannot be told apart by a reader of a log or a history: controls, marks without a width, changes of
// direction, and what stands for half a character, of which there are many.
func unreadable(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError }

func (i *Issuer) addressed(aud any) bool {
	switch aud := aud.(type) {
	case string:
		return aud == i.Audience
	case []any:
		found := false
		for _, a := range aud {
			text, ok := a.(string)
			if !ok {
				return false
			}
			found = found || text == i.Audience
		}
		return found
	}
	return false
}

// moment reads a NumericDate (RFC 7519, section 2): a positive number of seconds.
func moment(claims map[string]any, name string) (time.Time, bool) {
	n, ok := claims[name].(json.Number)
	if !ok {
		return time.Time{}, false
	}
	f, err := n.Float64()
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) || f <= 0 || f > 1<<40 {
		return time.Time{}, false
	}
	return time.Unix(int64(f), 0), true
}

// decode reads base64url strictly: without padding, last bits zero, and without the line breaks that the library skips.
func decode(part string) ([]byte, error) {
	if strings.ContainsAny(part, "\r\n") {
		return nil, errors.New("no base64url")
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(part)
	if err != nil {
		return nil, errors.New("no base64url")
	}
	return raw, nil
}

// object decodes a part of a token: one JSON object without repeated names, at most 8 deep.
func object(part string) (map[string]any, error) {
	raw, err := decode(part)
	if err != nil {
		return nil, err
	}
	v, err := strictjson.Read(raw, 8)
	if err != nil {
		return nil, err
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("no object")
	}
	return m, nil
}
