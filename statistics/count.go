// SPDX-License-Identifier: EUPL-1.2

package statistics

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/internal/problem"
)

// The numbers of populations and shapes in statistics_cells (migrations 0007 and 0016).
var populations = map[Population]int16{Received: 1, Acted: 2, Decided: 3, Digital: 4, Open: 5, Overdue: 6, Asked: 7, Failed: 8}

const (
	byMonth int16 = iota
	byMarks
	byBin
	byDay
	atPresent
	byState
)

// The values of marks, in the order of ozg_marks.
var (
	markStates   = []string{"", "NEW", "ACCEPTED", "IN_PROGRESS", "WAITING_FOR_APPLICANT", "FORWARDED", "DECIDED", "CLOSED", "DISCARDED", "TO_BE_DELETED", "ERASED"}
	markChannels = []string{"", "FORM_SERVER", "PORTAL"}
	markLevels   = []string{"", "BASIC", "SUBSTANTIAL", "HIGH"}
	markOutcomes = []string{"", "GRANTED", "PARTLY_GRANTED", "REJECTED", "OTHER"}
)

// LevelOf is the axis of a tenant of a kind; empty for the federation.
func LevelOf(kind authz.TenantKind) Axis {
	for a, n := range nodes {
		if n.kind == kind {
			return a
		}
	}
	return ""
}

// Now is the instant up to which a question is planned.
func (t *Tally) Now() time.Time { return t.clock() }

// Count gives the part of this house for a plan about a tenant and what is below it, out of cells alone. The caller's principal has to see those
// cells (the second wall); a protected part is read by a system principal and keeps nothing but what is published.
func (t *Tally) Count(ctx context.Context, p *Plan, at authz.TenantRef) (Part, error) {
	who, err := authz.From(ctx)
	if err != nil {
		return Part{}, err
	}
	if p.Product == Protected {
		who = authz.System(authz.Counting)
	}
	shape, err := p.shape()
	if err != nil {
		return Part{}, err
	}
	q := cellsOf{plan: p, at: authz.Cover(at.Kind, at.Place), shape: shape, present: t.clock().In(berlin)}
	if err := q.read(ctx, t, who.Scope()); err != nil {
		return Part{}, err
	}
	return p.Part(Contribution{Member: at.Slug, AsOf: q.asOf}, q.rows())
}

// by tells whether somebody asks by an axis, or filters on it.
func (p *Plan) by(a Axis) bool {
	return slices.Contains(p.Axes, a) || slices.ContainsFunc(p.Where, func(f Filter) bool { return f.Axis == a })
}

// shape is in which cells a plan finds its figures.
func (p *Plan) shape() (int16, error) {
	states, marked, days, lasts := false, false, false, false
	for _, a := range p.Table {
		states = states || a == State
		marked = marked || slices.Contains([]Axis{Channel, TrustLevel, Outcome}, a)
		days = days || a == Day
	}
	field := p.field != 0 || len(p.sums) > 0
	for _, m := range p.Measured {
		lasts = lasts || m.Kind == Durations
	}
	switch {
	case days && (states || marked || field), lasts && (days || states || marked) && p.From != "":
		return 0, problem.New(problem.Invalid, "axisNotMeasured", "groupBy")
	case p.From == "":
		return atPresent, nil
	case days:
		return byDay, nil
	case marked || field: // extension fields have no cells by month or state alone
		return byMarks, nil
	case states:
		return byState, nil
	}
	return byMonth, nil
}

// cellsOf are the cells that an answer is made of.
type cellsOf struct {
	plan    *Plan
	at      authz.Interval
	shape   int16
	present time.Time

	asOf    time.Time
	tenants map[tenantAt]string // slugs
	// services are LeiKa keys, periods the periods of cells that have been seen.
	services map[[16]byte]string
	periods  map[day]interval
	sums     map[string]*Counted // by the values of the axes
	key      []byte              // of the row that is looked for
}

// interval is the month or the day of a cell.
type interval struct {
	month, day string
	begin      time.Time
}

func (q *cellsOf) intervalOf(d day) interval {
	p, ok := q.periods[d]
	if !ok {
		begin := time.Date(2000, 1, 1+int(d), 0, 0, 0, 0, berlin)
		p = interval{begin.Format("2006-01"), begin.Format(time.DateOnly), begin}
		q.periods[d] = p
	}
	return p
}

