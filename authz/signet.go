// SPDX-License-Identifier: EUPL-1.2

package authz

import "time"

// Signet signs what the house sends to others of its own accord, with a key that is good for nothing else: no door takes it for a token.
type Signet struct {
	signer *signer
	keys   []byte
}

// NewSignet makes the signet of a seed of 32 bytes. The same seed gives the same key, on every replica.
func NewSignet(seed []byte) (*Signet, error) {
	s, err := sealer(seed)
	if err != nil {
		return nil, err
	}
	keys, err := s.public()
	if err != nil {
		return nil, err
	}
	return &Signet{s, keys}, nil
}

// Keys is the public key as a JWK set (RFC 7517).
func (s *Signet) Keys() []byte { return s.keys }

// Sign signs a body as a compact JWS with detached content (RFC 7515, appendix F; EdDSA). Protected stand beside alg and kid: typ, the time in
// seconds (iat) and an id (jti) that is the same each time the same is sent.
func (s *Signet) Sign(body []byte, typ, id string, at time.Time) (string, error) {
	return s.signer.detached(body, map[string]any{"typ": typ, "iat": at.Unix(), "jti": id})
}
