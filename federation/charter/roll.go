// SPDX-License-Identifier: EUPL-1.2

package charter

import (
	"slices"
	"strings"
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
	out       map[MemberID]outside
}

// outside is a member that does not belong, or not at present: since when, and what is said of it.
type outside struct {
	since time.Time
	why   error
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

// NewRoll puts together who belongs at a moment. A house whose papers are not in order does not stand in it; refused says why, and what its id would be where
// that could be read. Of two papers for one house the younger one counts. Lists have been checked by Suspensions.
func NewRoll(chain *Chain, papers []Vouched, lists []*Suspensions, now time.Time) (r *Roll, refused map[InstanceID]error) {
	in := chain.At(now)
	r = &Roll{charter: in, instances: map[MemberID][]Instance{}, byID: map[InstanceID]*vouched{}, out: map[MemberID]outside{}}
	refused = map[InstanceID]error{}
	for _, p := range papers {
		v, id, err := in.vouched(p, now)
		if err != nil {
			refused[id] = err
			continue
		}
		if known := r.byID[v.ID]; known == nil || known.Number < v.Number {
			r.byID[v.ID] = v
		}
	}
	for _, l := range lists {
		r.seq += l.Seq
		for _, s := range l.Suspended {
			at := time.Unix(s.At, 0).UTC()
			if l.Issuer == in.Federation {
				r.out[MemberID(s.ID)] = outside{at, ErrSuspended}
			} else if v := r.byID[InstanceID(s.ID)]; v != nil && string(v.Member) == l.Issuer {
				v.Suspended = at
			}
		}
	}
	for _, m := range in.Members {
		switch m.State {
		case Suspended:
			r.out[m.ID] = outside{chain.since(in, m), ErrSuspended}
		case Left:
			r.out[m.ID] = outside{chain.since(in, m), ErrUnknown}
		}
		if o, ok := r.out[m.ID]; ok && m.State != Left && !now.Before(o.since) {
			m.State = Suspended
		}
		r.members = append(r.members, m)
	}
	for _, v := range r.byID {
		r.instances[v.Member] = append(r.instances[v.Member], v.Instance)
	}
	for _, all := range r.instances {
		slices.SortFunc(all, func(a, b Instance) int { return strings.Compare(string(a.ID), string(b.ID)) })
	}
	return r, refused
}

// since is when a member came to stand as it does.
func (c *Chain) since(in *Charter, m Member) time.Time {
	since := in.Effective
	for v := in.Version - 1; v >= 1; v-- {
		before, ok := c.versions[v-1].Member(m.ID)
		if !ok || before.State != m.State {
			break
		}
		since = c.versions[v-1].Effective
	}
	return time.Unix(since, 0).UTC()
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
	if o, ok := r.out[v.Member]; ok && !at.Before(o.since) {
		return o.why
	}
	if !v.Suspended.IsZero() && !at.Before(v.Suspended) {
		return ErrSuspended
	}
	if grace := time.Duration(r.charter.Limits.Grace) * time.Second; at.After(v.VouchedUntil.Add(grace)) {
		return ErrExpired
	}
	return nil
}
