// SPDX-License-Identifier: EUPL-1.2

package migrations_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/ozg-cloud/platform/ent/migrations"
	"github.com/ozg-cloud/platform/internal/cluster"
)

func start(t *testing.T) *cluster.Cluster {
	t.Helper()
	c, err := cluster.Start(t.Context(), cluster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return c
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func must(t *testing.T, conn *pgx.Conn, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := conn.Exec(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// refused runs a statement that has to fail with a code.
func refused(t *testing.T, conn *pgx.Conn, code, statement string) {
	t.Helper()
	_, err := conn.Exec(t.Context(), statement)
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || pg.Code != code {
		t.Errorf("%s: got %v, want SQLSTATE %s", statement, err, code)
	}
}

func ask[T any](t *testing.T, conn *pgx.Conn, question string) (answer T) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), question).Scan(&answer); err != nil {
		t.Fatalf("%s: %v", question, err)
	}
	return answer
}

// ground is the first migration alone, and whatever a test puts on top.
func ground(t *testing.T) fstest.MapFS {
	t.Helper()
	content, err := os.ReadFile("0001_house.sql")
	if err != nil {
		t.Fatal(err)
	}
	return fstest.MapFS{"0001_house.sql": {Data: content}}
}

// house is a database after all migrations with a connection of the superuser and one of a serving login.
func house(t *testing.T) (owner, serving *pgx.Conn) {
	t.Helper()
	c, owner := migrated(t)
	must(t, owner, "create role app login in role ozg_serving")
	return owner, connect(t, c.URL("app", "postgres"))
}

func TestADatabaseIsReadyAfterItsMigrations(t *testing.T) {
	t.Parallel()
	c := start(t)
	url := c.URL(cluster.Superuser, "postgres")
	conn := connect(t, url)
	current, wanted, err := migrations.Version(t.Context(), conn)
	if err != nil || current != 0 || wanted < 1 {
		t.Fatalf("before: %d of %d, %v", current, wanted, err)
	}
	for range 2 { // the second time changes nothing
		if err := migrations.Apply(t.Context(), url); err != nil {
			t.Fatal(err)
		}
		current, wanted, err = migrations.Version(t.Context(), conn)
		if err != nil || current != wanted {
			t.Fatalf("after: %d of %d, %v", current, wanted, err)
		}
	}
	must(t, conn, "create role app login in role ozg_serving")
	if _, _, err = migrations.Version(t.Context(), connect(t, c.URL("app", "postgres"))); err != nil {
		t.Errorf("the serving login cannot read the version: %v", err)
	}
}

func TestDatabasesOfOneClusterMigrateAtTheSameTime(t *testing.T) {
	t.Parallel()
	c := start(t)
	var wait sync.WaitGroup
	for i := range 8 { // two for each of four databases
		name := fmt.Sprintf("house%d", i/2)
		if i%2 == 0 {
			if err := c.CreateDatabase(t.Context(), name, ""); err != nil {
				t.Fatal(err)
			}
		}
		wait.Go(func() {
			if err := migrations.Apply(t.Context(), c.URL(cluster.Superuser, name)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	wait.Wait()
}

func TestADatabaseOwnerWhoIsNoSuperuserCanMigrate(t *testing.T) {
	t.Parallel()
	c := start(t)
	root := connect(t, c.URL(cluster.Superuser, "postgres"))
	must(t, root, "create role dba login createrole", "create database house owner dba")
	for range 2 {
		if err := migrations.Apply(t.Context(), c.URL("dba", "house")); err != nil {
			t.Fatal(err)
		}
	}
	inside := connect(t, c.URL(cluster.Superuser, "house"))
	if !ask[bool](t, inside, "select has_function_privilege('ozg_serving', 'pg_catalog.set_config(text, text, boolean)', 'execute')") {
		t.Error("a login that is no superuser has revoked set_config: then this test is of no use any more")
	}
	must(t, inside, "create role app login in role ozg_serving")
	must(t, connect(t, c.URL("app", "house")), "select ozg_enter(1, 2, '')")
}

func TestServingMayReadTheVersionAndChangeNothing(t *testing.T) {
	t.Parallel()
	_, serving := house(t)
	must(t, serving, "select * from goose_db_version")
	const denied = "42501"
	refused(t, serving, denied, "insert into goose_db_version (version_id, is_applied) values (99, true)")
	refused(t, serving, denied, "update goose_db_version set is_applied = false")
	refused(t, serving, denied, "delete from goose_db_version")
	refused(t, serving, denied, "create table mine ()")
	refused(t, serving, denied, "create function mine() returns int language sql return 1")
	refused(t, serving, denied, "select set_config('app.lo', '0', true)")
	refused(t, serving, denied, "call ozg_wall('goose_db_version', 'true', '{}')")
	refused(t, serving, denied, "set role ozg_owner")
}

func TestAScopeIsEnteredOnceAndForgottenWithTheTransaction(t *testing.T) {
	t.Parallel()
	_, serving := house(t)
	for _, end := range []string{"commit", "rollback"} {
		must(t, serving, "begin", "select ozg_enter(5, 9, 'somebody')")
		if got := ask[string](t, serving, "select concat_ws(' ', current_setting('app.lo'), current_setting('app.hi'), current_setting('app.owner'))"); got != "5 9 somebody" {
			t.Errorf("got scope %q", got)
		}
		must(t, serving, "savepoint before")
		refused(t, serving, "OZG01", "select ozg_enter(0, 9, '')")
		must(t, serving, "rollback to before", end)
		if got := ask[string](t, serving, "select concat(current_setting('app.lo', true), current_setting('app.hi', true), current_setting('app.owner', true))"); got != "" {
			t.Errorf("after %s the scope is %q", end, got)
		}
	}
	for _, bad := range []string{"null, 1, ''", "1, null, ''", "1, 1, null", "2, 1, ''", "-1, 1, ''"} {
		refused(t, serving, "OZG02", "select ozg_enter("+bad+")")
	}
}

const parcels = `create table parcel (place bigint not null, owner text);
	alter table parcel owner to ozg_owner;
	insert into parcel values (1, 'anna'), (2, 'anna'), (2, 'bert'), (3, null)`

const mine = `call ozg_wall('parcel', $$owner = current_setting('app.owner', true)$$, '{SELECT,INSERT}')`

func TestTheWallShowsOnlyWhatLiesInTheScope(t *testing.T) {
	t.Parallel()
	owner, serving := house(t)
	must(t, owner, parcels, mine)
	for _, c := range []struct {
		enter string
		want  int
	}{
		{"", 0},
		{"select ozg_enter(1, 3, '')", 4},
		{"select ozg_enter(2, 2, '')", 2},
		{"select ozg_enter(4, 9, '')", 0},
		{"select ozg_enter(1, 3, 'anna')", 2},
		{"select ozg_enter(2, 2, 'anna')", 1},
		{"select ozg_enter(1, 3, 'nobody')", 0},
	} {
		must(t, serving, "begin")
		if c.enter != "" {
			must(t, serving, c.enter)
		}
		if got := ask[int](t, serving, "select count(*) from parcel"); got != c.want {
			t.Errorf("%s: %d rows, want %d", c.enter, got, c.want)
		}
		must(t, serving, "commit")
	}

	const denied = "42501"
	for _, c := range []struct{ enter, statement string }{
		{"select ozg_enter(1, 1, '')", "insert into parcel values (2, null)"},
		{"select ozg_enter(1, 1, 'anna')", "insert into parcel values (1, 'bert')"},
		{"select ozg_enter(1, 1, 'anna')", "insert into parcel values (1, null)"},
		{"select ozg_enter(1, 1, '')", "update parcel set owner = 'carl'"}, // not among the verbs
		{"select ozg_enter(1, 1, '')", "delete from parcel"},
		{"select ozg_enter(1, 1, '')", "truncate parcel"},
	} {
		must(t, serving, "begin", c.enter)
		refused(t, serving, denied, c.statement)
		must(t, serving, "rollback")
	}
}

func TestARepeatedWallReplacesTheFormer(t *testing.T) {
	t.Parallel()
	owner, serving := house(t)
	must(t, owner, parcels, mine, `call ozg_wall('parcel', 'false', '{SELECT}')`)
	must(t, serving, "begin", "select ozg_enter(1, 3, 'anna')")
	if got := ask[int](t, serving, "select count(*) from parcel"); got != 0 {
		t.Errorf("an applicant sees %d rows of a table that is not for applicants", got)
	}
	refused(t, serving, "42501", "insert into parcel values (1, 'anna')")
}

func TestAWallThatIsNotWholeIsRefused(t *testing.T) {
	t.Parallel()
	owner, _ := house(t)
	must(t, owner, parcels, "create table nowhere (place int not null)", "create table perhaps (place bigint)")
	for _, call := range []string{
		`call ozg_wall('nowhere', 'true', '{SELECT}')`,
		`call ozg_wall('perhaps', 'true', '{SELECT}')`,
		`call ozg_wall('parcel', null, '{SELECT}')`,
		`call ozg_wall('parcel', 'true', null)`,
		`call ozg_wall('parcel', 'true', '{TRUNCATE}')`,
		`call ozg_wall('parcel', 'true', array[null])`,
	} {
		refused(t, owner, "P0001", call)
	}
}

// behind counts what a view and a function, both with their owner's rights, show to somebody who has entered place 1.
func behind(t *testing.T, serving *pgx.Conn) (rows int) {
	t.Helper()
	must(t, serving, "begin", "select ozg_enter(1, 1, '')")
	rows = ask[int](t, serving, "select (select count(*) from all_parcels) + count_parcels()")
	must(t, serving, "commit")
	return rows
}

const doors = `set role ozg_owner;
	create view all_parcels as select * from parcel;
	grant select on all_parcels to ozg_serving;
	create function count_parcels() returns bigint language sql security definer as 'select count(*) from parcel';
	grant execute on function count_parcels() to ozg_serving;
	reset role`

func TestViewsAndFunctionsOfTheOwnerAreNoDoorInTheWall(t *testing.T) {
	t.Parallel()
	owner, serving := house(t)
	must(t, owner, parcels, mine, doors)
	if got := behind(t, serving); got != 2 {
		t.Errorf("%d rows, want 1 from each", got)
	}
	// The twin: without FORCE the owner's rights open both doors.
	must(t, owner, "alter table parcel no force row level security")
	if got := behind(t, serving); got != 8 {
		t.Errorf("a wall that does not hold for the owner shows %d rows: the check sees nothing", got)
	}
}

func TestTheWallIsNotLedAstrayByTablesOfTheCaller(t *testing.T) {
	t.Parallel()
	owner, serving := house(t)
	must(t, owner, `create table parcel (place bigint not null, tenant_id uuid not null, case_id uuid not null);
		alter table parcel owner to ozg_owner;
		insert into parcel values (1, gen_random_uuid(), gen_random_uuid())`,
		`call ozg_wall('parcel', 'case_id = any((select ozg_own_cases())::uuid[]) or ozg_sees_case(tenant_id, case_id)', '{SELECT}')`)
	// Somebody makes a table of cases that is looked into first, with all that one might want to see.
	seen := func() int {
		must(t, serving, "drop table if exists pg_temp.cases", "begin", "select ozg_enter(0, 9, '')",
			"create temporary table cases as select tenant_id, case_id as id, 'anna' as owner from parcel", "commit",
			"begin", "select ozg_enter(0, 9, 'anna')", "set local search_path = pg_temp, public")
		defer must(t, serving, "rollback")
		return ask[int](t, serving, "select count(*) from parcel")
	}
	if got := seen(); got != 0 {
		t.Errorf("an applicant without cases sees what hangs on %d", got)
	}
	// The twins: functions that look for cases wherever the caller says.
	for _, function := range []string{"ozg_sees_case(uuid, uuid)", "ozg_own_cases()"} {
		whole := ask[string](t, owner, "select pg_get_functiondef('"+function+"'::regprocedure)")
		must(t, owner, strings.ReplaceAll(whole, "public.cases", "cases"))
		if got := seen(); got != 1 {
			t.Errorf("a wall that is led astray by %s shows %d rows: the check sees nothing", function, got)
		}
		must(t, owner, whole)
	}
}

func TestAnApplicantWithVeryManyCasesSeesWhatHangsOnEach(t *testing.T) {
	t.Parallel()
	owner, serving := house(t)
	const cases = 21 // and another one's
	must(t, owner, `insert into tenants (id, place, place_end, slug, name, kind, created_at) values (gen_random_uuid(), 1, 1, 'kiel', 'Kiel', 'AUTHORITY', now())`,
		`insert into services values (gen_random_uuid(), '99050012104000', 'Gewerbe', 2, 3, 'BASIC', null, false, 90, 1)`,
		fmt.Sprintf(`insert into cases (id, tenant_id, place, number, service_id, state, channel, via_point_of_contact, trust_level, owner, received_at, updated_at, revision, history_head)
			select gen_random_uuid(), t.id, 1, n, s.id, 'NEW', 'PORTAL', false, 'BASIC', case when n > %d then 'bert' else 'anna' end, now(), now(), 1, repeat('0', 64)
			from tenants t, services s, generate_series(1, %d) n`, cases, cases+1),
		`insert into comments (id, tenant_id, place, case_id, body, author, created_at) select gen_random_uuid(), tenant_id, 1, id, '', '', now() from cases`,
		`insert into history_events (id, tenant_id, place, case_id, sequence, at, actor, action, to_state, previous_hash, hash)
			select gen_random_uuid(), tenant_id, 1, id, 1, now(), '', '', 'NEW', '', '' from cases`)
	seen := func(lo int) int {
		must(t, serving, "begin", fmt.Sprintf("select ozg_enter(%d, 9, 'anna')", lo))
		defer must(t, serving, "rollback")
		return ask[int](t, serving, "select (select count(*) from history_events) + (select count(*) from comments)") // notes are not for applicants
	}
	if got := seen(0); got != cases {
		t.Errorf("of %d lines of history %d are seen", cases, got)
	}
	if got := seen(2); got != 0 {
		t.Errorf("%d lines of other places are seen", got)
	}
	must(t, owner, "create or replace function ozg_sees_case(of_tenant uuid, of_case uuid) returns boolean language sql as 'select false'") // the twin
	if got := seen(0); got != 0 {
		t.Errorf("nothing is looked up, and %d are seen: the check sees nothing", got)
	}
	must(t, owner, "delete from comments", "delete from history_events where case_id = (select id from cases where owner = 'anna' limit 1)",
		"delete from cases where owner = 'anna' and id not in (select case_id from history_events)")
	if got := seen(0); got != cases-1 {
		t.Errorf("of %d lines of history, found at once, %d are seen", cases-1, got)
	}
}

func TestALaterMigrationOwnsItsTablesAndSeesEveryRow(t *testing.T) {
	t.Parallel()
	c := start(t)
	files := ground(t)
	files["0002_table.sql"] = &fstest.MapFile{Data: []byte(`-- +goose Up
		create table parcel (place bigint not null, owner text);
		call ozg_wall('parcel', 'false', '{SELECT}');
		insert into parcel values (1, null), (16000000000000, null);`)}
	files["0003_data.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\nupdate parcel set owner = 'anna';")}
	url := c.URL(cluster.Superuser, "postgres")
	if err := migrations.ApplyFrom(t.Context(), url, files); err != nil {
		t.Fatal(err)
	}
	conn := connect(t, url)
	if got := ask[string](t, conn, "select tableowner::text from pg_tables where tablename = 'parcel'"); got != "ozg_owner" {
		t.Errorf("the table belongs to %s", got)
	}
	if got := ask[int](t, conn, "select count(*) from parcel where owner = 'anna'"); got != 2 {
		t.Errorf("the data migration has reached %d of 2 rows", got)
	}
}

func TestFiguresStayWhenTheirGenerationsComeApart(t *testing.T) {
	t.Parallel()
	c := start(t)
	url, before := c.URL(cluster.Superuser, "postgres"), fstest.MapFS{}
	names, err := filepath.Glob("*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if name < "0028" {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			before[name] = &fstest.MapFile{Data: data}
		}
	}
	if err := migrations.ApplyFrom(t.Context(), url, before); err != nil {
		t.Fatal(err)
	}
	conn := connect(t, url)
	// Generation 3 answers, 4 is being counted, 2 was given up.
	must(t, conn, "update statistics_offset set generation = 3", "insert into statistics_offset values (4, false, '0', 0, 'epoch')",
		`insert into statistics_cells (n, k, lo, hi, service_id, period, detail, level, population, shape, generation)
			select 5, 7, 1, 1, gen_random_uuid(), '2026-01-01', 0, 0, 1, 0, g from generate_series(2, 4) g, generate_series(1, 10)`,
		`insert into statistics_facts (generation, case_id, authority, service_id, key, state, channel, trust_level, received_at, digital, open, counted_in, open_months, open_states)
			select g, gen_random_uuid(), 1, gen_random_uuid(), 1, 'NEW', 'PORTAL', 'BASIC', '2026-01-01', false, true, '2026-01-01', '{}', '{}' from generate_series(2, 4) g, generate_series(1, 10)`)
	if err := migrations.Apply(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	for question, want := range map[string]int{
		"select count(*) from statistics_cells where generation = 3 and n = 5 and k = 7":                    10,
		"select count(*) from statistics_cells":                                                             10,
		"select count(*) from statistics_facts where generation = 3":                                        10,
		"select count(*) from statistics_facts":                                                             10,
		"select count(*) from statistics_offset where answers":                                              1,
		"select count(*) from statistics_offset":                                                            1,
		"select count(*) from pg_class where relispartition and relname ~ '^statistics_(cells|facts)_3$'":   2,
		"select count(*) from pg_policies where tablename like 'statistics_cells%' and policyname = 'wall'": 1,
	} {
		if got := ask[int](t, conn, question); got != want {
			t.Errorf("%s: %d", question, got)
		}
	}
	// The next generation is begun beside it, and one part after the other is forgotten once it answers.
	must(t, conn, "select setval('statistics_generation', 5, false)")
	country := "select set_config('app.lo', '0', false), set_config('app.hi', '999999999999999', false), set_config('app.owner', '', false)"
	must(t, conn, country)
	if got := ask[int](t, conn, "select ozg_count_anew(now())"); got != 5 {
		t.Errorf("generation %d is begun", got)
	}
	must(t, conn, "select ozg_answer_by(5)")
	for _, want := range []int{1, 0, 0} {
		if got := ask[int](t, conn, "select ozg_forget_part()"); got != want {
			t.Errorf("%d parts are left, not %d", got, want)
		}
	}
	if got := ask[int](t, conn, "select count(*) from pg_class where relispartition and relname like 'statistics%' and relkind = 'r'"); got != 2 {
		t.Errorf("there are %d parts", got)
	}
}
