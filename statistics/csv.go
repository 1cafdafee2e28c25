// SPDX-License-Identifier: EUPL-1.2

package statistics

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// column is one number of a figure in an export.
type column struct {
	name string
	of   func(FigureTold) (float64, bool)
}

func always(of func(FigureTold) float64) func(FigureTold) (float64, bool) {
	return func(f FigureTold) (float64, bool) { return of(f), true }
}

func maybe(of func(FigureTold) *float64) func(FigureTold) (float64, bool) {
	return func(f FigureTold) (float64, bool) {
		if v := of(f); v != nil {
			return *v, true
		}
		return 0, false
	}
}

// columns are the numbers of a kind of figure. Histograms are not exported: their bins are no columns.
func columns(k Kind) []column {
	out := []column{{"", always(func(f FigureTold) float64 { return float64(f.Count) })}, {"Margin", always(func(f FigureTold) float64 { return f.Margin })}}
	switch k {
	case Number:
	case Share:
		out = append(out, column{"Share", maybe(func(f FigureTold) *float64 { return f.Share })}, column{"ShareMargin", always(func(f FigureTold) float64 { return f.ShareMargin })})
	case Durations:
		out = append(out, column{"MedianMinutes", maybe(func(f FigureTold) *float64 { return f.Median })}, column{"P90Minutes", maybe(func(f FigureTold) *float64 { return f.P90 })})
	}
	return out
}

// WriteCSV writes an answer as a table (RFC 4180): one line for a row, the axes first, then for each measure its number and margin, and share or
// durations. An empty field is a figure that is not told. The last columns say of every line which product it is and up to when was counted,
// and who is missing, since a file is passed on without what stood beside it.
func (p *Plan) WriteCSV(w io.Writer, a Answer) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	var head []string
	for _, axis := range p.Axes {
		head = append(head, string(axis))
	}
	for _, m := range p.Measured {
		for _, c := range columns(m.Kind) {
			head = append(head, string(m.Measure)+c.name)
		}
	}
	var missing []string
	for _, g := range a.Missing {
		missing = append(missing, g.Member+" ("+g.Reason+")")
	}
	last := []string{string(p.Product), a.AsOf.UTC().Format("2006-01-02T15:04:05Z"), cell(strings.Join(missing, ", "))}
	if err := out.Write(append(head, "product", "asOf", "missing")); err != nil {
		return fmt.Errorf("statistics: writing CSV: %w", err)
	}
	for _, r := range a.Rows {
		var line []string
		for _, v := range r.At {
			line = append(line, cell(v))
		}
		for i, f := range r.Figures {
			for _, c := range columns(p.Measured[i].Kind) {
				v, ok := c.of(f)
				if !ok {
					line = append(line, "")
					continue
				}
				line = append(line, number(v))
			}
		}
		if err := out.Write(append(line, last...)); err != nil {
			return fmt.Errorf("statistics: writing CSV: %w", err)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("statistics: writing CSV: %w", err)
	}
	return nil
}

func number(v float64) string { return strconv.FormatFloat(rounded(v), 'f', -1, 64) }

// cell keeps a value of an extension field from being reckoned as a formula by a spreadsheet.
func cell(v string) string {
	if v != "" && strings.ContainsRune("=+-@\t\r", rune(v[0])) {
		return "'" + v
	}
	return v
}
