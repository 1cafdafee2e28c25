// SPDX-License-Identifier: EUPL-1.2

package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/internal/cluster"
)

// ground is what a run stands on: one database, and two servers on it.
type ground struct {
	folder       string
	postmaster   int
	db           *pgx.Conn // past both walls
	house, limit *server
	mint         *authz.Mint
	key          []byte // of the limit's tokens
	ends         []func()
}

// server is a program that answers.
type server struct {
	name, address string
	pid           int
}

const (
	database = "bench"
	login    = "ozg_bench" // of the house: a member of ozg_serving that owns nothing
)

// breakGround starts a cluster, lays as many cases as are wanted unless they lie there from the last run, and starts both servers.
func breakGround(ctx context.Context, p plan, progress io.Writer) (g *ground, err error) {
	g = &ground{folder: p.Folder, key: make([]byte, 32)}
	defer func() {
		if err != nil {
			g.leave()
		}
	}()
	if g.folder == "" {
		if g.folder, err = os.MkdirTemp("", "ozg-bench-"); err != nil {
			return g, err
		}
		g.ends = append(g.ends, func() { _ = os.RemoveAll(g.folder) })
	}
	if err := os.MkdirAll(g.folder, 0o711); err != nil {
		return g, err
	}
	if err := os.Chmod(g.folder, 0o711); err != nil { //nolint:gosec // whoever runs PostgreSQL in place of root has to get through
		return g, err
	}
	_, _ = rand.Read(g.key) // never fails
	db, err := cluster.Start(ctx, cluster.Options{Dir: filepath.Join(g.folder, "postgres"), Durable: true, Keep: true})
	if err != nil {
		return g, err
	}
	g.ends = append(g.ends, func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
		_ = db.Stop(ctx) // what it holds is thrown away, or is good enough for the next run
	})
	note, err := os.ReadFile(filepath.Join(db.Dir(), "data", "postmaster.pid"))
	if err != nil {
		return g, err
	}
	first, _, _ := strings.Cut(string(note), "\n")
	if g.postmaster, err = strconv.Atoi(strings.TrimSpace(first)); err != nil {
		return g, err
	}
	if err := g.furnish(ctx, p, db, progress); err != nil {
		return g, err
	}
	if err := g.openHouse(ctx, p, db); err != nil {
		return g, err
	}
	g.limit, err = g.start(ctx, "limit", func(listen string) *exec.Cmd {
		return exec.CommandContext(ctx, p.Limit, "-listen", listen, "-database", db.URL(cluster.Superuser, database), "-key", hex.EncodeToString(g.key))
	})
	return g, err
}

// furnish migrates and seeds by the house's own program, and does nothing where as many cases or more lie there.
func (g *ground) furnish(ctx context.Context, p plan, db *cluster.Cluster, progress io.Writer) error {
	super, err := pgx.Connect(ctx, db.URL(cluster.Superuser, "postgres"))
	if err != nil {
		return err
	}
	defer super.Close(context.WithoutCancel(ctx))
	var there bool
	if err := super.QueryRow(ctx, "select exists (select from pg_database where datname = $1)", database).Scan(&there); err != nil {
		return err
	}
	address := db.URL(cluster.Superuser, database)
	if !there {
		if err := db.CreateDatabase(ctx, database, ""); err != nil {
			return err
		}
		fmt.Fprintf(progress, "laying %d cases ...\n", p.Cases)
		seed := exec.CommandContext(ctx, p.House, "seed", "--authorities", strconv.Itoa(p.Authorities), "--cases", strconv.Itoa(p.Cases))
		seed.Env = []string{"OZG_DATABASE_URL=" + address}
		if out, err := seed.CombinedOutput(); err != nil {
			return fmt.Errorf("bench: laying cases: %w\n%s", err, out)
		}
		count := exec.CommandContext(ctx, p.House, "statistics", "rebuild") // or the first minutes would measure the tally
		count.Env = []string{"OZG_DATABASE_URL=" + address}
		if out, err := count.CombinedOutput(); err != nil {
			return fmt.Errorf("bench: counting cases: %w\n%s", err, out)
		}
		if _, err := super.Exec(ctx, "create role "+login+" login in role ozg_serving"); err != nil {
			return err
		}
	}
	migrate := exec.CommandContext(ctx, p.House, "migrate") // the last run may have been another program's
	migrate.Env = []string{"OZG_DATABASE_URL=" + address}
	if out, err := migrate.CombinedOutput(); err != nil {
		return fmt.Errorf("bench: migrating: %w\n%s", err, out)
	}
	if g.db, err = pgx.Connect(ctx, address); err != nil {
		return err
	}
	g.ends = append(g.ends, func() { _ = g.db.Close(context.WithoutCancel(ctx)) })
	var cases int
	if err := g.db.QueryRow(ctx, "select count(*) from cases").Scan(&cases); err != nil {
		return err
	}
	if cases < p.Cases { // more are there where applications were measured before
		return fmt.Errorf("bench: only %d cases lie in %s, not %d: choose another folder", cases, g.folder, p.Cases)
	}
	_, err = g.db.Exec(ctx, "vacuum analyze") // as after a night of regular operation
	return err
}

