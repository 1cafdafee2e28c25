// SPDX-License-Identifier: EUPL-1.2

package authz_test

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"

	"github.com/ozg-cloud/platform/authz"
)

// neighbourURL is the issuer of another Land.
const neighbourURL = "https://login.example/realms/by"

// badKeys are keys that no token may be signed with, although the issuer publishes them.
func badKeys() map[string]pair {
	k := keys()
	padded := base64.RawURLEncoding.EncodeToString(append(make([]byte, 128), done(base64.RawURLEncoding.DecodeString(k.weak.public["n"].(string)))...))
	scalar := done(k.privateEC.Bytes())
	return map[string]pair{
		"for encryption":                          k.rs.as("encryption", map[string]any{"use": "enc"}),
		"whose operations do not include verify":  k.rs.as("operations", map[string]any{"use": nil, "key_ops": []string{"encrypt"}}),
		"of RSA with 1024 bits":                   k.weak,
		"of RSA with 1024 bits and leading zeros": k.weak.as("padded", map[string]any{"n": padded}),
		"without an algorithm":                    k.rs.as("vague", map[string]any{"alg": nil}),
		"for RSASSA-PSS":                          {"PS256", "pss", pss(k.private), k.rs.as("pss", map[string]any{"alg": "PS256"}).public},
		"for an algorithm of another curve":       k.es384.as("curve", map[string]any{"alg": "ES256"}),
		"of P-521":                                k.es512,
		"that is private":                         k.es.as("private", map[string]any{"d": b64(scalar)}),
		"of RSA that is private": k.rs.as("private-rsa", map[string]any{
			"d": b64(k.private.D.Bytes()), "p": b64(k.private.Primes[0].Bytes()), "q": b64(k.private.Primes[1].Bytes()),
		}),
		"that is a shared secret":             {"HS256", "secret", mac(sha256.New, []byte("secret")), map[string]any{"kid": "secret", "kty": "oct", "alg": "HS256", "use": "sig", "k": b64([]byte("secret"))}},
		"with an id of 129 characters":        k.rs.as(strings.Repeat("k", 129), nil),
		"with an empty id":                    k.rs.as("", nil),
		"of Ed25519 that is too short":        k.ed.as("short", map[string]any{"x": b64(make([]byte, 31))}),
		"whose point is not on its curve":     k.es.as("off", map[string]any{"x": b64(scalar), "y": b64(scalar)}),
		"with an exponent that forges itself": {"RS256", "one", padded256, k.rs.as("one", map[string]any{"e": "AQ"}).public},
	}
}

// padded256 is a signature for a key of 2048 bits whose exponent is one: the padded digest itself (RFC 8017, section 9.2).
func padded256(input string) []byte {
	digest := append([]byte("\x00\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"), sum(sha256.New, input)...)
	return slices.Concat([]byte{0, 1}, bytes.Repeat([]byte{0xff}, 256-2-len(digest)), digest)
}

// everyKey is what the issuer of these tests publishes: four good keys and the bad ones.
func everyKey() []byte {
	k := keys()
	return published(append([]pair{k.rs, k.es, k.es384, k.ed}, slices.Collect(maps.Values(badKeys()))...)...)
}

func strict(t testing.TB) *office {
	t.Helper()
	by := trusting(published(keys().neighbour))
	by.Name, by.URL, by.Tenant = "by", neighbourURL, "by"
	return newOffice(t, trusting(everyKey()), by)
}

