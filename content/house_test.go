// SPDX-License-Identifier: EUPL-1.2

package content_test

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/content"
	"github.com/ozg-cloud/platform/ent"
	"github.com/ozg-cloud/platform/ent/migrations"
	_ "github.com/ozg-cloud/platform/ent/runtime"
	"github.com/ozg-cloud/platform/ent/store"
	"github.com/ozg-cloud/platform/internal/cluster"
	"github.com/ozg-cloud/platform/internal/problem"
)

var (
	shared *cluster.Cluster
	copies atomic.Int64
)

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	ctx := context.Background()
	c, err := cluster.Start(ctx, cluster.Options{})
	if err != nil {
		return complain(err)
	}
	shared = c
	defer func() {
		if err := c.Stop(ctx); err != nil {
			complain(err)
		}
	}()
	if err := model(ctx); err != nil {
		return complain(err)
	}
	return m.Run()
}

func complain(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}

func model(ctx context.Context) error {
	if err := shared.CreateDatabase(ctx, "model", ""); err != nil {
		return err
	}
	url := shared.URL(cluster.Superuser, "model")
	if err := migrations.Apply(ctx, url); err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, world)
	return err
}

// world is two authorities and a service.
const world = `
create role app login in role ozg_serving;
insert into tenants (id, place, place_end, slug, name, kind, created_at) values
	('00000000-0000-7000-8000-000000000001', 10020000000001, 10020000000001, 'kiel', 'Kiel', 'AUTHORITY', now()),
	('00000000-0000-7000-8000-000000000002', 10030000000001, 10030000000001, 'luebeck', 'Lübeck', 'AUTHORITY', now());
insert into services (id, leika_key, title, type, maturity, required_trust_level, fiction_of_approval, retention_days, version) values
	('00000000-0000-7000-8000-000000000003', '99108001001000', 'Bewohnerparkausweis Erteilung', 2, 3, 'BASIC', false, 30, 1);
`

var (
	kiel    = authz.TenantRef{ID: uuid.MustParse("00000000-0000-7000-8000-000000000001"), Slug: "kiel", Kind: authz.Authority, Place: 10020000000001}
	luebeck = authz.TenantRef{ID: uuid.MustParse("00000000-0000-7000-8000-000000000002"), Slug: "luebeck", Kind: authz.Authority, Place: 10030000000001}
	parking = uuid.MustParse("00000000-0000-7000-8000-000000000003")
)

// The people of the tests.
const (
	kielCaseworker    = "user:dev:karla"
	kielAuditor       = "user:dev:anton"
	luebeckCaseworker = "user:dev:lutz"
	applicant         = "user:bund:anna"
	stranger          = "user:bund:bert"
)

// house is one test's database, folder and desk.
type house struct {
	t      testing.TB
	name   string
	owner  *pgx.Conn // the superuser, whom no wall holds
	folder string
	store  *content.Store
	client *ent.Client
	desk   *content.Desk
	policy *authz.Policy
	roles  map[string][]authz.Assignment
	now    time.Time
}

const uploadLimit = 1 << 20

var secret = []byte("0123456789abcdef0123456789abcdef")

func newHouse(t testing.TB) *house {
	t.Helper()
	ctx := context.Background()
	h := &house{
		t: t, name: fmt.Sprintf("house%d", copies.Add(1)), folder: t.TempDir(), now: time.Date(2026, 3, 28, 12, 0, 0, 0, time.UTC),
		roles: map[string][]authz.Assignment{
			kielCaseworker:    {{Role: "CASEWORKER", Tenant: kiel}},
			kielAuditor:       {{Role: "AUDITOR", Tenant: kiel}},
			luebeckCaseworker: {{Role: "CASEWORKER", Tenant: luebeck}},
			applicant:         {{Role: authz.Applicant, Tenant: authz.TenantRef{Kind: authz.Federation}}},
			stranger:          {{Role: authz.Applicant, Tenant: authz.TenantRef{Kind: authz.Federation}}},
		},
	}
	must(t, shared.CreateDatabase(ctx, h.name, "model"))
	t.Cleanup(func() { must(t, shared.DropDatabase(ctx, h.name)) })
	h.owner = got(pgx.Connect(ctx, shared.URL(cluster.Superuser, h.name)))(t)
	t.Cleanup(func() { _ = h.owner.Close(ctx) })
	h.policy = got(authz.NewPolicy())(t)
	h.store = got(content.Open(ctx, "file://"+h.folder))(t)
	t.Cleanup(func() { must(t, h.store.Close()) })
	h.store.SetClock(h.clock)
	h.client = h.newClient()
	h.desk = h.deskWith(h.client, h.recall)
	return h
}

// newClient opens a client of its own, so that a test may spoil it.
func (h *house) newClient() *ent.Client {
	s := got(store.Open(context.Background(), shared.URL("app", h.name), store.Options{Scope: scope}))(h.t)
	h.t.Cleanup(s.Close)
	return ent.NewClient(ent.Driver(s.Writing))
}

