// SPDX-License-Identifier: EUPL-1.2

package reading

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent/catalog"
	"github.com/ozg-cloud/platform/extension"
)

// byValue is the field in which a type of the contract tells what is added to it in one form for all tenants.
const byValue = "extensionValues"

// SharedBy says which fields of a target other owners share with a principal. It comes before the first read; without it nobody shares anything.
func (r *Reader) SharedBy(shared func(p *authz.Principal, target string) []extension.Owned) {
	r.sharing = shared
}

// known are the fields of a target that the caller may know of: those of the operation's schema, and those that others share.
func (c *compiler) known(t *catalog.Type) []extension.Owned {
	fields := c.chain.Fields(t.Name)
	if c.r.sharing != nil {
		c.passing = true
		for _, o := range c.r.sharing(c.p, t.Name) {
			if !slices.ContainsFunc(fields, func(f extension.Owned) bool {
				return f.Definition.Owner.Place == o.Definition.Owner.Place && f.Number == o.Number
			}) {
				fields = append(fields, o)
			}
		}
	}
	slices.SortStableFunc(fields, func(a, b extension.Owned) int {
		if a.Definition.Owner.Place != b.Definition.Owner.Place {
			return int(min(1, max(-1, a.Definition.Owner.Place-b.Definition.Owner.Place)))
		}
		return a.Number - b.Number
	})
	return fields
}

// extensionValues compiles the selection on the values of a row, whosever they are. All records that may be told come in one column.
func (c *compiler) extensionValues(w *op, l *level, t *catalog.Type, alias string, f graphql.CollectedField) error {
	fields := c.known(t)
	if len(fields) == 0 {
		w.kind, w.text = constant, []byte("[]")
		return nil
	}
	var owners []int64
	var personal []string // owner and number
	for _, o := range fields {
		if place := o.Definition.Owner.Place; len(owners) == 0 || owners[len(owners)-1] != place {
			owners = append(owners, place)
		}
		if o.Personal() {
			personal = append(personal, strconv.FormatInt(o.Definition.Owner.Place, 10)+" "+strconv.Itoa(o.Number))
		}
	}
	a := c.alias()
	from := " from extension_records " + a
	tie := sql(a+".target_id = "+alias+".id and "+a+".owner = any(?)", owners)
	if t.Owned {
		tie = tie.with(" and " + a + ".tenant_id = " + alias + ".tenant_id")
	} else {
		tie = tie.with(" and " + a + ".place = " + a + ".owner") // with its owner, see kept
	}
	w.from = []int{l.column(sql("(select jsonb_object_agg(" + a + ".owner::text, " + a + ".document)" + from).then(where(tie)).with(")"))}
	if c.p.Watched() && ofCase(t) && len(personal) > 0 {
		shown := sql("(select true" + from + " cross join jsonb_object_keys(" + a + ".document) k").then(where(tie, sql("("+a+".owner::text || ' ' || k) = any(?)", personal))).with(" limit 1)")
		w.traced = append(w.traced, tracedField{t.Name + "." + byValue, l.column(shown)})
	}
	var selected []toldField
	for i, s := range c.collect(f.Selections, f.Definition.Type.Name()) {
		selected = append(selected, toldField{keyed(i, s.Alias), s.Name})
	}
	w.kind = derived
	w.value = func(_ *Reader, _ *authz.Principal, dst []byte, row [][]byte) ([]byte, error) {
		return appendTold(dst, row[0], fields, selected)
	}
	return nil
}

// toldField is what is selected of a value.
type toldField struct {
	key  []byte
	name string
}

// appendTold appends the values of a row as a list.
func appendTold(dst, raw []byte, fields []extension.Owned, selected []toldField) ([]byte, error) {
	records := map[string]map[string]any{} // by owner
	if raw != nil {
		in := json.NewDecoder(bytes.NewReader(jsonOf(raw)))
		in.UseNumber()
		if err := in.Decode(&records); err != nil {
			return nil, fmt.Errorf("reading records of extension fields: %w", err)
		}
	}
	var all []extension.Told
	for _, o := range fields {
		if values := records[strconv.FormatInt(o.Definition.Owner.Place, 10)]; values != nil {
			all = o.Tell(all, values)
		}
	}
	dst = append(dst, '[')
	for i, t := range all {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, '{')
		for _, s := range selected {
			dst = appendToldField(append(dst, s.key...), t, s.name)
		}
		dst = append(dst, '}')
	}
	return append(dst, ']'), nil
}

func appendToldField(dst []byte, t extension.Told, name string) []byte {
	switch name {
	case "__typename":
		return strconv.AppendQuote(dst, "ExtensionValue")
	case "owner":
		return appendString(dst, []byte(t.Owner))
	case "name":
		return appendString(dst, []byte(t.Name))
	case "type":
		return appendString(dst, []byte(t.Type))
	case "path":
		dst = append(dst, '[')
		for i, step := range t.Path {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendString(dst, []byte(step))
		}
		return append(dst, ']')
	}
	holder := "text" // of what is a text for the definition, and for enums
	if !t.Enum && t.Type != "String" {
		holder = strings.ToLower(t.Type[:1]) + t.Type[1:]
	}
	if name != holder {
		return append(dst, null...)
	}
	switch v := t.Value.(type) {
	case string:
		return appendString(dst, []byte(v))
	case json.Number:
		return append(dst, v.String()...)
	default:
		return strconv.AppendBool(dst, v == true)
	}
}
