// SPDX-License-Identifier: EUPL-1.2

package migrations_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql/schema"
	"entgo.io/ent/schema/field"
	"github.com/jackc/pgx/v5"

	"github.com/ozg-cloud/platform/ent/migrate"
	"github.com/ozg-cloud/platform/ent/migrations"
	"github.com/ozg-cloud/platform/internal/cluster"
)

// beyond are columns that the model does not have: the database fills them itself.
var beyond = map[string][]string{
	"cases": {"land", "district", "extension_1", "extension_2", "extension_3", "extension_4", "extension_5", "extension_6", "extension_7", "extension_8", "extension_9", "extension_10"}, "events": {"xid", "seq"}, "extension_records": {"reach"}, "extension_entries": {"ranked_at", "reach"},
}

// registers belong to subjects or to nobody, and have no place: no wall stands around them.
var registers = []string{"tenants", "services", "blocked_subjects", "uploads", "idempotency_keys"}

// serving is what serving may do to each table, and which columns it may change. What is not here it may not.
var serving = map[string]string{
	"tenants": "SELECT", "services": "SELECT", "blocked_subjects": "SELECT INSERT DELETE", "uploads": "SELECT INSERT DELETE", "idempotency_keys": "SELECT INSERT DELETE",
	"webhooks":                "SELECT INSERT DELETE, caught_up_at dead_in_row delivered_at held lease leased_until mark_seq mark_xid name next_at state stopped_because waiting_since",
	"webhook_deliveries":      "SELECT INSERT DELETE, attempted_at attempts delivered_at failure next_at state status",
	"bulk_operations":         "SELECT INSERT DELETE, beginnings blob completed_at expires_at failed_because held lease leased_until mark_seq mark_xid object_count refused_fields sha256 size started_at state",
	"organisational_units":    "SELECT INSERT, name parent_id retired_at",
	"service_offerings":       "SELECT INSERT, unit_id valid_to",
	"connectors":              "SELECT INSERT, active name",
	"cases":                   "SELECT INSERT, closed_at complete_at decided_at due_at extension_1 extension_10 extension_2 extension_3 extension_4 extension_5 extension_6 extension_7 extension_8 extension_9 file_reference history_head owner revision state unit_id updated_at",
	"submissions":             "SELECT INSERT",
	"applicants":              "SELECT INSERT",
	"messages":                "SELECT INSERT, delivery_state opened_at provided_at",
	"attachments":             "SELECT INSERT, scan_state",
	"decisions":               "SELECT INSERT",
	"announcements":           "SELECT INSERT, announced_on explanation first_retrieved_at notified_at provided_at rule",
	"comments":                "SELECT INSERT",
	"follow_ups":              "SELECT INSERT, done_at",
	"assignments":             "SELECT INSERT, ended_at",
	"history_events":          "SELECT INSERT",
	"events":                  "SELECT INSERT",
	"role_assignments":        "SELECT INSERT DELETE",
	"audit_entries":           "SELECT INSERT",
	"access_entries":          "SELECT INSERT",
	"extension_definitions":   "SELECT INSERT DELETE, activated_at activated_by erase_ordered_at erase_ordered_by erased_at erased_to indexed_at indexed_to retired_at retired_by state",
	"extension_records":       "SELECT INSERT DELETE, document updated_at",
	"extension_entries":       "SELECT INSERT DELETE",
	"extension_version":       "SELECT",
	"goose_db_version":        "SELECT",
	"events_forgotten":        "SELECT",
	"statistics_offset":       "SELECT",
	"statistics_cells":        "SELECT",
	"statistics_field_cells":  "SELECT",
	"statistics_cells_summed": "INSERT", // a door of COPY, which nobody reads
	"trusted_documents":       "SELECT", "trusted_documents_version": "SELECT",
	"federation_papers": "SELECT INSERT", "federation_vouchers": "SELECT INSERT DELETE",
	"directory_heads": "SELECT INSERT DELETE, as_of entries hash head", "directory_parts": "SELECT INSERT DELETE", "directory_entries": "SELECT INSERT DELETE",
	"federation_statements": "SELECT INSERT", "federation_answered": "SELECT INSERT", "federation_log_hashes": "SELECT INSERT", "federation_contradictions": "SELECT INSERT",
	"federation_heads": "SELECT INSERT, root seen_at size", "federation_volumes": "SELECT INSERT, per_month",
}

