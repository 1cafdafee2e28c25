// SPDX-License-Identifier: EUPL-1.2

package ask

import (
	"crypto/rand"
	"encoding/base64"
	"time"

	"github.com/ozg-cloud/platform/federation/charter"
)

// The types of the three signed documents (the header's typ).
const (
	QuestionType  = "ozg-ask+jwt"
	StatementType = "ozg-statement+jwt"
	ReceiptType   = "ozg-receipt+jwt"
)

const (
	// Life is how long a question may be answered after it was asked; Skew is how far the clocks of two houses may differ.
	Life = 30 * time.Second
	Skew = 30 * time.Second
	// LongestQuestion and LongestAnswer bound both in bytes. A thousand values of a condition need some 25 kB, ten thousand rows some 2 MB.
	LongestQuestion = 64 << 10
	LongestAnswer   = 8 << 20
	longestName     = 64
)

// Roll is who belongs at a moment. *charter.Roll is one.
type Roll interface {
	Version() int
	SuspensionSeq() int
	Members() []charter.Member
	Instances(of charter.MemberID) []charter.Instance
	Instance(id charter.InstanceID) (charter.Instance, bool)
	Key(by charter.InstanceID, kid string, at time.Time) (charter.Key, error)
	Standing(of charter.InstanceID, at time.Time) error
}

// Signer signs as this house. *charter.Signer is one.
type Signer interface {
	Sign(typ string, payload []byte) ([]byte, error)
}

// Actor is for whom a house asks. Ref is a pseudonym: only the house that asks can tell who it is.
type Actor struct {
	Role string `json:"role"`
	Ref  string `json:"ref"`
}

// Question is what one house asks another, signed by the one that asks. It counts once, and only at the house that it is for.
type Question struct {
	Issuer   charter.InstanceID `json:"iss"`
	Audience charter.InstanceID `json:"aud"`
	IssuedAt int64              `json:"iat"` // seconds
	Expires  int64              `json:"exp"`
	ID       string             `json:"jti"`
	Edition  int                `json:"edition"`
	Document string             `json:"doc"`
	Vars     Vars               `json:"vars"`
	Purpose  string             `json:"purpose"`
	Actor    Actor              `json:"actor"`
	// Budget is how long the house may take, in milliseconds.
	Budget  int64 `json:"budget"`
	Charter int   `json:"charter"`
	// Suspensions is the number of the newest suspension list that the asking house knows.
	Suspensions int `json:"susp_seq"`
	// Seen is how long the log of the other house was when it last answered; 0: never.
	Seen int64 `json:"seen"`
}

// NewID makes an id for a question.
func NewID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// Sign gives the question as it is sent.
func (q Question) Sign(as Signer) ([]byte, error) { return signed(as, QuestionType, q) }

func signed(as Signer, typ string, v any) ([]byte, error) {
	payload, err := written(v)
	if err != nil {
		return nil, err
	}
	return as.Sign(typ, payload)
}
