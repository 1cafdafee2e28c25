// SPDX-License-Identifier: EUPL-1.2

package charter

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"fmt"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// Key is a public key. Who uses one needs to know no more of it.
type Key = jwk.Key

// algorithmOf is the one algorithm that a key signs with.
func algorithmOf(k jwk.Key) (jwa.SignatureAlgorithm, error) {
	switch k := k.(type) {
	case jwk.OKPPublicKey:
		if k.Crv() == jwa.Ed25519 {
			return jwa.EdDSA, nil
		}
	case jwk.ECDSAPublicKey:
		if k.Crv() == jwa.P256 {
			return jwa.ES256, nil
		}
	}
	return "", ErrAlgorithm
}

// KeyID is the id of a key: its thumbprint (RFC 7638) with SHA-256.
func KeyID(k jwk.Key) (string, error) {
	sum, err := k.Thumbprint(crypto.SHA256)
	if err != nil {
		return "", fmt.Errorf("charter: taking the thumbprint of a key: %w", err)
	}
	return encode(sum), nil
}

// readKey reads a public key whose id is its thumbprint. Secret parts and keys of other kinds are refused.
func readKey(text json.RawMessage) (jwk.Key, error) {
	k, err := jwk.ParseKey(text)
	if err != nil {
		return nil, ErrMalformed
	}
	if _, err := algorithmOf(k); err != nil {
		return nil, err
	}
	var raw any
	if k.Raw(&raw) != nil {
		return nil, ErrMalformed
	}
	switch raw := raw.(type) {
	case ed25519.PublicKey:
		if len(raw) != ed25519.PublicKeySize {
			return nil, ErrMalformed
		}
	case *ecdsa.PublicKey:
		if _, err := raw.ECDH(); err != nil { // not on the curve
			return nil, ErrMalformed
		}
	}
	id, err := KeyID(k)
	if err != nil || id != k.KeyID() {
		return nil, ErrMalformed
	}
	return k, nil
}

// Signer signs in the name of whoever has its key: a member, or a house.
type Signer struct {
	key ed25519.PrivateKey
	kid string
	pub jwk.Key
}

// NewSigner makes a signer with a fresh key.
func NewSigner() (*Signer, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("charter: making a key: %w", err)
	}
	return SignerOf(key)
}

// SignerOf makes a signer of a key.
func SignerOf(key ed25519.PrivateKey) (*Signer, error) {
	pub, err := jwk.FromRaw(key.Public())
	if err != nil {
		return nil, fmt.Errorf("charter: reading a key: %w", err)
	}
	kid, err := KeyID(pub)
	if err != nil {
		return nil, err
	}
	if err := pub.Set(jwk.KeyIDKey, kid); err != nil {
		return nil, fmt.Errorf("charter: naming a key: %w", err)
	}
	return &Signer{key: key, kid: kid, pub: pub}, nil
}

// ReadSigner reads a signer as Secret wrote it.
func ReadSigner(text []byte) (*Signer, error) {
	k, err := jwk.ParseKey(text)
	if err != nil {
		return nil, ErrMalformed
	}
	var key ed25519.PrivateKey
	if k.Raw(&key) != nil || len(key) != ed25519.PrivateKeySize {
		return nil, ErrAlgorithm
	}
	return SignerOf(key)
}

// Secret is the signer's key as a JWK with its secret part, for a file that nobody else reads.
func (s *Signer) Secret() ([]byte, error) {
	k, err := jwk.FromRaw(s.key)
	if err != nil {
		return nil, fmt.Errorf("charter: writing a key: %w", err)
	}
	if err := k.Set(jwk.KeyIDKey, s.kid); err != nil {
		return nil, fmt.Errorf("charter: naming a key: %w", err)
	}
	return json.Marshal(k)
}

// KeyID is the id of the signer's key.
func (s *Signer) KeyID() string { return s.kid }

// Public is the signer's key without its secret part.
func (s *Signer) Public() jwk.Key { return s.pub }

// Sign signs a payload: a compact JWS (RFC 7515) by EdDSA, whose header has alg, kid and typ and nothing else. Equal payloads give equal bytes.
func (s *Signer) Sign(typ string, payload []byte) ([]byte, error) {
	protected, sig, err := s.under(typ, encode(payload))
	if err != nil {
		return nil, err
	}
	return []byte(protected + "." + encode(payload) + "." + sig), nil
}

// under signs a payload that is encoded already.
func (s *Signer) under(typ, payload string) (protected, sig string, err error) {
	head, err := json.Marshal(header{Alg: jwa.EdDSA.String(), Kid: s.kid, Typ: typ})
	if err != nil {
		return "", "", fmt.Errorf("charter: writing a header: %w", err)
	}
	protected = encode(head)
	signer, err := jws.NewSigner(jwa.EdDSA)
	if err != nil {
		return "", "", fmt.Errorf("charter: signing: %w", err)
	}
	b, err := signer.Sign([]byte(protected+"."+payload), s.key)
	if err != nil {
		return "", "", fmt.Errorf("charter: signing: %w", err)
	}
	return protected, encode(b), nil
}
