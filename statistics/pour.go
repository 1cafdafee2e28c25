// SPDX-License-Identifier: EUPL-1.2

package statistics

import (
	"encoding/binary"
	"errors"
	"slices"
)

const (
	// mostKept is how many cells a rebuild keeps in memory before it writes them down in part: some 64 MiB.
	mostKept = 400_000
	// poured is how many cells are written in one transaction, which takes some hundredths of a second, and block how many in one row.
	poured = 8_000
	block  = 1_000
)

// spot is a cell within one node of the tree of tenants, as one number, because looking for those takes most of the program's part: from the highest bit
// on 4 of the population, 3 of the shape, 23 of the day, 20 of the service's number in the tree's list and 12 of the detail. Cells are written in their order.
type spot uint64

const (
	ofService, ofDay, ofShape, ofPopulation = 12, 32, 55, 58 // their lowest bits; the detail has bit 0
	noDay                                   = 1 << 22        // day 0; years have four digits
	mostServices                            = 1 << 20
)

func spotOf(k kind, on day, service uint32, detail int32) spot {
	return spot(k&15)<<ofPopulation | spot(k>>4)<<ofShape | spot(on+noDay)<<ofDay | spot(service)<<ofService | spot(detail) //nolint:gosec // none of them is negative
}

func (s spot) population() int16 { return int16(s >> ofPopulation) }
func (s spot) shape() int16      { return int16(s >> ofShape & 7) }
func (s spot) on() day           { return day(s>>ofDay&(1<<23-1)) - noDay }
func (s spot) service() int      { return int(s >> ofService & (1<<20 - 1)) }
func (s spot) detail() int32     { return int32(s & (1<<ofService - 1)) }

// tree adds up what cases count for, authority by authority: what an authority has had is added to its district when the next one begins, and so on. So
// each cell is written once, unless there are so many that they are written in parts.
type tree struct {
	levels   [4]node
	numbers  map[[16]byte]uint32
	services [][16]byte
	out      pouring // cells that are there for the first time
	order    []spot
	open     [4]*rows // blocks of such as may be there already, being filled
	added    pouring
	keep     int
	pour     func(rows []byte, adds bool) error
}

// node is the node of a level that is being counted.
type node struct {
	lo    int64
	cells map[spot]Cell
	begun bool // some of it has been written down already, so that the rest is added to that
}

// widths are how many places a node of a level has.
var widths = [4]int64{1, 10_000_000_000, 10_000_000_000_000, 1_000_000_000_000_000}

// newTree makes a tree that keeps so many cells at most, and pours them where it is told. services are those that are known, in their order: what is
// written in order costs least.
func newTree(generation int32, keep int, services [][16]byte, pour func(rows []byte, adds bool) error) *tree {
	t := &tree{numbers: map[[16]byte]uint32{}, services: services, keep: keep, pour: pour}
	for i, s := range services {
		t.numbers[s] = uint32(i)
	}
	for i := range t.levels {
		t.levels[i].cells = map[spot]Cell{}
		t.open[i] = &rows{generation: generation, level: int16(i)}
	}
	return t
}

// add counts a case. Cases come in the order of their places.
func (t *tree) add(f *fact) error {
	for level := range t.levels {
		lo := f.place / widths[level] * widths[level]
		if t.levels[level].lo != lo {
			if err := t.close(level); err != nil {
				return err
			}
			t.levels[level].lo, t.levels[level].begun = lo, false
		}
	}
	number, ok := t.numbers[f.service]
	if !ok {
		if len(t.services) == mostServices {
			return errors.New("statistics: counting: there are too many services")
		}
		number = uint32(len(t.services)) //nolint:gosec // bounded above
		t.numbers[f.service] = number
		t.services = append(t.services, f.service)
	}
	cells := t.levels[0].cells
	f.contribute(func(k kind, on day, detail int32) {
		at := spotOf(k, on, number, detail)
		cells[at] = cells[at].Plus(Cell{1, f.key})
	})
	kept := 0
	for _, n := range t.levels {
		kept += len(n.cells)
	}
	if kept > t.keep {
		return t.end()
	}
	return nil
}

