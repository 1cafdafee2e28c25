// SPDX-License-Identifier: EUPL-1.2

package casework_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/casework"
	"github.com/ozg-cloud/platform/internal/housetest"
	"github.com/ozg-cloud/platform/law"
	"github.com/ozg-cloud/platform/schema"
)

// What must always hold for the things of the house, each with a test that names it, and in each test a seeded fault that it finds.
// How a case changes and what is written down of it is told in ways_test.go and history_test.go.

// attempt carries out a statement and takes it back. It gives the SQLSTATE of the refusal, empty where there was none.
func attempt(t testing.TB, conn *pgx.Conn, statement string, args ...any) string {
	t.Helper()
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }()
	_, err = tx.Exec(t.Context(), statement, args...)
	var refused *pgconn.PgError
	switch {
	case errors.As(err, &refused):
		return refused.Code
	case err != nil:
		t.Fatalf("%s: %v", statement, err)
	}
	return ""
}

// The refusals of PostgreSQL that hold invariants.
const (
	notGranted = "42501"
	hangsOn    = "23503" // a foreign key
	twice      = "23505" // a unique key
	overlaps   = "23P01" // an exclusion
)

// texts lists what the database says of a question with one text in each row.
func texts(s *scene, question string, args ...any) []string {
	s.Helper()
	rows, err := s.database.Query(s.Context(), question, args...)
	if err != nil {
		s.Fatal(err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		s.Fatal(err)
	}
	return out
}

// having lists the tables that have all of these columns.
func having(s *scene, columns ...string) []string {
	return texts(s, `select table_name from information_schema.columns where table_schema = 'public' and column_name = any($1)
		and not (select relispartition from pg_class where oid = table_name::regclass) group by table_name having count(*) = $2 order by table_name`, columns, len(columns))
}

// holds runs a check that must find nothing, seeds a fault, and runs it again: then it must find something.
func (s *scene) holds(check func() error, fault string, args ...any) {
	s.Helper()
	if err := check(); err != nil {
		s.Error(err)
	}
	s.exec(fault, args...)
	if check() == nil {
		s.Errorf("the check does not notice %q", fault)
	}
}

func TestARowNeverChangesItsTenant(t *testing.T) {
	t.Parallel()
	s := play(t)
	c := s.in(casework.New)
	serving, database := s.Serving(), s.Database()
	s.holds(func() (wrong error) {
		for _, table := range having(s, "tenant_id") {
			if code := attempt(t, serving, "update "+table+" set tenant_id = tenant_id"); code != notGranted {
				wrong = errors.Join(wrong, fmt.Errorf("serving may move rows of %s: %q", table, code))
			}
		}
		for _, table := range having(s, "tenant_id", "place") {
			if code := attempt(t, serving, "update "+table+" set place = place"); code != notGranted {
				wrong = errors.Join(wrong, fmt.Errorf("serving may move rows of %s: %q", table, code))
			}
		}
		return wrong
	}, "grant update (tenant_id) on comments to ozg_serving")
	// Not even somebody who stands above all grants moves a case and leaves behind what hangs on it.
	if code := attempt(t, database, "update cases set (tenant_id, place) = (select id, place from tenants where slug = 'luebeck') where id = $1", key(c.ID)); code != hangsOn {
		t.Errorf("a case was moved: %q", code)
	}
	if code := attempt(t, database, "update cases set tenant_id = (select id from tenants where slug = 'luebeck') where id = $1", key(c.ID)); code != hangsOn {
		t.Errorf("a case stands at another place than its tenant: %q", code)
	}
}

// full is a case of Kiel that has at least one of everything that can hang on a case.
func (s *scene) full() *housetest.Case {
	s.Helper()
	up := s.applicant.Upload("Meldebescheinigung.txt", []byte("Meldebescheinigung"))
	in := housetest.Application(parking, kiel, "full")
	in["uploadIds"] = []string{up}
	a := s.applicant.Say("submitApplication", in).Works()
	c := &housetest.Case{ID: a.Text("submitApplication.case.id"), Revision: 1}
	m := s.message(c, "POSSIBLE")
	c.Revision = s.reply(m).Works().Number("replyToMessage.case.revision")
	for _, verb := range []string{"commentOnCase", "addFollowUp", "assignCase", "acceptCase", "startCase"} {
		s.caseworker.Must(verb, c, input[verb])
	}
	s.caseworker.Must("decideCase", c, with("decideCase", map[string]any{"documentUploadId": s.caseworker.Upload("Bescheid.txt", []byte("Bescheid"))}))
	s.exec(fmt.Sprintf(`do $$ begin
		perform ozg_enter(0, 999999999999999, '');
		insert into access_entries (id, tenant_id, place, case_id, at, reader, fields)
			select gen_random_uuid(), tenant_id, place, id, now(), 'user:dev:kiel-caseworker', '[]' from cases where id = '%[1]s';
		insert into extension_records (id, tenant_id, place, case_id, target, target_id, owner, document, updated_at)
			select gen_random_uuid(), tenant_id, place, id, 'CASE', id, place, '{}', now() from cases where id = '%[1]s';
		insert into extension_entries (id, tenant_id, place, case_id, target_id, field, text)
			select gen_random_uuid(), tenant_id, place, id, id, place * 8192 + 1, 'x' from cases where id = '%[1]s';
		end $$`, key(c.ID)))
	return c
}

func TestNothingCanBeHungOnACaseOfAnotherTenant(t *testing.T) {
	t.Parallel()
	s := play(t)
	c := s.full()
	conn := s.Database()
	hanging := having(s, "tenant_id", "case_id")
	if len(hanging) < 11 {
		t.Fatalf("only %v hang on cases", hanging)
	}
	s.holds(func() (wrong error) {
		for _, table := range hanging {
			if n := one[int](s, "select count(*) from "+table+" where case_id = $1", key(c.ID)); n == 0 {
				wrong = errors.Join(wrong, fmt.Errorf("no row of %s hangs on the case, so nothing was tried", table))
			}
			columns := strings.Join(texts(s, `select column_name from information_schema.columns where table_schema = 'public' and table_name = $1
				and column_name not in ('id', 'tenant_id', 'place', 'sequence', 'field') and is_generated = 'NEVER' and is_identity = 'NO' order by column_name`, table), ", ")
			numbered, number := "", ""
			for _, column := range []string{"sequence", "field"} { // of which there is one each
				if slices.Contains(having(s, column), table) {
					numbered, number = ", "+column, ", "+column+" + 1000"
				}
			}
			code := attempt(t, conn, fmt.Sprintf(`insert into %s (id, tenant_id, place%s, %s)
				select gen_random_uuid(), t.id, t.place%s, %s from %s x, tenants t where t.slug = 'luebeck' and x.case_id = $1 limit 1`,
				table, numbered, columns, number, prefixed("x.", columns), table), key(c.ID))
			if code != hangsOn {
				wrong = errors.Join(wrong, fmt.Errorf("a row of Lübeck in %s hangs on a case of Kiel: %q", table, code))
			}
		}
		return wrong
	}, "alter table comments drop constraint comments_tenant_id_case_id_fkey")
}

func prefixed(prefix, columns string) string {
	return prefix + strings.ReplaceAll(columns, ", ", ", "+prefix)
}

func TestWhatATenantOwnsRefersToNothingOfAnother(t *testing.T) {
	t.Parallel()
	s := play(t)
	s.holds(func() (wrong error) {
		for _, found := range texts(s, `
			select format('%s refers to %s without the tenant', conrelid::regclass, confrelid::regclass) from pg_constraint k
			where contype = 'f' and confrelid <> 'tenants'::regclass
			and exists (select from pg_attribute where attrelid = confrelid and attname = 'tenant_id')
			and not exists (select from pg_attribute where attrelid = conrelid and attname = 'tenant_id' and attnum = any(conkey))`) {
			// The connector of a Land delivers to the authorities of the Land.
			if found != "submissions refers to connectors without the tenant" {
				wrong = errors.Join(wrong, errors.New(found))
			}
		}
		return wrong
	}, "alter table cases add foreign key (unit_id) references organisational_units (id)")
}

func TestResponsibilityIsAFunction(t *testing.T) {
	t.Parallel()
	s := play(t)
	conn := s.Database()
	second := `insert into service_offerings (id, tenant_id, place, service_id, territory, valid_from, valid_to)
		select gen_random_uuid(), t.id, t.place, o.service_id, o.territory, $1, $2 from service_offerings o, tenants t
		where t.slug = 'luebeck' and o.tenant_id = (select id from tenants where slug = 'kiel') limit 1`
	day := func(year int) time.Time { return time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC) }
	s.holds(func() error {
		if code := attempt(t, conn, second, day(2030), day(2031)); code != overlaps {
			return fmt.Errorf("two authorities are responsible for one service in one territory: %q", code)
		}
		return nil
	}, "alter table service_offerings drop constraint one_responsible")
	if code := attempt(t, conn, second, day(1990), day(1991)); code != "" {
		t.Errorf("nobody else may have been responsible before: %q", code)
	}
}

