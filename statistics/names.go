// SPDX-License-Identifier: EUPL-1.2

package statistics

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Named is the name of an axis or a measure for a value of the contract's enumerations: timeToDecision for TIME_TO_DECISION. An extension
// field has that of the contract.
func Named(constant string) string {
	if Axis(constant).Added() {
		return constant
	}
	words := strings.Split(strings.ToLower(constant), "_")
	for i, w := range words[1:] {
		if w != "" {
			words[i+1] = strings.ToUpper(w[:1]) + w[1:]
		}
	}
	return strings.Join(words, "")
}

// Constant is the value of the contract's enumerations for a name.
func Constant(name string) string {
	if Axis(name).Added() {
		return name
	}
	var out strings.Builder
	for _, c := range name {
		if c >= 'A' && c <= 'Z' {
			out.WriteByte('_')
		}
		out.WriteRune(c)
	}
	return strings.ToUpper(out.String())
}

// Labels gives a value of an axis the name that people read, or nothing.
type Labels func(Axis, string) string

// Label is the name of a value of an axis.
type Label struct {
	Axis        Axis
	Value, Name string
}

// Labels are the names of the tenants and services in an answer, by axis and value, each once. Which tenants and services there are is no secret.
func (t *Tally) Labels(ctx context.Context, a Answer) ([]Label, error) {
	var out []Label
	for i, axis := range a.Axes {
		var question string
		switch axis { //nolint:exhaustive // the others say what they are
		case Land, District, Authority:
			question = "select slug, name from tenants where slug = any($1) order by slug"
		case Service:
			question = "select leika_key, title from services where leika_key = any($1) order by leika_key"
		default:
			continue
		}
		values := make([]string, 0, len(a.Rows))
		for _, r := range a.Rows {
			values = append(values, r.At[i])
		}
		slices.Sort(values)
		rows, err := t.log.Query(ctx, question, slices.Compact(values))
		if err != nil {
			return nil, fmt.Errorf("statistics: reading names: %w", err)
		}
		l := Label{Axis: axis}
		if _, err := pgx.ForEachRow(rows, []any{&l.Value, &l.Name}, func() error {
			out = append(out, l)
			return nil
		}); err != nil {
			return nil, fmt.Errorf("statistics: reading names: %w", err)
		}
	}
	return out, nil
}
