// SPDX-License-Identifier: EUPL-1.2

package charter

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"

	"github.com/ozg-cloud/platform/internal/strictjson"
)

// mostBytes bounds a document of this room; mostSignatures how many a charter may carry. A charter of sixteen members has 20 kB.
const (
	mostBytes      = 256 << 10
	mostSignatures = 128
	deepest        = 10
)

// header is everything that a protected header may say. Keys and addresses of keys in it are refused with every other member that is not named here.
type header struct {
	Alg string `json:"alg"`
	Kid string `json:"kid"`
	Typ string `json:"typ"`
}

// signature is one of those under a document.
type signature struct {
	header header
	signed []byte // what it signs: protected header, dot, payload
	bytes  []byte
}

// signed is a document as it came, with all its signatures unchecked.
type signed struct {
	payload    []byte
	signatures []signature
}

// strict decodes JSON whose every member is named in the target, each once.
func strict(text []byte, into any) error {
	if _, err := strictjson.Read(text, deepest); err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if d.Decode(into) != nil {
		return ErrMalformed
	}
	return nil
}

// decode reads base64url without padding, in its only form.
func decode(text string) ([]byte, error) {
	out, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || bytes.ContainsAny([]byte(text), "\r\n") {
		return nil, ErrMalformed
	}
	return out, nil
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// Hash is the name of a payload: sha256: and its SHA-256 in lower-case hex.
func Hash(payload []byte) string {
	sum := sha256.Sum256(payload)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func signatureOf(protected, payload, sig string) (signature, error) {
	text, err := decode(protected)
	if err != nil {
		return signature{}, err
	}
	var s signature
	if err := strict(text, &s.header); err != nil {
		return signature{}, err
	}
	if s.bytes, err = decode(sig); err != nil {
		return signature{}, err
	}
	s.signed = []byte(protected + "." + payload)
	return s, nil
}

// readGeneral reads a JWS in the general JSON serialization (RFC 7515, section 7.2.1). Nothing outside the protected headers is allowed.
func readGeneral(document []byte) (signed, error) {
	if len(document) > mostBytes {
		return signed{}, ErrMalformed
	}
	var form general
	if err := strict(document, &form); err != nil {
		return signed{}, err
	}
	if len(form.Signatures) == 0 || len(form.Signatures) > mostSignatures {
		return signed{}, ErrMalformed
	}
	payload, err := decode(form.Payload)
	if err != nil {
		return signed{}, err
	}
	out := signed{payload: payload}
	for _, f := range form.Signatures {
		s, err := signatureOf(f.Protected, form.Payload, f.Signature)
		if err != nil {
			return signed{}, err
		}
		out.signatures = append(out.signatures, s)
	}
	return out, nil
}

// readCompact reads a JWS in the compact serialization.
func readCompact(document []byte) (signed, error) {
	parts := bytes.Split(document, []byte("."))
	if len(parts) != 3 {
		return signed{}, ErrMalformed
	}
	payload, err := decode(string(parts[1]))
	if err != nil {
		return signed{}, err
	}
	s, err := signatureOf(string(parts[0]), string(parts[1]), string(parts[2]))
	if err != nil {
		return signed{}, err
	}
	return signed{payload: payload, signatures: []signature{s}}, nil
}

// general is the JSON of a document that several sign.
type general struct {
	Payload    string         `json:"payload"`
	Signatures []oneSignature `json:"signatures"`
}

type oneSignature struct {
	Protected string `json:"protected"`
	Signature string `json:"signature"`
}

// signTogether begins a document that several sign.
func signTogether(payload []byte, typ string, s *Signer) ([]byte, error) {
	g := general{Payload: encode(payload)}
	protected, sig, err := s.under(typ, g.Payload)
	if err != nil {
		return nil, err
	}
	g.Signatures = []oneSignature{{protected, sig}}
	return json.Marshal(g)
}

// Countersign adds a signature to a charter, or to a list of suspended members. A key that has signed already is ErrDoubled.
func Countersign(document []byte, by *Signer) ([]byte, error) {
	d, err := readGeneral(document)
	if err != nil {
		return nil, err
	}
	var g general
	if err := strict(document, &g); err != nil {
		return nil, err
	}
	for _, s := range d.signatures {
		if s.header.Kid == by.kid {
			return nil, ErrDoubled
		}
	}
	protected, sig, err := by.under(d.signatures[0].header.Typ, g.Payload)
	if err != nil {
		return nil, err
	}
	g.Signatures = append(g.Signatures, oneSignature{protected, sig})
	return json.Marshal(g)
}

// of checks what can be said of a signature before its key is known: its type and its algorithm.
func (s signature) of(typ string) error {
	switch jwa.SignatureAlgorithm(s.header.Alg) {
	case jwa.EdDSA, jwa.ES256:
	default:
		return ErrAlgorithm
	}
	if s.header.Typ != typ {
		return ErrType
	}
	return nil
}

// by checks a signature against a key, whose kind decides which algorithm is right.
func (s signature) by(k jwk.Key) error {
	alg, err := algorithmOf(k)
	if err != nil {
		return err
	}
	if alg.String() != s.header.Alg {
		return ErrAlgorithm
	}
	// One signature, one key: jws.Verify would return on the first of several that holds, and leave the others unread.
	v, err := jws.NewVerifier(alg)
	if err != nil {
		return fmt.Errorf("charter: verifying: %w", err)
	}
	var raw any
	if err := k.Raw(&raw); err != nil {
		return ErrMalformed
	}
	if v.Verify(s.signed, s.bytes, raw) != nil {
		return ErrSignature
	}
	return nil
}

// Open reads a compact JWS of one type and gives its payload. key finds the key by its id and by what the payload says; the payload is not to be believed
// before Open returns. Errors: ErrMalformed, ErrAlgorithm, ErrType, ErrSignature and those of key. Who calls bounds the length first.
func Open(document []byte, typ string, key func(kid string, payload []byte) (jwk.Key, error)) (payload []byte, err error) {
	d, err := readCompact(document)
	if err != nil {
		return nil, err
	}
	s := d.signatures[0]
	if err := s.of(typ); err != nil {
		return nil, err
	}
	k, err := key(s.header.Kid, d.payload)
	if err != nil {
		return nil, err
	}
	if err := s.by(k); err != nil {
		return nil, err
	}
	return d.payload, nil
}