// ownBooks are tables that the database keeps for itself.
var ownBooks = []string{"goose_db_version", "rights_version", "events_forgotten", "trusted_documents", "trusted_documents_version", "extension_version", "extension_columns", "statistics_offset", "statistics_facts", "statistics_cells", "statistics_field_cells", "statistics_again", "statistics_secret", "federation_papers", "federation_vouchers",
	"federation_statements", "federation_answered", "federation_log_hashes", "federation_contradictions", "federation_heads", "federation_volumes", "directory_heads", "directory_parts", "directory_entries"}

// everywhere are unique keys that do not begin with the tenant, because they are unique in the whole house.
var everywhere = []string{
	"federation_answered(issuer,id)",  // questions of other houses, which ask the whole house
	"connectors(subject)",             // one machine speaks for one connector
	"tenants(slug)", "tenants(place)", // the directory itself
	"tenants(id,place)",                              // what foreign keys hold on to
	"services(leika_key)",                            // the shared catalogue
	"blocked_subjects(subject)",                      // belongs to a subject
	"idempotency_keys(subject,key)",                  // belongs to a subject
	"trusted_documents(client,edition,owner,sha256)", // of the standard house or of a tenant; known to every house as a whole
	"extension_entries(target_id,field)",             // looked up by the row alone, whose id is unique in the whole house
}

// outside are foreign keys of tenants' tables that lead out of the tenant: into the directory and the shared catalogue.
var outside = []string{
	"tenants", "services",
	"submissions(connector_id)", // the form server of a Land delivers to its authorities
}

// audit compares a database with the model and with what must hold of every table.
func audit(ctx context.Context, db *pgx.Conn) (found []string, err error) {
	say := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	rows := func(question string) [][]string {
		var out [][]string
		answer, qerr := db.Query(ctx, question)
		if qerr != nil {
			err = qerr
			return nil
		}
		defer answer.Close()
		for answer.Next() {
			values, verr := answer.Values()
			if verr != nil {
				err = verr
				return nil
			}
			row := make([]string, len(values))
			for i, v := range values {
				row[i] = fmt.Sprint(v)
			}
			out = append(out, row)
		}
		if answer.Err() != nil {
			err = answer.Err()
		}
		return out
	}

	// Tables and columns are those of the model.
	columns := map[string]map[string]string{}
	for _, r := range rows(`select c.relname, a.attname, format_type(a.atttypid, a.atttypmod) || case when a.attnotnull then '' else '?' end
		from pg_class c join pg_attribute a on a.attrelid = c.oid
		where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition and a.attnum > 0 and not a.attisdropped`) {
		if columns[r[0]] == nil {
			columns[r[0]] = map[string]string{}
		}
		columns[r[0]][r[1]] = r[2]
	}
	modelled := map[string]bool{}
	for _, t := range migrate.Tables {
		modelled[t.Name] = true
		if columns[t.Name] == nil {
			say("the model has a table %s, the database has not", t.Name)
			continue
		}
		known := slices.Clone(beyond[t.Name])
		for _, c := range t.Columns {
			known = append(known, c.Name)
			if got, want := columns[t.Name][c.Name], kind(c); got == "" {
				say("the model has a column %s.%s, the database has not", t.Name, c.Name)
			} else if !slices.Contains(want, got) {
				say("%s.%s is %s, not %s", t.Name, c.Name, got, strings.Join(want, " or "))
			}
			if len(c.Enums) > 0 {
				checked(rows, say, t.Name, c)
			}
		}
		for c := range columns[t.Name] {
			if !slices.Contains(known, c) {
				say("the database has a column %s.%s, the model has not", t.Name, c)
			}
		}
	}
	for t := range columns {
		if !modelled[t] && !slices.Contains(ownBooks, t) {
			say("the database has a table %s, the model has not", t)
		}
	}

	walls(rows, say, columns)
	keys(rows, say, columns)
	grants(rows, say)
	slices.Sort(found)
	return found, err
}

