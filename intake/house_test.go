// SPDX-License-Identifier: EUPL-1.2

package intake_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/casework"
	"github.com/ozg-cloud/platform/content"
	"github.com/ozg-cloud/platform/ent"
	"github.com/ozg-cloud/platform/ent/migrations"
	_ "github.com/ozg-cloud/platform/ent/runtime"
	"github.com/ozg-cloud/platform/ent/store"
	"github.com/ozg-cloud/platform/intake"
	"github.com/ozg-cloud/platform/internal/cluster"
	"github.com/ozg-cloud/platform/internal/problem"
)

// shared is the cluster of this package's tests; each test has a copy of the database "model".
var shared struct {
	*cluster.Cluster
	copies atomic.Int64
}

func TestMain(m *testing.M) {
	c, err := cluster.Start(context.Background(), cluster.Options{})
	if err == nil {
		shared.Cluster = c
		err = model(context.Background(), c)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	status := m.Run()
	if err := c.Stop(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(status)
}

const (
	parking   = "99108001001000" // Bewohnerparkausweis
	housing   = "99107023017001" // Wohngeld, needs a substantial trust level
	marriages = "99059001104000" // in the catalogue, and nobody offers it

	kielRegion    = "010020000000"
	luebeckRegion = "010030000000"
)

// furniture is a small world: Kiel and Lübeck in Schleswig-Holstein, with a form server that delivers to both.
const furniture = `
create role app login in role ozg_serving;
insert into tenants (id, place, place_end, slug, name, kind, regional_key, created_at) values
	('00000000-0000-7000-8000-000000000001', 10000000000000, 19999999999999, 'sh',      'Schleswig-Holstein', 'LAND',      '010000000000', now()),
	('00000000-0000-7000-8000-000000000002', 10020000000001, 10020000000001, 'kiel',    'Kiel',               'AUTHORITY', '010020000000', now()),
	('00000000-0000-7000-8000-000000000003', 10030000000001, 10030000000001, 'luebeck', 'Lübeck',             'AUTHORITY', '010030000000', now());
insert into services (id, leika_key, title, type, maturity, required_trust_level, fiction_of_approval, retention_days, version) values
	('00000000-0000-7000-8000-000000000011', '99108001001000', 'Bewohnerparkausweis', 2, 3, 'BASIC',       false, 3650, 1),
	('00000000-0000-7000-8000-000000000012', '99107023017001', 'Wohngeld',            2, 3, 'SUBSTANTIAL', false, 3650, 1),
	('00000000-0000-7000-8000-000000000013', '99059001104000', 'Eheschließung',       2, 3, 'BASIC',       false, 3650, 1);
insert into organisational_units (id, tenant_id, place, external_id, name) values
	('00000000-0000-7000-8000-000000000021', '00000000-0000-7000-8000-000000000002', 10020000000001, '1', 'Straßenverkehrsbehörde');
insert into service_offerings (id, tenant_id, place, service_id, unit_id, territory, valid_from, valid_to) values
	('00000000-0000-7000-8000-000000000031', '00000000-0000-7000-8000-000000000002', 10020000000001, '00000000-0000-7000-8000-000000000011', '00000000-0000-7000-8000-000000000021', '01002', '2020-01-01', null),
	('00000000-0000-7000-8000-000000000032', '00000000-0000-7000-8000-000000000003', 10030000000001, '00000000-0000-7000-8000-000000000011', null, '01', '2020-01-01', '2026-03-30'),
	('00000000-0000-7000-8000-000000000033', '00000000-0000-7000-8000-000000000002', 10020000000001, '00000000-0000-7000-8000-000000000012', null, '01002', '2020-01-01', null);
insert into connectors (id, tenant_id, place, kind, direction, name, subject, active) values
	('00000000-0000-7000-8000-000000000041', '00000000-0000-7000-8000-000000000001', 10000000000000, 'FORM', 'INBOUND', 'Gover', 'user:dev:gover', true),
	('00000000-0000-7000-8000-000000000042', '00000000-0000-7000-8000-000000000003', 10030000000001, 'FORM', 'INBOUND', 'Gover Lübeck', 'user:dev:gover-luebeck', true),
	('00000000-0000-7000-8000-000000000043', '00000000-0000-7000-8000-000000000001', 10000000000000, 'FORM', 'INBOUND', 'Gover alt', 'user:dev:gover-old', false);
`

func model(ctx context.Context, c *cluster.Cluster) error {
	if err := c.CreateDatabase(ctx, "model", ""); err != nil {
		return err
	}
	url := c.URL(cluster.Superuser, "model")
	if err := migrations.Apply(ctx, url); err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, furniture)
	return err
}

// house is one test's database, blob store and desk. The desk works with the serving login, behind the real second wall.
type house struct {
	testing.TB
	owner  *pgx.Conn // the superuser, whom no wall holds
	client *ent.Client
	store  *content.Store
	blobs  string
	desk   *intake.Desk
	now    time.Time
}

var noon = time.Date(2026, 3, 29, 10, 0, 0, 123456000, time.UTC)

// small bounds let a test be oversized without megabytes.
var small = intake.Limits{Part: 4 << 10, Total: 40 << 10}

func newHouse(t testing.TB) *house {
	t.Helper()
	ctx := context.Background()
	name := fmt.Sprintf("house%d", shared.copies.Add(1))
	must(t, shared.CreateDatabase(ctx, name, "model"))
	conn, err := pgx.Connect(ctx, shared.URL(cluster.Superuser, name))
	must(t, err)
	opened, err := store.Open(ctx, shared.URL("app", name), store.Options{Scope: func(ctx context.Context) (store.Scope, error) {
		p, err := authz.From(ctx)
		if err != nil {
			return store.Scope{}, err
		}
		s := p.Scope()
		return store.Scope{Lo: int64(s.Lo), Hi: int64(s.Hi), Owner: s.Owner}, nil
	}})
	must(t, err)
	blobs := t.TempDir()
	contents, err := content.Open(ctx, "file://"+blobs)
	must(t, err)
	t.Cleanup(func() {
		_ = contents.Close()
		opened.Close()
		_ = conn.Close(ctx)
		if err := shared.DropDatabase(ctx, name); err != nil {
			t.Error(err)
		}
	})
	h := &house{TB: t, owner: conn, client: ent.NewClient(ent.Driver(opened.Writing)), store: contents, blobs: blobs, now: noon}
	clock := func() time.Time { return h.now }
	h.desk = intake.NewDesk(h.client, casework.NewDesk(h.client, clock), contents, signsIn, clock, small)
	return h
}

// signsIn knows the identifiers of OSI as the subjects of an issuer.
func signsIn(account, identifier string) (string, bool) {
	return "user:dev:" + identifier, account == "OSI"
}

var policy = func() *authz.Policy {
	p, err := authz.NewPolicy()
	if err != nil {
		panic(err)
	}
	return p
}()

var (
	landSH  = authz.TenantRef{ID: uuid.MustParse("00000000-0000-7000-8000-000000000001"), Slug: "sh", Kind: authz.Land, Place: 10000000000000}
	kiel    = authz.TenantRef{ID: uuid.MustParse("00000000-0000-7000-8000-000000000002"), Slug: "kiel", Kind: authz.Authority, Place: 10020000000001}
	luebeck = authz.TenantRef{ID: uuid.MustParse("00000000-0000-7000-8000-000000000003"), Slug: "luebeck", Kind: authz.Authority, Place: 10030000000001}

	gover        = as("gover", authz.High, "FORM_SERVER", landSH)
	goverOld     = as("gover-old", authz.High, "FORM_SERVER", landSH)
	goverLuebeck = as("gover-luebeck", authz.High, "FORM_SERVER", luebeck)
	caseworker   = as("kiel-caseworker", authz.High, "CASEWORKER", kiel)
	stranger     = as("luebeck-caseworker", authz.High, "CASEWORKER", luebeck)
	anna         = as("anna", authz.Basic, authz.Applicant, authz.TenantRef{Kind: authz.Federation})
	bernd        = as("bernd", authz.Substantial, authz.Applicant, authz.TenantRef{Kind: authz.Federation})
)

func as(name string, trust authz.TrustLevel, role authz.Role, at authz.TenantRef) *authz.Principal {
	return policy.Principal("user:dev:"+name, trust, []authz.Assignment{{Role: role, Tenant: at}})
}

// stored counts the rows of every table, and the blobs.
func (h *house) stored() string {
	h.Helper()
	rows, err := h.owner.Query(context.Background(), "select tablename from pg_tables where schemaname = 'public' order by 1")
	must(h, err)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	must(h, err)
	var out strings.Builder
	for _, table := range tables {
		fmt.Fprintln(&out, table, ask[int](h, "select count(*) from "+table))
	}
	fmt.Fprintln(&out, "blobs", h.blobsKept())
	return out.String()
}

func (h *house) blobsKept() (n int) {
	h.Helper()
	must(h, filepath.WalkDir(h.blobs, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			n++
		}
		return err
	}))
	return n
}