func TestAUnitIsNotDeletedWhileCasesExist(t *testing.T) {
	t.Parallel()
	s := play(t)
	s.exec(`insert into organisational_units (id, tenant_id, place, external_id, name) select gen_random_uuid(), id, place, '99', 'Sonderaufgaben' from tenants where slug = 'kiel'`)
	unit := one[string](s, "select id::text from organisational_units where external_id = '99'")
	conn, serving := s.Database(), s.Serving()
	remove := func() string { return attempt(t, conn, "delete from organisational_units where id = $1", unit) }
	if code := remove(); code != "" {
		t.Errorf("a unit without cases stays: %q", code)
	}
	s.mailroom.Must("assignCase", s.in(casework.New), map[string]any{"unitId": schemaID("OrganisationalUnit", unit)})
	s.holds(func() error {
		if code := remove(); code != hangsOn {
			return fmt.Errorf("a unit with a case is deleted: %q", code)
		}
		return nil
	}, "alter table cases drop constraint cases_tenant_id_unit_id_fkey")
	if code := attempt(t, serving, "delete from organisational_units"); code != notGranted {
		t.Errorf("serving may delete units: %q", code)
	}
}

// frozen says what serving may change of a table beyond the columns that are meant to change.
func frozen(s *scene, table string, meant ...string) func() error {
	serving := s.Serving()
	return func() (wrong error) {
		var changes []string
		for _, column := range texts(s, "select column_name from information_schema.columns where table_schema = 'public' and table_name = $1 order by column_name", table) {
			switch code := attempt(s.TB, serving, fmt.Sprintf("update %s set %s = default", table, column)); code {
			case "":
				changes = append(changes, column)
			case notGranted:
			default:
				wrong = errors.Join(wrong, fmt.Errorf("changing %s of %s: %q", column, table, code))
			}
		}
		if !slices.Equal(changes, meant) {
			wrong = errors.Join(wrong, fmt.Errorf("serving may change %v of %s, not %v", changes, table, meant))
		}
		for _, statement := range []string{"delete from ", "truncate "} {
			if code := attempt(s.TB, serving, statement+table); code != notGranted {
				wrong = errors.Join(wrong, fmt.Errorf("serving may %s%s: %q", statement, table, code))
			}
		}
		return wrong
	}
}