// kind gives the types of the database that a column of the model may have; a question mark stands for null.
func kind(c *schema.Column) []string {
	var types []string
	switch {
	case c.SchemaType[dialect.Postgres] != "":
		types = []string{c.SchemaType[dialect.Postgres]}
	case c.Type == field.TypeUUID:
		types = []string{"uuid"}
	case c.Type == field.TypeTime:
		types = []string{"timestamp with time zone"}
	case c.Type == field.TypeFloat64:
		types = []string{"double precision"}
	case c.Type == field.TypeInt64:
		types = []string{"bigint"}
	case c.Type == field.TypeInt:
		types = []string{"integer", "smallint"}
	case c.Type == field.TypeBool:
		types = []string{"boolean"}
	case c.Type == field.TypeJSON:
		types = []string{"jsonb"}
	default:
		types = []string{"text"}
	}
	if c.Nullable {
		for i := range types {
			types[i] += "?"
		}
	}
	return types
}

// checked compares the values that a check of the database lets through with those of the model.
func checked(rows func(string) [][]string, say func(string, ...any), table string, c *schema.Column) {
	var got []string
	for _, r := range rows(`select m[1] from pg_constraint, regexp_matches(pg_get_constraintdef(oid), '''([A-Z_]+)''::text', 'g') m
		where contype = 'c' and conrelid = '` + table + `'::regclass and conkey = array[(select attnum from pg_attribute where attrelid = conrelid and attname = '` + c.Name + `')]`) {
		got = append(got, r[0])
	}
	want := slices.Sorted(slices.Values(c.Enums))
	if slices.Sort(got); !slices.Equal(slices.Compact(got), want) {
		say("%s.%s lets %v through, not %v", table, c.Name, got, want)
	}
}

// walls looks for the second wall around every table of tenants, and for owners.
func walls(rows func(string) [][]string, say func(string, ...any), columns map[string]map[string]string) {
	for _, r := range rows(`select relname, relrowsecurity, relforcerowsecurity, pg_get_userbyid(relowner) from pg_class
		where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'S', 'f')`) {
		table := r[0]
		if r[3] != "ozg_owner" {
			say("%s belongs to %s", table, r[3])
		}
		if columns[table]["place"] == "" || slices.Contains(registers, table) {
			continue
		}
		if r[1] != "true" || r[2] != "true" {
			say("%s has no row level security, or none that holds for its owner", table)
		}
	}
	walled := map[string]bool{}
	for _, r := range rows(`select tablename, policyname, cmd, array_to_string(roles, ' '), coalesce(qual, ''), coalesce(with_check, ''), permissive from pg_policies where schemaname = 'public'`) {
		table, name := r[0], r[1]
		switch {
		case name == "wall":
			walled[table] = true
			if r[2] != "ALL" || r[3] != "ozg_owner ozg_serving" && r[3] != "ozg_serving ozg_owner" || r[4] != r[5] ||
				!strings.Contains(r[4], "app.lo") || !strings.Contains(r[4], "app.hi") || !strings.Contains(r[4], "app.owner") {
				say("the wall of %s is not whole", table)
			}
		case name == "directory" && table == "service_offerings" && r[2] == "SELECT": // who is responsible for what is public
		case name == "catalogue" && (table == "extension_records" || table == "extension_entries") && r[2] == "SELECT" && r[3] == "ozg_serving" &&
			strings.Contains(r[4], "case_id IS NULL") && strings.Contains(r[4], "app.lo") && strings.Contains(r[4], "app.hi") && strings.Contains(r[4], "app.owner"):
			// what is added to the catalogue and the directory holds at all below its owner
		case name == "watch" && r[2] == "SELECT" && r[3] == "ozg_watching":
		default:
			say("%s has a policy %s, which is a door in the wall", table, name)
		}
	}
	for table, of := range columns {
		if of["place"] != "" && !slices.Contains(registers, table) && !walled[table] {
			say("%s has no wall", table)
		}
	}
}

