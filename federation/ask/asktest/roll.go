// SPDX-License-Identifier: EUPL-1.2

package asktest

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ozg-cloud/platform/federation/ask"
	"github.com/ozg-cloud/platform/federation/charter"
)

// Roll is who belongs, without the documents that say so.
type Roll struct {
	mu        sync.Mutex
	members   []charter.Member
	instances map[charter.InstanceID]charter.Instance
	keys      map[charter.InstanceID]charter.Key
	suspended map[charter.MemberID]bool
	seq       int
}

// Land is the id of a member, and House that of its one house.
func Land(n int) charter.MemberID {
	return charter.MemberID(fmt.Sprintf("https://land-%02d.example", n))
}

// House is the one house of a Land.
func House(n int) charter.InstanceID { return charter.InstanceID(string(Land(n)) + "/ozg") }

// NewRoll is a roll of n Länder with a house each.
func NewRoll(n int) (*Roll, []*charter.Signer, error) {
	r := &Roll{instances: map[charter.InstanceID]charter.Instance{}, keys: map[charter.InstanceID]charter.Key{}, suspended: map[charter.MemberID]bool{}}
	var signers []*charter.Signer
	for i := range n {
		s, err := charter.NewSigner()
		if err != nil {
			return nil, nil, err
		}
		signers = append(signers, s)
		r.members = append(r.members, charter.Member{ID: Land(i), Name: fmt.Sprintf("Land %d", i), State: charter.Owner, Votes: 1, Share: 1 / float64(n)})
		r.instances[House(i)] = charter.Instance{ID: House(i), Member: Land(i), Endpoint: string(House(i)), Editions: []int{ask.CurrentEdition}}
		r.keys[House(i)] = s.Public()
	}
	return r, signers, nil
}

// Change changes what is known of a house.
func (r *Roll) Change(id charter.InstanceID, change func(*charter.Instance)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := r.instances[id]
	change(&i)
	r.instances[id] = i
}

// Suspend suspends a member.
func (r *Roll) Suspend(m charter.MemberID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.suspended[m] = true
	r.seq++
}

// Version is that of ask.Roll.
func (r *Roll) Version() int { return 1 }

// SuspensionSeq is that of ask.Roll.
func (r *Roll) SuspensionSeq() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.seq
}

// Members is that of ask.Roll.
func (r *Roll) Members() []charter.Member {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := slices.Clone(r.members)
	for i := range out {
		if r.suspended[out[i].ID] {
			out[i].State = charter.Suspended
		}
	}
	return out
}

// Instances is that of ask.Roll.
func (r *Roll) Instances(of charter.MemberID) []charter.Instance {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []charter.Instance
	for _, i := range r.instances {
		if i.Member == of {
			out = append(out, i)
		}
	}
	return out
}

// Instance is that of ask.Roll.
func (r *Roll) Instance(id charter.InstanceID) (charter.Instance, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i, ok := r.instances[id]
	return i, ok
}

// Key is that of ask.Roll.
func (r *Roll) Key(by charter.InstanceID, kid string, at time.Time) (charter.Key, error) {
	if err := r.Standing(by, at); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	k := r.keys[by]
	if k.KeyID() != kid {
		return nil, charter.ErrUnknown
	}
	return k, nil
}

// Standing is that of ask.Roll.
func (r *Roll) Standing(of charter.InstanceID, _ time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	i, ok := r.instances[of]
	switch {
	case !ok:
		return charter.ErrUnknown
	case r.suspended[i.Member]:
		return charter.ErrSuspended
	}
	return nil
}