// forgeries are tokens that no reader may accept, by what is wrong with them.
func forgeries() map[string]string {
	var (
		k    = keys()
		good = claims(noon)
		head = k.rs.header()
		all  = map[string]string{}
		at   = func(d time.Duration) string { return strconv.FormatInt(noon.Add(d).Unix(), 10) }
		put  = func(name, token string) {
			if _, there := all[name]; there {
				panic("two forgeries are called " + name)
			}
			all[name] = token
		}
		header  = func(name string, h text) { put(name, compact(h.String(), good.String(), k.rs.sign)) }
		body    = func(name, claims string) { put(name, compact(head.String(), claims, k.rs.sign)) }
		claimed = func(name string, c text) { body(name, c.String()) }
		token   = k.rs.token(good)
		parts   = strings.Split(token, ".")
		der     = done(x509.MarshalPKIXPublicKey(&k.private.PublicKey))
		pemText = pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
		jwkText = done(json.Marshal(k.rs.public))
		garbage = func(n int) signature { return func(string) []byte { return make([]byte, n) } }
	)

	// No signature, or one that everybody can make.
	for _, none := range []string{"none", "None", "NONE", "nOnE", "", " none"} {
		put("alg is "+strconv.Quote(none)+" and the signature is empty", compact(head.set("alg", quote(none)).String(), good.String(), garbage(0)))
		put("alg is "+strconv.Quote(none)+" and the signature is not", compact(head.set("alg", quote(none)).String(), good.String(), garbage(3)))
	}
	for what, secret := range map[string][]byte{"the public key as PEM": pemText, "the public key as DER": der, "the public key as JWK": jwkText, "the modulus": k.private.N.Bytes(), "nothing": {}, "the id": []byte("rs")} {
		put("HS256 keyed with "+what, compact(head.set("alg", `"HS256"`).String(), good.String(), mac(sha256.New, secret)))
	}
	put("HS384 keyed with the public key", compact(head.set("alg", `"HS384"`).String(), good.String(), mac(sha512.New384, pemText)))
	put("HS512 keyed with the public key", compact(head.set("alg", `"HS512"`).String(), good.String(), mac(sha512.New, pemText)))

	// The algorithm is not the key's.
	for _, alg := range []string{`"RS384"`, `"RS512"`, `"PS384"`, `"PS512"`, `"ES256"`, `"EdDSA"`, `"rs256"`, `" RS256"`, `"RS256 "`, `null`, `256`, `["RS256"]`, `{"alg":"RS256"}`, `true`} {
		header("alg is "+alg, head.set("alg", alg))
	}
	header("alg is missing", head.without("alg"))
	put("PS256 with a key for RS256", compact(head.set("alg", `"PS256"`).String(), good.String(), pss(k.private)))
	put("RS256 with a signature of PS256", compact(head.String(), good.String(), pss(k.private)))
	put("ES256 with the id of a key for ES384", compact(k.es384.header().set("alg", `"ES256"`).String(), good.String(), k.es384.sign))
	put("ES384 with the id of a key for ES256", compact(k.es.header().set("alg", `"ES384"`).String(), good.String(), k.es.sign))
	put("Ed25519 instead of EdDSA", compact(k.ed.header().set("alg", `"Ed25519"`).String(), good.String(), k.ed.sign))
	put("the id of another key of ours", compact(head.set("kid", `"es"`).String(), good.String(), k.rs.sign))
	put("id and algorithm of another key of ours", compact(k.es.header().String(), good.String(), k.rs.sign))

	// Parameters of the header that are not understood, all signed.
	stranger := string(done(json.Marshal(k.stranger.public)))
	for name, value := range map[string]string{
		"jku": `"https://evil.example/keys"`, "x5u": `"https://evil.example/chain"`, "x5c": `["MIIB"]`, "x5t": `"dGh1bWI"`, "x5t#S256": `"dGh1bWI"`,
		"crit": `["exp"]`, "zip": `"DEF"`, "cty": `"JWT"`, "enc": `"A256GCM"`, "nonce": `"n"`, "b64": `true`, "url": `"x"`, "ALG": `"RS256"`, "epk": stranger, "unknown": `1`,
	} {
		header("the header has "+name, head.twice(name, value))
	}
	header("crit is empty", head.set("crit", `[]`))
	header("crit names what is not there", head.set("crit", `["x-y"]`))
	header("crit names what is there and unknown", head.set("crit", `["x-y"]`).set("x-y", `1`))
	header("crit is a text", head.set("crit", `"exp"`))
	header("b64 is false", head.set("b64", `false`))
	header("b64 is false and crit", head.set("b64", `false`).set("crit", `["b64"]`))
	plain := head.set("b64", `false`).set("crit", `["b64"]`).String()
	put("the claims are not encoded", b64([]byte(plain))+"."+good.String()+"."+b64(k.rs.sign(b64([]byte(plain))+"."+good.String())))
	put("the key is in the header", compact(head.set("jwk", stranger).String(), good.String(), k.stranger.sign))
	put("the key is in the header under an id of its own", compact(k.stranger.header().set("jwk", stranger).String(), good.String(), k.stranger.sign))
	put("the key set is named in the header", compact(k.stranger.header().set("jku", quote("data:application/json,"+string(published(k.stranger)))).String(), good.String(), k.stranger.sign))

	// The id of the key.
	for _, id := range []string{`""`, `null`, `1`, `["rs"]`, `"RS"`, `"rs "`, `"rs\u0000"`, `"../../../dev/null"`, `"' or 1=1 --"`, quote(strings.Repeat("k", 128))} {
		header("kid is "+id[:min(len(id), 20)], head.set("kid", id))
	}
	header("kid is missing", head.without("kid"))
	put("an unknown key", k.stranger.token(good))

	// The type.
	for _, typ := range []string{`"JWT"`, `""`, `"at+jwt "`, `"application/at+jwt"`, `"dpop+jwt"`, `"secevent+jwt"`, `1`, `null`, `["at+jwt"]`} {
		header("typ is "+typ, head.set("typ", typ))
	}
	header("typ is missing", head.without("typ"))

	// The serialisation.
	put("nothing at all", "")
	put("one dot", ".")
	put("two dots", "..")
	put("three dots", "...")
	put("the header alone", parts[0])
	put("two parts", parts[0]+"."+parts[1])
	put("an empty fourth part", token+".")
	put("a fourth part", token+".x")
	put("five parts", token+".x.y")
	put("a leading dot", "."+token)
	put("an empty header", "."+parts[1]+"."+parts[2])
	put("empty claims", parts[0]+".."+parts[2])
	put("flattened JSON", fmt.Sprintf(`{"protected":%q,"payload":%q,"signature":%q}`, parts[0], parts[1], parts[2]))
	put("flattened JSON with a header that is not protected", fmt.Sprintf(`{"header":%s,"protected":%q,"payload":%q,"signature":%q}`, head, parts[0], parts[1], parts[2]))
	put("general JSON", fmt.Sprintf(`{"payload":%q,"signatures":[{"protected":%q,"signature":%q}]}`, parts[1], parts[0], parts[2]))
	put("general JSON with a second, foreign signature", fmt.Sprintf(`{"payload":%q,"signatures":[{"protected":%q,"signature":"AAAA"},{"protected":%q,"signature":%q}]}`, parts[1], parts[0], parts[0], parts[2]))
	put("JSON in base64url", b64(fmt.Appendf(nil, `{"protected":%q,"payload":%q,"signature":%q}`, parts[0], parts[1], parts[2])))
	put("JSON with dots", fmt.Sprintf(`{"protected":%q,"payload":%q,"signature":%q,"x":".."}`, parts[0], parts[1], parts[2]))
	for i, part := range []string{"header", "claims", "signature"} {
		change := func(how string, f func(string) string) {
			p := slices.Clone(parts)
			p[i] = f(p[i])
			put(part+" with "+how, strings.Join(p, "."))
		}
		change("one padding sign", func(s string) string { return s + "=" })
		change("two padding signs", func(s string) string { return s + "==" })
		change("a line feed in it", func(s string) string { return s[:4] + "\n" + s[4:] })
		change("a line feed after it", func(s string) string { return s + "\n" })
		change("a carriage return in it", func(s string) string { return s[:4] + "\r\n" + s[4:] })
		change("a blank before it", func(s string) string { return " " + s })
		change("a blank after it", func(s string) string { return s + " " })
		change("a tab after it", func(s string) string { return s + "\t" })
		change("a zero byte after it", func(s string) string { return s + "\x00" })
		change("a no-break space after it", func(s string) string { return s + "\u00a0" })
		change("its first sign percent-encoded", func(s string) string { return fmt.Sprintf("%%%02X%s", s[0], s[1:]) })
		change("its last character cut off", func(s string) string { return s[:len(s)-1] })
		change("the alphabet of base64", func(s string) string { return strings.NewReplacer("-", "+", "_", "/").Replace(s[:len(s)-1]) + "+" })
	}
	// The last bits of a part of 4n+2 characters stand for nothing: set, they make another text for the same bytes.
	dirty := func(s string) string {
		const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
		return s[:len(s)-1] + alphabet[strings.IndexByte(alphabet, s[len(s)-1])|1:][:1]
	}
	put("a signature whose last bits are set", parts[0]+"."+parts[1]+"."+dirty(parts[2]))
	for blanks := range 3 {
		h, c := head.String()+strings.Repeat(" ", blanks), good.String()+strings.Repeat(" ", blanks)
		if len(h)%3 != 0 {
			p := dirty(b64([]byte(h))) + "." + b64([]byte(c))
			put("a header of which last bits are set "+strconv.Itoa(blanks), p+"."+b64(k.rs.sign(p)))
		}
		if len(c)%3 != 0 {
			p := b64([]byte(h)) + "." + dirty(b64([]byte(c)))
			put("claims of which last bits are set "+strconv.Itoa(blanks), p+"."+b64(k.rs.sign(p)))
		}
	}
	put("the scheme is still there", "Bearer "+token)
	put("two tokens", token+","+token)
	put("two tokens in one", token+token)
	put("a token of more than 8 KiB", k.rs.token(good.set("pad", quote(strings.Repeat("x", 8<<10)))))
	put("a token of 2 MB", k.rs.token(good.set("pad", quote(strings.Repeat("x", 2<<20)))))
	put("eight thousand dots", strings.Repeat(".", 8000))

	// JSON that is none, or not one object.
	put("a header with a byte order mark", compact("\ufeff"+head.String(), good.String(), k.rs.sign))
	put("a header that is a list", compact("["+head.String()+"]", good.String(), k.rs.sign))
	put("a header followed by another", compact(head.String()+head.String(), good.String(), k.rs.sign))
	put("a header that does not end", compact(strings.TrimSuffix(head.String(), "}"), good.String(), k.rs.sign))
	for name, claims := range map[string]string{
		"with a byte order mark": "\ufeff" + good.String(), "in a list": "[" + good.String() + "]", "that are a text": quote(good.String()), "that are null": "null",
		"that are a number": "1", "that are empty": "{}", "followed by others": good.String() + good.String(), "followed by a comma": good.String() + ",",
		"with a comma too many": strings.Replace(good.String(), "}", ",}", 1), "with a comma too few": strings.Replace(good.String(), ",", " ", 1),
		"with a comment": strings.Replace(good.String(), ",", ",/* */", 1), "in single quotes": strings.ReplaceAll(good.String(), `"`, `'`),
		"that do not end": strings.TrimSuffix(good.String(), "}"), "nested too deeply": good.set("x", strings.Repeat(`[`, 50)+strings.Repeat(`]`, 50)).String(),
		"that are no UTF-8": good.set("sub", "\"anna\xff\"").String(), "in UTF-16": string(utf16(good.String())), "with a control character": good.set("sub", "\"an\nna\"").String(),
		"with a wrong bracket": good.set("x", `[1}`).String(), "with an unknown escape": good.set("x", `"\q"`).String(),
	} {
		body("claims "+name, claims)
	}

	// Names that are repeated: one reader takes the first, another the last.
	for _, f := range head {
		header("the header has "+f[0]+" twice", head.twice(f[0], f[1]))
		header("the header has "+f[0]+" twice, once as null", head.twice(f[0], "null"))
	}
	for _, f := range good {
		claimed("the claim "+f[0]+" twice", good.twice(f[0], f[1]))
		claimed("the claim "+f[0]+" twice, the first as null", good.twice(f[0], "null"))
	}
	claimed("the claim sub twice, for somebody else", good.twice("sub", `"admin"`))
	claimed("the claim sub twice, once with an escape", append(good, [2]string{`\u0073ub`, `"admin"`}))
	claimed("the claim exp twice, once in the past", good.twice("exp", "1"))
	claimed("a name twice deep down", good.set("x", `{"y":[{"a":1,"a":2}]}`))

	// The signature.
	put("no signature", parts[0]+"."+parts[1]+".")
	put("a cut signature", token[:len(token)-10])
	put("one character for a signature", parts[0]+"."+parts[1]+".A")
	put("a doubled signature", token+parts[2])
	put("a signature of zeros", compact(head.String(), good.String(), garbage(256)))
	put("a signature with a leading zero", compact(head.String(), good.String(), func(s string) []byte { return append([]byte{0}, k.rs.sign(s)...) }))
	put("another key under our id", compact(head.String(), good.String(), k.stranger.sign))
	put("the signature of another token", parts[0]+"."+parts[1]+"."+strings.Split(k.rs.token(good.set("sub", `"bert"`)), ".")[2])
	put("a changed claim", parts[0]+"."+b64([]byte(good.set("sub", `"admin"`).String()))+"."+parts[2])
	put("a changed header", b64([]byte(head.set("kid", `"es"`).String()))+"."+parts[1]+"."+parts[2])
	put("a signature over what is decoded", compact(head.String(), good.String(), func(string) []byte { return k.rs.sign(head.String() + "." + good.String()) }))
	put("a signature over the claims alone", compact(head.String(), good.String(), func(string) []byte { return k.rs.sign(parts[1]) }))
	put("ES256 with zeros", compact(k.es.header().String(), good.String(), garbage(64)))
	put("ES256 in DER", compact(k.es.header().String(), good.String(), func(s string) []byte { return done(k.privateEC.Sign(nil, sum(sha256.New, s), crypto.SHA256)) }))
	put("ES256 with two numbers that are too long", compact(k.es.header().String(), good.String(), func(s string) []byte {
		r := k.es.sign(s)
		return slices.Concat([]byte{0}, r[:32], []byte{0}, r[32:])
	}))
	put("ES256 with the order of the curve added", compact(k.es.header().String(), good.String(), func(s string) []byte {
		r := k.es.sign(s)
		n := new(big.Int).Add(new(big.Int).SetBytes(r[32:]), k.privateEC.Params().N).Bytes()
		return slices.Concat([]byte{0}, r[:32], make([]byte, 33-len(n)), n)
	}))
	put("ES384 with zeros", compact(k.es384.header().String(), good.String(), garbage(96)))
	put("EdDSA with zeros", compact(k.ed.header().String(), good.String(), garbage(64)))
	put("EdDSA with a byte too many", compact(k.ed.header().String(), good.String(), func(s string) []byte { return append(k.ed.sign(s), 0) }))

	// Times.
	for _, never := range []string{"0", "-0", "-1", "NaN", "Infinity", "-1e9", "1e400", "1e-9", "1e18", "0x7fffffff", "+1", "01", "null", "true", "[1]", "{}", `""`, quote(at(time.Hour))} {
		claimed("exp is "+never, good.set("exp", never))
		claimed("iat is "+never, good.set("iat", never))
		if never != "1e-9" { // long ago
			claimed("nbf is "+never, good.set("nbf", never))
		}
	}
	claimed("exp is missing", good.without("exp"))
	claimed("iat is missing", good.without("iat"))
	claimed("exp is over for as long as clocks may differ", good.set("exp", at(-30*time.Second)).set("iat", at(-time.Hour)))
	claimed("exp is long over", good.set("exp", at(-24*time.Hour)).set("iat", at(-25*time.Hour)))
	claimed("exp is in milliseconds", good.set("exp", at(time.Hour)+"000"))
	claimed("a life of more than a day", good.set("exp", at(24*time.Hour+time.Second)).set("iat", at(0)))
	claimed("a life of more than a day that began long ago", good.set("iat", at(-48*time.Hour)))
	claimed("a life that ends when it begins", good.set("exp", at(10*time.Second)).set("iat", at(10*time.Second)))
	claimed("a life that ends before it begins", good.set("exp", at(10*time.Second)).set("iat", at(20*time.Second)))
	claimed("issued in the future", good.set("iat", at(31*time.Second)))
	claimed("not valid yet", good.set("nbf", at(31*time.Second)))

	// Issuer and audience.
	for _, iss := range []string{`""`, `null`, `1`, `["` + issuerURL + `"]`, `{}`, `"https://evil.example"`, quote(issuerURL + "/"), quote(strings.ToUpper(issuerURL)), quote(issuerURL + "/.."),
		quote(issuerURL + ".evil.example"), quote(strings.Replace(issuerURL, "https", "http", 1)), quote(strings.Replace(issuerURL, "login.example", "login.example:443", 1)),
		quote(strings.Replace(issuerURL, "//", "//evil@", 1)), quote(issuerURL + "\n"), quote(" " + issuerURL), quote(issuerURL + "#"), quote(issuerURL + "?")} {
		claimed("iss is "+iss, good.set("iss", iss))
	}
	claimed("iss is missing", good.without("iss"))
	for _, aud := range []string{`""`, `null`, `1`, `{}`, `[]`, `"other"`, `["other"]`, `["` + audience + `",1]`, `[1,"` + audience + `"]`, `[["` + audience + `"]]`, `["` + audience + `",null]`,
		quote(audience + "/"), quote(strings.ToUpper(audience)), quote(audience + " "), quote(audience[:len(audience)-1]), quote(audience + " other"), `{"` + audience + `":true}`} {
		claimed("aud is "+aud, good.set("aud", aud))
	}
	claimed("aud is missing", good.without("aud"))

	// The subject.
	for name, sub := range map[string]string{
		"empty": `""`, "null": `null`, "a number": `1`, "a list": `["anna"]`, "an object": `{"sub":"anna"}`, "true": `true`, "of 201 characters": quote(strings.Repeat("a", 201)),
		"with a line feed": `"anna\nlevel=ERROR"`, "with a zero": `"anna\u0000"`, "with DEL": `"anna\u007f"`, "with a C1 control": `"anna\u0085"`, "with a change of direction": `"\u202eanna"`,
		"with a mark of no width": `"an\u200bna"`, "with half a character": `"anna\ud800"`, "with a replacement character": `"anna\ufffd"`,
	} {
		claimed("the subject is "+name, good.set("sub", sub))
	}
	claimed("the subject is missing", good.without("sub"))
	for _, level := range []string{`4`, `null`, `["STORK-QAA-LEVEL-4"]`, `true`} {
		claimed("the trust level is "+level, good.set("trust_level", level))
	}

	// Keys that an issuer publishes and that are no good, and keys of another issuer.
	for name, p := range badKeys() {
		put("signed with a key "+name, p.token(good))
	}
	put("HS256 with the secret that is published", compact(head.set("alg", `"HS256"`).set("kid", `"secret"`).String(), good.String(), mac(sha256.New, []byte("secret"))))
	put("the neighbour's key for our issuer", k.neighbour.token(good))
	put("our key for the neighbour's issuer", k.es.token(good.set("iss", quote(neighbourURL))))
	put("the neighbour's key under our id", compact(k.es.header().String(), good.String(), k.neighbour.sign))
	put("our key under the neighbour's id for the neighbour", compact(k.neighbour.header().String(), good.set("iss", quote(neighbourURL)).String(), k.es.sign))
	return all
}

