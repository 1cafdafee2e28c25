// SPDX-License-Identifier: EUPL-1.2

package demo

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// invented is how the slugs of invented authorities begin.
const invented = "muster-"

// invent gives each Land as many districts as it has, and authorities to the districts in turn, until there are so many with those that the demo has anyway: first
// an administration for each invented district, then municipalities. More are the same and some others. No region has the 8 that stands third in the
// keys of invented districts.
func invent(authorities int) (ds []district, os []office) {
	if authorities <= len(offices) {
		return nil, nil
	}
	counties := func(yield func(ars string)) { // whose municipalities are not the district itself
		for _, d := range districts {
			if strings.HasPrefix(d.name, "Kreis ") {
				yield(d.ars)
			}
		}
		for _, d := range ds {
			yield(d.ars)
		}
	}
	add := func(key, name string, t tasks) {
		if len(offices)+len(os) < authorities {
			os = append(os, office{key, invented + key, name, t, "12345", "Musterstadt"})
		}
	}
	for _, l := range lands {
		n := l.districts
		for _, d := range districts {
			if d.ars[:2] == l.ars {
				n--
			}
		}
		for i := range n {
			ars := fmt.Sprintf("%s8%02d", l.ars, i+1)
			ds = append(ds, district{ars, "kreis-" + ars, "Musterkreis " + ars})
		}
	}
	for _, d := range ds {
		add(d.ars, "Kreisverwaltung Musterkreis "+d.ars, ofCounty)
	}
	for i := 1; len(offices)+len(os) < authorities && i < 1000; i++ {
		counties(func(ars string) {
			key := fmt.Sprintf("%s8000%03d", ars, i)
			add(key, "Gemeinde "+key, ofMunicipality)
		})
	}
	return ds, os
}

// wide is how many authorities the world has that lies there.
func wide(ctx context.Context, conn *pgx.Conn) (authorities int, err error) {
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if err := asOwner(ctx, tx); err != nil {
			return err
		}
		return tx.QueryRow(ctx, "select count(*) from tenants where kind = 'AUTHORITY' and starts_with(slug, $1)", invented).Scan(&authorities)
	})
	if err != nil {
		return 0, fmt.Errorf("demo: counting authorities: %w", err)
	}
	return len(offices) + authorities, nil
}
