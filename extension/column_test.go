// SPDX-License-Identifier: EUPL-1.2

package extension_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"pgregory.net/rapid"

	"github.com/ozg-cloud/platform/extension"
)

// filtering is a definition of a Land in which cases are filtered by some of twelve fields; the others are there, ordered by, or in an object.
func filtering(t rapid.TB, standard *ast.Schema, o extension.Owner, fields string) *extension.Definition {
	var b strings.Builder
	if strings.Contains(fields, "o") {
		b.WriteString(`"T." type ` + o.Space() + `T { "N." n: String @filterable } `)
	}
	b.WriteString("extend type Case {")
	for i, how := range fields {
		is := map[rune]string{'f': "Int @filterable", 's': "Int @sortable", '-': "Int", 'o': o.Space() + "T"}[how]
		fmt.Fprintf(&b, ` "F." %sf%d: %s`, o.Space(), i, is)
	}
	d, problems := extension.Read(b.String()+" }", o, standard)
	if d == nil {
		t.Fatalf("%s: %v", b.String(), told(problems))
	}
	return d
}

// columnsOf are the columns of the values by which a definition has cases filtered, 0 where a value stands in none.
func columnsOf(d *extension.Definition) map[int]int {
	out := map[int]int{}
	for _, l := range d.Leaves("Case") {
		if l.Filterable {
			out[l.Number] = l.Column
		}
	}
	return out
}

// moved tells what is wrong with the columns of a version behind another; empty where nothing is.
func moved(before, after *extension.Definition, first, last int) string {
	was, is := map[int]int{}, columnsOf(after)
	if before != nil {
		was = columnsOf(before)
	}
	var taken []int
	none := 0
	for number, column := range is {
		switch {
		case was[number] != 0 && column != was[number]:
			return fmt.Sprintf("number %d stood in column %d and stands in %d", number, was[number], column)
		case column == 0:
			none++
		case column < first || column > last || slices.Contains(taken, column):
			return fmt.Sprintf("column %d of number %d is somebody else's", column, number)
		default:
			taken = append(taken, column)
		}
		if column != was[number] && before != nil && !after.Indexes(before) {
			return fmt.Sprintf("number %d has come into column %d, and nobody brings what was kept before there", number, column)
		}
	}
	if none > 0 && len(taken) < last-first+1 {
		return fmt.Sprintf("%d values have no column, and %d are taken", none, len(taken))
	}
	return ""
}

func TestAValueKeepsItsColumnBesideTheCase(t *testing.T) {
	t.Parallel()
	standard := contract(t)
	of := map[string][2]int{"LAND": {1, 6}, "DISTRICT": {7, 8}, "AUTHORITY": {9, 10}}
	rapid.Check(t, func(t *rapid.T) {
		o := sh
		o.Kind = rapid.SampledFrom([]string{"LAND", "DISTRICT", "AUTHORITY"}).Draw(t, "kind")
		var before *extension.Definition
		for range rapid.IntRange(1, 6).Draw(t, "versions") {
			d := filtering(t, standard, o, rapid.StringMatching("[fso-]{1,12}").Draw(t, "fields"))
			if problems := d.Follow(before); len(problems) > 0 {
				t.Fatal(told(problems))
			}
			if fault := moved(before, d, of[o.Kind][0], of[o.Kind][1]); fault != "" {
				t.Fatal(fault)
			}
			kept, err := extension.Kept(d.SDL, []byte(d.Numbers().String()), o, standard)
			if err != nil || fmt.Sprint(columnsOf(kept)) != fmt.Sprint(columnsOf(d)) {
				t.Fatalf("read back they are others: %v, %v: %v", columnsOf(kept), columnsOf(d), err)
			}
			before = d
		}
	})
}

func TestAColumnThatIsGivenAnewIsNoticed(t *testing.T) {
	t.Parallel()
	first, second := filtering(t, contract(t), sh, "fff"), filtering(t, contract(t), sh, "-ff")
	first.Follow(nil)
	second.Follow(first)
	if fault := moved(first, second, 1, 6); fault != "" {
		t.Fatal(fault)
	}
	n := second.Numbers()
	for number, column := range n.Columns {
		n.Columns[number] = column - 1
	}
	if err := second.Numbered(n); err != nil || moved(first, second, 1, 6) == "" {
		t.Errorf("nobody would notice: %v", err)
	}
}

func TestAValueGetsAColumnThatHasBecomeFree(t *testing.T) {
	t.Parallel()
	many, fewer := filtering(t, contract(t), sh, "ffffffff"), filtering(t, contract(t), sh, "-fffffff")
	many.Follow(nil)
	fewer.Follow(many)
	for what, n := range map[string]map[int]int{"at first": columnsOf(many), "with a column free": columnsOf(fewer)} {
		columns := slices.Sorted(maps.Values(n))
		if want := map[int][]int{8: {0, 0, 1, 2, 3, 4, 5, 6}, 7: {0, 1, 2, 3, 4, 5, 6}}[len(n)]; !slices.Equal(columns, want) {
			t.Errorf("%s: %v, not %v", what, columns, want)
		}
	}
}
