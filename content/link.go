// SPDX-License-Identifier: EUPL-1.2

package content

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
)

// linkLife is how long a link is good.
const linkLife = 5 * time.Minute

// Link is the path of a download for this principal, good for five minutes, whatever the base of the address is. It opens what the subject may see
// at the time of the download. Nobody else can make one or read out of it whose it is; but like a key, it serves whoever holds it.
func (d *Desk) Link(p *authz.Principal, attachment uuid.UUID) string {
	return "/attachments/" + d.links.seal(ticket{d.clock().Add(linkLife), attachment, p.TrustLevel, p.Subject})
}

// ticket is what a link says.
type ticket struct {
	expiresAt  time.Time // whole seconds
	attachment uuid.UUID
	trust      authz.TrustLevel
	subject    string
}

const (
	saltLength  = 16
	nonceLength = 12
	fixedLength = 8 + 16 // time and id
)

// links seals tickets: AES-256-GCM under a key that HMAC-SHA256 derives for each link out of the house's key and a random salt, whose
// beginning is the nonce. With one key for all, random nonces would be worn out after some billion links.
type links struct{ key []byte }

func newLinks(secret []byte) links { return links{derive(secret, []byte("attachment link"))} }

func derive(key, said []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(said)
	return h.Sum(nil)
}

func (l links) under(salt []byte) cipher.AEAD {
	block, err := aes.NewCipher(derive(l.key, salt))
	if err != nil {
		panic(err) // the key is as long as a hash
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // AES has blocks of the size that GCM wants
	}
	return aead
}

func (l links) seal(t ticket) string {
	said := make([]byte, 0, 128)
	said = binary.BigEndian.AppendUint64(said, uint64(t.expiresAt.Unix())) //nolint:gosec // both ways the same 64 bits
	said = append(said, t.attachment[:]...)
	said = append(said, t.trust...)
	said = append(said, 0)
	said = append(said, t.subject...)
	salt := make([]byte, saltLength, 256)
	_, _ = rand.Read(salt) // never fails
	return base64.RawURLEncoding.EncodeToString(l.under(salt).Seal(salt, salt[:nonceLength], said, nil))
}

// open gives back what was sealed, expired or not.
func (l links) open(token string) (ticket, bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) < saltLength {
		return ticket{}, false
	}
	salt := raw[:saltLength]
	said, err := l.under(salt).Open(nil, salt[:nonceLength], raw[saltLength:], nil)
	if err != nil || len(said) < fixedLength {
		return ticket{}, false
	}
	trust, subject, ok := strings.Cut(string(said[fixedLength:]), "\x00")
	return ticket{
		expiresAt:  time.Unix(int64(binary.BigEndian.Uint64(said)), 0), //nolint:gosec // both ways the same 64 bits
		attachment: uuid.UUID(said[8:fixedLength]),
		trust:      authz.TrustLevel(trust),
		subject:    subject,
	}, ok
}