func ask[T any](h *house, question string, args ...any) (answer T) {
	h.Helper()
	if err := h.owner.QueryRow(context.Background(), question, args...).Scan(&answer); err != nil {
		h.Fatalf("%s: %v", question, err)
	}
	return answer
}

func (h *house) tell(statement string) {
	h.Helper()
	_, err := h.owner.Exec(context.Background(), statement)
	must(h, err)
}

// part is a part of a delivery.
type part struct{ name, file, content string }

const (
	pdf   = "%PDF-1.7\n1 0 obj\n<</Type/Catalog>>\nendobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
	photo = "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00"
)

// form is the JSON of a form server as it exists, with some values replaced.
func form(replace ...string) string {
	return strings.NewReplacer(replace...).Replace(`{
	"control": {"transactionId": "T-1", "zustaendigeStelle": "010020000000", "leikaIds": ["99108001001000"], "formId": "f1", "name": "Parken",
		"serviceKonto": {"type": "OSI", "trustLevel": "STORK-QAA-LEVEL-1", "postfachAddress": {"identifier": "anna", "type": "Citizen"}}},
	"formData": [
		{"name": "antragsteller", "label": "Antragsteller:in", "formItems": [
			{"name": "vorname", "label": "Vorname", "stringValue": "Änne"},
			{"name": "nachname", "label": "Nachname", "stringValue": "Übel"},
			{"name": "geburtsdatum", "dateValue": "1980-02-29"}]},
		{"name": "plaetze", "numberValue": 1.5},
		{"name": "ausland", "booleanValue": false},
		{"name": "leer", "label": "Nicht ausgefüllt"}]}`)
}