func TestASubmissionIsImmutable(t *testing.T) {
	t.Parallel()
	s := play(t)
	s.holds(frozen(s, "submissions"), "grant update (form_data) on submissions to ozg_serving")
	s.holds(frozen(s, "applicants"), "grant update (name) on applicants to ozg_serving")
}

// queue carries out the same many times at once. Those who come to change a table wait before it until at least two stand there.
func queue(s *scene, table string, n int, do func(int)) {
	s.Helper()
	gate, watch := s.Database(), s.Database()
	tx, err := gate.Begin(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	if _, err := tx.Exec(s.Context(), "lock table "+table+" in share row exclusive mode"); err != nil {
		s.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { do(i) })
	}
	for waiting := 0; waiting < 2; {
		err := watch.QueryRow(s.Context(), "select count(*) from pg_locks where not granted and database = (select oid from pg_database where datname = current_database())").Scan(&waiting)
		if err != nil {
			s.Fatal(err)
		}
	}
	if err := tx.Rollback(s.Context()); err != nil {
		s.Fatal(err)
	}
	all.Wait()
}

func TestOneTransactionIdMakesOneCase(t *testing.T) {
	t.Parallel()
	s := play(t)
	transaction := 0
	check := func() error {
		transaction++
		in := housetest.Application(parking, kiel, fmt.Sprintf("delivered-%d", transaction))
		heard := make([]string, 25)
		queue(s, "cases", len(heard), func(i int) {
			heard[i] = s.applicant.Say("submitApplication", in).Text("submitApplication.case.id") // empty where it was refused
		})
		n := one[int](s, "select count(*) from submissions where transaction_id = $1", in["transactionId"])
		if told := slices.Compact(slices.Sorted(slices.Values(heard))); n != 1 || len(told) != 1 || told[0] == "" {
			return fmt.Errorf("25 deliveries of one transaction made %d cases and told %v", n, told)
		}
		in["applicant"] = map[string]any{"name": "Erik Beispiel"}
		s.applicant.Say("submitApplication", in).Wants("transactionReused")
		if again := s.As("another-applicant").Say("submitApplication", in).Works().Text("submitApplication.case.id"); again == "" || again == heard[0] {
			return fmt.Errorf("somebody else's transaction with the same id is case %q", again)
		}
		return nil
	}
	s.holds(check, `alter table idempotency_keys drop constraint idempotency_keys_subject_key_key;
		alter table submissions drop constraint submissions_tenant_id_source_transaction_id_key`)
}