func utf16(s string) (out []byte) {
	for _, r := range s {
		out = append(out, byte(r>>8), byte(r))
	}
	return out
}

// forged is how many forgeries there are, so that none is lost unnoticed.
const forged = 360

func TestAGoodTokenOfEachAllowedAlgorithmIsAccepted(t *testing.T) {
	t.Parallel()
	k := keys()
	for name, token := range map[string]string{
		"RS256": k.rs.token(claims(noon)), "ES256": k.es.token(claims(noon)), "ES384": k.es384.token(claims(noon)), "EdDSA": k.ed.token(claims(noon)),
		"an audience among others":       k.rs.token(claims(noon).set("aud", `["other","`+audience+`"]`)),
		"a clock that goes a bit ahead":  k.rs.token(claims(noon.Add(29*time.Second)).set("nbf", strconv.FormatInt(noon.Unix()+29, 10))),
		"a clock that goes a bit behind": k.rs.token(claims(noon.Add(-time.Hour - 29*time.Second))),
		"times with fractions":           k.rs.token(claims(noon).set("exp", strconv.FormatInt(noon.Unix()+60, 10)+".5")),
		"a life of a whole day":          k.rs.token(claims(noon).set("exp", strconv.FormatInt(noon.Add(24*time.Hour).Unix(), 10))),
		"a type in capitals":             compact(k.rs.header().set("typ", `"AT+JWT"`).String(), claims(noon).String(), k.rs.sign),
		"claims that nobody knows":       k.rs.token(claims(noon).set("realm_access", `{"roles":["admin"]}`)),
		"the longest subject":            k.rs.token(claims(noon).set("sub", quote(strings.Repeat("a", 200)))),
	} {
		t.Run(name, func(t *testing.T) {
			o := strict(t)
			p, err := o.Principal(t.Context(), token)
			if err != nil {
				t.Fatalf("%v, %s", err, o.log)
			}
			if !strings.HasPrefix(p.Subject, "user:sh:a") || p.TrustLevel != authz.Basic || p.System() {
				t.Errorf("it is said to be %+v", p)
			}
		})
	}
}