// keys looks at what holds a tenant's rows together.
func keys(rows func(string) [][]string, say func(string, ...any), columns map[string]map[string]string) {
	for _, r := range rows(`select i.indrelid::regclass::text, string_agg(coalesce(a.attname, '()'), ',' order by k.n)
		from pg_index i join pg_class c on c.oid = i.indrelid cross join lateral unnest(i.indkey::int2[]) with ordinality k(attnum, n)
		left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
		where c.relnamespace = 'public'::regnamespace and i.indisunique and not i.indisprimary group by i.indexrelid, i.indrelid`) {
		if key := r[0] + "(" + r[1] + ")"; !strings.HasPrefix(r[1], "tenant_id,") && !slices.Contains(everywhere, key) {
			say("the unique key %s does not begin with the tenant", key)
		}
	}
	home, cased := map[string]bool{}, map[string]bool{}
	for _, r := range rows(`select c.conrelid::regclass::text, c.confrelid::regclass::text,
			(select string_agg(a.attname, ',' order by k.n) from unnest(c.conkey) with ordinality k(attnum, n) join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.attnum),
			(select string_agg(a.attname, ',' order by k.n) from unnest(c.confkey) with ordinality k(attnum, n) join pg_attribute a on a.attrelid = c.confrelid and a.attnum = k.attnum)
		from pg_constraint c where c.contype = 'f' and c.connamespace = 'public'::regnamespace`) {
		table, to, from := r[0], r[1], r[2]
		if columns[table]["tenant_id"] == "" {
			continue
		}
		switch {
		case to == "tenants":
			home[table] = home[table] || from == "tenant_id,place" && r[3] == "id,place"
		case slices.Contains(outside, to), slices.Contains(outside, table+"("+from+")"):
		case !strings.HasPrefix(from, "tenant_id,") || !strings.HasPrefix(r[3], "tenant_id,"):
			say("%s(%s) leads to %s without the tenant", table, from, to)
		}
		cased[table] = cased[table] || strings.HasPrefix(from, "tenant_id,case_id")
	}
	// The access log is held by a trigger instead, which is enabled and no other's.
	for _, r := range rows(`select tgrelid::regclass::text from pg_trigger where tgfoid = to_regproc('ozg_access_of_case') and tgenabled = 'O' and tgtype = 4`) {
		home[r[0]], cased[r[0]] = true, true
	}
	for table, of := range columns {
		if of["tenant_id"] == "" || slices.Contains(registers, table) {
			continue
		}
		if !home[table] {
			say("%s is not held together with its tenant and place", table)
		}
		if of["case_id"] != "" && !cased[table] {
			say("%s is not held together with its case", table)
		}
		if of["tenant_id"] != "uuid" || of["place"] != "bigint" {
			say("%s may be without tenant or place", table)
		}
	}
}

// grants compares who may do what with what is meant.
func grants(rows func(string) [][]string, say func(string, ...any)) {
	may, change := map[string][]string{}, map[string][]string{}
	for _, r := range rows(`select c.relname, coalesce(nullif(pg_get_userbyid(a.grantee), 'unknown (OID=0)'), 'public'), a.privilege_type
		from pg_class c cross join lateral aclexplode(c.relacl) a where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'S', 'f') order by 1, 2, a.privilege_type desc`) {
		switch who := r[1]; {
		case who == "ozg_owner":
		case who == "ozg_serving":
			may[r[0]] = append(may[r[0]], r[2])
		case who == "ozg_watching" && r[2] == "SELECT":
		default:
			say("%s may %s %s", who, r[2], r[0])
		}
	}
	for _, r := range rows(`select c.relname, coalesce(nullif(pg_get_userbyid(x.grantee), 'unknown (OID=0)'), 'public'), x.privilege_type, a.attname
		from pg_attribute a join pg_class c on c.oid = a.attrelid cross join lateral aclexplode(a.attacl) x where c.relnamespace = 'public'::regnamespace order by 1, 4`) {
		if r[1] != "ozg_serving" || r[2] != "UPDATE" {
			say("%s may %s %s.%s", r[1], r[2], r[0], r[3])
			continue
		}
		change[r[0]] = append(change[r[0]], r[3])
	}
	for table := range maps.Keys(serving) {
		if _, there := may[table]; !there && len(rows("select 1 from pg_class where relname = '"+table+"'")) > 0 {
			may[table] = nil
		}
	}
	for table, verbs := range may {
		order := []string{"SELECT", "INSERT", "UPDATE", "DELETE"}
		slices.SortFunc(verbs, func(a, b string) int { return slices.Index(order, a) - slices.Index(order, b) })
		got := strings.Join(verbs, " ")
		if len(change[table]) > 0 {
			got += ", " + strings.Join(change[table], " ")
		}
		if want := serving[table]; got != want {
			say("serving may %q on %s, not %q", got, table, want)
		}
	}
	for _, r := range rows(`select c.relname from pg_class c where relnamespace = 'public'::regnamespace and pg_has_role('ozg_serving', relowner, 'member')
		union select 'the database' from pg_database where datname = current_database() and pg_has_role('ozg_serving', datdba, 'member')
		union select 'the schema' from pg_namespace where nspname = 'public' and (pg_has_role('ozg_serving', nspowner, 'member') or has_schema_privilege('ozg_serving', oid, 'create'))`) {
		say("serving owns %s, or may make things in it", r[0])
	}
	for _, r := range rows(`select rolname from pg_roles where rolname in ('ozg_serving', 'ozg_watching') and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication or rolcanlogin)`) {
		say("%s has attributes that go around the wall", r[0])
	}
}

