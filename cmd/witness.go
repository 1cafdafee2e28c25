// SPDX-License-Identifier: EUPL-1.2

package cmd

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent"
	"github.com/ozg-cloud/platform/ent/store"
	"github.com/ozg-cloud/platform/reading"
)

// writeDown stores lines of the access log in one statement. Lines that are there already are left as they are.
func writeDown(writes *store.Driver) func(context.Context, []reading.Line) error {
	const statement = `insert into access_entries (id, tenant_id, place, case_id, at, reader, purpose, fields)
		select * from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::uuid[], $5::timestamptz[], $6::text[], $7::text[], $8::jsonb[])
		on conflict (id) do nothing`
	return func(ctx context.Context, lines []reading.Line) error {
		var (
			ids, tenants, cases []uuid.UUID
			places              []int64
			at                  []time.Time
			readers, fields     []string
			purposes            []*string
		)
		for _, l := range lines {
			text, err := json.Marshal(l.Fields)
			if err != nil {
				return fmt.Errorf("cmd: writing down what was read: %w", err)
			}
			var purpose *string
			if l.Purpose != "" {
				purpose = &l.Purpose
			}
			ids, tenants, cases = append(ids, l.ID), append(tenants, l.Tenant), append(cases, l.Case)
			places, at = append(places, l.Place), append(at, l.At)
			readers, fields, purposes = append(readers, l.Reader), append(fields, string(text)), append(purposes, purpose)
		}
		ctx = authz.With(ctx, authz.System(authz.Witness))
		return writes.Exec(ctx, statement, []any{ids, tenants, places, cases, at, readers, purposes, fields}, nil)
	}
}

// downloads takes note of attachments that are handed out.
func downloads(witness reading.Witness) func(ctx context.Context, a *ent.Attachment, r *http.Request) error {
	return func(ctx context.Context, a *ent.Attachment, r *http.Request) error {
		p, err := authz.From(ctx)
		if err != nil || !p.Watched() {
			return err
		}
		field := "Attachment.content"
		if r.Method == http.MethodHead {
			field = "Attachment.name"
		}
		return witness.Witness(ctx, []reading.Access{{
			Case: a.CaseID, Tenant: a.TenantID, Place: a.Place, Reader: p.Subject, Purpose: reading.Purpose(r.Header.Get("X-Purpose")), Fields: []string{field},
		}})
	}
}
