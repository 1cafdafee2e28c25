// SPDX-License-Identifier: EUPL-1.2

package reading_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/ozg-cloud/platform/internal/housetest"
)

// tenure is the time for which the tests that only read share one house: as long as the process runs.
type tenure struct {
	testing.TB
	folders []string
	ends    []func()
}

func (*tenure) Helper()                   {}
func (*tenure) Context() context.Context  { return context.Background() }
func (t *tenure) Cleanup(end func())      { t.ends = append(t.ends, end) }
func (*tenure) Fatal(args ...any)         { panic(fmt.Sprint(args...)) }
func (*tenure) Fatalf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }
func (*tenure) Error(args ...any)         { fmt.Fprintln(os.Stderr, args...) }

func (t *tenure) TempDir() string {
	folder, err := os.MkdirTemp("", "reading")
	if err != nil {
		t.Fatal(err)
	}
	t.folders = append(t.folders, folder)
	return folder
}

func (t *tenure) over() {
	for _, end := range slices.Backward(t.ends) {
		end()
	}
	for _, f := range t.folders {
		_ = os.RemoveAll(f)
	}
}

var whole tenure

func TestMain(m *testing.M) {
	code := m.Run()
	whole.over()
	os.Exit(housetest.Leave(code))
}

// shared is the house of the tests that only read, and everything that lies in it.
var shared = sync.OnceValue(func() *world { return furnish(&whole, 600) })

// furnish builds a house with demo cases, adds what they lack, and loads all rows past both walls.
//
// It adds ties in every order, enclosures, messages of every trust level, cases without a unit, units that have been retired, and entries in
// the logs of rights and of access.
func furnish(t testing.TB, cases int) *world {
	t.Helper()
	h := housetest.New(t)
	h.Seed(cases, 7)
	db := h.Database()
	for _, statement := range []string{
		`set session_replication_role = replica`,
		`update cases set received_at = date_trunc('week', received_at), updated_at = date_trunc('month', updated_at) where get_byte(uuid_send(id), 15) % 3 = 0`,
		`update cases set due_at = date_trunc('month', due_at) where get_byte(uuid_send(id), 14) % 2 = 0`,
		`update cases set unit_id = null where get_byte(uuid_send(id), 13) % 8 = 0`,
		`update messages set trust_level = (array['BASIC', 'SUBSTANTIAL', 'HIGH'])[1 + get_byte(uuid_send(id), 15) % 3]`,
		`insert into attachments (id, tenant_id, place, case_id, purpose, submission_id, name, media_type, size, sha256, scan_state, created_at)
		 select gen_random_uuid(), tenant_id, place, case_id, 'ENCLOSURE', id, 'Anlage.pdf', 'application/pdf', 5000000000, repeat('a', 64), 'CLEAN', received_at from submissions`,
		`insert into attachments (id, tenant_id, place, case_id, purpose, message_id, name, media_type, size, sha256, scan_state, created_at)
		 select gen_random_uuid(), tenant_id, place, case_id, 'DOCUMENT', id, E'Bescheid "neu"\t\\.pdf', 'application/pdf', 1, repeat('b', 64), 'PENDING', sent_at
		 from messages m, generate_series(1, 2) where direction = 'TO_APPLICANT' or get_byte(uuid_send(m.id), 14) % 2 = 0`,
		`update decisions d set document_id = (select min(id::text)::uuid from attachments a where a.message_id = d.message_id) where get_byte(uuid_send(id), 15) % 2 = 0`,
		`update organisational_units set retired_at = now() where get_byte(uuid_send(id), 15) % 5 = 0`,
		`update service_offerings set valid_to = date '2030-01-01' + get_byte(uuid_send(id), 15) where get_byte(uuid_send(id), 14) % 2 = 0`,
		`insert into audit_entries (id, tenant_id, place, at, actor, action, subject, role, unit_id, service_ids)
		 select gen_random_uuid(), tenant_id, place, assigned_at, assigned_by, 'ROLE_ASSIGNED', subject, role, unit_id, service_ids from role_assignments`,
		`insert into access_entries (id, tenant_id, place, case_id, at, reader, purpose, fields)
		 select gen_random_uuid(), tenant_id, place, id, received_at, 'user:dev:kiel-caseworker', case when get_byte(uuid_send(id), 15) % 2 = 0 then 'case' end, '["Message.body", "Applicant.name"]' from cases`,
		`insert into extension_definitions (id, tenant_id, place, version, state, sdl, hash, numbers, created_at, created_by, activated_at, activated_by, retired_at, retired_by)
		 select gen_random_uuid(), id, place, v, case v when 2 then 'DRAFT' else 'RETIRED' end, 'extend type Case { x: Int }', repeat('c', 64), '{}', created_at + v * interval '1 day', 'user:dev:admin',
		 case v when 1 then created_at end, case v when 1 then 'user:dev:admin' end, case v when 1 then created_at end, case v when 1 then 'user:dev:admin' end
		 from tenants, generate_series(1, 2) v where kind <> 'FEDERATION'`,
		`insert into webhooks (id, tenant_id, place, subject, trust_level, name, url, host, document, state, mark_xid, mark_seq, dead_in_row, created_at)
		 select gen_random_uuid(), t.id, t.place, s, 'HIGH', 'Fachverfahren', 'https://partner.example/', 'partner.example', 'subscription { x }', 'ACTIVE', 0, 0, 0, t.created_at
		 from tenants t, unnest(array['user:dev:somebody-1', 'user:dev:somebody-2', 'user:dev:sh-partner']) s where kind <> 'FEDERATION'`,
		`insert into webhook_deliveries (id, tenant_id, place, subject, trust_level, webhook_id, frame, xid, seq, state, attempts, created_at)
		 select gen_random_uuid(), tenant_id, place, subject, trust_level, id, 'EVENT', 1, v, 'PENDING', 0, created_at from webhooks, generate_series(1, 2) v`,
		`insert into bulk_operations (id, tenant_id, place, subject, trust_level, purpose, document, format, state, object_count, refused_fields, beginnings, created_at)
		 select gen_random_uuid(), tenant_id, place, subject, trust_level, '', 'query { x }', 'JSONL', 'CREATED', 0, 0, 0, created_at from webhooks`,
		`set session_replication_role = origin`,
		`analyze`,
	} {
		if _, err := db.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	return load(h, db)
}
