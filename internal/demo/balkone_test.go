// SPDX-License-Identifier: EUPL-1.2

package demo_test

import (
	"context"
	"testing"

	"github.com/ozg-cloud/platform/internal/demo"
)

func TestBuildingPermitsOfTheDemoHaveTheFieldsOfTheirLand(t *testing.T) {
	t.Parallel()
	conn, plain := house(t), house(t)
	for range 2 { // the second time changes nothing
		if err := demo.Balkone(context.Background(), conn); err != nil {
			t.Fatal(err)
		}
	}
	seed(t, conn, 1500, 1)
	seed(t, plain, 1500, 1)
	for what, question := range map[string]string{
		"each Land has one version in force":           `select count(*) = 2 and bool_and(version = 1 and state = 'ACTIVE') from extension_definitions`,
		"it stands in the audit log":                   `select count(*) = 4 from audit_entries where action in ('EXTENSION_DEFINED', 'EXTENSION_ACTIVATED')`,
		"permits of both have values":                  `select count(*) filter (where c.land = 1) > 5 and count(*) filter (where c.land = 9) > 2 from extension_records r join cases c on c.id = r.case_id and c.tenant_id = r.tenant_id and c.place = r.place`,
		"each value lies with its own Land":            `select bool_and(o.place / 10000000000000 = r.place / 10000000000000) from extension_records r join tenants o on o.place = r.owner`,
		"only permits have them":                       `select bool_and(s.leika_key = '99012008001000') from extension_records r join cases c on c.id = r.case_id join services s on s.id = c.service_id`,
		"entries lie in the order of the cases":        `select count(*) > 10 and bool_and(e.ranked_at = c.received_at) from extension_entries e join cases c on c.id = e.target_id`,
		"they stand beside the cases":                  `select count(*) > 10 and bool_and(ozg_found(e.field, e.text, e.number, e.time) = case k.beside when 1 then extension_1 when 2 then extension_2 end) from extension_entries e join extension_columns k using (field) join cases c on c.id = e.target_id`,
		"and nothing else does":                        `select (select count(*) from extension_entries join extension_columns using (field)) = sum(num_nonnulls(extension_1, extension_2, extension_3, extension_4, extension_5, extension_6, extension_7, extension_8, extension_9, extension_10)) from cases`,
		"a list of objects is a list":                  `select bool_or(jsonb_path_exists(document, '$.*[*].*')) from extension_records`,
		"nothing of what is erased is kept":            `select not exists (select from extension_records r join cases c on c.id = r.case_id where c.state = 'ERASED')`,
		"the form says what the fields say":            `select bool_and(s.form_data::text like '%flurnummer%') from extension_records r join submissions s on s.case_id = r.case_id`,
		"Bavaria's field of the same name is a number": `select bool_and((e.number is not null) = (e.place / 10000000000000 = 9)) from extension_entries e join extension_definitions d on e.field = d.place * 8192 + (d.numbers -> 'of' ->> 'Case.flurstueck')::bigint`,
		"floor space can be summed":                    `select count(*) > 5 and bool_and(e.number > 0 and e.text is null) from extension_entries e where e.counted = 'SUM'`,
	} {
		var holds bool
		if err := conn.QueryRow(context.Background(), question).Scan(&holds); err != nil || !holds {
			t.Errorf("%s: %v", what, err)
		}
	}
	// Fields change nothing else.
	var with, without string
	const all = `select md5(string_agg((to_jsonb(c) - array['extension_1', 'extension_2'])::text, ',' order by id)) from cases c`
	if err := conn.QueryRow(context.Background(), all).Scan(&with); err != nil {
		t.Fatal(err)
	}
	if err := plain.QueryRow(context.Background(), all).Scan(&without); err != nil || with != without {
		t.Errorf("cases are others where there are fields: %v", err)
	}
}