func TestTheTrustLevelIsTheOneThatTheIssuerIsConfiguredToMean(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]authz.TrustLevel{"STORK-QAA-LEVEL-1": authz.Basic, "STORK-QAA-LEVEL-3": authz.Substantial, "STORK-QAA-LEVEL-4": authz.High, "HIGH": authz.Basic, "": authz.Basic} {
		p, err := strict(t).Principal(t.Context(), keys().ed.token(claims(noon).set("trust_level", quote(said))))
		if err != nil || p.TrustLevel != want {
			t.Errorf("%q: %v, %v", said, p, err)
		}
	}
}

func TestEveryForgedTokenIsRefusedAlikeAndLeavesNothingInTheLog(t *testing.T) {
	t.Parallel()
	all := forgeries()
	if len(all) != forged {
		t.Errorf("there are %d forgeries, not %d", len(all), forged)
	}
	o := strict(t)
	for name, token := range all {
		o.log.Reset()
		p, err := o.Principal(t.Context(), token)
		if !refused(err) || p != nil {
			t.Errorf("%s: %v, %v", name, p, err)
		}
		told := o.log.String()
		if strings.Count(told, "\n") != 1 || !strings.Contains(told, "token refused") {
			t.Errorf("%s: logged is %q", name, told)
		}
		words := append(strings.Split(token, "."), "anna", "bert", "admin", "evil", issuerURL, audience, "login.example", "user:")
		for _, word := range words {
			if len(word) > 3 && strings.Contains(told, word) {
				t.Errorf("%s: the log tells of the token: %q", name, told)
			}
		}
	}
	if o.book.asked > 0 {
		t.Errorf("the roster was asked %d times for somebody who was not let in", o.book.asked)
	}
}

