// SPDX-License-Identifier: EUPL-1.2

package authz

// This is the one file that knows the library for keys and signatures, so that its successor is a change of one file.

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// key verifies signatures of one algorithm.
type key struct {
	algorithm string
	public    any // of the standard library, so that nothing is converted for each token
}

// allowed tells whether a public key may be for an algorithm. RSASSA-PSS is left out: its salt lengths are not checked.
func allowed(algorithm string, public any) bool {
	switch public := public.(type) {
	case *rsa.PublicKey:
		return algorithm == "RS256" && public.N.BitLen() >= 2048
	case *ecdsa.PublicKey:
		return algorithm == "ES256" && public.Curve == elliptic.P256() || algorithm == "ES384" && public.Curve == elliptic.P384()
	case ed25519.PublicKey:
		return algorithm == "EdDSA" && len(public) == ed25519.PublicKeySize // verifying with another length panics
	}
	return false
}

// parseKeys reads a JWK set (RFC 7517). Keys without an id, for another use, of an algorithm that is not allowed, private ones and those
// that are not understood are left out: an issuer may publish a kind of key that is newer than this house.
func parseKeys(set []byte) (map[string]key, error) {
	var parsed struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(set, &parsed); err != nil {
		return nil, fmt.Errorf("authz: reading a key set: %w", err)
	}
	if parsed.Keys == nil {
		return nil, errors.New("authz: what was given is no key set")
	}
	out := map[string]key{}
	for _, raw := range parsed.Keys {
		k, err := jwk.ParseKey(raw)
		if err != nil || k.KeyID() == "" || len(k.KeyID()) > longestKeyID || !verifies(k) {
			continue
		}
		var public any
		if err := k.Raw(&public); err == nil && allowed(k.Algorithm().String(), public) {
			out[k.KeyID()] = key{k.Algorithm().String(), public}
		}
	}
	return out, nil
}

// verifies tells whether a key is meant for verifying signatures, as far as it says what it is meant for.
func verifies(k jwk.Key) bool {
	use, operations := k.KeyUsage(), k.KeyOps()
	return (use == "" || use == "sig") && (len(operations) == 0 || slices.Contains(operations, jwk.KeyOpVerify))
}

// verify tells whether the compact serialisation is signed by the key.
func (k key) verify(token string) bool {
	_, err := jws.Verify([]byte(token), jws.WithKey(jwa.SignatureAlgorithm(k.algorithm), k.public))
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

// sealer makes the signer of a seed of 32 bytes, for EdDSA: the same one of the same seed, on every replica.
func sealer(seed []byte) (*signer, error) {
	k, err := jwk.FromRaw(ed25519.NewKeyFromSeed(seed))
	if err != nil {
		return nil, fmt.Errorf("authz: making a key: %w", err)
	}
	if err := jwk.AssignKeyID(k); err != nil {
		return nil, fmt.Errorf("authz: making a key: %w", err)
	}
	for name, value := range map[string]any{jwk.AlgorithmKey: jwa.EdDSA, jwk.KeyUsageKey: jwk.ForSignature} {
		if err := k.Set(name, value); err != nil {
			return nil, fmt.Errorf("authz: describing a key: %w", err)
		}
	}
	return &signer{k, k.KeyID()}, nil
}

// detached signs what is sent beside the signature (RFC 7515, appendix F), with further protected headers.
func (s *signer) detached(payload []byte, protected map[string]any) (string, error) {
	h := jws.NewHeaders()
	for name, value := range protected {
		if err := h.Set(name, value); err != nil {
			return "", fmt.Errorf("authz: signing: %w", err)
		}
	}
	out, err := jws.Sign(payload, jws.WithKey(jwa.EdDSA, s.private, jws.WithProtectedHeaders(h)))
	if err != nil {
		return "", fmt.Errorf("authz: signing: %w", err)
	}
	parts := strings.Split(string(out), ".")
	return parts[0] + ".." + parts[2], nil
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
