// SPDX-License-Identifier: EUPL-1.2

package gather

// Unhedged never asks a second time, for comparison.
func (g *Gatherer) Unhedged() *Gatherer {
	g.purse.has = -1e9
	return g
}
