// SPDX-License-Identifier: EUPL-1.2

// Package housetest is a whole house for tests: real database, real tokens, real sockets, the furniture of the demo, and a clock of its own.
// What a room promises is tested in the room; fakes for what lies outside the house do not belong here.
//
//	h := housetest.New(t)
//	c := h.As("kiel-applicant").Submit("99108001001000", "010020000000")
//	h.As("kiel-mailroom").Do("acceptCase", c, nil)
package housetest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/cmd"
	"github.com/ozg-cloud/platform/ent/migrations"
	"github.com/ozg-cloud/platform/internal/cluster"
	"github.com/ozg-cloud/platform/internal/demo"
)

// House is a house that answers at URL.
type House struct {
	testing.TB
	*cmd.House
	// URL is where the house answers.
	URL string
	// Log has every line that the house has logged.
	Log *Log
	// Clock is the time of the house.
	Clock *Clock

	mint     *authz.Mint
	database string
	ground   cmd.Ground
	tokens   *sync.Map
	past     func() *pgx.Conn
}

// login is the serving login of the tests' houses: a member of ozg_serving that owns nothing.
const login = "ozg_test"

// furnished is the template of all houses: migrated, with the demo's furniture and no cases.
const furnished = "furnished"

// site is the cluster of this process. It ends with the process.
var site = sync.OnceValues(func() (*cluster.Cluster, error) {
	ctx := context.Background()
	built.Store(true)
	c, err := server(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.CreateDatabase(ctx, furnished, ""); err != nil {
		return nil, err
	}
	address := c.URL(cluster.Superuser, furnished)
	if err := migrations.Apply(ctx, address); err != nil {
		return nil, err
	}
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	var refused *pgconn.PgError
	_, err = conn.Exec(ctx, "create role "+login+" login password '"+cluster.Password+"' in role ozg_serving")
	there := errors.As(err, &refused) && (refused.Code == "42710" || refused.Code == "23505") // another process has made it
	if err != nil && !there {
		return nil, err
	}
	return c, demo.World(ctx, conn)
})

// Configured is the address of an empty database on the configured server, for its superuser; empty where none is configured, so that a
// program brings its own.
func Configured(t testing.TB) string {
	t.Helper()
	if os.Getenv("OZG_DATABASE_URL") == "" { //nolint:forbidigo // as in server
		return ""
	}
	c, err := site()
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("empty_%d", houses.Add(1))
	if err := c.CreateDatabase(t.Context(), name, ""); err != nil {
		t.Fatal(err)
	}
	return c.URL(cluster.Superuser, name)
}

// built tells whether a house was built in this process.
var built atomic.Bool

// server is the database server whose address is configured, of a superuser, or else a cluster of our own.
func server(ctx context.Context) (*cluster.Cluster, error) {
	if address := os.Getenv("OZG_DATABASE_URL"); address != "" { //nolint:forbidigo // tests have no configuration but the environment
		return cluster.Given(address)
	}
	return cluster.Start(ctx, cluster.Options{})
}

// Main is for TestMain of a package that builds houses.
func Main(m *testing.M) { os.Exit(Leave(m.Run())) } //nolint:forbidigo // a test binary has its main here

// Leave leaves nothing behind on a given server, and gives the status that the tests end with.
func Leave(status int) int {
	if !built.Load() {
		return status
	}
	if c, err := site(); err == nil {
		if err := c.Stop(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return status
}

var houses atomic.Int64

// New builds a house on a database of its own. It is taken down with the test.
func New(t testing.TB, changes ...func(*cmd.Ground)) *House {
	t.Helper()
	c, err := site()
	if err != nil {
		t.Fatal(err)
	}
	h := &House{TB: t, Log: &Log{}, Clock: &Clock{}, database: fmt.Sprintf("house_%d", houses.Add(1)), tokens: &sync.Map{}}
	h.past = sync.OnceValue(h.Database)
	if err := c.CreateDatabase(t.Context(), h.database, furnished); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.DropDatabase(context.Background(), h.database); err != nil {
			t.Error(err)
		}
	})
	h.mint, err = authz.NewMint(authz.Issuer{
		Name: "dev", URL: "https://issuer.test.invalid", Audience: "ozg", TokenType: "at+jwt",
		ClaimNames:  authz.ClaimNames{Subject: "sub", TrustLevel: "trust_level"},
		TrustLevels: map[string]authz.TrustLevel{"BASIC": authz.Basic, "SUBSTANTIAL": authz.Substantial, "HIGH": authz.High},
		Applicants:  true, Accounts: []string{"OSI", "BAYERN_ID"}, Tenant: "federation",
	}, h.Clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	h.ground = cmd.Ground{
		DatabaseURL: c.URL(login, h.database), BlobsURL: "file://" + t.TempDir(), Secret: []byte("a secret of tests, 32 bytes long"),
		Issuers: []authz.Issuer{h.mint.Issuer()}, UploadBytes: 1 << 20, Development: true,
		CallerBudget: 1_000_000_000, TenantBudget: 1_000_000_000, // tests ask more in a minute than people do
		Log: slog.New(slog.NewJSONHandler(h.Log, nil)), Clock: h.Clock.Now,
	}
	h.open(changes)
	return h
}

// Another builds a second house on the same database, as another replica: it remembers nothing of what the first one knows.
func (h *House) Another(changes ...func(*cmd.Ground)) *House {
	h.Helper()
	other := *h
	other.open(changes)
	return &other
}

func (h *House) open(changes []func(*cmd.Ground)) {
	h.Helper()
	for _, change := range changes {
		change(&h.ground)
	}
	var err error
	if h.House, err = cmd.Build(h.Context(), h.ground); err != nil {
		h.Fatal(err)
	}
	h.Cleanup(h.House.Close)
	server := httptest.NewServer(h.House)
	h.Cleanup(server.Close)
	h.URL = server.URL
}

// Login makes a login with these options, such as "in role ozg_serving", and gives its name and the address of the database for it.
// Logins belong to the whole cluster; this one ends with the test.
func (h *House) Login(options string) (name, address string) {
	h.Helper()
	c, err := site()
	if err != nil {
		h.Fatal(err)
	}
	name = fmt.Sprintf("login_%d_%d", os.Getpid(), houses.Add(1))
	db := h.Database()
	if _, err := db.Exec(h.Context(), "create role "+name+" login password '"+cluster.Password+"' "+options); err != nil {
		h.Fatal(err)
	}
	h.Cleanup(func() {
		if _, err := db.Exec(context.Background(), "drop owned by "+name+" cascade; drop role "+name); err != nil {
			h.Error(err)
		}
	})
	return name, c.URL(name, h.database)
}

// Database opens a connection to the house's database as its superuser, past both walls.
func (h *House) Database() *pgx.Conn {
	h.Helper()
	c, err := site()
	if err != nil {
		h.Fatal(err)
	}
	conn, err := pgx.Connect(h.Context(), c.URL(cluster.Superuser, h.database))
	if err != nil {
		h.Fatal(err)
	}
	h.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// Serving opens a connection as the serving login, behind the second wall.
func (h *House) Serving() *pgx.Conn {
	h.Helper()
	c, err := site()
	if err != nil {
		h.Fatal(err)
	}
	conn, err := pgx.Connect(h.Context(), c.URL(login, h.database))
	if err != nil {
		h.Fatal(err)
	}
	h.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// Seed adds demo cases. It needs a house of its own, like everything that counts rows.
func (h *House) Seed(cases int, seed uint64) {
	h.Helper()
	if err := demo.Cases(h.Context(), h.Database(), cases, seed, h.Clock.Now().Truncate(time.Hour), func(int) {}); err != nil {
		h.Fatal(err)
	}
}

// SeedIn is Seed with all cases in one region, by the beginning of its regional keys.
func (h *House) SeedIn(region string, cases int, seed uint64) {
	h.Helper()
	if err := demo.CasesIn(h.Context(), h.Database(), region, cases, seed, h.Clock.Now().Truncate(time.Hour), func(int) {}); err != nil {
		h.Fatal(err)
	}
}

// Give assigns a role at a tenant to somebody who has not asked yet. unit is the number of a unit that the role is narrowed to, or empty;
// services are keys that it is narrowed to.
func (h *House) Give(name string, role authz.Role, tenant, unit string, services ...string) *Caller {
	h.Helper()
	tag, err := h.past().Exec(h.Context(), `
		insert into role_assignments (id, tenant_id, place, subject, role, unit_id, service_ids, assigned_by, assigned_at)
		select gen_random_uuid(), t.id, t.place, 'user:dev:' || $1, $2, u.id,
			(select jsonb_agg(id) from services where leika_key = any($5)), 'system:test', now()
		from tenants t left join organisational_units u on u.tenant_id = t.id and u.external_id = $4 where t.slug = $3`, name, string(role), tenant, unit, services)
	if err != nil || tag.RowsAffected() != 1 {
		h.Fatalf("%d rows: %v", tag.RowsAffected(), err)
	}
	return h.As(name)
}

// Stored tells for each of these tables, or all where none is named, how many rows it has, and in which versions. Between two that are
// equal nothing was stored. Only one may ask at a time.
func (h *House) Stored(tables ...string) map[string]string {
	h.Helper()
	if err := h.Settle(h.Context()); err != nil { // the access log is written a little later than what it tells of was read
		h.Fatal(err)
	}
	conn := h.past()
	var question string
	err := conn.QueryRow(h.Context(), `
		select string_agg(format('select %L, concat_ws('' '', count(*), sum(hashtid(x.ctid)), sum(x.xmin::text::bigint)) from %1$I x', relname), ' union all ')
		from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition and ($1::text[] is null or relname = any($1))`, tables).Scan(&question)
	if err != nil {
		h.Fatal(err)
	}
	rows, err := conn.Query(h.Context(), question)
	if err != nil {
		h.Fatal(err)
	}
	out := map[string]string{}
	var name, sum string
	if _, err := pgx.ForEachRow(rows, []any{&name, &sum}, func() error { out[name] = sum; return nil }); err != nil {
		h.Fatal(err)
	}
	return out
}

// As gives the demo principal of a name, or an applicant of that name where none has it.
func (h *House) As(name string) *Caller {
	trust := authz.Substantial
	for _, p := range demo.Principals() {
		if p.Name == name {
			trust = p.Trust
		}
	}
	return h.With(name, trust)
}

// With is As with a trust level.
func (h *House) With(name string, trust authz.TrustLevel) *Caller {
	return &Caller{h: h, Name: name, token: func() string {
		// One for each hour, and good for longer, so that the clock can be set forward.
		key := fmt.Sprintf("%s\x00%s\x00%d", name, trust, h.Clock.Now().Unix()/3600)
		if t, ok := h.tokens.Load(key); ok {
			return t.(string) //nolint:forcetypeassert // nothing else is stored
		}
		t := h.Token(name, map[string]any{"trust_level": string(trust)}, 2*time.Hour)
		h.tokens.Store(key, t)
		return t
	}}
}

// Bearing asks with a token that was made apart.
func (h *House) Bearing(token string) *Caller {
	return &Caller{h: h, token: func() string { return token }}
}

// Anonymous has no token.
func (h *House) Anonymous() *Caller {
	return &Caller{h: h, Name: "nobody", token: func() string { return "" }}
}

// Token signs a token.
func (h *House) Token(subject string, claims map[string]any, life time.Duration) string {
	h.Helper()
	t, err := h.mint.Token(subject, claims, life)
	if err != nil {
		h.Fatal(err)
	}
	return t
}

// Clock runs as the real one and can be set forward.
type Clock struct{ ahead atomic.Int64 }

// Now is the time of the house.
func (c *Clock) Now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

// Forward sets the clock forward.
func (c *Clock) Forward(d time.Duration) { c.ahead.Add(int64(d)) }

// Log collects what is logged.
type Log struct {
	mu   sync.Mutex
	text []byte
}

func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, p...)
	return len(p), nil
}

// String is everything so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text)
}

// Request makes a request to the house, as nobody.
func (h *House) Request(method, path string) *http.Request {
	h.Helper()
	r, err := http.NewRequestWithContext(h.Context(), method, h.URL+path, nil)
	if err != nil {
		h.Fatal(err)
	}
	return r
}
