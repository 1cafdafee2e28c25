// SPDX-License-Identifier: EUPL-1.2

// Package cluster runs a private PostgreSQL server out of the binaries on the machine, for development and for tests.
// What is kept in it does not belong here: roles and tables are made by ent/migrations, demo data by the seed.
package cluster

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// Superuser is the login that initdb makes. Nothing but the tests, ozg dev and the migrations uses it.
const Superuser = "ozg"

// Options say where a cluster lives and how long.
type Options struct {
	// Dir is a folder of the cluster's own. It must be empty, absent, or hold the cluster of an earlier Start.
	// Empty means a new temporary folder.
	Dir string
	// Durable makes a commit survive a power failure. Tests leave it off and are faster.
	Durable bool
	// Keep leaves the folder where it is when the server has ended, for the next Start.
	Keep bool
	// Binaries is the folder that holds postgres and initdb. Empty means: look on the PATH, where Debian puts them,
	// and where pg_config points.
	Binaries string
}

// Cluster is a running server. It ends with Stop, and at the latest with the process that started it, even when that is
// killed: a supervising shell waits at the other end of a pipe.
type Cluster struct {
	dir, socket string
	given       *given // in place of a server of our own

	stop sync.Mutex
	pipe *os.File      // its end tells the supervisor that we are gone
	done chan struct{} // closed when server and supervisor have ended
}

//go:embed supervisor.sh
var supervisor string

// Start makes the cluster in its folder unless there is one, starts the server and returns when it answers.
// ctx bounds the start alone. Roots start it as the user postgres, or else nobody, because PostgreSQL refuses to run as root;
// the folder then belongs to that user.
//
// The server listens on a unix socket in a folder that only its user (and root) can enter, and on no port: whoever can
// enter that folder is trusted to be any login. A folder with a running server, or with other people's files, is refused.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	bin, err := binaries(ctx, o.Binaries)
	if err != nil {
		return nil, err
	}
	as, err := unprivileged()
	if err != nil {
		return nil, err
	}
	dir, err := settle(o.Dir, as)
	if err != nil {
		return nil, fmt.Errorf("cluster: prepare the folder: %w", err)
	}
	lock, err := claim(dir)
	if err != nil {
		return nil, err
	}
	defer lock.Close() // the supervisor has inherited it by then, and with it the claim
	socket, err := socketFolder(dir, as)
	if err != nil {
		return nil, fmt.Errorf("cluster: make the folder of the socket: %w", err)
	}
	log, err := os.OpenFile(filepath.Join(dir, "postgres.log"), os.O_CREATE|os.O_TRUNC|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cluster: open the log: %w", err)
	}
	defer log.Close()
	theirs, ours, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("cluster: make the pipe to the supervisor: %w", err)
	}
	defer theirs.Close()

	cmd := exec.Command("/bin/sh", append([]string{"-c", supervisor, "ozg-postgres"}, o.arguments(bin, dir, socket)...)...) //nolint:noctx // it outlives the start
	cmd.Dir = dir
	cmd.Env = []string{"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C"} // nothing of ours: PGPORT, PGDATA, TZ would tell
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{theirs, lock}
	// A session of its own: a Ctrl-C at the terminal reaches us, and we stop the server when nobody needs it any more.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: as}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("cluster: start the supervisor: %w", err), ours.Close())
	}

	c := &Cluster{dir: dir, socket: socket, pipe: ours, done: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // how it ended stands in the log
		_ = ours.Close()
		if !o.Keep {
			_ = os.Remove(dir) // where only we may: the supervisor has emptied it
		}
		close(c.done)
	}()
	if err := c.answers(ctx); err != nil {
		_ = ours.Close()
		<-c.done
		return nil, fmt.Errorf("cluster: start the server: %w%s", err, tail(log))
	}
	return c, nil
}

// arguments are those of supervisor.sh.
func (o Options) arguments(bin, dir, socket string) []string {
	after, initial := "remove", "--no-sync"
	if o.Keep {
		after = "keep"
	}
	if o.Durable {
		initial = "--data-checksums"
	}
	settings := []string{
		"listen_addresses=",
		"port=5432",
		`unix_socket_directories="` + strings.ReplaceAll(socket, `"`, `""`) + `"`,
		"max_connections=200",
		"timezone=UTC",
		"log_timezone=UTC",
		"jit=off",
		"max_parallel_workers_per_gather=0", // costs 12 ms on small reads
	}
	if !o.Durable {
		settings = append(settings, "fsync=off", "synchronous_commit=off", "full_page_writes=off")
	}
	args := []string{bin, dir, socket, after, initial}
	for _, s := range settings {
		args = append(args, "-c", s)
	}
	return args
}

// answers returns when the server does.
func (c *Cluster) answers(ctx context.Context) error {
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		conn, err := pgx.Connect(ctx, c.URL(Superuser, "postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-again.C:
		case <-c.done:
			return errors.New("it ended at once")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Dir is the folder that the cluster lives in. The server's log is postgres.log therein.
func (c *Cluster) Dir() string { return c.dir }

// URL is the address of a database of this cluster for a login, in the form that pgx reads. It holds no secret.
func (c *Cluster) URL(user, database string) string {
	if c.given != nil {
		return c.given.url(user, database)
	}
	return address(c.socket, user, database)
}

// URL is the address of a database of a cluster that another process runs in dir (ErrRunning), whose path is not too long for a socket.
func URL(dir, user, database string) string {
	return address(filepath.Join(dir, "socket"), user, database)
}

func address(socket, user, database string) string {
	u := url.URL{Scheme: "postgres", User: url.User(user), Path: "/" + database}
	// Said in full, because pgx would otherwise look into PGPORT and PGSSLMODE.
	u.RawQuery = url.Values{"host": {socket}, "port": {"5432"}, "sslmode": {"disable"}}.Encode()
	return u.String()
}

// Stop ends the server: open transactions are rolled back, connections closed, what is stored is written out.
// When ctx ends first the server is ended at once, as by a power failure. A second call does nothing.
func (c *Cluster) Stop(ctx context.Context) error {
	c.stop.Lock()
	defer c.stop.Unlock()
	if c.given != nil {
		return c.leave(ctx)
	}
	select {
	case <-c.done:
		return nil
	default:
	}
	_, _ = c.pipe.WriteString("stop\n") // fails only when the supervisor has just ended, which is what we want
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
		_ = c.pipe.Close()
		<-c.done
		return fmt.Errorf("cluster: stop the server: %w", ctx.Err())
	}
}