// migrated is a database with all migrations.
func migrated(t *testing.T) (*cluster.Cluster, *pgx.Conn) {
	t.Helper()
	c := start(t)
	url := c.URL(cluster.Superuser, "postgres")
	if err := migrations.Apply(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	return c, connect(t, url)
}

func TestTheDatabaseIsWhatTheModelSays(t *testing.T) {
	t.Parallel()
	_, db := migrated(t)
	found, err := audit(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		t.Error(f)
	}
}

func TestTheAuditOfTheDatabaseFindsWhatItShould(t *testing.T) {
	t.Parallel()
	_, db := migrated(t)
	for _, seed := range []struct{ statement, want string }{
		{"create table shed (id uuid); alter table shed owner to ozg_owner", "the database has a table shed, the model has not"},
		{"drop table uploads", "the model has a table uploads, the database has not"},
		{"alter table comments add column colour text", "the database has a column comments.colour, the model has not"},
		{"alter table uploads drop column name", "the model has a column uploads.name, the database has not"},
		{"alter table comments alter column body drop not null", "comments.body is text?, not text"},
		{"alter table messages alter column opened_at type timestamp", "messages.opened_at is timestamp without time zone?, not timestamp with time zone?"},
		{"alter table messages drop constraint messages_direction_check", "messages.direction lets [] through, not [FROM_APPLICANT TO_APPLICANT]"},
		{"alter table messages disable row level security", "messages has no row level security, or none that holds for its owner"},
		{"alter table messages no force row level security", "messages has no row level security, or none that holds for its owner"},
		{"drop policy wall on messages", "messages has no wall"},
		{"drop policy wall on messages; create policy wall on messages for all to ozg_serving, ozg_owner using (true) with check (true)", "the wall of messages is not whole"},
		{"alter policy wall on messages with check (place > 0)", "the wall of messages is not whole"},
		{"alter policy wall on messages to ozg_serving", "the wall of messages is not whole"},
		{"alter policy catalogue on extension_records using (true)", "extension_records has a policy catalogue, which is a door in the wall"},
		{"create policy mine on messages for select to ozg_serving using (true)", "messages has a policy mine, which is a door in the wall"},
		{"create unique index once on messages (subject)", "the unique key messages(subject) does not begin with the tenant"},
		{"create unique index once on messages (lower(subject), tenant_id)", "the unique key messages((),tenant_id) does not begin with the tenant"},
		{"alter table messages add foreign key (case_id) references cases (id)", "messages(case_id) leads to cases without the tenant"},
		{"alter table comments drop constraint comments_tenant_id_case_id_fkey", "comments is not held together with its case"},
		{"alter table comments drop constraint comments_tenant_id_place_fkey", "comments is not held together with its tenant and place"},
		{"alter table access_entries disable trigger of_case", "access_entries is not held together with its case"},
		{"alter table comments alter column place drop not null", "comments may be without tenant or place"},
		{"grant update on comments to ozg_serving", `serving may "SELECT INSERT UPDATE" on comments, not "SELECT INSERT"`},
		{"grant update (body) on comments to ozg_serving", `serving may "SELECT INSERT, body" on comments, not "SELECT INSERT"`},
		{"revoke insert on comments from ozg_serving", `serving may "SELECT" on comments, not "SELECT INSERT"`},
		{"grant select on comments to public", "public may SELECT comments"},
		{"grant select (body) on comments to public", "public may SELECT comments.body"},
		{"alter table comments owner to ozg_serving", "comments belongs to ozg_serving"},
		{"grant create on schema public to ozg_serving", "serving owns the schema, or may make things in it"},
		{"grant ozg_owner to ozg_serving", "serving owns comments, or may make things in it"},
		{"alter role ozg_serving bypassrls", "ozg_serving has attributes that go around the wall"},
	} {
		t.Run(seed.statement, func(t *testing.T) {
			must(t, db, "begin", seed.statement)
			defer must(t, db, "rollback")
			found, err := audit(t.Context(), db)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Contains(found, seed.want) {
				t.Errorf("found %q", found)
			}
		})
	}
}
