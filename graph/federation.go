// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"context"
	"slices"
	"time"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/federation/charter"
	"github.com/ozg-cloud/platform/graph/generated"
	"github.com/ozg-cloud/platform/graph/model"
)

// Belonging is what this house knows of the federation.
type Belonging interface {
	// Roll is who belongs at present; nil in a house that belongs to no federation.
	Roll() *charter.Roll
	// Self is this house.
	Self() (charter.InstanceID, charter.MemberID)
}

// roll is who belongs at present; nil where nobody does.
func (r *Resolver) roll() *charter.Roll {
	if r.Belonging == nil {
		return nil
	}
	return r.Belonging.Roll()
}

// Federation asks for somebody who is signed in; what follows asks for rights of its own.
func (r query) Federation(ctx context.Context) (*model.Federation, error) {
	if _, err := authz.From(ctx); err != nil {
		return nil, err
	}
	return &model.Federation{}, nil
}

// Federation gives the resolvers of what is told of all houses together.
func (r *Resolver) Federation() generated.FederationResolver { return federation{r} }

type federation struct{ *Resolver }

func (r federation) Self(context.Context, *model.Federation) (*model.Member, error) {
	roll := r.roll()
	if roll == nil {
		return nil, nil //nolint:nilnil // null in a house that belongs to no federation
	}
	_, self := r.Belonging.Self()
	for _, m := range roll.Members() {
		if m.ID == self {
			out := memberOf(roll, m)
			return &out, nil
		}
	}
	return nil, nil //nolint:nilnil // it has not joined yet
}

func (r federation) Charter(context.Context, *model.Federation) (*model.Charter, error) {
	roll := r.roll()
	if roll == nil {
		return nil, nil //nolint:nilnil // null in a house that belongs to no federation
	}
	c := roll.Charter()
	out := &model.Charter{
		Version: c.Version, Hash: c.Hash, Effective: time.Unix(c.Effective, 0).UTC(), Rules: []model.DecisionRule{}, Document: string(c.Document),
	}
	if c.Previous != "" {
		out.Previous = &c.Previous
	}
	for _, rule := range c.Rules {
		out.Rules = append(out.Rules, model.DecisionRule{
			Subject: model.ProposalKind(rule.Kind), Rule: model.RuleKind(rule.Rule), Quorum: rule.Quorum, OpenDays: rule.OpenDays,
		})
	}
	return out, nil
}

func (r federation) Members(_ context.Context, _ *model.Federation, state []model.MemberState) ([]model.Member, error) {
	out := []model.Member{}
	roll := r.roll()
	if roll == nil {
		return out, nil
	}
	for _, m := range roll.Members() {
		if len(state) == 0 || slices.Contains(state, model.MemberState(m.State)) {
			out = append(out, memberOf(roll, m))
		}
	}
	return out, nil
}

func (r federation) Suspensions(context.Context, *model.Federation) (int, error) {
	if roll := r.roll(); roll != nil {
		return roll.SuspensionSeq(), nil
	}
	return 0, nil
}

func memberOf(roll *charter.Roll, m charter.Member) model.Member {
	out := model.Member{
		ID: string(m.ID), Name: m.Name, State: model.MemberState(m.State), Since: m.Since, Votes: m.Votes, Share: m.Share, Instances: []model.Instance{},
	}
	for _, i := range roll.Instances(m.ID) {
		out.Instances = append(out.Instances, model.Instance{
			ID: string(i.ID), Endpoint: i.Endpoint, Editions: i.Editions, Region: i.Region, Suspended: !i.Suspended.IsZero() || m.State == charter.Suspended,
			VouchedUntil: i.VouchedUntil,
		})
	}
	return out
}
