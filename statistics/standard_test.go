// SPDX-License-Identifier: EUPL-1.2

package statistics_test

import (
	"math"
	"strings"
	"testing"

	"github.com/ozg-cloud/platform/statistics"
)

func TestWhatTheStandardHousePublishesStaysBelowTheLimit(t *testing.T) {
	t.Parallel()
	for population, gain := range statistics.Gain(statistics.SmallestHierarchy(), statistics.Standard().Cubes()...) {
		t.Logf("%s: %.2f", population, gain)
		if gain > statistics.GainLimit {
			t.Errorf("%s gives away %.2f", population, gain)
		}
	}
}

// crossed is a cube that publishes every table of marks in a month.
func crossed(marks ...statistics.Axis) statistics.Cube {
	c := statistics.Cube{Population: "p", Axes: append([]statistics.Axis{statistics.Month}, marks...)}
	for m := range 1 << len(marks) {
		t := statistics.Table{statistics.Month}
		for i, a := range marks {
			if m>>i&1 == 1 {
				t = append(t, a)
			}
		}
		c.Published = append(c.Published, t)
	}
	return c
}

func TestTheGainOfACubeIsTheOneReckonedByHand(t *testing.T) {
	t.Parallel()
	parts := map[statistics.Axis]int{statistics.State: 6, statistics.Outcome: 12, statistics.TrustLevel: 3, statistics.Channel: 2, statistics.Land: 1}
	for _, row := range []struct {
		marks []statistics.Axis
		want  float64
	}{
		{nil, 1},
		{[]statistics.Axis{statistics.Land}, 1}, // one Land is the whole: the same records, told alike
		{[]statistics.Axis{statistics.Channel}, 1.5},
		{[]statistics.Axis{statistics.State, statistics.Outcome}, 7. / 6 * 13 / 12},
		{[]statistics.Axis{statistics.State, statistics.Outcome, statistics.TrustLevel}, 7. / 6 * 13 / 12 * 4 / 3},
		{[]statistics.Axis{statistics.State, statistics.Outcome, statistics.TrustLevel, statistics.Channel}, 7. / 6 * 13 / 12 * 4 / 3 * 3 / 2},
	} {
		if got := statistics.Gain(parts, crossed(row.marks...))["p"]; math.Abs(got-row.want) > 1e-9 {
			t.Errorf("%v: %.4f, not %.4f", row.marks, got, row.want)
		}
	}
	// Two cubes over the same records are counted together.
	a, b := crossed(statistics.State), crossed(statistics.TrustLevel)
	if got, want := statistics.Gain(parts, a, b)["p"], 1+1./6+1./3; math.Abs(got-want) > 1e-9 {
		t.Errorf("two cubes together: %.4f, not %.4f", got, want)
	}
}

func TestACubeThatGivesAwayTooMuchOrContradictsItselfIsRefused(t *testing.T) {
	t.Parallel()
	parts := statistics.SmallestHierarchy()
	month := statistics.Table{statistics.Month}
	for name, seeded := range map[string]struct {
		cube statistics.Cube
		want string
	}{
		"channel and trust level apart": {crossed(statistics.Channel, statistics.TrustLevel), "give away"},
		"months added up":               {statistics.Cube{Axes: []statistics.Axis{statistics.Land}, Published: []statistics.Table{{statistics.Land}}}, "adds up months"},
		"an axis that is not counted":   {statistics.Cube{Axes: month, Published: []statistics.Table{{statistics.Month, statistics.State}}}, "no table has the axes"},
		"two levels of one hierarchy":   {statistics.Cube{Axes: []statistics.Axis{statistics.Month, statistics.Day}, Published: []statistics.Table{{statistics.Month, statistics.Day}}}, "no table has the axes"},
		"an unknown axis":               {statistics.Cube{Axes: []statistics.Axis{"shoeSize"}}, "no axis"},
		"a share of nothing":            {statistics.Cube{Measures: []statistics.Measured{{Measure: "m", Kind: statistics.Share}}}, "share of nothing"},
		"a share of nobody counted":     {statistics.Cube{Measures: []statistics.Measured{{Measure: "m", Kind: statistics.Share, Of: "gone"}}}, "share of nothing"},
		"a measure twice":               {statistics.Cube{Measures: []statistics.Measured{{Measure: "m", Kind: statistics.Number}, {Measure: "m", Kind: statistics.Number}}}, "measured twice"},
	} {
		if _, err := statistics.Declare(parts, seeded.cube); err == nil || !strings.Contains(err.Error(), seeded.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	whole, part := crossed(statistics.State), crossed(statistics.Outcome)
	part.Population, part.Measures = "q", []statistics.Measured{{Measure: "m", Kind: statistics.Share, Of: "p"}}
	if _, err := statistics.Declare(parts, whole, part); err == nil || !strings.Contains(err.Error(), "not published") {
		t.Errorf("a share of what is not published: %v", err)
	}
	if _, err := statistics.Declare(parts, crossed(statistics.Outcome, statistics.State)); err != nil {
		t.Errorf("a good cube is refused: %v", err)
	}
}

func TestFiguresOfAnotherCatalogueAreOfAnotherScheme(t *testing.T) {
	t.Parallel()
	a, b := statistics.Standard(), statistics.Standard()
	if a.Scheme() != b.Scheme() {
		t.Error("the same catalogue has two schemes")
	}
	cubes := a.Cubes()
	other, err := statistics.Declare(statistics.SmallestHierarchy(), cubes[:1]...)
	if err != nil {
		t.Fatal(err)
	}
	if other.Scheme() == a.Scheme() {
		t.Error("another catalogue has the same scheme")
	}
}
