// SPDX-License-Identifier: EUPL-1.2

package charter

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwk"
)

// TypeEntity is the type (typ) of what is said about a house, by its member or by itself (OpenID Federation 1.0, section 3.1).
const TypeEntity = "entity-statement+jwt"

// Voucher (Bürgschaft) is what a member says of a house: by which keys the house speaks of itself, and what it may say. In OpenID Federation it is a
// subordinate statement, whose issuer is not a server but a key of the charter.
type Voucher struct {
	Member   MemberID   `json:"iss"`
	Instance InstanceID `json:"sub"`
	IssuedAt int64      `json:"iat"`
	Expires  int64      `json:"exp"`
	Keys     KeySet     `json:"jwks"`
	Policy   Policy     `json:"metadata_policy"`
	// Constraints has to say that nobody stands between the two.
	Constraints struct {
		MaxPathLength int `json:"max_path_length"`
	} `json:"constraints"`
}

// KeySet is a set of JWKs.
type KeySet struct {
	Keys []json.RawMessage `json:"keys"`
}

// Policy is what a house may say of itself (OpenID Federation 1.0, section 6.1, with the two operators that are needed).
type Policy struct {
	Instance struct {
		Editions struct {
			SubsetOf []int `json:"subset_of"`
		} `json:"editions"`
		Region struct {
			OneOf []string `json:"one_of"`
		} `json:"region"`
		Documents struct {
			SubsetOf []string `json:"subset_of"`
		} `json:"documents"`
	} `json:"ozg_instance"`
}

// Configuration is what a house says of itself (an entity configuration).
type Configuration struct {
	Issuer   InstanceID `json:"iss"`
	Instance InstanceID `json:"sub"`
	IssuedAt int64      `json:"iat"`
	Expires  int64      `json:"exp"`
	Keys     KeySet     `json:"jwks"`
	// AuthorityHints is its member, alone.
	AuthorityHints []MemberID `json:"authority_hints"`
	Metadata       struct {
		Instance Metadata `json:"ozg_instance"`
	} `json:"metadata"`
}

// Metadata is where a house answers what, and by which keys: those in use, and those that it used before (iat, exp, revoked as for historical keys in OpenID
// Federation 1.0, section 8.7).
type Metadata struct {
	Endpoint  string   `json:"endpoint"`
	Editions  []int    `json:"editions"`
	Region    string   `json:"region"`
	Documents []string `json:"documents"`
	Keys      KeySet   `json:"jwks"`
}

// Vouched is what stands for a house: two compact JWS that fit together.
type Vouched struct {
	Voucher       []byte `json:"voucher"`
	Configuration []byte `json:"configuration"`
}

// mostOperational bounds the keys of a house with those that it has put away.
const mostOperational = 64

// Vouched checks what stands for a house under the charter in force. That it has expired is no error here: who asks for a key hears of it.
// Errors: ErrMalformed, ErrAlgorithm, ErrType, ErrSignature, ErrUnknown, ErrPaths, ErrTooLong, ErrPolicy, ErrDoubled, ErrExpired for what is not good yet.
func (c *Charter) vouched(d Vouched, now time.Time) (*vouched, InstanceID, error) {
	var v Voucher
	if len(d.Voucher) > mostBytes || len(d.Configuration) > mostBytes {
		return nil, v.Instance, ErrMalformed
	}
	payload, err := Open(d.Voucher, TypeEntity, func(kid string, payload []byte) (jwk.Key, error) { return c.superior(kid, payload) })
	if err != nil {
		return nil, v.Instance, err
	}
	if err := strict(payload, &v); err != nil {
		return nil, v.Instance, err
	}
	if !v.Member.above(string(v.Instance)) {
		return nil, v.Instance, ErrPaths
	}
	if !isURL(string(v.Instance)) {
		return nil, v.Instance, ErrMalformed
	}
	if v.Constraints.MaxPathLength != 0 {
		return nil, v.Instance, ErrTooLong
	}
	if err := c.lasting(v.IssuedAt, v.Expires, now); err != nil {
		return nil, v.Instance, err
	}
	own := map[string]jwk.Key{}
	if err := v.Keys.into(own); err != nil {
		return nil, v.Instance, err
	}
	out, err := c.configured(v, d.Configuration, own, now)
	return out, v.Instance, err
}

