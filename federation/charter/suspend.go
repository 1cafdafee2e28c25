// SPDX-License-Identifier: EUPL-1.2

package charter

import (
	"encoding/json"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwk"
)

// The types (typ) of lists of who is suspended: of members, signed by as many of them as the charter asks for; and of the houses of one member, signed by it.
const (
	TypeSuspendedMembers   = "ozg-suspensions+jws"
	TypeSuspendedInstances = "ozg-suspensions+jwt"
)

// Reason is why somebody is suspended.
type Reason string

// The reasons. There is no text of one's own, since lists are read by everybody.
const (
	Compromised Reason = "COMPROMISED" // somebody else may have the keys
	Misconduct  Reason = "MISCONDUCT"  // two statements that contradict each other, for example
	OutOfOrder  Reason = "OUT_OF_ORDER"
)

// Suspension is one line: nothing that ID says from At on (in seconds since 1970) is believed.
type Suspension struct {
	ID     string `json:"id"`
	At     int64  `json:"at"`
	Reason Reason `json:"reason"`
}

// List is what a list of suspensions says: who is on it is suspended, and who is not on the next one no longer is.
type List struct {
	// Issuer is the federation, or the member whose houses it is about.
	Issuer string `json:"iss"`
	// Seq is the number of the list, higher with each of an issuer.
	Seq       int          `json:"seq"`
	IssuedAt  int64        `json:"iat"`
	Suspended []Suspension `json:"suspended"`
}

// Suspensions is a list that holds.
type Suspensions struct {
	List
	// Document is the list as it was signed, Hash names its payload.
	Document []byte
	Hash     string
}

const mostSuspended = 1000

// SuspendMembers signs a list of members for the first time; Countersign adds the others.
func SuspendMembers(l List, by *Signer) ([]byte, error) {
	payload, err := json.Marshal(l)
	if err != nil {
		return nil, ErrMalformed
	}
	return signTogether(payload, TypeSuspendedMembers, by)
}

// SuspendInstances signs a list of the houses of a member.
func SuspendInstances(l List, by *Signer) ([]byte, error) {
	payload, err := json.Marshal(l)
	if err != nil {
		return nil, ErrMalformed
	}
	return by.Sign(TypeSuspendedInstances, payload)
}

// Suspensions checks a list under the charter that was in force when the list came. It has to be asked again with that moment, not with the present one: a
// list is not lost because its issuer has got another key.
// Errors: ErrMalformed, ErrAlgorithm, ErrType, ErrSignature, ErrDoubled, ErrStranger, ErrUnknown, ErrQuorum, ErrExpired for what is not good yet.
func (c *Chain) Suspensions(document []byte, came time.Time) (*Suspensions, error) {
	if len(document) == 0 || len(document) > mostBytes {
		return nil, ErrMalformed
	}
	in := c.At(came)
	s := &Suspensions{Document: document}
	var payload []byte
	if document[0] == '{' {
		d, err := readGeneral(document)
		if err != nil {
			return nil, err
		}
		a, err := in.count(d, TypeSuspendedMembers, nil)
		if err != nil {
			return nil, err
		}
		if !in.suffices(OfMembership, a.members) {
			return nil, ErrQuorum
		}
		payload = d.payload
	} else {
		var err error
		payload, err = Open(document, TypeSuspendedInstances, func(kid string, payload []byte) (jwk.Key, error) { return in.superior(kid, payload) })
		if err != nil {
			return nil, err
		}
	}
	if err := strict(payload, &s.List); err != nil {
		return nil, err
	}
	s.Hash = Hash(payload)
	if s.Seq < 1 || s.IssuedAt <= 0 || len(s.Suspended) > mostSuspended {
		return nil, ErrMalformed
	}
	if s.IssuedAt > came.Unix()+in.Limits.ClockSkew {
		return nil, ErrExpired
	}
	return s, s.about(in, document[0] == '{')
}

// about checks that a list is about those whom its issuer has a say about.
func (s *Suspensions) about(in *Charter, ofMembers bool) error {
	if ofMembers && s.Issuer != in.Federation {
		return ErrUnknown
	}
	seen := map[string]bool{}
	for _, one := range s.Suspended {
		if seen[one.ID] {
			return ErrDoubled
		}
		seen[one.ID] = true
		switch one.Reason {
		case Compromised, Misconduct, OutOfOrder:
		default:
			return ErrMalformed
		}
		_, member := in.Member(MemberID(one.ID))
		if one.At <= 0 || ofMembers && !member || !ofMembers && !MemberID(s.Issuer).above(one.ID) {
			return ErrUnknown
		}
	}
	return nil
}

// Supersedes tells whether a list takes the place of another one of its issuer (nil: there is none). The same list again is no error.
// Errors: ErrRollback for an older one, ErrForked for another one of the same number; then the one that is known stays.
func (s *Suspensions) Supersedes(known *Suspensions) error {
	switch {
	case known == nil || s.Seq > known.Seq:
		return nil
	case s.Seq < known.Seq:
		return ErrRollback
	case s.Hash != known.Hash:
		return ErrForked
	}
	return nil
}