// lax reads tokens as the library's first example does: verify, unmarshal, look at the time.
func lax(token string, set jwk.Set) (accepted bool) {
	defer func() {
		if recover() != nil { // a key of Ed25519 that is too short makes the library panic
			accepted = false
		}
	}()
	payload, err := jws.Verify([]byte(token), jws.WithKeySet(set))
	if err != nil {
		return false
	}
	var c struct {
		Sub string  `json:"sub"`
		Exp float64 `json:"exp"`
	}
	return json.Unmarshal(payload, &c) == nil && (c.Exp == 0 || c.Exp > float64(noon.Unix()))
}

func TestTheForgeriesAreGoodEnoughForALaxReader(t *testing.T) {
	t.Parallel()
	set, err := jwk.Parse(everyKey(), jwk.WithIgnoreParseError(true))
	if err != nil {
		t.Fatal(err)
	}
	if !lax(keys().rs.token(claims(noon)), set) {
		t.Fatal("the lax reader refuses a good token")
	}
	var let []string
	for name, token := range forgeries() {
		if lax(token, set) {
			let = append(let, name)
		}
	}
	slices.Sort(let)
	t.Logf("the lax reader lets %d of %d through", len(let), forged)
	if len(let) < 40 {
		t.Errorf("the lax reader lets only %d through: %q", len(let), let)
	}
}

