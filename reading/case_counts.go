// SPDX-License-Identifier: EUPL-1.2

package reading

import (
	"fmt"
	"strings"

	"github.com/99designs/gqlgen/graphql"

	"github.com/ozg-cloud/platform/ent/catalog"
)

// counts are what the cases of a list are counted by, under the names of CaseListStatistics: the column of cases that they are grouped by, and what is
// told of its value k. All of it stands on each case for whoever sees the case.
var counts = map[string]struct{ by, told string }{
	"byState":     {"§.state", "k"},
	"byChannel":   {"§.channel", "k"},
	"byService":   {"§.service_id", "(select leika_key from services where id = k)"},
	"byAuthority": {"§.tenant_id", "(select slug from tenants where id = k)"},
	"byMonth":     {"date_trunc('month', §.received_at at time zone 'Europe/Berlin')", "to_char(k, 'YYYY-MM')"},
}

// caseCounts compiles the figures of a list of cases: of all rows that the caller sees and the filter keeps, not of a page. Each is one statement inside of
// the list's, under the same predicate as its total.
func (c *compiler) caseCounts(w *op, above *level, t *catalog.Type, a string, which []fragment, f graphql.CollectedField) error {
	typ := f.Definition.Type.Name()
	made, asked := sql("jsonb_build_object("), map[string]bool{}
	for _, group := range c.collect(f.Selections, typ) {
		if group.Name == "__typename" || asked[group.Name] {
			continue
		}
		by, known := counts[group.Name]
		if !known {
			return fmt.Errorf("reading: cases are not counted %s", group.Name)
		}
		if len(asked) > 0 {
			made = made.with(", ")
		}
		asked[group.Name] = true
		made = made.with("'" + group.Name + "', (select coalesce(jsonb_agg(jsonb_build_object('value', v, 'count', n) order by v), '[]') from (select " + by.told +
			" v, n from (select " + strings.ReplaceAll(by.by, "§", a) + " k, count(*) n from " + t.Table + " " + a).then(counted(which...)).with(" group by 1) found) told)")
	}
	w.kind, w.column, w.fields = document, above.column(made.with(")")), c.document(f.Selections, typ)
	return nil
}
