// SPDX-License-Identifier: EUPL-1.2

package authz

// This is the one file that knows the library for keys and signatures, so that its successor is a change of one file.

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// key verifies signatures of one algorithm.
type key struct {
	algorithm string
	key       jwk.Key
}

// allowed are the algorithms that a key may be for, by its type and curve. RSASSA-PSS is left out: its salt lengths are not checked.
func allowed(k jwk.Key) (string, bool) {
	alg := k.Algorithm().String()
	switch k.KeyType() {
	case jwa.RSA:
		public, ok := k.(jwk.RSAPublicKey)
		return alg, ok && alg == "RS256" && len(public.N()) >= 256 // 2048 bits
	case jwa.EC:
		public, ok := k.(jwk.ECDSAPublicKey)
		return alg, ok && (alg == "ES256" && public.Crv() == jwa.P256 || alg == "ES384" && public.Crv() == jwa.P384)
	case jwa.OKP:
		public, ok := k.(jwk.OKPPublicKey)
		return alg, ok && alg == "EdDSA" && public.Crv() == jwa.Ed25519
	}
	return "", false
}

// parseKeys reads a JWK set (RFC 7517). Keys without an id, for another use, of an algorithm that is not allowed, or private are left out.
func parseKeys(set []byte) (map[string]key, error) {
	parsed, err := jwk.Parse(set)
	if err != nil {
		return nil, fmt.Errorf("authz: reading a key set: %w", err)
	}
	out := map[string]key{}
	for i := range parsed.Len() {
		k, ok := parsed.Key(i)
		if !ok || k.KeyID() == "" || len(k.KeyID()) > longestKeyID || k.KeyUsage() != "" && k.KeyUsage() != "sig" {
			continue
		}
		if alg, ok := allowed(k); ok {
			out[k.KeyID()] = key{alg, k}
		}
	}
	return out, nil
}

// verify tells whether the compact serialisation is signed by the key.
func (k key) verify(token string) bool {
	_, err := jws.Verify([]byte(token), jws.WithKey(jwa.SignatureAlgorithm(k.algorithm), k.key))
	return err == nil
}

// signer signs tokens with a private key of its own.
type signer struct {
	private jwk.Key
	id      string
}

// newSigner makes a key pair for ES256.
func newSigner() (*signer, error) {
	raw, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("authz: making a key: %w", err)
	}
	k, err := jwk.FromRaw(raw)
	if err != nil {
		return nil, fmt.Errorf("authz: making a key: %w", err)
	}
	if err := jwk.AssignKeyID(k); err != nil {
		return nil, fmt.Errorf("authz: making a key: %w", err)
	}
	return signerOf(k)
}

func signerOf(k jwk.Key) (*signer, error) {
	for name, value := range map[string]any{jwk.AlgorithmKey: jwa.ES256, jwk.KeyUsageKey: jwk.ForSignature} {
		if err := k.Set(name, value); err != nil {
			return nil, fmt.Errorf("authz: describing a key: %w", err)
		}
	}
	return &signer{k, k.KeyID()}, nil
}

// parseSigner reads a private key as marshal wrote it.
func parseSigner(raw []byte) (*signer, error) {
	k, err := jwk.ParseKey(raw)
	if err != nil {
		return nil, fmt.Errorf("authz: reading a private key: %w", err)
	}
	return signerOf(k)
}

func (s *signer) marshal() ([]byte, error) { return json.Marshal(s.private) }

// public is the key set with which the signatures can be verified.
func (s *signer) public() ([]byte, error) {
	public, err := jwk.PublicKeyOf(s.private)
	if err != nil {
		return nil, fmt.Errorf("authz: publishing a key: %w", err)
	}
	set := jwk.NewSet()
	if err := set.AddKey(public); err != nil {
		return nil, fmt.Errorf("authz: publishing a key: %w", err)
	}
	return json.Marshal(set)
}

func (s *signer) sign(payload []byte, typ string) (string, error) {
	h := jws.NewHeaders()
	if err := h.Set(jws.TypeKey, typ); err != nil {
		return "", fmt.Errorf("authz: signing: %w", err)
	}
	out, err := jws.Sign(payload, jws.WithKey(jwa.ES256, s.private, jws.WithProtectedHeaders(h)))
	if err != nil {
		return "", fmt.Errorf("authz: signing: %w", err)
	}
	return string(out), nil
}
