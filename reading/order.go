// SPDX-License-Identifier: EUPL-1.2

package reading

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/ent/catalog"
	"github.com/ozg-cloud/platform/internal/problem"
)

// key is one column of an order.
type key struct {
	column catalog.Column
	desc   bool

	entry   int64  // of an extension field: its key in the index; zero: none
	indexed string // and the column there
}

// order is how a list runs; the last key is always the id, so that no two entries stand in the same place.
type order []key

// natural are the orders of lists that nobody has ordered.
var natural = map[string]order{
	"Case":                {{column: catalog.Column{Name: "received_at", Kind: catalog.Instant}, desc: true}},
	"Tenant":              {{column: catalog.Column{Name: "name", Kind: catalog.Text}}},
	"Service":             {{column: catalog.Column{Name: "title", Kind: catalog.Text}}},
	"ServiceOffering":     {},
	"OrganisationalUnit":  {{column: catalog.Column{Name: "name", Kind: catalog.Text}}},
	"Message":             {{column: catalog.Column{Name: "sent_at", Kind: catalog.Instant}}},
	"Attachment":          {{column: catalog.Column{Name: "created_at", Kind: catalog.Instant}}},
	"Decision":            {{column: catalog.Column{Name: "sent_at", Kind: catalog.Instant}}},
	"Comment":             {{column: catalog.Column{Name: "created_at", Kind: catalog.Instant}}},
	"FollowUp":            {{column: catalog.Column{Name: "due_on", Kind: catalog.Date}}},
	"Assignment":          {{column: catalog.Column{Name: "assigned_at", Kind: catalog.Instant}}},
	"RoleAssignment":      {{column: catalog.Column{Name: "assigned_at", Kind: catalog.Instant}, desc: true}},
	"AuditEntry":          {{column: catalog.Column{Name: "at", Kind: catalog.Instant}, desc: true}},
	"AccessEntry":         {{column: catalog.Column{Name: "at", Kind: catalog.Instant}, desc: true}},
	"Webhook":             {{column: catalog.Column{Name: "created_at", Kind: catalog.Instant}, desc: true}},
	"WebhookDelivery":     {{column: catalog.Column{Name: "created_at", Kind: catalog.Instant}, desc: true}},
	"BulkOperation":       {{column: catalog.Column{Name: "created_at", Kind: catalog.Instant}, desc: true}},
	"ExtensionDefinition": {{column: catalog.Column{Name: "created_at", Kind: catalog.Instant}, desc: true}},
	"HistoryEvent":        {{column: catalog.Column{Name: "sequence", Kind: catalog.Int}}},
}

// orderOf reads the argument orderBy. What an order says of a column for the second time is without effect and left out.
func (c *compiler) orderOf(t *catalog.Type, argument any) (order, error) {
	var o order
	asked := listed(argument)
	if len(asked) > 8 {
		return nil, problem.New(problem.Invalid, "tooMany", "orderBy")
	}
	for i, a := range asked {
		m, _ := a.(map[string]any)
		at := []string{"orderBy", strconv.Itoa(i)}
		if extensible[t.Name] && (m["field"] == nil) == (m[extended] == nil) {
			return nil, problem.New(problem.Invalid, "exactlyOne", at...)
		}
		if m[extended] != nil && extensible[t.Name] {
			k, err := c.extensionOrder(t, m[extended], append(slices.Clone(at), extended))
			if err != nil {
				return nil, err
			}
			if !slices.ContainsFunc(o, func(other key) bool { return other.column == k.column }) {
				o = append(o, k)
			}
			continue
		}
		name, err := enumValue(m["field"], append(at, "field"))
		if err != nil {
			return nil, err
		}
		column, ok := columnNamed(t, strings.ToLower(name))
		if !ok {
			return nil, fmt.Errorf("reading: %s has no column for the order %s", t.Name, name)
		}
		direction := "ASC"
		if m["direction"] != nil {
			if direction, err = enumValue(m["direction"], append(at, "direction")); err != nil {
				return nil, err
			}
		}
		if !slices.ContainsFunc(o, func(k key) bool { return k.column == column }) {
			o = append(o, key{column: column, desc: direction == "DESC"})
		}
	}
	if o == nil {
		o = natural[t.Name]
	}
	last := len(o) > 0 && o[len(o)-1].desc
	return append(o[:len(o):len(o)], key{column: catalog.Column{Name: "id", Kind: catalog.UUID}, desc: last}), nil
}

func columnNamed(t *catalog.Type, name string) (catalog.Column, bool) {
	for _, c := range t.Columns {
		if c.Name == name {
			return c, true
		}
	}
	return catalog.Column{}, false
}

