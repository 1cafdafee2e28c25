// SPDX-License-Identifier: EUPL-1.2

package reading

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent/catalog"
	"github.com/ozg-cloud/platform/ent/rule"
)

// Thing is what the policy knows of something with a global id.
type Thing struct {
	// Object names it in the policy; empty for what is shared by all, which everybody reads who has signed in.
	Object authz.Object
	Target authz.Target
}

// Locate finds what rights on a thing depend on. false: there is no such thing, the caller does not see it, or it has no place in the tree.
func (r *Reader) Locate(ctx context.Context, globalID string) (Thing, bool, error) {
	t, id, ok := r.node(globalID)
	if !ok || !t.Owned && t.Name != "Tenant" {
		return Thing{}, false, nil
	}
	object, shape, err := rule.Of(t.Entity)
	if err != nil {
		return Thing{}, false, err
	}
	if shape == rule.Shared {
		object = ""
	}
	found := Thing{Object: object}
	err = authz.Current(ctx, func() error {
		var err error
		found.Target, ok, err = r.locate(ctx, t, id)
		return err
	})
	return found, ok, err
}

func (r *Reader) locate(ctx context.Context, t *catalog.Type, id uuid.UUID) (authz.Target, bool, error) {
	p, err := authz.From(ctx)
	if err != nil {
		return authz.Target{}, false, err
	}
	seen, err := (&compiler{r: r, p: p}).predicate(t, "t")
	if err != nil {
		return authz.Target{}, false, err
	}
	file, joined := "t", ""
	switch {
	case t.OfCase:
		file, joined = "k", " join cases k on k.tenant_id = t.tenant_id and k.id = t.case_id"
	case t.Name != "Case":
		file, joined = "k", " left join cases k on false"
	}
	question := sql("select t.place, " + file + ".unit_id, " + file + ".service_id, coalesce(" + file + ".owner, ''), coalesce(" + file + ".via_point_of_contact, false) from " + t.Table + " t" + joined).
		then(where(sql("t.id = ?", id), seen))

	scope := p.Scope()
	batch := &pgx.Batch{}
	batch.Queue("select ozg_enter($1, $2, $3)", int64(scope.Lo), int64(scope.Hi), scope.Owner)
	sql("/*" + scope.Class() + "*/ ").then(question).queue(batch)
	results := r.pool.SendBatch(ctx, batch)
	defer func() { _ = results.Close() }() // what went wrong has been told
	var version int64
	if err := results.QueryRow().Scan(&version); err != nil {
		return authz.Target{}, false, failed(ctx, fmt.Errorf("entering the scope: %w", err))
	}
	if err := p.Knows(version); err != nil {
		return authz.Target{}, false, err
	}
	var (
		at            authz.Target
		place         int64
		unit, service *uuid.UUID
	)
	switch err := results.QueryRow().Scan(&place, &unit, &service, &at.Owner, &at.ViaPointOfContact); {
	case errors.Is(err, pgx.ErrNoRows):
		return authz.Target{}, false, nil
	case err != nil:
		return authz.Target{}, false, failed(ctx, err)
	}
	at.Place = authz.Place(place)
	if unit != nil {
		at.Unit = *unit
	}
	if service != nil {
		at.Service = *service
	}
	return at, true, nil
}
