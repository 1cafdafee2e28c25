// SPDX-License-Identifier: EUPL-1.2

package cmd

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent"
	"github.com/ozg-cloud/platform/ent/auditentry"
	"github.com/ozg-cloud/platform/ent/extensiondefinition"
	"github.com/ozg-cloud/platform/ent/tenant"
	"github.com/ozg-cloud/platform/extension"
	"github.com/ozg-cloud/platform/extension/values"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/schema"
)

// fields prints what the extension fields of a tenant hold, as JSON Lines, also those of a version that is out of force. That it was done stands in the
// tenant's audit log before the first line is printed.
func fields(ctx context.Context, c console, args []string) error {
	if len(args) == 0 || args[0] != "export" {
		return errUsage
	}
	f := flags("extension")
	slug, version := f.String("tenant", "", ""), f.Int("version", 0, "")
	if f.Parse(args[1:]) != nil || f.NArg() > 0 || *slug == "" || *version < 0 {
		return errUsage
	}
	return operate(ctx, c, func(ctx context.Context, o operator) error {
		d, err := o.definition(ctx, *slug, *version)
		if err != nil {
			return err
		}
		err = o.client.AuditEntry.Create().SetTenantID(d.Owner.ID).SetPlace(d.Owner.Place).SetAt(time.Now().UTC()).SetActor(string(authz.Operator)).
			SetAction(auditentry.ActionEXTENSION_EXPORTED).SetSubject(d.Hash()).Exec(ctx)
		if err != nil {
			return fmt.Errorf("writing the audit log: %w", err)
		}
		out := bufio.NewWriter(c.out)
		lines := json.NewEncoder(out)
		lines.SetEscapeHTML(false)
		if err := values.Export(ctx, o.client, d, func(l values.Line) error { return lines.Encode(l) }); err != nil {
			return err
		}
		if err := out.Flush(); err != nil {
			return fmt.Errorf("printing: %w", err)
		}
		return nil
	})
}

// definition is a version of what a tenant adds; zero stands for the one that was in force last.
func (o operator) definition(ctx context.Context, slug string, version int) (*extension.Definition, error) {
	t, err := o.client.Tenant.Query().Where(tenant.Slug(slug)).Only(ctx)
	if err != nil {
		return nil, problem.New(problem.Missing, "notFound", "tenant")
	}
	which := o.client.ExtensionDefinition.Query().Where(extensiondefinition.TenantID(t.ID), extensiondefinition.ActivatedAtNotNil())
	if version > 0 {
		which.Where(extensiondefinition.Version(version))
	}
	v, err := which.Order(ent.Desc(extensiondefinition.FieldVersion)).First(ctx)
	if err != nil {
		return nil, problem.New(problem.Missing, "notFound", "version")
	}
	standard, err := schema.Load()
	if err != nil {
		return nil, err
	}
	return extension.Kept(v.Sdl, v.Numbers, extension.Owner{ID: t.ID, Place: t.Place, Kind: string(t.Kind), Slug: t.Slug}, standard)
}