// superior finds the key by which a member vouches. Whoever is no member of the charter vouches for nobody, and a house least of all.
func (c *Charter) superior(kid string, payload []byte) (jwk.Key, error) {
	var v struct {
		Issuer string `json:"iss"`
	}
	if json.Unmarshal(payload, &v) != nil {
		return nil, ErrMalformed
	}
	for _, m := range c.Members {
		if m.ID.above(v.Issuer) {
			return nil, ErrTooLong
		}
	}
	k, ok := c.keys[kid]
	if !ok || string(k.by) != v.Issuer {
		return nil, ErrUnknown
	}
	return k.key, nil
}

// lasting checks the times of a document.
func (c *Charter) lasting(iat, exp int64, now time.Time) error {
	if exp <= iat || exp-iat > c.Limits.StatementTTL {
		return ErrPolicy
	}
	if iat > now.Unix()+c.Limits.ClockSkew {
		return ErrExpired
	}
	return nil
}

// configured checks what a house says of itself against its voucher.
func (c *Charter) configured(v Voucher, document []byte, own map[string]jwk.Key, now time.Time) (*vouched, error) {
	payload, err := Open(document, TypeEntity, func(kid string, _ []byte) (jwk.Key, error) {
		k, ok := own[kid]
		if !ok {
			return nil, ErrUnknown
		}
		return k, nil
	})
	if err != nil {
		return nil, err
	}
	var s Configuration
	if err := strict(payload, &s); err != nil {
		return nil, err
	}
	if s.Issuer != v.Instance || s.Instance != v.Instance || !slices.Equal(s.AuthorityHints, []MemberID{v.Member}) {
		return nil, ErrPaths
	}
	if err := c.lasting(s.IssuedAt, s.Expires, now); err != nil {
		return nil, err
	}
	m, may := s.Metadata.Instance, v.Policy.Instance
	if !slices.Contains(may.Region.OneOf, m.Region) || !within(m.Editions, may.Editions.SubsetOf) || !within(m.Documents, may.Documents.SubsetOf) {
		return nil, ErrPolicy
	}
	if len(m.Editions) == 0 || !isURL(m.Endpoint) || len(m.Region) > 12 || strings.Trim(m.Region, "0123456789") != "" {
		return nil, ErrMalformed
	}
	out := &vouched{
		Instance: Instance{
			ID: v.Instance, Member: v.Member, Endpoint: m.Endpoint, Editions: slices.Clone(m.Editions), Region: m.Region, Documents: m.Documents,
			Number: v.IssuedAt + s.IssuedAt, VouchedUntil: time.Unix(min(v.Expires, s.Expires), 0).UTC(),
		},
		keys: map[string]operational{},
	}
	slices.SortFunc(out.Editions, func(a, b int) int { return b - a })
	if len(m.Keys.Keys) > mostOperational {
		return nil, ErrMalformed
	}
	for _, text := range m.Keys.Keys {
		k, err := readOperational(text)
		if err != nil {
			return nil, err
		}
		kid := k.key.KeyID()
		if _, taken := out.keys[kid]; taken || own[kid] != nil {
			return nil, ErrDoubled // a key that speaks of the house does not speak for it
		}
		out.keys[kid] = k
	}
	return out, nil
}

func within[T comparable](some, all []T) bool {
	return !slices.ContainsFunc(some, func(one T) bool { return !slices.Contains(all, one) })
}

// into reads keys by their ids.
func (s KeySet) into(out map[string]jwk.Key) error {
	if len(s.Keys) == 0 || len(s.Keys) > mostKeys {
		return ErrMalformed
	}
	for _, text := range s.Keys {
		k, err := readKey(text)
		if err != nil {
			return err
		}
		if out[k.KeyID()] != nil {
			return ErrDoubled
		}
		out[k.KeyID()] = k
	}
	return nil
}

// Times are those of a key by which a house signs, in seconds since 1970; zero for none. Nothing that a key with Compromised signed is believed, whenever:
// whoever has it dates as they like.
type Times struct {
	From, Until int64
	Compromised bool
}

