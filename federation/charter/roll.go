// SPDX-License-Identifier: EUPL-1.2

package charter

import (
	"time"

	"github.com/lestrrat-go/jwx/v2/jwk"
)

// Roll is who belongs at a moment: one charter, the houses that its members vouch for, and who is suspended. It does not change; a new one takes its place.
type Roll struct {
	charter   *Charter
	seq       int
	members   []Member
	instances map[MemberID][]Instance
	byID      map[InstanceID]*vouched
	suspended map[MemberID]time.Time
}

// vouched is a house with its keys.
type vouched struct {
	Instance
	keys map[string]operational
}

// operational is a key by which a house signs, and when it did.
type operational struct {
	key         jwk.Key
	from, until time.Time // until is zero for the ones in use
	revoked     bool
}

// Charter is the charter in force.
func (r *Roll) Charter() *Charter { return r.charter }

// Version is that of the charter.
func (r *Roll) Version() int { return r.charter.Version }

// SuspensionSeq rises with every change of who is suspended: the sum of the numbers of all lists.
func (r *Roll) SuspensionSeq() int { return r.seq }

// Members are those of the charter, each once, in its order, as they stand at present.
func (r *Roll) Members() []Member { return r.members }

// Instances are the houses of a member, suspended ones among them, in the order of their ids.
func (r *Roll) Instances(of MemberID) []Instance { return r.instances[of] }

// Instance is the house with an id.
func (r *Roll) Instance(id InstanceID) (Instance, bool) {
	v, ok := r.byID[id]
	if !ok {
		return Instance{}, false
	}
	return v.Instance, true
}

// Key finds the key by which a house signed at a moment; keys that it has put away are found for the time in which they were used.
// Errors: ErrUnknown, ErrExpired, ErrSuspended, ErrRevoked.
func (r *Roll) Key(by InstanceID, kid string, at time.Time) (jwk.Key, error) {
	v, ok := r.byID[by]
	if !ok {
		return nil, ErrUnknown
	}
	if err := r.standing(v, at); err != nil {
		return nil, err
	}
	k, ok := v.keys[kid]
	skew := time.Duration(r.charter.Limits.ClockSkew) * time.Second
	switch {
	case !ok:
		return nil, ErrUnknown
	case k.revoked:
		return nil, ErrRevoked
	case at.Before(k.from.Add(-skew)), !k.until.IsZero() && !at.Before(k.until.Add(skew)):
		return nil, ErrExpired
	}
	return k.key, nil
}

// Standing tells whether a house is to be believed at a moment: its member belongs, vouches for it, and neither is suspended.
// Errors: ErrUnknown, ErrExpired, ErrSuspended.
func (r *Roll) Standing(of InstanceID, at time.Time) error {
	v, ok := r.byID[of]
	if !ok {
		return ErrUnknown
	}
	return r.standing(v, at)
}

func (r *Roll) standing(v *vouched, at time.Time) error {
	if since, ok := r.suspended[v.Member]; ok && !at.Before(since) {
		return ErrSuspended
	}
	if !v.Suspended.IsZero() && !at.Before(v.Suspended) {
		return ErrSuspended
	}
	if grace := time.Duration(r.charter.Limits.Grace) * time.Second; at.After(v.VouchedUntil.Add(grace)) {
		return ErrExpired
	}
	return nil
}
