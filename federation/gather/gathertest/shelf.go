// SPDX-License-Identifier: EUPL-1.2

// Package gathertest has a country of houses that answer each other within one process, with faults to choose from, for tests.
// Houses with databases and documents of their own do not belong here.
package gathertest

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/ozg-cloud/platform/federation/ask"
	"github.com/ozg-cloud/platform/federation/charter"
	"github.com/ozg-cloud/platform/federation/gather"
	"github.com/ozg-cloud/platform/statistics"
)

// Shelf is one in memory.
type Shelf struct {
	mu      sync.Mutex
	kept    []gather.Kept
	heads   map[charter.InstanceID]ask.Head
	volumes map[statistics.Measure]map[charter.MemberID]float64
	proofs  []ask.Contradiction
}

// Look is that of gather.Shelf.
func (s *Shelf) Look(_ context.Context, questions []string, m statistics.Measure) (gather.Known, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := gather.Known{Volumes: map[charter.MemberID]float64{}, Heads: map[charter.InstanceID]ask.Head{}}
	for _, k := range s.kept {
		if slices.Contains(questions, k.Statement.Question) {
			out.Statements = append(out.Statements, k)
		}
	}
	maps.Copy(out.Volumes, s.volumes[m])
	maps.Copy(out.Heads, s.heads)
	return out, nil
}

// Learn is that of gather.Shelf.
func (s *Shelf) Learn(_ context.Context, l gather.Learned) (gather.Kept, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.heads == nil {
		s.heads, s.volumes = map[charter.InstanceID]ask.Head{}, map[statistics.Measure]map[charter.MemberID]float64{}
	}
	if l.Head.Size > s.heads[l.From].Size {
		s.heads[l.From] = l.Head
	}
	if l.Kept.Document == nil {
		return l.Kept, nil
	}
	for _, k := range s.kept {
		if k.Statement.Issuer == l.From && k.Statement.Question == l.Kept.Statement.Question {
			return k, nil
		}
	}
	s.kept = append(s.kept, l.Kept)
	if l.Measure != "" {
		if s.volumes[l.Measure] == nil {
			s.volumes[l.Measure] = map[charter.MemberID]float64{}
		}
		s.volumes[l.Measure][l.Kept.Member] = l.Volume
	}
	return l.Kept, nil
}

// Contradicted is that of gather.Shelf.
func (s *Shelf) Contradicted(_ context.Context, c ask.Contradiction) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.ContainsFunc(s.proofs, func(p ask.Contradiction) bool { return p.Member == c.Member && p.Question == c.Question }) {
		s.proofs = append(s.proofs, c)
	}
	return nil
}

// Proofs are the contradictions that were found.
func (s *Shelf) Proofs() []ask.Contradiction {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.proofs)
}
