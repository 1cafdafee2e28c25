// SPDX-License-Identifier: EUPL-1.2

package statistics

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"time"
)

// figureAxis is the dimension of a JSON-stat dataset that tells the numbers of all measures apart.
const figureAxis = "figure"

type dataset struct {
	Version   string               `json:"version"`
	Class     string               `json:"class"`
	Updated   string               `json:"updated"`
	ID        []string             `json:"id"`
	Size      []int                `json:"size"`
	Role      map[string][]string  `json:"role"`
	Dimension map[string]dimension `json:"dimension"`
	Extension map[string]any       `json:"extension"`
}

type dimension struct {
	Category category `json:"category"`
}

type category struct {
	Index []string          `json:"index"`
	Label map[string]string `json:"label,omitempty"`
}

// WriteJSONStat writes an answer as a dataset of JSON-stat 2.0 (json-stat.org/full). Values are sparse: what is not there is not told, and what was held
// back has the status "suppressed". product, disclosure, contributions and who is missing stand in extension.
func (p *Plan) WriteJSONStat(w io.Writer, a Answer, labels Labels) error {
	set := dataset{
		Version: "2.0", Class: "dataset", Updated: a.AsOf.UTC().Format(time.RFC3339),
		Role: map[string][]string{"metric": {figureAxis}}, Dimension: map[string]dimension{},
		Extension: map[string]any{
			"product": p.Product, "from": p.From, "to": p.To, "contributions": a.Counted, "missing": a.Missing,
			"disclosure": map[string]any{
				"method": a.Disclosure.Method, "noise": a.Disclosure.Noise, "smallest": a.Disclosure.Smallest,
				"margin": rounded(a.Disclosure.Margin), "suppressed": a.Disclosure.Suppressed,
			},
		},
	}
	positions := make([]map[string]int, len(p.Axes))
	for i, axis := range p.Axes {
		var values []string
		for _, r := range a.Rows {
			values = append(values, r.At[i])
		}
		slices.Sort(values)
		c := category{Index: slices.Compact(values), Label: map[string]string{}}
		if c.Index == nil {
			c.Index = []string{}
		}
		positions[i] = map[string]int{}
		for n, v := range c.Index {
			positions[i][v] = n
			if labels != nil {
				if l := labels(axis, v); l != "" {
					c.Label[v] = l
				}
			}
		}
		switch axis {
		case Month, Day:
			set.Role["time"] = append(set.Role["time"], string(axis))
		case Land, District, Authority:
			set.Role["geo"] = append(set.Role["geo"], string(axis))
		}
		set.ID, set.Size = append(set.ID, string(axis)), append(set.Size, len(c.Index))
		set.Dimension[string(axis)] = dimension{c}
	}
	var figures []string
	for _, m := range p.Measured {
		for _, c := range columns(m.Kind) {
			figures = append(figures, string(m.Measure)+c.name)
		}
	}
	set.ID, set.Size = append(set.ID, figureAxis), append(set.Size, len(figures))
	set.Dimension[figureAxis] = dimension{category{Index: figures}}
	head, err := json.Marshal(set)
	if err != nil {
		return fmt.Errorf("statistics: writing JSON-stat: %w", err)
	}
	out := bufio.NewWriter(w)
	_, _ = out.Write(head[:len(head)-1]) // Flush tells what went wrong
	// each goes through the numbers that are a member of the dataset, with their places in its cube.
	each := func(member string, text func(FigureTold, column) (string, bool)) {
		_, _ = out.WriteString(`,"` + member + `":{`)
		comma := ""
		for _, r := range a.Rows {
			at := 0
			for i, v := range r.At {
				at = at*set.Size[i] + positions[i][v]
			}
			at *= len(figures)
			for i, f := range r.Figures {
				for _, c := range columns(p.Measured[i].Kind) {
					if v, ok := text(f, c); ok {
						_, _ = out.WriteString(comma + `"` + strconv.Itoa(at) + `":` + v)
						comma = ","
					}
					at++
				}
			}
		}
		_ = out.WriteByte('}')
	}
	each("value", func(f FigureTold, c column) (string, bool) {
		v, ok := c.of(f)
		return number(v), ok
	})
	each("status", func(f FigureTold, c column) (string, bool) {
		_, told := c.of(f)
		return `"suppressed"`, f.Suppressed && !told
	})
	_ = out.WriteByte('}')
	if err := out.Flush(); err != nil {
		return fmt.Errorf("statistics: writing JSON-stat: %w", err)
	}
	return nil
}

// rounded keeps four decimals.
func rounded(v float64) float64 { return math.Round(v*10_000) / 10_000 }