func TestNumbersAreUniqueInTheirTenant(t *testing.T) {
	t.Parallel()
	s := play(t)
	c := s.in(casework.New)
	conn := s.Database()
	again := func(tenant string) string {
		return attempt(t, conn, `insert into cases (id, tenant_id, place, number, service_id, state, channel, via_point_of_contact, trust_level, received_at, updated_at, revision, history_head)
			select gen_random_uuid(), t.id, t.place, c.number, c.service_id, c.state, c.channel, c.via_point_of_contact, c.trust_level, c.received_at, c.updated_at, c.revision, c.history_head
			from cases c, tenants t where c.id = $1 and t.slug = $2`, key(c.ID), tenant)
	}
	if code := again("luebeck"); code != "" {
		t.Errorf("Lübeck cannot have a number of Kiel: %q", code)
	}
	s.holds(func() error {
		if code := again("kiel"); code != twice {
			return fmt.Errorf("Kiel has two cases of one number: %q", code)
		}
		return nil
	}, "alter table cases drop constraint cases_tenant_id_number_key")
}

func TestAClosedCaseIsReadOnly(t *testing.T) {
	t.Parallel()
	s := play(t)
	c, message, followUp := s.prepared(casework.Closed)
	check := func() error {
		var changed []string
		for _, verb := range slices.Sorted(maps.Keys(rights)) {
			in := maps.Clone(input[verb])
			if verb == "completeFollowUp" {
				in = map[string]any{"followUpId": followUp}
			}
			if verb != "reopenCase" && s.caseworker.Do(verb, c, in).Works().Rule() == "" {
				changed = append(changed, verb)
			}
		}
		if s.reply(message).Works().Rule() == "" {
			changed = append(changed, "replyToMessage")
		}
		if len(changed) > 0 {
			return fmt.Errorf("a closed case is changed by %v", changed)
		}
		return nil
	}
	before := s.Stored()
	if err := check(); err != nil {
		t.Error(err)
	}
	same(t, before, s.Stored())
	s.holds(check, "update cases set state = 'DECIDED' where id = $1", key(c.ID))
}