type tenantAt struct {
	kind authz.TenantKind
	lo   int64
}

// nodes are the axes that are tenants: the number of their level, and their kind.
var nodes = map[Axis]struct {
	level int16
	kind  authz.TenantKind
}{Authority: {0, authz.Authority}, District: {1, authz.District}, Land: {2, authz.Land}}

// level is the number of the level of the plan's cells, and the kinds of tenants whose names it says or asks for.
func (q *cellsOf) level() (level int16, kinds []string) {
	level = 3
	for _, a := range q.plan.Table {
		if n, ok := nodes[a]; ok {
			level = min(level, n.level)
		}
	}
	named := slices.Clone(q.plan.Axes)
	for _, f := range q.plan.Where {
		named = append(named, f.Axis)
	}
	for _, a := range named {
		if n, ok := nodes[a]; ok {
			kinds = append(kinds, string(n.kind))
		}
	}
	return level, kinds
}

func (q *cellsOf) span() (from, to string) {
	switch q.shape {
	case atPresent:
		return "0001-01-01", "9999-12-31"
	case byDay:
		end, _ := EndOf(q.plan.To) // the plan has read it
		return q.plan.From + "-01", end.AddDate(0, 0, -1).In(berlin).Format(time.DateOnly)
	}
	return q.plan.From + "-01", q.plan.To + "-01"
}