// clause is the order, or the order read from its end. Missing values stay last in both directions, so reading from the end has them first.
func (o order) clause(alias string, backward bool) string {
	parts := make([]string, len(o))
	for i, k := range o {
		desc := k.desc != backward
		parts[i] = alias + "." + k.column.Name
		if desc {
			parts[i] += " desc"
		}
		// PostgreSQL has missing values last when ascending and first when descending; a list always has them last.
		if k.column.Nullable && desc != backward {
			if backward {
				parts[i] += " nulls first"
			} else {
				parts[i] += " nulls last"
			}
		}
	}
	return " order by " + strings.Join(parts, ", ")
}

// beyond is the condition that a row comes after the position (before it, when backward). A missing value is a nil position.
func (o order) beyond(alias string, at position, backward bool) fragment {
	plain := true
	for i, k := range o {
		plain = plain && !k.column.Nullable && k.desc == o[0].desc && at[i] != nil
	}
	if plain && len(o) > 1 {
		// One comparison of rows, which one index serves.
		names, marks := make([]string, len(o)), make([]string, len(o))
		for i, k := range o {
			names[i], marks[i] = alias+"."+k.column.Name, "?"
		}
		return sql("("+strings.Join(names, ", ")+") "+comparison(o[0].desc != backward)+" ("+strings.Join(marks, ", ")+")", at...)
	}
	var alternatives []fragment
	var equal []fragment
	for i, k := range o {
		column := alias + "." + k.column.Name
		var further fragment
		switch {
		case at[i] == nil && backward: // missing values are last: before them comes everything that is there
			further = sql(column + " is not null")
		case at[i] == nil:
			further = sql("false")
		case k.column.Nullable && !backward:
			further = sql("("+column+" "+comparison(k.desc)+" ? or "+column+" is null)", at[i])
		default:
			further = sql(column+" "+comparison(k.desc != backward)+" ?", at[i])
		}
		alternatives = append(alternatives, and(append(equal[:len(equal):len(equal)], further)...))
		if at[i] == nil {
			equal = append(equal, sql(column+" is null"))
		} else {
			equal = append(equal, sql(column+" = ?", at[i]))
		}
	}
	return or(alternatives...)
}

func comparison(desc bool) string {
	if desc {
		return "<"
	}
	return ">"
}

// position is where a row stands: the values of the order's keys.
type position []any

// signature tells lists and their orders apart, so that a cursor of one is refused by another. list is the field that gives it.
func (o order) signature(list string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(list)) // a hash never fails
	for _, k := range o {
		_, _ = fmt.Fprintf(h, ",%s %t", k.column.Name, k.desc)
	}
	return h.Sum32()
}

// appendCursor appends what a cursor says before it is sealed: the order's signature, then each value of the row in the
// database's binary format behind its length (0xFFFF for a missing one).
func appendCursor(dst []byte, signature uint32, values [][]byte) []byte {
	dst = binary.BigEndian.AppendUint32(dst, signature)
	for _, v := range values {
		if v == nil {
			dst = binary.BigEndian.AppendUint16(dst, 0xFFFF)
			continue
		}
		dst = binary.BigEndian.AppendUint16(dst, uint16(len(v))) //nolint:gosec // ordered columns are short, see longestKey
		dst = append(dst, v...)
	}
	return dst
}

// positionOf reads an opened cursor back.
func (o order) positionOf(signature uint32, said []byte) (position, bool) {
	if len(said) < 4 || binary.BigEndian.Uint32(said) != signature {
		return nil, false
	}
	said = said[4:]
	at := make(position, len(o))
	for i, k := range o {
		if len(said) < 2 {
			return nil, false
		}
		n := int(binary.BigEndian.Uint16(said))
		said = said[2:]
		if n == 0xFFFF {
			continue
		}
		if len(said) < n {
			return nil, false
		}
		v, err := valueOf(k.column.Kind, said[:n])
		if err != nil {
			return nil, false
		}
		at[i], said = v, said[n:]
	}
	return at, len(said) == 0
}

func valueOf(kind catalog.Kind, raw []byte) (any, error) {
	switch kind {
	case catalog.UUID:
		return uuid.FromBytes(raw)
	case catalog.Instant:
		return instant(raw)
	case catalog.Date:
		n, err := integer(raw)
		return time.Unix(0, 0).UTC().AddDate(0, 0, epochDays+int(n)), err
	case catalog.Int, catalog.BigInt:
		return integer(raw)
	case catalog.Text, catalog.Enum:
		return string(raw), nil
	case catalog.Float:
		if len(raw) != 8 {
			return nil, fmt.Errorf("reading: a number of %d bytes", len(raw))
		}
		return math.Float64frombits(binary.BigEndian.Uint64(raw)), nil
	}
	return nil, fmt.Errorf("reading: nothing is ordered by kind %d", kind)
}
