// SPDX-License-Identifier: EUPL-1.2

package statistics

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Axis is what figures are told apart by: a level of a hierarchy, such as the district of the tree of tenants.
type Axis string

// The axes. Values of Land, District and Authority are slugs of tenants, of Service LeiKa keys, of ServiceGroup their digits 3 to 5, of Month
// and Day dates in Europe/Berlin ("2026-10", "2026-10-03"); the others are values of the contract's enumerations.
const (
	Land         Axis = "land"
	District     Axis = "district"
	Authority    Axis = "authority"
	ServiceGroup Axis = "serviceGroup"
	Service      Axis = "service"
	Month        Axis = "month"
	Day          Axis = "day"
	State        Axis = "state"
	Channel      Axis = "channel"
	TrustLevel   Axis = "trustLevel"
	Outcome      Axis = "outcome"

	// Duration stands in a table whose durations are published: its bins part the records as an axis does. Nobody asks for it.
	Duration Axis = "duration"
)

// added begins the axes that are extension fields. They have the names of the contract's enumeration. There are only exact figures by them, by one at a time.
const added = "EXTENSION_"

// Added tells whether an axis is an extension field.
func (a Axis) Added() bool { return strings.HasPrefix(string(a), added) }

// hierarchies are the axes from coarse to fine. An axis that is finer than another knows the value of the coarser one.
var hierarchies = [][]Axis{{Land, District, Authority}, {ServiceGroup, Service}, {Month, Day}, {State}, {Channel}, {TrustLevel}, {Outcome}, {Duration}}

// levelOf finds an axis in its hierarchy.
func levelOf(a Axis) (hierarchy, level int, ok bool) {
	for h, axes := range hierarchies {
		if l := slices.Index(axes, a); l >= 0 {
			return h, l, true
		}
	}
	return len(hierarchies), 0, false
}

// Group is the service group (Leistungsgruppe) of a LeiKa key: its digits 3 to 5.
func Group(leikaKey string) string {
	if len(leikaKey) < 5 {
		return ""
	}
	return leikaKey[2:5]
}

// Population is a set of cases. A case counts once in each cell, whatever happens to it how often; it lies in the month in which what the
// population is named for came first, so that a month that is over does not change any more.
type Population string

// The populations.
const (
	Received Population = "received" // by the day of receipt
	Acted    Population = "acted"    // staff acted for the first time
	Decided  Population = "decided"  // the first decision was sent
	Digital  Population = "digital"  // of those decided: came in, was talked about and decided without paper
	Open     Population = "open"     // neither decided nor closed nor discarded: now, or at the end of the month
	Overdue  Population = "overdue"  // of those open: past a statutory or promised deadline
	Asked    Population = "asked"    // the applicant was asked for information for the first time
	Failed   Population = "failed"   // a message could not be delivered, for the first time
)

// Kind says what is told of a population.
type Kind string

// The kinds of measures.
const (
	Number    Kind = "NUMBER"    // how many
	Share     Kind = "SHARE"     // how many, and their share of another population
	Durations Kind = "DURATIONS" // how many, median and 90th percentile in minutes, and the histogram
)

// Measure is what is asked for (Kennzahl).
type Measure string

// The measures.
const (
	Applications        Measure = "applications"
	OpenCases           Measure = "open"
	DecidedCases        Measure = "decided"
	FullyDigital        Measure = "fullyDigital"
	TimeToFirstAction   Measure = "timeToFirstAction"
	TimeToDecision      Measure = "timeToDecision"
	BacklogAge          Measure = "backlogAge"
	OverdueDeadlines    Measure = "overdueDeadlines"
	InformationRequests Measure = "informationRequests"
	DeliveryFailures    Measure = "deliveryFailures"
)

// Measured says how a measure comes of a population.
type Measured struct {
	Measure Measure
	Kind    Kind
	Of      Population `json:",omitempty"` // of a Share: the population that it is a share of
}

// Table is a set of axes that figures are published by, at most one of each hierarchy. Each has the month, or the day.
type Table []Axis

// sorted puts a table into the order of the hierarchies, in which tables are compared.
func sorted(t []Axis) Table {
	out := slices.Clone(t)
	slices.SortFunc(out, func(a, b Axis) int {
		ha, la, _ := levelOf(a)
		hb, lb, _ := levelOf(b)
		if ha != hb {
			return ha - hb
		}
		if la != lb {
			return la - lb
		}
		return strings.Compare(string(a), string(b))
	})
	return out
}