func scope(ctx context.Context) (store.Scope, error) {
	p, err := authz.From(ctx)
	if err != nil {
		return store.Scope{}, err
	}
	s := p.Scope()
	return store.Scope{Lo: int64(s.Lo), Hi: int64(s.Hi), Owner: s.Owner}, nil
}

type recall = func(context.Context, string, authz.TrustLevel) (*authz.Principal, error)

func (h *house) deskWith(client *ent.Client, r recall) *content.Desk {
	return content.NewDesk(h.store, client, secret, r, unwatched, h.clock, uploadLimit)
}

// unwatched takes no note of anything.
func unwatched(context.Context, *ent.Attachment, *http.Request) error { return nil }

func (h *house) clock() time.Time { return h.now }

// recall is what the doorkeeper does: whom it does not know is not known.
func (h *house) recall(_ context.Context, subject string, trust authz.TrustLevel) (*authz.Principal, error) {
	roles, known := h.roles[subject]
	if !known {
		return nil, problem.New(problem.Unauthenticated, "badToken")
	}
	return h.policy.Principal(subject, trust, roles), nil
}

func (h *house) as(subject string) *authz.Principal {
	return h.policy.Principal(subject, authz.High, h.roles[subject])
}

func (h *house) exec(statement string, args ...any) {
	h.t.Helper()
	_, err := h.owner.Exec(context.Background(), statement, args...)
	must(h.t, err)
}

func (h *house) count(table string) (n int) {
	h.t.Helper()
	must(h.t, h.owner.QueryRow(context.Background(), "select count(*) from "+table).Scan(&n))
	return n
}

// keep lays content down and says its hash.
func (h *house) keep(text string) content.Piece {
	h.t.Helper()
	st := got(h.store.Stage(context.Background(), "Anlage.txt", strings.NewReader(text), uploadLimit))(h.t)
	defer st.Drop()
	must(h.t, st.Keep(context.Background()))
	return st.Piece
}

// attach makes a case of Kiel, the applicant's own, with an attachment.
func (h *house) attach(name string, piece content.Piece) uuid.UUID {
	h.t.Helper()
	file, id := uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())
	h.exec(`insert into cases (id, tenant_id, place, number, service_id, state, channel, via_point_of_contact, trust_level, owner, received_at, updated_at, revision, history_head)
		values ($1, $2, $3, $4, $5, 'NEW', 'PORTAL', false, 'BASIC', $6, now(), now(), 1, repeat('0', 64))`,
		file, kiel.ID, int64(kiel.Place), file.String(), parking, applicant)
	h.exec(`insert into attachments (id, tenant_id, place, case_id, purpose, name, media_type, size, sha256, scan_state, created_at)
		values ($1, $2, $3, $4, 'ENCLOSURE', $5, $6, $7, $8, 'CLEAN', now())`,
		id, kiel.ID, int64(kiel.Place), file, name, piece.MediaType, piece.Size, piece.SHA256)
	return id
}

// answer is what came of a request: an answer or an error.
type answer struct {
	*httptest.ResponseRecorder
	err error
}

func (h *house) download(desk *content.Desk, link string, edit func(*http.Request)) answer {
	h.t.Helper()
	r := httptest.NewRequest(http.MethodGet, link, nil)
	if edit != nil {
		edit(r)
	}
	a := answer{ResponseRecorder: httptest.NewRecorder()}
	mux := http.NewServeMux()
	mux.HandleFunc("/attachments/{token}", func(w http.ResponseWriter, r *http.Request) { a.err = desk.Download(w, r) })
	mux.ServeHTTP(a, r)
	return a
}

func (h *house) upload(subject, name string, body io.Reader) answer {
	h.t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/uploads", body)
	r.Header.Set("X-Filename", url.PathEscape(name))
	r = r.WithContext(authz.With(r.Context(), h.as(subject)))
	a := answer{ResponseRecorder: httptest.NewRecorder()}
	a.err = h.desk.Upload(a, r)
	return a
}

// files lists what lies in a folder and below, by base name.
func files(t testing.TB, folder string) (names []string) {
	t.Helper()
	must(t, filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, filepath.Base(path))
		}
		return err
	}))
	return names
}

func is(t testing.TB, err error, kind problem.Kind, rule string) {
	t.Helper()
	if p, ok := problem.Of(err); !ok || p.Kind != kind || p.Rule != rule {
		t.Errorf("got %v, want %s: %s", err, kind, rule)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func got[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		must(t, err)
		return v
	}
}

// archive is a zip with these files, in this order.
func archive(names ...string) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, n := range names {
		f, err := w.CreateHeader(&zip.FileHeader{Name: n})
		if err == nil {
			_, err = io.WriteString(f, "<x/>")
		}
		if err != nil {
			panic(err)
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}
