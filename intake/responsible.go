// SPDX-License-Identifier: EUPL-1.2

package intake

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent"
	"github.com/ozg-cloud/platform/ent/connector"
	"github.com/ozg-cloud/platform/ent/service"
	"github.com/ozg-cloud/platform/ent/serviceoffering"
	"github.com/ozg-cloud/platform/ent/submission"
	"github.com/ozg-cloud/platform/ent/tenant"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/law"
)

// Responsible finds the offering of the authority that is responsible for a service in a region today, as the day is in Berlin (Zuständigkeit).
// The offering with the longest territory that the region begins with wins. found is false where nobody is, or the service is not known.
// Keys that do not have their form are Invalid (pattern).
func (d *Desk) Responsible(ctx context.Context, serviceKey, region string) (offeringID uuid.UUID, found bool, err error) {
	if !leikaKey.MatchString(serviceKey) {
		return uuid.Nil, false, problem.New(problem.Invalid, "pattern", "serviceKey")
	}
	if !regionalKey.MatchString(region) {
		return uuid.Nil, false, problem.New(problem.Invalid, "pattern", "regionalKey")
	}
	err = authz.Current(ctx, func() error {
		asked, err := d.service(ctx, serviceKey)
		if err != nil || asked == nil {
			return err
		}
		o, err := d.offering(ctx, asked.ID, region)
		if err != nil || o == nil {
			return err
		}
		offeringID, found = o.ID, true
		return nil
	})
	return offeringID, found, err
}

// service is nil where there is none with this key.
func (d *Desk) service(ctx context.Context, key string) (*ent.Service, error) {
	s, err := d.client.Service.Query().Where(service.LeikaKey(key)).Only(ctx)
	if err != nil && !ent.IsNotFound(err) {
		return nil, fmt.Errorf("intake: finding a service: %w", err)
	}
	return s, nil
}

// offering is nil where nobody is responsible.
func (d *Desk) offering(ctx context.Context, serviceID uuid.UUID, region string) (*ent.ServiceOffering, error) {
	var territories []string
	for n := range len(region) + 1 {
		territories = append(territories, region[:n])
	}
	today := law.Today(d.clock())
	found, err := d.client.ServiceOffering.Query().
		Where(serviceoffering.ServiceID(serviceID), serviceoffering.TerritoryIn(territories...), serviceoffering.ValidFromLTE(today),
			serviceoffering.Or(serviceoffering.ValidToIsNil(), serviceoffering.ValidToGT(today))).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("intake: finding who is responsible: %w", err)
	}
	if len(found) == 0 {
		return nil, nil
	}
	return slices.MaxFunc(found, func(a, b *ent.ServiceOffering) int { return len(a.Territory) - len(b.Territory) }), nil
}

// address is where an application goes, and through which connector it came.
type address struct {
	tenant    authz.TenantRef // its id and place
	service   uuid.UUID
	unit      *uuid.UUID
	connector *uuid.UUID
}

// address finds the responsible authority and asks whether the source may submit there, with the applicant's trust level.
func (d *Desk) address(ctx context.Context, a *arrival) (address, error) {
	asked, err := d.service(ctx, a.ServiceKey)
	if err != nil {
		return address{}, err
	}
	if asked == nil {
		return address{}, problem.New(problem.Invalid, "unknownService", a.servicePath...)
	}
	region, err := d.region(ctx, a.RegionalKey)
	if err != nil {
		return address{}, err
	}
	var o *ent.ServiceOffering
	if region != "" {
		if o, err = d.offering(ctx, asked.ID, region); err != nil {
			return address{}, err
		}
	}
	if o == nil {
		return address{}, problem.New(problem.Invalid, "notResponsible", a.regionPath...)
	}
	to := address{tenant: authz.TenantRef{ID: o.TenantID, Place: authz.Place(o.Place)}, service: asked.ID, unit: o.UnitID}
	at := authz.Target{Place: to.tenant.Place, Service: to.service, Owner: a.owner}
	if to.unit != nil {
		at.Unit = *to.unit
	}
	if err := a.by.Ask("case", "submit", at); err != nil {
		return address{}, err
	}
	if !reaches(a.trust, authz.TrustLevel(asked.RequiredTrustLevel)) {
		return address{}, &problem.Problem{Kind: problem.Forbidden, Rule: "trustLevel", Object: "case", Action: "submit"}
	}
	if a.channel == submission.ChannelFORM_SERVER {
		id, err := d.connector(ctx, a.by, to.tenant.Place)
		if err != nil {
			return address{}, err
		}
		to.connector = &id
	}
	return to, nil
}

// region is a regional key as it is, and of the slug of an authority that authority's. Empty: there is none.
func (d *Desk) region(ctx context.Context, named string) (string, error) {
	if regionalKey.MatchString(named) {
		return named, nil
	}
	t, err := d.client.Tenant.Query().Where(tenant.Slug(named), tenant.KindEQ(tenant.KindAUTHORITY), tenant.RegionalKeyNotNil()).Only(ctx)
	switch {
	case ent.IsNotFound(err):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("intake: finding an authority: %w", err)
	}
	return *t.RegionalKey, nil
}

// connector finds the active one that a form server delivers through, at one of its assignments that reaches to a place.
func (d *Desk) connector(ctx context.Context, p *authz.Principal, to authz.Place) (uuid.UUID, error) {
	for _, a := range p.Assignments {
		if a.Role != formServer || !authz.Cover(a.Tenant.Kind, a.Tenant.Place).Contains(to) {
			continue
		}
		clerk, err := authz.Clerk(ctx, a.Tenant.Place)
		if err != nil {
			return uuid.Nil, err
		}
		id, err := d.client.Connector.Query().
			Where(connector.Subject(p.Subject), connector.KindEQ(connector.KindFORM), connector.DirectionNEQ(connector.DirectionOUTBOUND), connector.Active(true)).
			OnlyID(clerk)
		switch {
		case err == nil:
			return id, nil
		case !ent.IsNotFound(err):
			return uuid.Nil, fmt.Errorf("intake: finding a connector: %w", err)
		}
	}
	return uuid.Nil, notAllowed()
}

// has tells whether a principal has a role anywhere. What it may do there is asked at the responsible tenant.
func has(p *authz.Principal, role authz.Role) bool {
	return slices.ContainsFunc(p.Assignments, func(a authz.Assignment) bool { return a.Role == role })
}

func notAllowed() error {
	return authz.Refusal("case", "submit")
}

// reaches tells whether a trust level is at least the one that is needed.
func reaches(have, needed authz.TrustLevel) bool {
	ladder := []authz.TrustLevel{authz.Basic, authz.Substantial, authz.High}
	return slices.Index(ladder, have) >= slices.Index(ladder, needed)
}
