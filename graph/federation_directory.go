// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"context"
	"slices"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/ozg-cloud/platform/federation/charter"
	"github.com/ozg-cloud/platform/federation/directory"
	"github.com/ozg-cloud/platform/graph/model"
)

// Availability looks up who offers a service. Houses that are suspended, or for which nobody vouches any more, are not told.
func (r federation) Availability(ctx context.Context, _ *model.Federation, service string, region *string, first int, after *string) (*model.AvailabilityAnswer, error) {
	parts, houses, err := r.parts(ctx)
	if err != nil {
		return nil, err
	}
	out := &model.AvailabilityAnswer{Nodes: []model.Availability{}, Parts: parts}
	if r.Shelf == nil {
		return out, nil
	}
	roll := r.roll()
	found, err := r.Shelf.Look(ctx, directory.Question{Service: service, Region: text(region), First: first, After: text(after), Count: slices.Contains(graphql.CollectAllFields(ctx), "total")}, houses)
	if err != nil {
		return nil, err
	}
	members := map[charter.MemberID]model.Member{}
	for i, p := range parts {
		members[charter.MemberID(p.Member.ID)] = parts[i].Member
	}
	for _, o := range found.Offers {
		said, _ := roll.Instance(o.Instance)
		a := model.Availability{
			Member: members[said.Member], Instance: string(o.Instance), Authority: o.Authority, Name: o.Name, Service: o.Service, Territory: o.Territory,
			ValidFrom: o.From, Maturity: o.Maturity,
		}
		if o.To != "" {
			a.ValidTo = &o.To
		}
		out.Nodes, out.EndCursor = append(out.Nodes, a), &o.Cursor
	}
	out.Total, out.HasNextPage = found.Total, found.More
	return out, nil
}

func (r federation) Directory(ctx context.Context, _ *model.Federation) ([]model.DirectoryPart, error) {
	parts, _, err := r.parts(ctx)
	return parts, err
}

// parts says of each member how far it is known, and gives the houses that are told.
func (r federation) parts(ctx context.Context) ([]model.DirectoryPart, []charter.InstanceID, error) {
	out, houses := []model.DirectoryPart{}, []charter.InstanceID{}
	roll := r.roll()
	if roll == nil || r.Shelf == nil {
		return out, houses, nil
	}
	kept, err := r.Shelf.Kept(ctx)
	if err != nil {
		return nil, nil, err
	}
	now := r.Shelf.Now()
	for _, m := range roll.Members() {
		p := model.DirectoryPart{Member: memberOf(roll, m), State: model.DirectoryStateNeverHeard}
		if m.State == charter.Suspended {
			p.State = model.DirectoryStateSuspended
		}
		for _, i := range roll.Instances(m.ID) {
			if roll.Standing(i.ID, now) != nil {
				continue
			}
			houses = append(houses, i.ID)
			k, known := kept[i.ID]
			if !known {
				continue
			}
			p.State = model.DirectoryStateKnown
			p.Offers += k.Entries
			if at := k.At.UTC(); p.AsOf == nil || at.Before(*p.AsOf) { // of several houses the oldest
				age := int(max(0, now.Sub(at)) / time.Second)
				p.AsOf, p.AgeSeconds = &at, &age
			}
		}
		out = append(out, p)
	}
	return out, houses, nil
}