func TestAMessageOnceSentNeverChanges(t *testing.T) {
	t.Parallel()
	s := play(t)
	s.holds(frozen(s, "messages", "delivery_state", "opened_at", "provided_at"), "grant update (body) on messages to ozg_serving")
	c := s.in(casework.New)
	m := s.message(c, "POSSIBLE")
	said := "select md5((to_jsonb(m) - 'opened_at')::text) from messages m where id = $1"
	before := one[string](s, said, key(m))
	s.open(m).Works()
	s.reply(m).Works()
	if one[string](s, said, key(m)) != before {
		t.Error("opening and answering have changed more than when it was opened")
	}
}

func TestAnAnswerNeedsAMessageThatAllowsOne(t *testing.T) {
	t.Parallel()
	s := play(t)
	c := s.in(casework.InProgress)
	allows := map[string]string{}
	for _, policy := range []string{"POSSIBLE", "MANDATORY", "FORBIDDEN"} {
		allows[policy] = s.message(c, policy)
	}
	answer := s.reply(allows["POSSIBLE"]).Works().Text("replyToMessage.message.id")
	c.Revision++
	s.caseworker.Must("decideCase", c, input["decideCase"])
	decision := s.look(s.applicant, c, "messages(last: 1) { nodes { id } }").Text("case.messages.nodes.0.id")
	s.reply(allows["MANDATORY"]).Wants("")
	s.holds(func() (wrong error) {
		for name, m := range map[string]string{"a message that forbids it": allows["FORBIDDEN"], "one's own": answer, "a decision": decision} {
			if rule := s.reply(m).Works().Rule(); rule != "replyForbidden" {
				wrong = errors.Join(wrong, fmt.Errorf("answering %s: %q", name, rule))
			}
		}
		return wrong
	}, "update messages set reply_policy = 'POSSIBLE' where id = $1", key(allows["FORBIDDEN"]))
}

func TestABasicSignInReadsBasicMessagesOnly(t *testing.T) {
	t.Parallel()
	s := play(t)
	c := s.full() // submitted with a substantial sign-in, so that what is said about it is as secret
	basic := s.With("kiel-applicant", authz.Basic)
	m := s.look(s.applicant, c, "messages(first: 1) { nodes { id } }").Text("case.messages.nodes.0.id")
	s.holds(func() error {
		a := s.look(basic, c, `messages(first: 10) { totalCount nodes { id subject } } decisions(first: 5) { totalCount nodes { id announcement { announcedOn } } }
			attachments(first: 10) { totalCount nodes { name } }`)
		var wrong error
		for list, want := range map[string]int{"messages": 0, "decisions": 0, "attachments": 1} { // one came with the submission
			if n := a.Number("case." + list + ".totalCount"); n != want {
				wrong = errors.Join(wrong, fmt.Errorf("a basic sign-in sees %d %s", n, list))
			}
		}
		if node := basic.Ask(`query($id: ID!) { node(id: $id) { id } }`, map[string]any{"id": m}).Works(); node.At("node") != nil {
			wrong = errors.Join(wrong, errors.New("a basic sign-in finds a message by its id"))
		}
		for _, answer := range []housetest.Answer{
			basic.Say("openMessage", map[string]any{"messageId": m}), basic.Say("replyToMessage", map[string]any{"messageId": m, "subject": "a", "body": "b"}),
		} {
			if answer.Rule() != "notFound" {
				wrong = errors.Join(wrong, fmt.Errorf("a basic sign-in opens or answers: %s", answer.Raw))
			}
		}
		return wrong
	}, "update messages set trust_level = 'BASIC'")
}