func (q *cellsOf) read(ctx context.Context, t *Tally, scope authz.Scope) error {
	level, kinds := q.level()
	var asked []int16
	shapes := []int16{q.shape}
	for _, m := range q.plan.Measured {
		asked = append(asked, populations[m.Population])
		if m.Of != "" {
			asked = append(asked, populations[m.Of])
		}
		if m.Kind == Durations && q.shape != atPresent {
			shapes = append(shapes, byBin)
		}
	}
	var only []string
	for _, f := range q.plan.Where {
		if f.Axis == Service { // the database has no text with a zero in it, and would complain
			only = slices.DeleteFunc(slices.Clone(f.Values), func(v string) bool { return strings.ContainsRune(v, 0) })
		}
	}
	byService := slices.ContainsFunc(q.plan.Table, func(a Axis) bool { return a == Service || a == ServiceGroup })
	from, to := q.span()
	class := "/*" + scope.Class() + "*/ "
	// Node by node, so that the index leads to the cells that are asked for: of a range of nodes it reads all cells there are.
	width := strconv.FormatInt(widths[level], 10)
	b := &pgx.Batch{}
	b.Queue("select ozg_enter($1, $2, $3)", int64(scope.Lo), int64(scope.Hi), scope.Owner)
	b.Queue(class + "select o.at, exists (select from events e where (e.xid, e.seq) > (o.xid, o.seq)) from statistics_offset o where o.answers")
	b.Queue(class+"select kind, place, slug from tenants where kind = any($1) and (place between $2 and $3 or $2 between place and place_end)", kinds, int64(q.at.Lo), int64(q.at.Hi))
	b.Queue(class+"select id, leika_key from services where $1", byService)
	// Cells come one by one where nodes are many, so that nobody reads on who has seen too many rows; of some Länder they are added up there, keys as numeric,
	// so that nothing overflows. Services are not joined: where statistics of the table are old, that was a nested loop.
	told, group, service, period := "c.service_id, c.n, c.k", "", "c.service_id", "c.period"
	if !byService && level > nodes[District].level {
		service = "null::uuid"
		told, group = "null::uuid, sum(c.n)::bigint, (sum(c.k) % 4611686018427387904)::bigint", "group by 1, 2, 3, 4, 5, 9"
	}
	if q.plan.Product == Exact && q.shape != atPresent && !q.plan.by(Month) && !q.plan.by(Day) { // months are added up there, without keys, which nobody needs
		period = "$6::date"
		told, group = service+", sum(c.n)::bigint, 0::bigint", "group by 1, 2, 3, 4, 5, 6, 9"
	}
	table, value := "statistics_cells", "''"
	if q.plan.field != 0 {
		table, value = byField(q.plan.field), "c.value"
	}
	where := ` c where c.generation = (select generation from statistics_offset where answers) and c.level = $1
		and c.lo = any(array(select distinct place / ` + width + " * " + width + ` from tenants where place between $2 and $3))
		and c.population = any($4) and c.shape = any($5) and c.period between $6::date and $7::date
		and ($8::text[] is null or c.service_id = any(array(select id from services where leika_key = any($8)))) `
	b.Queue(class+"select c.population, c.shape, c.lo, "+period+", c.detail, "+told+", "+value+" from "+table+where+"and c.n <> 0 "+group,
		level, int64(q.at.Lo), int64(q.at.Hi), asked, shapes, from, to, only)
	if len(q.plan.sums) > 0 {
		b.Queue(class+"select c.population, c.lo, c.period, c.detail, "+service+`, c.field, sum(c.n)::bigint, sum(c.total)::double precision
			from statistics_field_cells`+where+"and c.field = any($9) group by 1, 2, 3, 4, 5, 6",
			level, int64(q.at.Lo), int64(q.at.Hi), asked, []int16{q.shape}, from, to, only, q.plan.sums)
	}
	ctx, stop := context.WithCancel(ctx)
	answers := t.log.SendBatch(ctx, b)
	defer func() {
		stop()              // closing by itself would read all that is left
		_ = answers.Close() // what went wrong has been told
	}()
	if _, err := answers.Exec(); err != nil {
		return fmt.Errorf("statistics: entering the scope: %w", err)
	}
	var behind bool
	if err := answers.QueryRow().Scan(&q.asOf, &behind); err != nil {
		return fmt.Errorf("statistics: asking up to when is counted: %w", err)
	}
	if !behind {
		q.asOf = q.present
	}
	rows, err := answers.Query()
	if err != nil {
		return fmt.Errorf("statistics: reading tenants: %w", err)
	}
	q.tenants = map[tenantAt]string{}
	var at tenantAt
	var slug string
	if _, err := pgx.ForEachRow(rows, []any{&at.kind, &at.lo, &slug}, func() error {
		q.tenants[at] = slug
		return nil
	}); err != nil {
		return fmt.Errorf("statistics: reading tenants: %w", err)
	}
	if rows, err = answers.Query(); err != nil {
		return fmt.Errorf("statistics: reading services: %w", err)
	}
	q.services = map[[16]byte]string{}
	var id [16]byte
	var key string
	if _, err := pgx.ForEachRow(rows, []any{&id, &key}, func() error {
		q.services[id] = key
		return nil
	}); err != nil {
		return fmt.Errorf("statistics: reading services: %w", err)
	}
	if rows, err = answers.Query(); err != nil {
		return fmt.Errorf("statistics: reading cells: %w", err)
	}
	q.sums, q.periods = map[string]*Counted{}, map[day]interval{}
	for rows.Next() {
		v := rows.RawValues()
		c := stored{population: int16of(v[0]), shape: int16of(v[1]), lo: int64of(v[2]), period: q.intervalOf(day(int32of(v[3]))), detail: int(int32of(v[4])), cell: Cell{int64of(v[6]), int64of(v[7])}}
		if byService {
			c.service = q.services[[16]byte(v[5])]
		}
		if q.plan.field != 0 {
			c.value = string(v[8])
		}
		if q.add(&c); q.plan.Product == Exact && len(q.sums) > mostRows { // of protected ones those that are told count, whatever else there is
			return problem.New(problem.Invalid, "tooMany", "groupBy")
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("statistics: reading cells: %w", err)
	}
	if len(q.plan.sums) > 0 {
		if err := q.readSums(answers, byService); err != nil {
			return err
		}
	}
	if err := answers.Close(); err != nil {
		return fmt.Errorf("statistics: reading cells: %w", err)
	}
	return nil
}

// readSums adds up the extension fields that are summed.
func (q *cellsOf) readSums(answers pgx.BatchResults, byService bool) error {
	rows, err := answers.Query()
	if err != nil {
		return fmt.Errorf("statistics: reading sums: %w", err)
	}
	for rows.Next() {
		v := rows.RawValues()
		c := stored{population: int16of(v[0]), shape: q.shape, lo: int64of(v[1]), period: q.intervalOf(day(int32of(v[2]))), detail: int(int32of(v[3]))}
		if byService {
			c.service = q.services[[16]byte(v[4])]
		}
		row := q.row(&c)
		if row == nil {
			continue
		}
		for i, m := range q.plan.Measured {
			if c.population != populations[m.Population] {
				continue
			}
			s := &row.Figures[i].Sums[slices.Index(q.plan.sums, int64of(v[5]))]
			s.N, s.Total = s.N+int64of(v[6]), s.Total+math.Float64frombits(uint64(int64of(v[7]))) //nolint:gosec // the bits as they are
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("statistics: reading sums: %w", err)
	}
	return nil
}

// stored is a cell as it is read.
type stored struct {
	population, shape int16
	lo                int64
	period            interval
	detail            int
	service, value    string
	cell              Cell
}

// value is what a cell has on an axis.
func (q *cellsOf) value(c *stored, a Axis) string {
	const perDistrict, perLand = 10_000_000_000, 10_000_000_000_000
	switch a { //nolint:exhaustive // nobody asks for durations
	case Land:
		return q.tenants[tenantAt{authz.Land, c.lo / perLand * perLand}]
	case District:
		return q.tenants[tenantAt{authz.District, c.lo / perDistrict * perDistrict}]
	case Authority:
		return q.tenants[tenantAt{authz.Authority, c.lo}]
	case ServiceGroup:
		return Group(c.service)
	case Service:
		return c.service
	case Month:
		return c.period.month
	case Day:
		return c.period.day
	case State: // of cells by state the only mark
		return markStates[c.detail&15]
	case Channel:
		return markChannels[c.detail>>4&3]
	case TrustLevel:
		return markLevels[c.detail>>6&3]
	case Outcome:
		return markOutcomes[c.detail>>8]
	}
	return c.value // of an extension field
}

// byField are the cells of a field, apart by its values. Those of cases that have none are what is left of all cells, and have the empty one. Only exact
// figures are told by fields, so that the keys do not matter.
func byField(field int64) string {
	const cells = "select generation, level, lo, population, shape, period, service_id, detail, "
	of := " from statistics_field_cells where field = " + strconv.FormatInt(field, 10)
	return "(" + cells + "n, k, '' as value from statistics_cells union all " + cells + "n, 0, value" + of + " union all " + cells + "-n, 0, ''" + of + ")"
}

// row is the one where a cell belongs; nil: nowhere.
func (q *cellsOf) row(c *stored) *Counted {
	if q.shape == atPresent && c.population == populations[Overdue] && c.period.day >= q.present.Format(time.DateOnly) {
		return nil // not due yet
	}
	for _, f := range q.plan.Where {
		if !slices.Contains(f.Values, q.value(c, f.Axis)) {
			return nil
		}
	}
	q.key = q.key[:0]
	for _, a := range q.plan.Axes {
		q.key = append(append(q.key, q.value(c, a)...), 0)
	}
	row := q.sums[string(q.key)]
	if row == nil {
		row = &Counted{At: make([]string, len(q.plan.Axes)), Figures: make([]CountedFigure, len(q.plan.Measured))}
		for i, a := range q.plan.Axes {
			row.At[i] = q.value(c, a)
		}
		for i := range row.Figures {
			row.Figures[i].Sums = make([]Sum, len(q.plan.sums))
		}
		q.sums[string(q.key)] = row
	}
	return row
}

// add counts a cell where it belongs.
func (q *cellsOf) add(c *stored) {
	row := q.row(c)
	if row == nil {
		return
	}
	for i, m := range q.plan.Measured {
		f := &row.Figures[i]
		if m.Of != "" && c.population == populations[m.Of] {
			f.Of = f.Of.Plus(c.cell)
		}
		if c.population != populations[m.Population] {
			continue
		}
		if c.shape != byBin {
			f.Cell = f.Cell.Plus(c.cell)
		}
		if bin, ok := q.bin(c); ok && m.Kind == Durations {
			if f.Bins == nil {
				f.Bins = Bins{}
			}
			f.Bins.Add(bin, c.cell)
		}
	}
}

// bin is the bin of a cell that is one of a duration: of what is open at present, the age by days.
func (q *cellsOf) bin(c *stored) (int, bool) {
	switch c.shape {
	case byBin:
		return c.detail, true
	case atPresent:
		return BinOf(q.present.Sub(c.period.begin)), true
	}
	return 0, false
}

// rows are the rows of the answer.
func (q *cellsOf) rows() []Counted {
	out := make([]Counted, 0, len(q.sums))
	for _, c := range q.sums {
		out = append(out, *c)
	}
	return out
}