func parking1(replace ...string) []part {
	return []part{
		{"formData", "", form(replace...)},
		{"representation", "Antrag Bewohnerparken.pdf", pdf},
		{"attachment", "Führerschein.png", photo},
		{"attachment", `C:\Dokumente\Fahrzeugschein.pdf`, pdf + "2"},
	}
}

const boundary = "ozg-boundary"

func body(parts []part) []byte {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	_ = w.SetBoundary(boundary) // valid, and so is what follows: a buffer takes everything
	for _, p := range parts {
		disposition := fmt.Sprintf(`form-data; name=%q`, p.name)
		if p.file != "" {
			disposition += `; filename="` + p.file + `"`
		}
		to, _ := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {disposition}})
		_, _ = to.Write([]byte(p.content))
	}
	_ = w.Close()
	return b.Bytes()
}

// reply is what a form server gets.
type reply struct {
	status int
	body   string
}

func post(desk *intake.Desk, by *authz.Principal, sent []byte) (reply, error) {
	r := httptest.NewRequest(http.MethodPost, "/intake/gover", bytes.NewReader(sent))
	r.Header.Set("Content-Type", "multipart/form-data; boundary="+boundary)
	w := httptest.NewRecorder()
	err := desk.Gover(w, r.WithContext(authz.With(r.Context(), by)))
	return reply{w.Code, w.Body.String()}, err
}

func (h *house) delivers(by *authz.Principal, parts []part) reply {
	h.Helper()
	got, err := post(h.desk, by, body(parts))
	must(h, err)
	return got
}

// told reads the answer to a delivery.
func told(t testing.TB, r reply) (caseID, number string) {
	t.Helper()
	var said struct{ CaseID, Number string }
	must(t, json.Unmarshal([]byte(r.body), &said))
	return said.CaseID, said.Number
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wants checks that an error is a problem of a kind and rule with a path, and that neither it nor its sentences repeat what was sent.
func wants(t testing.TB, err error, kind problem.Kind, rule string, path ...string) {
	t.Helper()
	p, ok := problem.Of(err)
	if !ok || p.Kind != kind || p.Rule != rule || strings.Join(p.Path, ".") != strings.Join(path, ".") {
		t.Errorf("got %v, want %s: %s at %v", err, kind, rule, path)
		return
	}
	if p.Title("de") == problem.New(problem.Invalid, "other").Title("de") {
		t.Errorf("the rule %s has no sentences", rule)
	}
}
