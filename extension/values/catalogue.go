// SPDX-License-Identifier: EUPL-1.2

package values

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent"
	"github.com/ozg-cloud/platform/ent/auditentry"
	"github.com/ozg-cloud/platform/ent/catalog"
	"github.com/ozg-cloud/platform/ent/extensiondefinition"
	"github.com/ozg-cloud/platform/ent/service"
	"github.com/ozg-cloud/platform/ent/serviceoffering"
	"github.com/ozg-cloud/platform/extension"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/once"
	"github.com/ozg-cloud/platform/schema"
)

// Desk writes extension fields of what hangs on no case. The audit log tells that something was written, and to what, never what.
type Desk struct {
	client *ent.Client
	clock  func() time.Time
}

// NewDesk makes a desk over the writing client.
func NewDesk(client *ent.Client, clock func() time.Time) *Desk { return &Desk{client, clock} }

func (d *Desk) now() time.Time { return d.clock().UTC().Truncate(time.Microsecond) }

// SetService writes what tenants add to a service of the shared catalogue, as Write does. The values lie with the tenant whose fields they are and hold
// there and in all below it, so the right service, extend is asked for at each whose fields are handed in.
func (d *Desk) SetService(ctx context.Context, id uuid.UUID, known extension.Chain, given map[string]any) error {
	_, err := once.Change(ctx, d.client, d.now, id, func(p *authz.Principal, tx *ent.Tx) (uuid.UUID, error) {
		there, err := tx.Service.Query().Where(service.ID(id)).Exist(ctx)
		switch {
		case err != nil:
			return uuid.Nil, fmt.Errorf("values: finding a service: %w", err)
		case !there:
			return uuid.Nil, problem.New(problem.Missing, "notFound", "input", "serviceId")
		}
		parts, err := shares(known, given)
		if err != nil {
			return uuid.Nil, err
		}
		for i, o := range known {
			if len(parts[i]) > 0 {
				if err := p.Ask("service", "extend", authz.Target{Place: authz.Place(o.Owner.Place), Service: id}); err != nil {
					return uuid.Nil, err
				}
			}
		}
		for i, o := range known {
			if len(parts[i]) == 0 {
				continue
			}
			row := Row{Target: "Service", ID: id, Tenant: o.Owner.ID, Place: o.Owner.Place}
			if err := d.write(ctx, tx, p, row, extension.Chain{o}, parts[i]); err != nil {
				return uuid.Nil, err
			}
		}
		return known[len(known)-1].Owner.ID, nil
	})
	return err
}

// shares parts what is handed in for a service by whose fields they are, in the order of the chain: what lies with one owner is written apart.
func shares(known extension.Chain, given map[string]any) ([]map[string]any, error) {
	if len(known.Fields("Service")) == 0 {
		return nil, problem.New(problem.Invalid, "unknownField", "input", "extension")
	}
	parts := make([]map[string]any, len(known))
	unknown := map[string]any{}
	for name, v := range given {
		i := slices.IndexFunc(known, func(d *extension.Definition) bool { return d.Targets["Service"].Field(name) != nil })
		switch {
		case i < 0:
			unknown[name] = v
		case parts[i] == nil:
			parts[i] = map[string]any{name: v}
		default:
			parts[i][name] = v
		}
	}
	if len(unknown) > 0 {
		_, problems := known.Apply("Service", nil, unknown)
		return nil, problem.List(problems).Below("input", "extension")
	}
	return parts, nil
}

// SetOffering writes extension fields of an offering of the directory, as Write does, for who has the right offering, extend at the authority that
// offers. The values lie with that authority.
func (d *Desk) SetOffering(ctx context.Context, id uuid.UUID, known extension.Chain, given map[string]any) error {
	_, err := once.Change(ctx, d.client, d.now, id, func(p *authz.Principal, tx *ent.Tx) (uuid.UUID, error) {
		o, err := tx.ServiceOffering.Query().Where(serviceoffering.ID(id)).Only(ctx)
		switch {
		case ent.IsNotFound(err):
			return uuid.Nil, problem.New(problem.Missing, "notFound", "input", "serviceOfferingId")
		case err != nil:
			return uuid.Nil, fmt.Errorf("values: finding an offering: %w", err)
		}
		if err := p.Ask("offering", "extend", authz.Target{Place: authz.Place(o.Place), Service: o.ServiceID}); err != nil {
			return uuid.Nil, err
		}
		return o.TenantID, d.write(ctx, tx, p, Row{Target: "ServiceOffering", ID: id, Tenant: o.TenantID, Place: o.Place}, known, given)
	})
	return err
}

// write writes to one row, one who does so after the other, and says so in the audit log of where the values lie.
func (d *Desk) write(ctx context.Context, tx *ent.Tx, p *authz.Principal, row Row, known extension.Chain, given map[string]any) error {
	clerk, err := authz.Clerk(ctx, authz.Place(row.Place))
	if err != nil {
		return err
	}
	if err := d.hold(clerk, tx, row); err != nil {
		return err
	}
	changed, err := Write(clerk, tx, row, known, given)
	if err != nil || !changed {
		return err
	}
	err = tx.AuditEntry.Create().SetTenantID(row.Tenant).SetPlace(row.Place).SetAt(d.now()).SetActor(p.Subject).
		SetAction(auditentry.ActionEXTENSION_WRITTEN).SetSubject(schema.ID(catalog.Types[row.Target].Number, row.ID)).Exec(clerk)
	if err != nil {
		return fmt.Errorf("values: writing the audit log: %w", err)
	}
	return nil
}

// hold locks what keeps others from writing the same record: the offering, and of the catalogue, which nobody who serves may lock, the definition.
func (d *Desk) hold(ctx context.Context, tx *ent.Tx, row Row) (err error) {
	if row.Target == "ServiceOffering" {
		_, err = tx.ServiceOffering.Query().Where(serviceoffering.ID(row.ID)).ForUpdate().OnlyID(ctx)
	} else {
		_, err = tx.ExtensionDefinition.Query().Where(extensiondefinition.TenantID(row.Tenant),
			extensiondefinition.StateIn(extensiondefinition.StateACTIVE, extensiondefinition.StateDEPRECATED)).ForUpdate().IDs(ctx)
	}
	if err != nil {
		return fmt.Errorf("values: holding what is extended: %w", err)
	}
	return nil
}