func TestAnAttachmentNeverChanges(t *testing.T) {
	t.Parallel()
	s := play(t)
	s.holds(frozen(s, "attachments", "scan_state"), "grant delete on attachments to ozg_serving")
}

func TestAttachmentsAreNeverInlined(t *testing.T) {
	t.Parallel()
	s := play(t)
	content := []byte("dies ist der Inhalt einer Anlage")
	in := housetest.Application(parking, kiel, "inlined")
	in["uploadIds"] = []string{s.applicant.Upload("a.txt", content)}
	c := &housetest.Case{ID: s.applicant.Say("submitApplication", in).Works().Text("submitApplication.case.id")}
	contract, err := schema.Load()
	if err != nil {
		t.Fatal(err)
	}
	var fields []string
	for _, f := range contract.Types["Attachment"].Fields {
		fields = append(fields, f.Name)
	}
	a := s.look(s.caseworker, c, "attachments(first: 5) { nodes { "+strings.Join(fields, " ")+" } }")
	inlined := func(answer []byte) bool {
		return bytes.Contains(answer, content) || bytes.Contains(answer, []byte(base64.StdEncoding.EncodeToString(content)))
	}
	if inlined(a.Raw) {
		t.Errorf("the content is in the list: %s", a.Raw)
	}
	if got := s.Anonymous().Send(s.Request("GET", a.Text("case.attachments.nodes.0.url"))); !inlined(got.Raw) {
		t.Errorf("the content is not where it belongs: status %d", got.Status)
	}
}

func TestADecisionIsFinalAndOnlyEverReplaced(t *testing.T) {
	t.Parallel()
	s := play(t)
	c := s.in(casework.Decided)
	first := one[string](s, "select id::text from decisions where case_id = $1", key(c.ID))
	before := one[string](s, "select to_jsonb(d)::text from decisions d where id = $1", first)
	second := s.caseworker.Must("decideCase", c, map[string]any{"outcome": "REJECTED", "reason": "Nach erneuter Prüfung."}).Text("decideCase.decision.id")
	s.caseworker.Must("reopenCase", c, input["reopenCase"])
	third := s.caseworker.Must("decideCase", c, input["decideCase"]).Text("decideCase.decision.id")
	if after := one[string](s, "select to_jsonb(d)::text from decisions d where id = $1", first); after != before {
		t.Errorf("the first decision was %s, and is %s", before, after)
	}
	is(t, s.look(s.applicant, c, "decisions(first: 5) { nodes { id replaces { id } } }"), map[string]any{
		"case.decisions.nodes.0.replaces": nil, "case.decisions.nodes.1.id": second, "case.decisions.nodes.1.replaces.id": schemaID("Decision", first),
		"case.decisions.nodes.2.id": third, "case.decisions.nodes.2.replaces.id": second,
	})
	conn := s.Database()
	s.holds(func() error {
		code := attempt(t, conn, `insert into decisions (id, tenant_id, place, case_id, outcome, message_id, replaces_id, author, sent_at)
			select gen_random_uuid(), tenant_id, place, case_id, outcome, message_id, $1, author, sent_at from decisions where id = $1`, first)
		if code != twice {
			return fmt.Errorf("one decision is replaced twice: %q", code)
		}
		return nil
	}, "alter table decisions drop constraint decisions_tenant_id_replaces_id_key")
	s.holds(frozen(s, "decisions"), "grant update (outcome) on decisions to ozg_serving")
}

// announced is a row of announcements with the Land that its law is of.
type announced struct {
	ID                                       uuid.UUID
	Land                                     int
	Channel                                  string
	SentAt                                   time.Time
	ProvidedAt, NotifiedAt, FirstRetrievedAt *time.Time
	Rule                                     string
	AnnouncedOn                              *time.Time
	Explanation                              []struct{ De, En string }
}

