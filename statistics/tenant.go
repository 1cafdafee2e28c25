// SPDX-License-Identifier: EUPL-1.2

package statistics

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/ozg-cloud/platform/authz"
)

// At finds the tenant of a slug. Which tenants there are is no secret.
func (t *Tally) At(ctx context.Context, slug string) (at authz.TenantRef, ok bool, err error) {
	if strings.ContainsRune(slug, 0) {
		return at, false, nil // the database has no such text, and would complain
	}
	err = t.log.QueryRow(ctx, "select id, slug, kind, place from tenants where slug = $1", slug).Scan(&at.ID, &at.Slug, &at.Kind, &at.Place)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return at, false, nil
	case err != nil:
		return at, false, fmt.Errorf("statistics: finding a tenant: %w", err)
	}
	return at, true, nil
}
