// SPDX-License-Identifier: EUPL-1.2

package statistics

import (
	"slices"
	"strings"
)

// GainLimit is how much closer all published tables together may bring somebody to one figure than the figure itself does: at 1.75 the
// noise of what can be reckoned is still three quarters of the noise of what was published.
const GainLimit = 1.75

// Gain audits the tables that are published of each population: how much all of them tell about one figure, the worst one, beside that
// figure alone. A table that divides the records of the figure into so many parts gives another estimate of it, which is worse by that many
// times: 1 + sum of 1/parts. Parts that are the same records are published alike and tell nothing more, so a table of one part does not count.
func Gain(parts map[Axis]int, cubes ...Cube) map[Population]float64 {
	tables := map[Population][]Table{}
	for _, c := range cubes {
		tables[c.Population] = append(tables[c.Population], c.Published...)
	}
	out := map[Population]float64{}
	for population, all := range tables {
		for _, target := range all {
			gain, seen := 1.0, map[string]bool{}
			for _, t := range all {
				name := nameOf(t)
				if n, ok := divides(parts, target, t); ok && n > 1 && !seen[name] {
					gain += 1 / float64(n)
				}
				seen[name] = true
			}
			out[population] = max(out[population], gain)
		}
	}
	return out
}

// divides says into how many parts a table divides each figure of another, if it does.
func divides(parts map[Axis]int, figure, table Table) (int, bool) {
	n := 1
	for _, axes := range hierarchies {
		coarse, fine := level(figure, axes), level(table, axes)
		if fine < coarse {
			return 0, false
		}
		for _, a := range axes[coarse:fine] {
			// Every table is by the month: no figure covers several, but a day divides a month.
			if a != Month {
				n *= max(1, parts[a])
			}
		}
	}
	return n, true
}

// level is how deep a table goes into a hierarchy; 0 is not at all.
func level(t Table, axes []Axis) int {
	for i, a := range slices.Backward(axes) {
		if slices.Contains(t, a) {
			return i + 1
		}
	}
	return 0
}

func nameOf(t Table) string {
	var out strings.Builder
	for _, a := range sorted(t) {
		out.WriteString(string(a) + " ")
	}
	return out.String()
}
