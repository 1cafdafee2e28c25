// SPDX-License-Identifier: EUPL-1.2

package directory

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Own reads what the authorities of a region offer in this house, by service. What holds everywhere is said of the region alone; what holds elsewhere is
// another house's to say.
func Own(ctx context.Context, pool *pgxpool.Pool, region string) (map[string][]Entry, error) {
	rows, err := pool.Query(ctx, `
		select s.leika_key, case when starts_with($1, o.territory) then $1 else o.territory end, t.slug, t.name, o.valid_from::text, coalesce(o.valid_to::text, ''), s.maturity
		from service_offerings o join tenants t on t.id = o.tenant_id join services s on s.id = o.service_id
		where starts_with(t.regional_key, $1) and (starts_with(o.territory, $1) or starts_with($1, o.territory))`, region)
	if err != nil {
		return nil, fmt.Errorf("directory: reading what is offered: %w", err)
	}
	out := map[string][]Entry{}
	type key struct{ service, territory, authority, from string }
	seen := map[key]bool{} // what holds everywhere and what holds in the region are the same now
	var (
		service string
		e       Entry
	)
	_, err = pgx.ForEachRow(rows, []any{&service, &e.Territory, &e.Authority, &e.Name, &e.From, &e.To, &e.Maturity}, func() error {
		if k := (key{service, e.Territory, e.Authority, e.From}); !seen[k] {
			seen[k] = true
			out[service] = append(out[service], e)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("directory: reading what is offered: %w", err)
	}
	return out, nil
}
