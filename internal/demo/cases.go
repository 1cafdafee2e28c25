// SPDX-License-Identifier: EUPL-1.2

package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/casework"
	"github.com/ozg-cloud/platform/extension"
)

// atOnce is how many cases are stored in one transaction.
const atOnce = 5_000

// applicantsCases is about how many cases in Kiel the principal kiel-applicant has, however many there are.
const applicantsCases = 25

// Cases adds n cases that came in during the three years before until, with everything that hangs on them. World has to lie there.
//
// The same seed, n and until give the same rows, ids included, so that doing it twice is refused: those cases are there. Only in a database
// that has cases already a case can get another id, where its number would be one of theirs. They are stored by the thousand: when it fails,
// what progress was told of stays. progress may be nil. conn's login has to be a member of ozg_owner, and is in no transaction.
func Cases(ctx context.Context, conn *pgx.Conn, n int, seed uint64, until time.Time, progress func(done int)) error {
	return CasesIn(ctx, conn, "", n, seed, until, progress)
}

// CasesIn is Cases with all of them at authorities of one region, by the beginning of their regional keys (ARS), such as 02 for Hamburg.
func CasesIn(ctx context.Context, conn *pgx.Conn, region string, n int, seed uint64, until time.Time, progress func(done int)) error {
	authorities, err := wide(ctx, conn)
	if err != nil {
		return err
	}
	w, err := build(authorities)
	if err != nil {
		return err
	}
	g, err := newGenerator(w, n, seed, until)
	if err != nil {
		return err
	}
	if region != "" {
		g.at = slices.DeleteFunc(slices.Clone(w.authorities), func(a *authority) bool { return !strings.HasPrefix(a.office.key, region) })
		if len(g.at) == 0 {
			return fmt.Errorf("demo: there is no authority in the region %q", region)
		}
		g.authorities = zipf(len(g.at), 1.2)
	}
	if g.taken, g.added, err = look(ctx, conn, w); err != nil {
		return err
	}
	var superuser bool
	if err := conn.QueryRow(ctx, "select rolsuper from pg_roles where rolname = current_user").Scan(&superuser); err != nil {
		return fmt.Errorf("demo: asking who this is: %w", err)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	made := make(chan *batch, 1)
	go func() { // invents the next cases while the database stores these
		defer close(made)
		for from := 0; from < n; from += atOnce {
			b := g.batch(from, min(from+atOnce, n))
			select {
			case made <- b:
			case <-ctx.Done():
				return
			}
		}
	}()
	done := 0
	for b := range made {
		if b.failed != nil {
			return b.failed
		}
		if err := store(ctx, conn, b, superuser); err != nil {
			return err
		}
		if done += b.size; progress != nil {
			progress(done)
		}
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("demo: adding cases: %w", err)
	}
	var tables []string
	for _, l := range labels {
		tables = append(tables, l.table)
	}
	if _, err := conn.Exec(ctx, "analyze "+strings.Join(tables, ", ")); err != nil {
		return fmt.Errorf("demo: measuring what was added: %w", err)
	}
	return nil
}

// numberOf is what a case is found by.
type numberOf struct {
	tenant rowID
	number string
}

// look sees whether the world lies there, and gives the numbers that cases have already, and the extension fields in force.
func look(ctx context.Context, conn *pgx.Conn, w *world) (map[numberOf]struct{}, []*extension.Definition, error) {
	tx, err := conn.Begin(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("demo: beginning to look round: %w", err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // nothing is changed
	if err := asOwner(ctx, tx); err != nil {
		return nil, nil, err
	}
	known, err := there(ctx, tx)
	if err != nil {
		return nil, nil, err
	}
	if n := w.missing(known); n > 0 {
		return nil, nil, fmt.Errorf("demo: %d rows of the world are missing: lay it first", n)
	}
	rows, err := tx.Query(ctx, "select tenant_id, number from cases")
	if err != nil {
		return nil, nil, fmt.Errorf("demo: reading numbers: %w", err)
	}
	taken := map[numberOf]struct{}{}
	var one numberOf
	_, err = pgx.ForEachRow(rows, []any{&one.tenant, &one.number}, func() error {
		taken[one] = struct{}{}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("demo: reading numbers: %w", err)
	}
	added, err := inForce(ctx, tx)
	return taken, added, err
}

// store copies a batch in one transaction.
//
// COPY is refused behind the second wall. A superuser stands before it anyway, and may leave out that each row asks whether what it names is
// there, which halves the time; a test asks afterwards. For everybody else the tables' owner is let through the wall meanwhile.
func store(ctx context.Context, conn *pgx.Conn, b *batch, superuser bool) error {
	tx, err := conn.Begin(ctx)
	if err != nil {
		return fmt.Errorf("demo: beginning to store cases: %w", err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // after Commit it does nothing
	if superuser {
		_, err = tx.Exec(ctx, "set local session_replication_role = replica")
	} else if err = asOwner(ctx, tx); err == nil {
		err = force(ctx, tx, "no force")
	}
	if err != nil {
		return fmt.Errorf("demo: getting through the wall: %w", err)
	}
	for s, l := range labels {
		if _, err := tx.CopyFrom(ctx, pgx.Identifier{l.table}, l.columns, pgx.CopyFromRows(b.rows[s])); err != nil {
			return fmt.Errorf("demo: copying into %s: %w", l.table, err)
		}
	}
	if !superuser {
		if err := force(ctx, tx, "force"); err != nil {
			return err
		}
	}
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("demo: storing cases: %w", err)
	}
	return nil
}

// force says whether the wall holds for the owner of the tables, too.
func force(ctx context.Context, tx pgx.Tx, how string) error {
	var all strings.Builder
	for _, l := range labels {
		all.WriteString("alter table " + l.table + " " + how + " row level security;")
	}
	if _, err := tx.Exec(ctx, all.String()); err != nil {
		return fmt.Errorf("demo: opening or closing the wall for the owner: %w", err)
	}
	return nil
}

// generator invents cases.
type generator struct {
	w        *world
	seed     uint64
	until    time.Time
	berlin   *time.Location
	arrivals []time.Time
	taken    map[numberOf]struct{}
	added    []*extension.Definition

	at          []*authority // where cases come in
	authorities shares       // of them
	offers      map[*authority]shares
	mine        float64 // the share of the cases in Kiel that is kiel-applicant's
}

func newGenerator(w *world, n int, seed uint64, until time.Time) (*generator, error) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		return nil, fmt.Errorf("demo: finding the time zone: %w", err)
	}
	until = until.UTC().Truncate(time.Microsecond)
	g := &generator{
		w: w, seed: seed, until: until, berlin: berlin, arrivals: arrivals(newChance(seed, 0), n, until, berlin),
		at: w.authorities, authorities: zipf(len(w.authorities), 1.2), offers: map[*authority]shares{},
	}
	for _, a := range w.authorities {
		g.offers[a] = zipf(len(a.offers), 0.8)
	}
	g.mine = applicantsCases / (float64(max(n, 1)) * g.authorities.first())
	return g, nil
}

// batch invents some of the cases; each is decided by its own number alone.
func (g *generator) batch(from, to int) *batch {
	b := &batch{}
	for i := from; i < to; i++ {
		l, err := g.life(i)
		if err != nil {
			b.failed = err
			return b
		}
		l.live()
		b.add(l)
	}
	b.close()
	return b
}

// life begins the i-th case.
func (g *generator) life(i int) (*life, error) {
	c := newChance(g.seed, uint64(i)+1) //nolint:gosec // never negative
	a := g.at[g.authorities.take(c)]
	l := &life{
		chance: c, until: g.until, berlin: g.berlin, now: g.arrivals[i], receivedAt: g.arrivals[i],
		at: a, others: g.w.authorities, offer: a.offers[g.offers[a].take(c)],
	}
	for {
		l.id = c.id(l.receivedAt)
		l.number = casework.Number(l.id, l.receivedAt)
		key := numberOf{a.id, l.number}
		if _, ok := g.taken[key]; !ok {
			g.taken[key] = struct{}{}
			break
		}
	}
	s := l.offer.service
	l.clerk = a.caseworkerOf(l.offer.unit)
	if c.of(0.4) {
		l.clerk = a.caseworker()
	}
	trade := s.part == "32.2"
	l.who = somebody(c, a.office, trade)
	l.contact = trade && c.of(0.1)
	l.trust = s.trust
	if l.trust == authz.Basic && c.of(0.3) {
		l.trust = authz.Substantial
	}
	l.transaction = c.hex(32)
	l.channel = "FORM_SERVER"
	switch x := c.Float64(); {
	case a.slug == "kiel" && s.trust != authz.High && c.of(g.mine):
		l.owner, l.trust = subjectOf("kiel-applicant"), authz.Substantial
		l.who.first, l.who.last, l.who.firm = "Kim", "Musterfrau", ""
		if c.of(0.5) {
			l.channel = "PORTAL"
			break
		}
		l.account, l.address = "OSI", "kiel-applicant" // which is the subject of development's issuer
	case x < 0.3:
		l.owner, l.channel = subjectOf("applicant-"+c.hex(8)), "PORTAL"
	case x < 0.95:
		l.account, l.address = "OSI", uuid.UUID(c.id(l.receivedAt)).String()
		if a.key[:2] == "09" {
			l.account = "BAYERN_ID"
		}
	}
	l.items = form(c, l.who, s, l.receivedAt)
	if l.added = covering(g.added, a.place); s.part == building && len(l.added) > 0 {
		l.values = newChance(g.seed, ^uint64(i)) //nolint:gosec // never negative
		l.items[1].Items = append(l.items[1].Items, parcels(l.values)...)
	}
	data, err := json.Marshal(l.items)
	if err != nil {
		return nil, fmt.Errorf("demo: writing a form: %w", err)
	}
	l.form = data
	return l, nil
}
