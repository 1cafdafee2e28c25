// SPDX-License-Identifier: EUPL-1.2

package authz_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"hash"
	"maps"
	"math/big"
	"strings"
	"sync"
)

// The forger makes tokens and key sets by hand, without the library that reads them, so that it can make what no library makes.

// signature signs the input of a token: header, dot, claims.
type signature func(input string) []byte

// pair is a key that signs, and how an issuer publishes it.
type pair struct {
	alg, id string
	sign    signature
	public  map[string]any // a JWK (RFC 7517)
}

// text is a JSON object whose order, repetitions and mistakes are all intended: names with values as they are written.
type text [][2]string

func (t text) set(name, value string) text {
	out := text{}
	found := false
	for _, f := range t {
		if f[0] == name {
			f, found = [2]string{name, value}, true
		}
		out = append(out, f)
	}
	if !found {
		out = append(out, [2]string{name, value})
	}
	return out
}

func (t text) without(name string) text {
	out := text{}
	for _, f := range t {
		if f[0] != name {
			out = append(out, f)
		}
	}
	return out
}

// twice adds a name that may be there already.
func (t text) twice(name, value string) text { return append(text{{name, value}}, t...) }

func (t text) String() string {
	var fields []string
	for _, f := range t {
		fields = append(fields, `"`+f[0]+`":`+f[1])
	}
	return "{" + strings.Join(fields, ",") + "}"
}

var b64 = base64.RawURLEncoding.EncodeToString

func quote(s string) string {
	raw, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(raw)
}

// compact is the compact serialisation (RFC 7515, section 7.1).
func compact(header, claims string, sign signature) string {
	input := b64([]byte(header)) + "." + b64([]byte(claims))
	return input + "." + b64(sign(input))
}

func (p pair) header() text {
	return text{{"alg", quote(p.alg)}, {"typ", `"at+jwt"`}, {"kid", quote(p.id)}}
}

func (p pair) token(claims text) string { return compact(p.header().String(), claims.String(), p.sign) }

// published is a key set of these keys.
func published(pairs ...pair) []byte {
	keys := []map[string]any{}
	for _, p := range pairs {
		keys = append(keys, p.public)
	}
	raw, err := json.Marshal(map[string]any{"keys": keys})
	if err != nil {
		panic(err)
	}
	return raw
}

// as is the same key published with other members; nil removes one.
func (p pair) as(id string, changes map[string]any) pair {
	p.id, p.public = id, maps.Clone(p.public)
	p.public["kid"] = id
	for name, value := range changes {
		if p.public[name] = value; value == nil {
			delete(p.public, name)
		}
	}
	return p
}

func done[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func sum(h func() hash.Hash, input string) []byte {
	s := h()
	s.Write([]byte(input))
	return s.Sum(nil)
}

func member(id, alg, kty string) map[string]any {
	return map[string]any{"kid": id, "alg": alg, "kty": kty, "use": "sig"}
}

func rsaPair(id string, bits int) (pair, *rsa.PrivateKey) {
	private := done(rsa.GenerateKey(rand.Reader, bits))
	public := member(id, "RS256", "RSA")
	public["n"], public["e"] = b64(private.N.Bytes()), b64(big.NewInt(int64(private.E)).Bytes())
	return pair{"RS256", id, func(input string) []byte {
		return done(rsa.SignPKCS1v15(nil, private, crypto.SHA256, sum(sha256.New, input)))
	}, public}, private
}

// pss signs as RSASSA-PSS does, with the key of an RSA pair.
func pss(private *rsa.PrivateKey) signature {
	return func(input string) []byte {
		return done(rsa.SignPSS(rand.Reader, private, crypto.SHA256, sum(sha256.New, input), &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}))
	}
}

func ecPair(id, alg string, curve elliptic.Curve, h func() hash.Hash) (pair, *ecdsa.PrivateKey) {
	private := done(ecdsa.GenerateKey(curve, rand.Reader))
	size := (curve.Params().BitSize + 7) / 8
	point := done(private.PublicKey.Bytes())[1:]
	public := member(id, alg, "EC")
	public["crv"], public["x"], public["y"] = curve.Params().Name, b64(point[:size]), b64(point[size:])
	return pair{alg, id, func(input string) []byte {
		r, s, err := ecdsa.Sign(rand.Reader, private, sum(h, input))
		if err != nil {
			panic(err)
		}
		out := make([]byte, 2*size)
		r.FillBytes(out[:size])
		s.FillBytes(out[size:])
		return out
	}, public}, private
}

func edPair(id string) pair {
	key, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	public := member(id, "EdDSA", "OKP")
	public["crv"], public["x"] = "Ed25519", b64(key)
	return pair{"EdDSA", id, func(input string) []byte { return ed25519.Sign(private, []byte(input)) }, public}
}

// mac signs as the HMAC algorithms do, with whatever the forger takes for the secret.
func mac(h func() hash.Hash, secret []byte) signature {
	return func(input string) []byte {
		m := hmac.New(h, secret)
		m.Write([]byte(input))
		return m.Sum(nil)
	}
}

// keyring is what all tests sign with: making an RSA key takes longer than most tests.
type keyring struct {
	rs, stranger, weak, neighbour pair
	es, es384, es512, ed          pair
	private                       *rsa.PrivateKey   // of rs
	privateEC                     *ecdsa.PrivateKey // of es
}

var keys = sync.OnceValue(func() (k keyring) {
	k.rs, k.private = rsaPair("rs", 2048)
	k.stranger, _ = rsaPair("stranger", 2048)
	k.neighbour, _ = ecPair("neighbour", "ES256", elliptic.P256(), sha256.New)
	k.weak, _ = rsaPair("weak", 1024)
	k.es, k.privateEC = ecPair("es", "ES256", elliptic.P256(), sha256.New)
	k.es384, _ = ecPair("es384", "ES384", elliptic.P384(), sha512.New384)
	k.es512, _ = ecPair("es512", "ES512", elliptic.P521(), sha512.New)
	k.ed = edPair("ed")
	return k
})
