// SPDX-License-Identifier: EUPL-1.2

package rule_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent/migrations"
	"github.com/ozg-cloud/platform/internal/cluster"
)

// town is a database with the tables of the house and random rows, seen by its superuser: the second wall does not stand here,
// so that the first is seen alone.
type town struct {
	url  string
	rows map[string][]row // by entity
}

var here town

func TestMain(m *testing.M) {
	ctx := context.Background()
	c, err := cluster.Start(ctx, cluster.Options{})
	if err == nil {
		here.url = c.URL(cluster.Superuser, "postgres")
		err = here.settle(ctx, rand.New(rand.NewPCG(1, 2)))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	status := m.Run()
	if err := c.Stop(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(status)
}

// row is what of a row decides who sees it.
type row struct {
	id     uuid.UUID
	target authz.Target
	trust  authz.TrustLevel // of the message that it is, or that carries it; empty: none
}

func place(key string, n int) authz.Place {
	p, err := authz.PlaceOf(key, n)
	if err != nil {
		panic(err)
	}
	return p
}

func tenant(n int, kind authz.TenantKind, at authz.Place) authz.TenantRef {
	return authz.TenantRef{ID: id(1, n), Slug: fmt.Sprintf("t%d", n), Kind: kind, Place: at}
}

func id(kind, n int) uuid.UUID { return uuid.UUID{0: byte(kind), 14: byte(n >> 8), 15: byte(n)} }

// Two Länder with districts and authorities on every level, some of them next to the border of an interval.
var (
	tenants = []authz.TenantRef{
		tenant(0, authz.Federation, 0), tenant(1, authz.Authority, place("000000000000", 1)),
		tenant(2, authz.Land, place("010000000000", 0)), tenant(3, authz.Authority, place("010000000000", 1)),
		tenant(4, authz.District, place("010550000000", 0)), tenant(5, authz.Authority, place("010550012012", 1)), tenant(6, authz.Authority, place("010559999999", 999)),
		tenant(7, authz.District, place("010560000000", 0)), tenant(8, authz.Authority, place("010560000000", 1)), tenant(9, authz.Authority, place("010020000000", 1)),
		tenant(10, authz.Authority, place("019999999999", 999)), tenant(11, authz.Land, place("020000000000", 0)), tenant(12, authz.Authority, place("020000000000", 1)),
	}
	units    = []uuid.UUID{id(2, 1), id(2, 2), id(2, 3)}
	services = []uuid.UUID{id(3, 1), id(3, 2), id(3, 3)}
	owners   = []string{"user:dev:anna", "user:dev:bert"}
	levels   = []authz.TrustLevel{authz.Basic, authz.Substantial, authz.High}
)

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// settle makes tables and rows. Foreign keys are left out: which rows hang together is this function's business.
func (w *town) settle(ctx context.Context, r *rand.Rand) error {
	if err := migrations.Apply(ctx, w.url); err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, w.url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	w.rows = map[string][]row{}
	batch := &pgx.Batch{}
	batch.Queue("set session_replication_role = replica")
	number := 0
	next := func() uuid.UUID { number++; return id(9, number) }
	put := func(entity string, known row, statement string, args ...any) uuid.UUID {
		known.id = next()
		batch.Queue(statement, append([]any{known.id}, args...)...)
		w.rows[entity] = append(w.rows[entity], known)
		return known.id
	}
	const hash = "0000000000000000000000000000000000000000000000000000000000000000"
	for i, at := range tenants {
		p := int64(at.Place)
		batch.Queue("insert into tenants (id, place, place_end, slug, name, kind, created_at) values ($1, $2, $3, $4, $4, $5, now())", at.ID, p, int64(authz.Cover(at.Kind, at.Place).Hi), at.Slug, string(at.Kind))
		w.rows["Tenant"] = append(w.rows["Tenant"], row{id: at.ID})
		there := row{target: authz.Target{Place: at.Place}}
		for n := range 2 {
			put("Connector", there, "insert into connectors (id, tenant_id, place, kind, direction, name, subject, active) values ($1, $2, $3, 'FORM', 'INBOUND', 'x', $4, true)", at.ID, p, fmt.Sprintf("c%d-%d", i, n))
		}
		put("RoleAssignment", there, "insert into role_assignments (id, tenant_id, place, subject, role, assigned_by, assigned_at) values ($1, $2, $3, 'x', 'x', 'x', now())", at.ID, p)
	}
	for n := range 500 {
		at, level := pick(r, tenants), pick(r, levels)
		p := int64(at.Place)
		t := authz.Target{Place: at.Place, Service: pick(r, services), ViaPointOfContact: r.IntN(2) == 0}
		var unit, owner any // null
		if r.IntN(4) > 0 {
			t.Unit = pick(r, units)
			unit = t.Unit
		}
		if r.IntN(4) > 0 {
			t.Owner = pick(r, owners)
			owner = t.Owner
		}
		file := put("CaseFile", row{target: t}, `insert into cases (id, tenant_id, place, number, service_id, unit_id, state, channel, via_point_of_contact, trust_level, owner, received_at, updated_at, revision, history_head)
			values ($1, $2, $3, $4, $5, $6, 'NEW', 'PORTAL', $7, $8, $9, now(), now(), 1, $10)`, at.ID, p, fmt.Sprint(n), t.Service, unit, t.ViaPointOfContact, string(level), owner, hash)
		put("Comment", row{target: t}, "insert into comments (id, tenant_id, place, case_id, body, author, created_at) values ($1, $2, $3, $4, 'x', 'x', now())", at.ID, p, file)
		put("Applicant", row{target: t}, "insert into applicants (id, tenant_id, place, case_id, kind, name, trust_level) values ($1, $2, $3, $4, 'NATURAL_PERSON', 'x', 'HIGH')", at.ID, p, file)
		message := put("Message", row{target: t, trust: level}, `insert into messages (id, tenant_id, place, case_id, direction, subject, body, reply_policy, trust_level, author, sent_at, delivery_state)
			values ($1, $2, $3, $4, 'TO_APPLICANT', 'x', 'x', 'POSSIBLE', $5, 'x', now(), 'PENDING')`, at.ID, p, file, string(level))
		const attach = `insert into attachments (id, tenant_id, place, case_id, purpose, message_id, name, media_type, size, sha256, scan_state, created_at)
			values ($1, $2, $3, $4, 'ENCLOSURE', $5, 'x', 'x', 1, $6, 'CLEAN', now())`
		put("Attachment", row{target: t, trust: level}, attach, at.ID, p, file, message, hash)
		put("Attachment", row{target: t}, attach, at.ID, p, file, nil, hash)
		decision := put("Decision", row{target: t, trust: level}, "insert into decisions (id, tenant_id, place, case_id, outcome, message_id, author, sent_at) values ($1, $2, $3, $4, 'GRANTED', $5, 'x', now())", at.ID, p, file, message)
		put("Announcement", row{target: t, trust: level}, "insert into announcements (id, tenant_id, place, case_id, decision_id, channel, sent_at, rule, explanation) values ($1, $2, $3, $4, $5, 'PORTAL', now(), 'x', '{}')", at.ID, p, file, decision)
	}
	if err := conn.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("settling the town: %w", err)
	}
	_, err = conn.Exec(ctx, "analyze")
	return err
}

// The policies of these tests are random too: any reach may come with any object.
var (
	roles   = []string{"clerk", "judge", "guest"}
	objects = []string{"case", "message", "decision", "attachment", "comment", "applicant", "connector", "roleAssignment", "tenant"}
	reaches = []string{"tenant", "subtree", "units", "services", "contact", "submissions"}
)

// some draws a list that may be nil.
func some(t *rapid.T, name string, from []uuid.UUID) []uuid.UUID {
	if rapid.Bool().Draw(t, name+" nil") {
		return nil
	}
	return rapid.SliceOfNDistinct(rapid.SampledFrom(from), 0, len(from), func(u uuid.UUID) string { return u.String() }).Draw(t, name)
}

var principals = rapid.Custom(func(t *rapid.T) *authz.Principal {
	var lines []string
	for _, object := range objects {
		for range rapid.IntRange(0, 2).Draw(t, "lines for "+object) {
			lines = append(lines, fmt.Sprintf("p, role:%s, %s, read, %s", rapid.SampledFrom(roles).Draw(t, "role"), object, rapid.SampledFrom(reaches).Draw(t, "reach")))
		}
	}
	slices.Sort(lines)
	policy, err := authz.PolicyOf(strings.Join(append(slices.Compact(lines), "p, role:clerk, anything, read, tenant"), "\n"))
	if err != nil {
		t.Fatal(err)
	}
	given := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) authz.Assignment {
		return authz.Assignment{Role: authz.Role(strings.ToUpper(rapid.SampledFrom(roles).Draw(t, "role"))), Tenant: rapid.SampledFrom(tenants).Draw(t, "at"),
			Units: some(t, "units", units), Services: some(t, "services", services)}
	}), 0, 4).Draw(t, "assignments")
	p := policy.Principal(rapid.SampledFrom(owners).Draw(t, "subject"), rapid.SampledFrom(levels).Draw(t, "trust"), given)
	if rapid.IntRange(0, 9).Draw(t, "clerk") > 0 {
		return p
	}
	at := rapid.SampledFrom(tenants).Draw(t, "clerk at")
	ctx, err := authz.Clerk(authz.With(context.Background(), p), at.Place)
	if err != nil {
		t.Fatal(err)
	}
	if p, err = authz.From(ctx); err != nil {
		t.Fatal(err)
	}
	return p
})
