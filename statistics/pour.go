// SPDX-License-Identifier: EUPL-1.2

package statistics

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
)

const (
	// mostKept is how many cells a rebuild keeps in memory before it writes them down in part: some 64 MiB.
	mostKept = 400_000
	// poured is how many cells are written in one transaction, which takes some hundredths of a second, and block how many in one row.
	poured = 8_000
	block  = 1_000
)

// spot is a cell within one node of the tree of tenants. service is its number in the tree's list.
type spot struct {
	kind    int32 // the population plus 16 times the shape
	on      day
	service int32
	detail  int32
}

// tree adds up what cases count for, authority by authority: what an authority has had is added to its district when the next one begins, and so on. So
// each cell is written once, unless there are so many that they are written in parts.
type tree struct {
	levels   [4]node
	numbers  map[[16]byte]int32
	services [][16]byte
	out      pouring  // cells that are there for the first time
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

// newTree makes a tree that keeps so many cells at most, and pours them where it is told.
func newTree(generation int32, keep int, pour func(rows []byte, adds bool) error) *tree {
	t := &tree{numbers: map[[16]byte]int32{}, keep: keep, pour: pour}
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
		number = int32(len(t.services)) //nolint:gosec // a catalogue has some thousand
		t.numbers[f.service] = number
		t.services = append(t.services, f.service)
	}
	cells := t.levels[0].cells
	f.contribute(func(k kind, on day, detail int32) {
		at := spot{int32(k), on, number, detail}
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
	order := make([]spot, 0, len(n.cells))
	for at := range n.cells {
		order = append(order, at)
	}
	slices.SortFunc(order, func(a, b spot) int {
		return cmp.Or(cmp.Compare(a.kind&15, b.kind&15), cmp.Compare(a.kind, b.kind), cmp.Compare(a.on, b.on), t.byService(a.service, b.service), cmp.Compare(a.detail, b.detail))
	})
	into := t.open[level]
	for _, at := range order {
		c := n.cells[at]
		if n.begun {
			into.append(n.lo, at, t.services[at.service], c)
			if len(into.lo) == block {
				if err := t.write(into); err != nil {
					return err
				}
			}
		} else {
			t.out.cell(into.generation, level, n.lo, at, t.services[at.service], c)
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

func (t *tree) byService(a, b int32) int {
	if a == b {
		return 0
	}
	return bytes.Compare(t.services[a][:], t.services[b][:])
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

// rows is a row of statistics_cells_added while it is filled.
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
	r.kinds, r.on, r.service, r.detail = append(r.kinds, int16(at.kind)), append(r.on, at.on), append(r.service, service), append(r.detail, at.detail) //nolint:gosec // below 128
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
	p.date(at.on)
	p.int32(at.detail)
	p.int16(int16(level)) //nolint:gosec // there are four
	p.int16(int16(at.kind & 15))
	p.int16(int16(at.kind >> 4))
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
