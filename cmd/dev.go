// SPDX-License-Identifier: EUPL-1.2

package cmd

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent/migrations"
	"github.com/ozg-cloud/platform/internal/demo"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/portal"
	"github.com/ozg-cloud/platform/web"
)

// demoCases is how many cases a new house for development has.
const demoCases = 3000

// tokenLife is how long a token of development is good.
const tokenLife = 12 * time.Hour

// dev runs a house for development: with a database of its own unless one is configured, demo data, and tokens of its own making.
func dev(ctx context.Context, c console, args []string) error {
	if len(args) > 0 {
		return errUsage
	}
	if host, _, err := net.SplitHostPort(c.config.Listen); err != nil || !loopback(host) {
		return errors.New("OZG_LISTEN: development listens on a loopback address only, because it gives a token to whoever asks")
	}
	mint, err := c.mint()
	if err != nil {
		return err
	}
	key, err := c.developmentKey()
	if err != nil {
		return err
	}
	profile, err := c.config.profile()
	if err != nil {
		return err
	}
	trustedOnly, err := c.config.trustedOnly(false)
	if err != nil {
		return err
	}
	fmt.Fprintln(c.errOut, "starting the database ...")
	address, stop, err := owned(ctx, c)
	if err != nil {
		return err
	}
	defer stop()
	if err := furnish(ctx, c, address); err != nil {
		return err
	}
	// Several houses for development may stand on one machine; the first has the usual address for metrics.
	if silence, err := tellMetrics(ctx, c.config.MetricsListen, http.NotFoundHandler()); err == nil {
		silence()
	} else {
		c.log.WarnContext(ctx, "no metrics", "error", err)
		c.config.MetricsListen = ""
	}
	networks, err := c.config.webhookNetworks()
	if err != nil {
		return err
	}
	networks = append(networks, netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")) // a developer's receiver runs here
	seat, err := c.config.seat()
	if err != nil {
		return err
	}
	house, err := Build(ctx, c.config.observed(Ground{
		DatabaseURL: address, Role: "ozg_serving", BlobsURL: c.config.blobs(), Secret: key,
		Issuers: []authz.Issuer{mint.Issuer()}, Origins: c.config.AllowedOrigins, Profile: profile, EventDays: c.config.EventRetentionDays, UploadBytes: c.config.uploadBytes(),
		WebhookNetworks: networks, Development: true, TrustedOnly: trustedOnly, Seat: seat, Log: c.log, Clock: time.Now,
		Routes: []web.Route{
			{Pattern: "GET /explorer/", Handler: func(w http.ResponseWriter, r *http.Request) error { portal.Explorer().ServeHTTP(w, r); return nil }},
			{Pattern: "GET /statistics/", Handler: func(w http.ResponseWriter, r *http.Request) error { portal.Statistics().ServeHTTP(w, r); return nil }},
			{Pattern: "GET /{$}", Handler: func(w http.ResponseWriter, r *http.Request) error {
				http.Redirect(w, r, "/explorer/", http.StatusSeeOther)
				return nil
			}},
			{Pattern: "GET /dev/principals", Handler: listPrincipals},
			{Pattern: "POST /dev/token", Handler: func(w http.ResponseWriter, r *http.Request) error { return giveToken(w, r, mint) }},
		},
	}))
	if err != nil {
		return err
	}
	defer house.Close()
	if err := house.Inspect(ctx); err != nil {
		return err
	}
	return open(ctx, c, house, func(at net.Addr) { welcome(c, at) })
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// furnished migrates, lays the furniture for so many authorities, those of the demo at least, and is a connection to the house as its owner.
func furnished(ctx context.Context, address string, authorities int) (*pgx.Conn, error) {
	if err := migrations.Apply(ctx, address); err != nil {
		return nil, err
	}
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("connecting to the database: %w", err)
	}
	if err := demo.Wider(ctx, conn, authorities); err != nil {
		_ = conn.Close(context.WithoutCancel(ctx))
		return nil, err
	}
	return conn, nil
}

// furnish migrates and, where the house is empty, lays the furniture and the demo cases.
func furnish(ctx context.Context, c console, address string) error {
	conn, err := furnished(ctx, address, 0)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if err := demo.Balkone(ctx, conn); err != nil {
		return err
	}
	var empty bool
	if err := conn.QueryRow(ctx, "select not exists (select from cases)").Scan(&empty); err != nil {
		return fmt.Errorf("looking for cases: %w", err)
	}
	if !empty {
		return nil
	}
	fmt.Fprintf(c.errOut, "laying %d demo cases ...\n", demoCases)
	return demo.Cases(ctx, conn, demoCases, 1, time.Now().UTC().Truncate(time.Hour), func(int) {})
}

func welcome(c console, at net.Addr) {
	fmt.Fprintf(c.out, "\nThe house is open at http://%s\n\n", at)
	fmt.Fprintf(c.out, "  explorer   http://%s/explorer/\n", at)
	fmt.Fprintf(c.out, "  figures    http://%s/statistics/\n", at)
	fmt.Fprintf(c.out, "  contract   http://%s/schema.graphql\n", at)
	fmt.Fprintf(c.out, "  readiness  http://%s/readyz\n\n", at)
	fmt.Fprintln(c.out, "Demo principals (ozg token NAME prints a token):")
	t := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	for _, p := range demo.Principals() {
		fmt.Fprintf(t, "  %s\t%s\n", p.Name, p.Description)
	}
	_ = t.Flush() // the same writer
	program := "ozg"
	if path, err := os.Executable(); err == nil {
		program = path
		if wd, err := os.Getwd(); err == nil {
			if short, err := filepath.Rel(wd, path); err == nil && filepath.IsLocal(short) {
				program = short
			}
		}
	}
	if c.config.Data != defaultData {
		program = "OZG_DATA=" + c.config.Data + " " + program
	}
	fmt.Fprintf(c.out, `
Try:
  curl -s http://%s/graphql -H "Authorization: Bearer $(%s token kiel-caseworker)" \
    -H 'Content-Type: application/json' \
    -d '{"query":"{ cases(first: 3, where: {state: [NEW]}) { totalCount nodes { number service { title } applicant { name } allowedTransitions } } }"}'

`, at, program)
}

// mint opens the mint of development in the data folder.
func (c console) mint() (*authz.Mint, error) {
	if err := os.MkdirAll(c.config.Data, 0o711); err != nil {
		return nil, fmt.Errorf("making the data folder: %w", err)
	}
	return authz.OpenMint(filepath.Join(c.config.Data, "dev-issuer.json"), developmentIssuer(), time.Now)
}

// developmentIssuer is who signs tokens in development.
func developmentIssuer() authz.Issuer {
	return authz.Issuer{
		Name: "dev", URL: "https://issuer.ozg-cloud.invalid/dev", Audience: "ozg", TokenType: "at+jwt",
		ClaimNames:  authz.ClaimNames{Subject: "sub", TrustLevel: "trust_level"},
		TrustLevels: map[string]authz.TrustLevel{"BASIC": authz.Basic, "SUBSTANTIAL": authz.Substantial, "HIGH": authz.High},
		Applicants:  true, Accounts: []string{"OSI", "BAYERN_ID"}, Tenant: "federation",
	}
}

// developmentKey is the configured key, or one that is made once and kept in the data folder.
func (c console) developmentKey() ([]byte, error) {
	if c.config.SecretKey != "" {
		return c.config.secretKey()
	}
	file := filepath.Join(c.config.Data, "secret-key")
	key, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		key = make([]byte, 32)
		_, _ = rand.Read(key) // never fails
		err = os.WriteFile(file, key, 0o600)
	}
	if err != nil {
		return nil, fmt.Errorf("keeping the secret key: %w", err)
	}
	return key, nil
}

func listPrincipals(w http.ResponseWriter, _ *http.Request) error {
	type shown struct {
		Name        string `json:"name"`
		Description string `json:"description"`
	}
	list := []shown{}
	for _, p := range demo.Principals() {
		list = append(list, shown{p.Name, p.Description})
	}
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(list)
}

func giveToken(w http.ResponseWriter, r *http.Request, mint *authz.Mint) error {
	var asked struct {
		Name string `json:"name"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1000)).Decode(&asked); err != nil {
		return problem.New(problem.Invalid, "malformed")
	}
	t, err := demoToken(mint, asked.Name)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(map[string]string{"token": t})
}

// demoToken signs a token for a demo principal; a name that none has is missing.
func demoToken(mint *authz.Mint, name string) (string, error) {
	for _, p := range demo.Principals() {
		if p.Name == name {
			return mint.Token(name, map[string]any{"trust_level": string(p.Trust)}, tokenLife)
		}
	}
	return "", problem.New(problem.Missing, "notFound")
}