// Cube declares what is counted of one population.
type Cube struct {
	Population Population
	Measures   []Measured
	// Axes are those by which exact figures are asked for, in any combination.
	Axes []Axis
	// Published are the tables of protected figures. There are no others: what is not declared cannot be asked for across tenants.
	Published []Table
}

// Catalogue is a set of cubes that has passed the audit.
type Catalogue struct {
	cubes  []Cube
	scheme string
}

// Declare makes a catalogue of cubes. parts says into how many parts an axis divides one value of the axis above it (a Land into districts),
// in the smallest hierarchy that is to be protected. A cube whose published tables give away more than GainLimit is refused, and so is one
// that contradicts itself.
func Declare(parts map[Axis]int, cubes ...Cube) (*Catalogue, error) {
	seen, counted := map[Measure]bool{}, map[Population]*Cube{}
	for i := range cubes {
		counted[cubes[i].Population] = &cubes[i]
	}
	for i := range cubes {
		c := &cubes[i]
		for _, a := range c.Axes {
			if _, _, ok := levelOf(a); !ok || a == Duration {
				return nil, fmt.Errorf("statistics: declaring %s: there is no axis %s", c.Population, a)
			}
		}
		for _, t := range c.Published {
			if err := c.fits(t); err != nil {
				return nil, err
			}
		}
		for _, m := range c.Measures {
			if seen[m.Measure] {
				return nil, fmt.Errorf("statistics: declaring %s: %s is measured twice", c.Population, m.Measure)
			}
			seen[m.Measure] = true
			if (m.Kind == Share) != (m.Of != "") || m.Of != "" && counted[m.Of] == nil {
				return nil, fmt.Errorf("statistics: declaring %s: %s is a share of nothing", c.Population, m.Measure)
			}
			for _, t := range c.Published {
				if m.Kind == Share && !counted[m.Of].publishes(t) {
					return nil, fmt.Errorf("statistics: declaring %s: by %v %s is a share of what is not published", c.Population, t, m.Measure)
				}
			}
		}
	}
	for population, gain := range Gain(parts, cubes...) {
		if gain > GainLimit {
			return nil, fmt.Errorf("statistics: declaring %s: its tables give away %.2f times what one of them does, more than %.2f", population, gain, GainLimit)
		}
	}
	text, err := json.Marshal(struct {
		Cubes  []Cube
		Bounds []int64
		Coarse int
		Noise  string
	}{cubes, bounds, coarsening, noiseHash})
	if err != nil {
		return nil, fmt.Errorf("statistics: declaring: %w", err)
	}
	sum := sha256.Sum256(text)
	return &Catalogue{slices.Clone(cubes), "sha256:" + hex.EncodeToString(sum[:])}, nil
}

// fits tells whether a table can be published of the cube.
func (c *Cube) fits(t Table) error {
	used, timed := map[int]bool{}, false
	for _, a := range t {
		h, _, ok := levelOf(a)
		if !ok || used[h] || a != Duration && !slices.Contains(c.Axes, a) {
			return fmt.Errorf("statistics: declaring %s: no table has the axes %v", c.Population, t)
		}
		used[h] = true
		timed = timed || a == Month || a == Day
	}
	if !timed {
		return fmt.Errorf("statistics: declaring %s: the table %v adds up months", c.Population, t)
	}
	return nil
}

// publishes tells whether a table is published.
func (c *Cube) publishes(t Table) bool {
	return slices.ContainsFunc(c.Published, func(d Table) bool { return slices.Equal(sorted(d), sorted(t)) })
}

// Scheme names cubes, bins and noise by a hash: only figures of the same scheme can be merged.
func (c *Catalogue) Scheme() string { return c.scheme }

// Cubes are what was declared.
func (c *Catalogue) Cubes() []Cube { return slices.Clone(c.cubes) }

// find gives the cube of a measure and how it is measured.
func (c *Catalogue) find(m Measure) (*Cube, Measured, bool) {
	for i := range c.cubes {
		for _, d := range c.cubes[i].Measures {
			if d.Measure == m {
				return &c.cubes[i], d, true
			}
		}
	}
	return nil, Measured{}, false
}
