// SPDX-License-Identifier: EUPL-1.2

package demo

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent/schema"
	"github.com/ozg-cloud/platform/extension"
	"github.com/ozg-cloud/platform/extension/values"
	contract "github.com/ozg-cloud/platform/schema"
)

// building is the service whose forms fill the fields: Baugenehmigung.
const building = "60.1"

// BalkonOf are the extension fields (Balkone) of the demo, by the slug of the Land that adds them. Both add a field of the same name, of which
// neither Land knows that the other has it.
var BalkonOf = map[string]string{"sh": balkonSH, "by": balkonBY}

var (
	//go:embed sh.graphql
	balkonSH string
	//go:embed by.graphql
	balkonBY string
)

// Balkone brings the extension fields of the demo into force, for each Land that has never defined any. The world has to lie there; cases that are
// added afterwards have values. conn's login has to be a member of ozg_owner, and is in no transaction.
func Balkone(ctx context.Context, conn *pgx.Conn) error {
	standard, err := contract.Load()
	if err != nil {
		return fmt.Errorf("demo: reading the contract: %w", err)
	}
	w, err := build(0)
	if err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if err := asOwner(ctx, tx); err != nil {
			return err
		}
		for _, slug := range []string{"sh", "by"} {
			t := w.bySlug[slug]
			d, problems := extension.Read(BalkonOf[slug], t.owner(), standard)
			if len(problems) == 0 {
				problems = d.Follow(nil)
			}
			if len(problems) > 0 {
				return fmt.Errorf("demo: reading the fields of %s: %w", slug, problems[0])
			}
			_, err := tx.Exec(ctx, `with made as (
				insert into extension_definitions (id, tenant_id, place, version, state, sdl, hash, numbers, created_at, created_by, activated_at, activated_by, indexed_at)
				select $1, $2, $3, 1, 'ACTIVE', $4, $5, $6, $7, $8, $7, $8, $7 where not exists (select from extension_definitions where tenant_id = $2)
				returning tenant_id)
				insert into audit_entries (id, tenant_id, place, at, actor, action, subject)
				select l.id, tenant_id, $3, $7, $8, l.action, $5 from made, (values ($9::uuid, 'EXTENSION_DEFINED'), ($10::uuid, 'EXTENSION_ACTIVATED')) l(id, action)`,
				named("extension", slug), t.id, int64(t.place), BalkonOf[slug], d.Hash(), d.Numbers().String(), laid, hand,
				named("audit", slug+"/defined"), named("audit", slug+"/activated"))
			if err != nil {
				return fmt.Errorf("demo: bringing the fields of %s into force: %w", slug, err)
			}
		}
		return nil
	})
}

func (t *tenant) owner() extension.Owner {
	return extension.Owner{ID: t.id, Place: int64(t.place), Kind: string(t.kind), Slug: t.slug}
}

// inForce reads what is in force, by the place of each owner, those above before those below.
func inForce(ctx context.Context, tx pgx.Tx) ([]*extension.Definition, error) {
	standard, err := contract.Load()
	if err != nil {
		return nil, fmt.Errorf("demo: reading the contract: %w", err)
	}
	rows, err := tx.Query(ctx, `select t.id, t.place, t.kind, t.slug, d.sdl, d.numbers from extension_definitions d join tenants t on t.id = d.tenant_id
		where d.state in ('ACTIVE', 'DEPRECATED') order by array_position(array['LAND', 'DISTRICT', 'AUTHORITY'], t.kind), t.place`)
	if err != nil {
		return nil, fmt.Errorf("demo: reading extension fields: %w", err)
	}
	var (
		all     []*extension.Definition
		o       extension.Owner
		sdl     string
		numbers []byte
	)
	_, err = pgx.ForEachRow(rows, []any{&o.ID, &o.Place, &o.Kind, &o.Slug, &sdl, &numbers}, func() error {
		d, err := extension.Kept(sdl, numbers, o, standard, covering(all, authz.Place(o.Place))...)
		all = append(all, d)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("demo: reading extension fields: %w", err)
	}
	return all, nil
}

// covering are the definitions that hold at a place.
func covering(all []*extension.Definition, at authz.Place) extension.Chain {
	var out extension.Chain
	for _, d := range all {
		if authz.Cover(authz.TenantKind(d.Owner.Kind), authz.Place(d.Owner.Place)).Contains(at) {
			out = append(out, d)
		}
	}
	return out
}

// parcels are the questions that the forms of a Land ask for its own fields.
func parcels(c chance) []schema.FormItem {
	n := 1 + c.IntN(900)
	items := []schema.FormItem{
		said("flurstueck", "Flurstück", fmt.Sprintf("%d/%d", n, 1+c.IntN(12))), number("flurnummer", "Flurnummer", n),
		said("bauart", "Bauart", one(c, "NEUBAU", "NEUBAU", "ANBAU", "UMBAU", "UMBAU", "NUTZUNGSAENDERUNG")),
	}
	floors := 0
	for _, part := range []string{"Erdgeschoss", "Obergeschoss", "Dachgeschoss", "Garage"}[:1+c.IntN(4)] {
		area := 12 + c.IntN(140)
		floors += area
		items = append(items, schema.FormItem{Name: "bauteil", Label: "Bauteil", Items: []schema.FormItem{
			said("bezeichnung", "Bezeichnung", part), number("flaeche", "Fläche in Quadratmetern", area),
		}})
	}
	return append(items, number("geschossflaeche", "Geschossfläche in Quadratmetern", floors))
}

// addValues writes down what the form says of the fields that hold where the case lies, and what of that stands beside the case.
func (b *batch) addValues(l *life, hang func(shelf, rowID, ...any), beside []any) {
	filled, _ := l.added.FromForm("Case", values.Items(l.items)) // what does not fit is left out, as at the intake
	for _, r := range filled {
		for _, d := range l.added {
			if d.Owner.ID != r.Owner {
				continue
			}
			hang(records, l.values.id(l.receivedAt), "CASE", l.id, d.Owner.Place, []byte(r.Values), l.receivedAt)
			for _, e := range r.Entries {
				var counted any
				if e.Counted != "" {
					counted = string(e.Counted)
				}
				key := extension.Key(d.Owner, e.Number)
				hang(entries, l.values.id(l.receivedAt), l.id, key, e.Text, e.Amount, e.Time, counted, l.receivedAt)
				if column := d.Numbers().Columns[e.Number]; column > 0 {
					beside[column-1] = extension.Found(key, e.Value())
				}
			}
		}
	}
}