// openHouse starts the house as it serves in production, both walls up.
func (g *ground) openHouse(ctx context.Context, p plan, db *cluster.Cluster) (err error) {
	g.mint, err = authz.NewMint(authz.Issuer{
		Name: "dev", URL: "https://issuer.bench.invalid", Audience: "ozg", TokenType: "at+jwt",
		ClaimNames:  authz.ClaimNames{Subject: "sub", TrustLevel: "trust_level"},
		TrustLevels: map[string]authz.TrustLevel{"SUBSTANTIAL": authz.Substantial}, Applicants: true, Tenant: "federation",
	}, time.Now)
	if err != nil {
		return err
	}
	issuers, err := json.Marshal([]authz.Issuer{g.mint.Issuer()})
	if err != nil {
		return err
	}
	file := filepath.Join(g.folder, "issuers.json")
	if err := os.WriteFile(file, issuers, 0o600); err != nil {
		return err
	}
	g.house, err = g.start(ctx, "house", func(listen string) *exec.Cmd {
		house := exec.CommandContext(ctx, p.House, "serve")
		house.Env = []string{
			"OZG_LISTEN=" + listen, "OZG_METRICS_LISTEN=", "OZG_DATA=" + g.folder, "OZG_DATABASE_URL=" + db.URL(login, database), "OZG_ISSUERS_FILE=" + file,
			"OZG_SECRET_KEY=" + base64.StdEncoding.EncodeToString(g.key), "OZG_DRAIN_SECONDS=0", "OZG_DOCUMENTS=free",
			"OZG_CALLER_BUDGET=2000000000", "OZG_TENANT_BUDGET=2000000000", // a few ask for all
		}
		return house
	})
	return err
}

// start starts a program at a free address and waits until it is ready. What it logs lies in a file, as it would elsewhere.
func (g *ground) start(ctx context.Context, name string, program func(listen string) *exec.Cmd) (*server, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &server{name: name, address: l.Addr().String()}
	if err := l.Close(); err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(g.folder, name+".log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	run := program(s.address)
	run.Stderr = log
	if err := run.Start(); err != nil {
		return nil, err
	}
	s.pid = run.Process.Pid
	ended := make(chan struct{})
	go func() {
		_ = run.Wait() // how it ended stands in its log
		close(ended)
	}()
	g.ends = append(g.ends, func() {
		_ = run.Process.Signal(syscall.SIGTERM) // fails where it has ended
		<-ended
	})
	ready, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.address+"/readyz", nil)
	if err != nil {
		return nil, err
	}
	for again := time.Tick(20 * time.Millisecond); ; {
		if got, err := http.DefaultClient.Do(ready); err == nil {
			_ = got.Body.Close()
			if got.StatusCode == http.StatusOK {
				return s, nil
			}
		}
		select {
		case <-again:
		case <-ended:
			text, _ := os.ReadFile(log.Name())
			return nil, fmt.Errorf("bench: the %s has ended:\n%s", name, text)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// leave ends what was started, last things first.
func (g *ground) leave() {
	for _, end := range slices.Backward(g.ends) {
		end()
	}
}