// end writes down all that has not been.
func (t *tree) end() error {
	for level := range t.levels {
		if err := t.close(level); err != nil {
			return err
		}
	}
	for _, r := range t.open {
		if err := t.write(r); err != nil {
			return err
		}
	}
	return t.send()
}

// write writes a block down, and sends what was written before where both together are too many.
func (t *tree) write(r *rows) error {
	if t.added.cells+len(r.lo) > poured {
		if err := t.send(); err != nil {
			return err
		}
	}
	r.write(&t.added)
	return nil
}

// close writes the cells of a node down and adds them to the node above it, which is still the one that they belong to: levels are closed from below.
func (t *tree) close(level int) error {
	n := &t.levels[level]
	if len(n.cells) == 0 {
		return nil
	}
	t.order = t.order[:0]
	for at := range n.cells {
		t.order = append(t.order, at)
	}
	slices.Sort(t.order)
	into := t.open[level]
	for _, at := range t.order {
		c := n.cells[at]
		if n.begun {
			into.append(n.lo, at, t.services[at.service()], c)
			if len(into.lo) == block {
				if err := t.write(into); err != nil {
					return err
				}
			}
		} else {
			t.out.cell(into.generation, level, n.lo, at, t.services[at.service()], c)
			if t.out.cells == poured {
				if err := t.pourOut(); err != nil {
					return err
				}
			}
		}
		if level+1 < len(t.levels) {
			up := t.levels[level+1].cells
			up[at] = up[at].Plus(c)
		}
	}
	n.begun = true
	if len(n.cells) > block { // clearing a large one takes as long as filling it, again and again
		n.cells = map[spot]Cell{}
	} else {
		clear(n.cells)
	}
	return nil
}

// send pours everything that has been written down: what is there for the first time before what may be added to it.
func (t *tree) send() error {
	if err := t.pourOut(); err != nil {
		return err
	}
	if t.added.cells == 0 {
		return nil
	}
	done := t.added
	t.added = pouring{}
	return t.pour(done.end(), true)
}

func (t *tree) pourOut() error {
	if t.out.cells == 0 {
		return nil
	}
	done := t.out
	t.out = pouring{}
	return t.pour(done.end(), false)
}

// rows is a row of statistics_cells_summed while it is filled.
type rows struct {
	generation int32
	level      int16
	lo, n, k   []int64
	kinds      []int16
	on         []day
	service    [][16]byte
	detail     []int32
}

func (r *rows) append(lo int64, at spot, service [16]byte, c Cell) {
	r.lo, r.n, r.k = append(r.lo, lo), append(r.n, c.N), append(r.k, c.K)
	r.kinds, r.on, r.service, r.detail = append(r.kinds, at.population()+16*at.shape()), append(r.on, at.on()), append(r.service, service), append(r.detail, at.detail())
}

// write writes the row, if there is anything in it, and empties it.
func (r *rows) write(p *pouring) {
	if len(r.lo) == 0 {
		return
	}
	p.row(9)
	p.int32(r.generation)
	p.int16(r.level)
	array(p, oidInt8, r.lo, p.int64)
	array(p, oidInt2, r.kinds, p.int16)
	array(p, oidDate, r.on, p.date)
	array(p, oidUUID, r.service, p.uuid)
	array(p, oidInt4, r.detail, p.int32)
	array(p, oidInt8, r.n, p.int64)
	array(p, oidInt8, r.k, p.int64)
	p.cells += len(r.lo)
	*r = rows{
		generation: r.generation, level: r.level, lo: r.lo[:0], n: r.n[:0], k: r.k[:0], kinds: r.kinds[:0], on: r.on[:0], service: r.service[:0], detail: r.detail[:0],
	}
}

// The numbers of PostgreSQL's types.
const (
	oidInt8 = 20
	oidInt2 = 21
	oidInt4 = 23
	oidText = 25
	oidDate = 1082
	oidUUID = 2950
)

// pouring are rows in PostgreSQL's binary format of COPY.
type pouring struct {
	b     []byte
	cells int
}

func (p *pouring) row(columns uint16) {
	if p.b == nil {
		p.b = append(make([]byte, 0, 1<<20), "PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00"...)
	}
	p.b = binary.BigEndian.AppendUint16(p.b, columns)
}