type timesText struct {
	From    int64        `json:"iat,omitempty"`
	Until   int64        `json:"exp,omitempty"`
	Revoked *revokedText `json:"revoked,omitempty"`
}

type revokedText struct {
	At     int64  `json:"revoked_at"`
	Reason string `json:"reason"`
}

// Operational writes a key by which a house signs into its configuration.
func Operational(k jwk.Key, t Times) (json.RawMessage, error) {
	text, err := json.Marshal(k)
	if err != nil {
		return nil, ErrMalformed
	}
	with := timesText{From: t.From, Until: t.Until}
	if t.Compromised {
		with.Revoked = &revokedText{t.Until, "compromised"}
	}
	more, err := json.Marshal(with)
	if err != nil {
		return nil, ErrMalformed
	}
	if string(more) == "{}" {
		return text, nil
	}
	return append(append(text[:len(text)-1], ','), more[1:]...), nil
}

func readOperational(text json.RawMessage) (operational, error) {
	k, err := readKey(text)
	if err != nil {
		return operational{}, err
	}
	var t timesText
	if json.Unmarshal(text, &t) != nil || t.From < 0 || t.Until < 0 {
		return operational{}, ErrMalformed
	}
	out := operational{key: k, from: time.Unix(t.From, 0), revoked: t.Revoked != nil}
	if t.Until > 0 {
		out.until = time.Unix(t.Until, 0)
	}
	return out, nil
}

// Sign signs what a member says of a house.
func (v Voucher) Sign(by *Signer) ([]byte, error) { return signEntity(v, by) }

// Sign signs what a house says of itself.
func (c Configuration) Sign(by *Signer) ([]byte, error) { return signEntity(c, by) }

func signEntity(what any, by *Signer) ([]byte, error) {
	payload, err := json.Marshal(what)
	if err != nil {
		return nil, ErrMalformed
	}
	return by.Sign(TypeEntity, payload)
}

// KeysOf is the set of the public keys of signers.
func KeysOf(signers ...*Signer) (KeySet, error) {
	out := KeySet{Keys: []json.RawMessage{}}
	for _, s := range signers {
		text, err := json.Marshal(s.pub)
		if err != nil {
			return out, ErrMalformed
		}
		out.Keys = append(out.Keys, text)
	}
	return out, nil
}

// Retired writes a key that a house has put away, given as a JWK, into its configuration.
func Retired(text json.RawMessage, t Times) (json.RawMessage, error) {
	k, err := readKey(text)
	if err != nil {
		return nil, err
	}
	return Operational(k, t)
}

// VouchFor is the voucher by which a house may say what it says of itself in a configuration that it has signed, and nothing else, for a time from now on. Whether it
// is the right house, and those are its keys, is for who signs the voucher to know. Errors: ErrMalformed, ErrAlgorithm, ErrType, ErrSignature, ErrUnknown, ErrPaths.
func VouchFor(m MemberID, configuration []byte, now time.Time, life time.Duration) (Voucher, error) {
	var said Configuration
	payload, err := Open(configuration, TypeEntity, func(kid string, payload []byte) (jwk.Key, error) {
		var unchecked Configuration
		own := map[string]jwk.Key{}
		if json.Unmarshal(payload, &unchecked) != nil {
			return nil, ErrMalformed
		}
		if err := unchecked.Keys.into(own); err != nil {
			return nil, err
		}
		if own[kid] == nil {
			return nil, ErrUnknown
		}
		return own[kid], nil
	})
	if err != nil {
		return Voucher{}, err
	}
	if err := strict(payload, &said); err != nil {
		return Voucher{}, err
	}
	if !m.above(string(said.Instance)) || said.Issuer != said.Instance {
		return Voucher{}, ErrPaths
	}
	v := Voucher{Member: m, Instance: said.Instance, IssuedAt: now.Unix(), Expires: now.Add(life).Unix(), Keys: said.Keys}
	of := said.Metadata.Instance
	v.Policy.Instance.Editions.SubsetOf, v.Policy.Instance.Region.OneOf, v.Policy.Instance.Documents.SubsetOf = of.Editions, []string{of.Region}, of.Documents
	return v, nil
}