func TestTheSameFactsGiveTheSameDate(t *testing.T) {
	t.Parallel()
	s := play(t)
	for _, channel := range []string{"PORTAL", "POST", "ELECTRONIC"} {
		for _, opens := range []bool{false, true} {
			c := s.in(casework.InProgress)
			s.caseworker.Must("decideCase", c, with("decideCase", map[string]any{"channel": channel}))
			if opens {
				s.Clock.Forward(30 * time.Hour)
				s.open(s.look(s.applicant, c, "messages(last: 1) { nodes { id } }").Text("case.messages.nodes.0.id")).Wants("")
			}
		}
	}
	s.holds(func() (wrong error) {
		conn := s.Database()
		rows, err := conn.Query(t.Context(), `select a.id, c.land, a.channel, a.sent_at, a.provided_at, a.notified_at, a.first_retrieved_at, a.rule, a.announced_on, a.explanation
			from announcements a join cases c on c.id = a.case_id`)
		if err != nil {
			t.Fatal(err)
		}
		found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[announced])
		if err != nil || len(found) != 6 {
			t.Fatalf("%d announcements: %v", len(found), err)
		}
		for _, a := range found {
			again := law.Announce(fmt.Sprintf("%02d", a.Land), law.Facts{
				Channel: law.Channel(a.Channel), SentAt: a.SentAt, ProvidedAt: a.ProvidedAt, NotifiedAt: a.NotifiedAt, FirstRetrievedAt: a.FirstRetrievedAt,
			})
			sameDay := again.On == a.AnnouncedOn || again.On != nil && a.AnnouncedOn != nil && again.On.Equal(*a.AnnouncedOn) // or none
			if again.Rule != a.Rule || !sameDay {
				wrong = errors.Join(wrong, fmt.Errorf("by %s: %s on %v, and again %s on %v", a.Channel, a.Rule, a.AnnouncedOn, again.Rule, again.On))
			}
			if len(a.Explanation) == 0 || len(a.Explanation) != len(again.Steps) || a.Explanation[len(a.Explanation)-1].De != again.Steps[len(again.Steps)-1].De {
				wrong = errors.Join(wrong, fmt.Errorf("by %s: explained with %v, and again with %v", a.Channel, a.Explanation, again.Steps))
			}
		}
		return wrong
	}, "update announcements set announced_on = announced_on + 1 where channel = 'POST'")
}

func TestOverdueIsDerived(t *testing.T) {
	t.Parallel()
	s := play(t)
	c := s.in(casework.InProgress)
	s.caseworker.Must("addFollowUp", c, input["addFollowUp"])
	check := func(want bool) error {
		a := s.look(s.caseworker, c, "overdue followUps(first: 5) { nodes { overdue } }")
		if a.At("case.overdue") != want || a.At("case.followUps.nodes.0.overdue") != want {
			return fmt.Errorf("overdue is not %t: %s", want, a.Raw)
		}
		return nil
	}
	if err := check(false); err != nil {
		t.Error(err)
	}
	s.exec("update cases set due_at = now() - interval '1 second'")
	s.exec("update follow_ups set due_on = (now() at time zone 'Europe/Berlin')::date - 1")
	if err := check(true); err != nil {
		t.Error(err)
	}
	s.exec("update follow_ups set done_at = now()")
	s.caseworker.Must("decideCase", c, input["decideCase"])
	if err := check(false); err != nil {
		t.Error(err)
	}
	s.holds(func() error {
		if stored := having(s, "overdue"); len(stored) > 0 {
			return fmt.Errorf("%v store whether something is overdue", stored)
		}
		return nil
	}, "alter table cases add column overdue boolean")
}