func TestNoBitOfATokenCanBeChanged(t *testing.T) {
	t.Parallel()
	k := keys()
	d, err := authz.NewDoorkeeper(shipped(t), newRegister(), []authz.Issuer{trusting(everyKey())}, slog.New(slog.DiscardHandler), (&clock{now: noon}).Now)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []pair{k.rs, k.es, k.es384, k.ed} {
		t.Run(p.alg, func(t *testing.T) {
			token := []byte(p.token(claims(noon)))
			if _, err := d.Principal(t.Context(), string(token)); err != nil {
				t.Fatal(err)
			}
			for i := range token {
				for bit := range 8 {
					if p.alg == "ES384" && bit != i%8 { // it takes ten times as long as the others
						continue
					}
					token[i] ^= 1 << bit
					if _, err := d.Principal(t.Context(), string(token)); !refused(err) {
						t.Errorf("bit %d of byte %d: %v", bit, i, err)
					}
					token[i] ^= 1 << bit
				}
			}
		})
	}
}

func TestATokenIsRefusedFromTheMomentThatItHasExpiredOnAlthoughItIsRemembered(t *testing.T) {
	t.Parallel()
	o := strict(t)
	token := keys().ed.token(claims(noon).set("exp", strconv.FormatInt(noon.Unix()+10, 10)))
	for _, step := range []time.Duration{0, 39 * time.Second} { // 10 s of life and 30 s for clocks that differ
		o.clock.advance(step)
		if _, err := o.Principal(t.Context(), token); err != nil {
			t.Fatal(err)
		}
	}
	o.clock.advance(time.Second)
	if _, err := o.Principal(t.Context(), token); !refused(err) {
		t.Errorf("after its end: %v", err)
	}
}