func (p *pouring) end() []byte { return append(p.b, 0xff, 0xff) }

func (p *pouring) int16(v int16) {
	p.b = binary.BigEndian.AppendUint16(append(p.b, 0, 0, 0, 2), uint16(v)) //nolint:gosec // the bits as they are
}

func (p *pouring) int32(v int32) {
	p.b = binary.BigEndian.AppendUint32(append(p.b, 0, 0, 0, 4), uint32(v)) //nolint:gosec // the bits as they are
}

func (p *pouring) int64(v int64) {
	p.b = binary.BigEndian.AppendUint64(append(p.b, 0, 0, 0, 8), uint64(v)) //nolint:gosec // the bits as they are
}

func (p *pouring) date(v day)      { p.int32(int32(v)) }
func (p *pouring) uuid(v [16]byte) { p.b = append(append(p.b, 0, 0, 0, 16), v[:]...) }

func (p *pouring) null() { p.b = append(p.b, 0xff, 0xff, 0xff, 0xff) }

func (p *pouring) text(v string) {
	p.b = append(binary.BigEndian.AppendUint32(p.b, uint32(len(v))), v...) //nolint:gosec // names of marks
}

func (p *pouring) instant(v instant) {
	if v == never {
		p.null()
	} else {
		p.int64(int64(v))
	}
}

func (p *pouring) bool(v bool) {
	said := byte(0)
	if v {
		said = 1
	}
	p.b = append(p.b, 0, 0, 0, 1, said)
}

func array[T any](p *pouring, oid uint32, values []T, write func(T)) {
	begin := len(p.b)
	dimensions := uint32(1)
	if len(values) == 0 {
		dimensions = 0
	}
	p.b = append(p.b, 0, 0, 0, 0)
	p.b = binary.BigEndian.AppendUint32(p.b, dimensions)
	p.b = binary.BigEndian.AppendUint32(p.b, 0) // nothing is null
	p.b = binary.BigEndian.AppendUint32(p.b, oid)
	if dimensions > 0 {
		p.b = binary.BigEndian.AppendUint32(p.b, uint32(len(values))) //nolint:gosec // a block
		p.b = binary.BigEndian.AppendUint32(p.b, 1)
	}
	for _, v := range values {
		write(v)
	}
	binary.BigEndian.PutUint32(p.b[begin:], uint32(len(p.b)-begin-4)) //nolint:gosec // a block
}

// cell writes a row of statistics_cells.
func (p *pouring) cell(generation int32, level int, lo int64, at spot, service [16]byte, c Cell) {
	p.row(11)
	p.int64(c.N)
	p.int64(c.K)
	p.int64(lo)
	p.int64(lo + widths[level] - 1)
	p.uuid(service)
	p.date(at.on())
	p.int32(at.detail())
	p.int16(int16(level)) //nolint:gosec // there are four
	p.int16(at.population())
	p.int16(at.shape())
	p.int32(generation)
	p.cells++
}

// factsColumns are the columns of statistics_facts that are poured; extension fields stay empty.
const factsColumns = ` (generation, case_id, authority, service_id, key, state, channel, trust_level, outcome, received_at, acted_at, decided_at, asked_at, refused_at, due_at,
	digital, open, counted_in, open_months, open_states)`

// fact writes a row of statistics_facts.
func (p *pouring) fact(generation int32, f *fact, countedIn day) {
	p.row(20)
	p.int32(generation)
	p.uuid(f.id)
	p.int64(f.place)
	p.uuid(f.service)
	p.int64(f.key)
	p.text(markStates[f.state])
	p.text(markChannels[f.channel])
	p.text(markLevels[f.level])
	if f.outcome == 0 {
		p.null()
	} else {
		p.text(markOutcomes[f.outcome])
	}
	for _, at := range []instant{f.received, f.acted, f.decided, f.asked, f.refused, f.due} {
		p.instant(at)
	}
	p.bool(f.digital)
	p.bool(f.open)
	p.date(countedIn)
	array(p, oidDate, f.openMonths, func(m month) { p.date(m.first()) })
	array(p, oidText, f.openStates, func(s uint8) { p.text(markStates[s]) })
}