func TestCommentsNeverReachTheApplicant(t *testing.T) {
	t.Parallel()
	s := play(t)
	c := s.in(casework.New)
	note := "Antragsteller wirkt unglaubwürdig."
	id := s.caseworker.Must("commentOnCase", c, map[string]any{"body": note}).Text("commentOnCase.comment.id")
	s.caseworker.Must("addFollowUp", c, map[string]any{"dueOn": "9000-01-01", "note": note})
	s.caseworker.Must("assignCase", c, input["assignCase"])
	internal := []string{
		"comments(first: 5) { totalCount nodes { id body } }", "followUps(first: 5) { totalCount nodes { note } }", "assignments(first: 5) { totalCount nodes { assignee } }",
		"currentAssignment { assignee }",
	}
	for _, asked := range internal { // an applicant's contract has none of it
		if a := s.applicant.Ask("query($id: ID!) { case(id: $id) { "+asked+" } }", map[string]any{"id": c.ID}); !a.Unknown() {
			t.Errorf("the applicant reads %s", a.Raw)
		}
	}
	if a := s.look(s.applicant, c, "id messages(first: 5) { nodes { subject body } }"); bytes.Contains(a.Raw, []byte(note)) {
		t.Errorf("the applicant reads %s", a.Raw)
	}
	if a := s.look(s.caseworker, c, "id "+strings.Join(internal, " ")); !bytes.Contains(a.Raw, []byte(note)) {
		t.Errorf("the caseworker reads %s", a.Raw)
	}
	if n := s.applicant.Ask(`query($id: ID!) { node(id: $id) { id } }`, map[string]any{"id": id}).Works(); n.At("node") != nil {
		t.Errorf("the applicant finds a comment by its id: %s", n.Raw)
	}
	// Behind the second wall there is nothing either, whatever the first one says.
	serving := s.Serving()
	s.holds(func() (wrong error) {
		for _, table := range []string{"comments", "follow_ups", "assignments"} {
			tx, err := serving.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			n := -1
			if _, err = tx.Exec(t.Context(), "select ozg_enter(0, 999999999999999, 'user:dev:kiel-applicant')"); err == nil {
				err = tx.QueryRow(t.Context(), "select count(*) from "+table).Scan(&n)
			}
			if _ = tx.Rollback(t.Context()); err != nil || n != 0 {
				wrong = errors.Join(wrong, fmt.Errorf("the applicant reads %d of %s: %w", n, table, err))
			}
		}
		return wrong
	}, "alter table comments disable row level security")
}

func TestAtMostOneCurrentAssignee(t *testing.T) {
	t.Parallel()
	s := play(t)
	s.Give("vertretung", "CASEWORKER", "kiel", "")
	c := s.in(casework.New)
	s.caseworker.Must("assignCase", c, input["assignCase"])
	s.caseworker.Must("assignCase", c, map[string]any{"assignee": "user:dev:vertretung"})
	is(t, s.look(s.caseworker, c, "currentAssignment { assignee } assignments(first: 5) { nodes { assignee endedAt } }"), map[string]any{
		"case.currentAssignment.assignee": "user:dev:vertretung", "case.assignments.nodes.0.assignee": "user:dev:kiel-caseworker",
		"case.assignments.nodes.1.endedAt": nil,
	})
	conn := s.Database()
	s.holds(func() error {
		code := attempt(t, conn, `insert into assignments (id, tenant_id, place, case_id, assignee, assigned_by, assigned_at)
			select gen_random_uuid(), tenant_id, place, case_id, 'user:dev:kiel-caseworker', assigned_by, assigned_at from assignments where ended_at is null`)
		if code != twice {
			return fmt.Errorf("two work on a case: %q", code)
		}
		return nil
	}, "drop index assignments_one_current")
	s.caseworker.Must("assignCase", c, nil)
	is(t, s.look(s.caseworker, c, "currentAssignment { assignee } assignments(first: 5) { totalCount }"), map[string]any{
		"case.currentAssignment": nil, "case.assignments.totalCount": 2,
	})
}

func TestHistoryIsAppendOnly(t *testing.T) {
	t.Parallel()
	s := play(t)
	s.holds(frozen(s, "history_events"), "grant update (reason) on history_events to ozg_serving")
	s.holds(frozen(s, "events"), "grant delete on events to ozg_serving")
	s.holds(frozen(s, "comments"), "grant update (body) on comments to ozg_serving")
}
