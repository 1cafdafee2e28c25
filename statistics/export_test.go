// SPDX-License-Identifier: EUPL-1.2

package statistics

// Poured is how many cells a rebuild writes in one transaction, but for the rest of the last row.
const Poured = poured + block

// Keeping lets a rebuild keep fewer cells in memory than it would.
func (t *Tally) Keeping(cells int) *Tally {
	t.kept = cells
	return t
}

// Shape tells in which cells a plan finds its figures.
func (p *Plan) Shape() (int16, error) { return p.shape() }
