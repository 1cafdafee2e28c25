// SPDX-License-Identifier: EUPL-1.2

package housetest

import (
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/ozg-cloud/platform/extension"
	"github.com/ozg-cloud/platform/schema"
)

// Define puts extension fields of a tenant into force, past the desk and both walls, and retires those before them. The house knows of them
// within a second.
func (h *House) Define(slug, sdl string) {
	h.Helper()
	standard, err := schema.Load()
	if err != nil {
		h.Fatal(err)
	}
	var o extension.Owner
	db := h.past()
	if err := db.QueryRow(h.Context(), "select id, kind, slug, place from tenants where slug = $1", slug).Scan(&o.ID, &o.Kind, &o.Slug, &o.Place); err != nil {
		h.Fatal(err)
	}
	d, problems := extension.Read(sdl, o, standard)
	if len(problems) > 0 {
		h.Fatal(problems[0])
	}
	before, version := h.definition(o)
	if problems := d.Follow(before); len(problems) > 0 {
		h.Fatal(problems[0])
	}
	err = pgx.BeginFunc(h.Context(), db, func(tx pgx.Tx) error {
		_, err := tx.Exec(h.Context(), "update extension_definitions set state = 'RETIRED', retired_at = now(), retired_by = 'system:test' where tenant_id = $1 and state <> 'RETIRED'", o.ID)
		if err != nil {
			return err
		}
		_, err = tx.Exec(h.Context(), `insert into extension_definitions (id, tenant_id, place, version, state, sdl, hash, numbers, created_at, created_by, activated_at, activated_by, indexed_at)
			values ($1, $2, $3, $4, 'ACTIVE', $5, $6, $7, now(), 'system:test', now(), 'system:test', case when $8 then now() end)`,
			uuid.Must(uuid.NewV7()), o.ID, o.Place, version+1, sdl, d.Hash(), d.Numbers().String(), before == nil || !d.Indexes(before))
		return err
	})
	if err != nil {
		h.Fatal(err)
	}
}

// definition is the last one of an owner, with its version; nil where there is none.
func (h *House) definition(o extension.Owner) (*extension.Definition, int) {
	h.Helper()
	var (
		version int
		sdl     string
		numbers []byte
	)
	err := h.past().QueryRow(h.Context(), "select version, sdl, numbers from extension_definitions where tenant_id = $1 order by version desc limit 1", o.ID).Scan(&version, &sdl, &numbers)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, 0
	}
	if err != nil {
		h.Fatal(err)
	}
	standard, err := schema.Load()
	if err != nil {
		h.Fatal(err)
	}
	d, err := extension.Kept(sdl, numbers, o, standard)
	if err != nil {
		h.Fatal(err)
	}
	return d, version
}
