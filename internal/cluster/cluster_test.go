// SPDX-License-Identifier: EUPL-1.2

package cluster_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ozg-cloud/platform/internal/cluster"
)

// TestMain lets the test binary play a program that starts a cluster: see play.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "play" {
		play(os.Args[2])
	}
	os.Exit(m.Run())
}

// play starts a cluster in dir, says where it is and waits to be killed. After SIGINT it says whether the server still answers.
func play(dir string) {
	c, err := cluster.Start(context.Background(), cluster.Options{Dir: dir})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt)
	fmt.Println(c.URL(cluster.Superuser, "postgres"))
	<-interrupted
	_, err = ask(c.URL(cluster.Superuser, "postgres"), "select 'answers'")
	fmt.Println("after SIGINT:", err)
	fmt.Println("stopped:", c.Stop(context.Background()))
	os.Exit(0)
}

func start(t *testing.T, o cluster.Options) *cluster.Cluster {
	t.Helper()
	c, err := cluster.Start(t.Context(), o)
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

func ask(address, question string) (answer string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	return answer, conn.QueryRow(ctx, question).Scan(&answer)
}

func tell(t *testing.T, address, statement string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// folder is one that a user other than root can reach, too.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ozg-test-") //nolint:usetesting // nobody else can enter the folders of t.TempDir
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "postgres")
}

func gone(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s is still there: %v", path, err)
	}
}

func TestAClusterLeavesNothingBehindWhenItStops(t *testing.T) {
	t.Parallel()
	c := start(t, cluster.Options{})
	if got, err := ask(c.URL(cluster.Superuser, "postgres"), "select current_user::text"); err != nil || got != "ozg" {
		t.Fatalf("got %q, %v", got, err)
	}
	if err := c.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	gone(t, c.Dir())
	if err := c.Stop(t.Context()); err != nil {
		t.Errorf("a second Stop: %v", err)
	}
}

func TestAKeptClusterKeepsItsDataForTheNextStart(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	c := start(t, cluster.Options{Dir: dir, Keep: true, Durable: true})
	tell(t, c.URL(cluster.Superuser, "postgres"), "create table kept as select 'here' as word")
	if err := c.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	c = start(t, cluster.Options{Dir: dir, Keep: true, Durable: true})
	if got, err := ask(c.URL(cluster.Superuser, "postgres"), "select word from kept"); err != nil || got != "here" {
		t.Fatalf("got %q, %v", got, err)
	}
}

func TestSettingsAreThoseOfTheirPurpose(t *testing.T) {
	t.Parallel()
	const question = `select string_agg(name || '=' || setting, ' ' order by name collate "C") from pg_settings where name in ('fsync', 'full_page_writes',
		'jit', 'listen_addresses', 'max_connections', 'max_parallel_workers_per_gather', 'synchronous_commit', 'TimeZone')`
	for _, c := range []struct {
		durable bool
		want    string
	}{
		{true, "TimeZone=UTC fsync=on full_page_writes=on jit=off listen_addresses= max_connections=200 max_parallel_workers_per_gather=0 synchronous_commit=on"},
		{false, "TimeZone=UTC fsync=off full_page_writes=off jit=off listen_addresses= max_connections=200 max_parallel_workers_per_gather=0 synchronous_commit=off"},
	} {
		got, err := ask(start(t, cluster.Options{Durable: c.durable}).URL(cluster.Superuser, "postgres"), question)
		if err != nil || got != c.want {
			t.Errorf("durable %v:\n got %s, %v\nwant %s", c.durable, got, err, c.want)
		}
	}
}

func TestNobodyElseReachesTheSocket(t *testing.T) {
	t.Parallel()
	c := start(t, cluster.Options{})
	for _, dir := range []string{c.Dir(), socket(t, c)} {
		info, err := os.Stat(dir)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o700 {
			t.Errorf("%s is open to others: %s", dir, info.Mode())
		}
		if os.Geteuid() == 0 && info.Sys().(*syscall.Stat_t).Uid == 0 {
			t.Errorf("%s belongs to root, who does not run the server", dir)
		}
	}
}

func socket(t *testing.T, c *cluster.Cluster) string {
	t.Helper()
	u, err := url.Parse(c.URL(cluster.Superuser, "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get("host")
}

func TestAClusterInADeepFolderHasAShortSocket(t *testing.T) {
	t.Parallel()
	c := start(t, cluster.Options{Dir: filepath.Join(folder(t), strings.Repeat("deep/", 25))})
	if _, err := ask(c.URL(cluster.Superuser, "postgres"), "select 'answers'"); err != nil {
		t.Fatal(err)
	}
	at := socket(t, c)
	if strings.HasPrefix(at, c.Dir()) {
		t.Errorf("the socket is in %s, whose path is too long", at)
	}
	if err := c.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	gone(t, at)
}

func TestASecondServerOnTheSameFolderIsRefused(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	start(t, cluster.Options{Dir: dir, Keep: true})
	_, err := cluster.Start(t.Context(), cluster.Options{Dir: dir, Keep: true})
	if err == nil || !strings.Contains(err.Error(), "a server is running in "+dir) {
		t.Fatalf("got %v", err)
	}
}

func TestTheNoteOfADeadServerDoesNotStopTheNext(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	c := start(t, cluster.Options{Dir: dir, Keep: true})
	note := filepath.Join(dir, "data", "postmaster.pid")
	content, err := os.ReadFile(note)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(content), "\n")
	for _, pid := range []int{
		1 << 30, // nobody
		sleeper(t, dir),
	} {
		if err := os.WriteFile(note, []byte(strconv.Itoa(pid)+"\n"+rest), 0o600); err != nil {
			t.Fatal(err)
		}
		chownLike(t, note, filepath.Dir(note))
		c, err := cluster.Start(t.Context(), cluster.Options{Dir: dir, Keep: true})
		if err != nil {
			t.Fatalf("process %d: %v", pid, err)
		}
		if err := c.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// sleeper is a process of the server's user that has got the number of the dead server.
func sleeper(t *testing.T, dir string) int {
	t.Helper()
	cmd := exec.Command("sleep", "600")
	if info, err := os.Stat(dir); err == nil && os.Geteuid() == 0 {
		of := info.Sys().(*syscall.Stat_t)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: of.Uid, Gid: of.Gid}}
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd.Process.Pid
}

func chownLike(t *testing.T, path, model string) {
	t.Helper()
	info, err := os.Stat(model)
	if err != nil {
		t.Fatal(err)
	}
	of := info.Sys().(*syscall.Stat_t)
	if err := os.Chown(path, int(of.Uid), int(of.Gid)); err != nil {
		t.Fatal(err)
	}
}

func TestAFolderWithOtherFilesIsLeftAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	thesis := filepath.Join(dir, "thesis.tex")
	if err := os.WriteFile(thesis, []byte("42"), 0o600); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cluster.Start(t.Context(), cluster.Options{Dir: dir}); err == nil || !strings.Contains(err.Error(), "thesis.tex") {
		t.Errorf("got %v", err)
	}
	after, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	if before.Mode() != after.Mode() || before.Sys().(*syscall.Stat_t).Uid != after.Sys().(*syscall.Stat_t).Uid {
		t.Error("the folder has changed its owner or its mode")
	}
	if _, err := os.Stat(thesis); err != nil {
		t.Error(err)
	}
}

func TestAFolderBehindAClosedOneIsRefusedByName(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root has somebody else run the server")
	}
	closed := t.TempDir()
	if err := os.Chmod(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := cluster.Start(t.Context(), cluster.Options{Dir: filepath.Join(closed, "postgres")})
	if err == nil || !strings.Contains(err.Error(), closed+" is closed") {
		t.Errorf("got %v", err)
	}
}

func TestWithoutPostgreSQLOneSentenceSaysWhatToInstall(t *testing.T) {
	t.Parallel()
	old := t.TempDir()
	for name, script := range map[string]string{"initdb": "#!/bin/sh\n", "postgres": "#!/bin/sh\necho 'postgres (PostgreSQL) 14.9'\n"} {
		if err := os.WriteFile(filepath.Join(old, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{t.TempDir(), old} {
		_, err := cluster.Start(t.Context(), cluster.Options{Binaries: dir})
		if !errors.Is(err, cluster.ErrNotInstalled) || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "apt-get install postgresql-15") {
			t.Errorf("got %v", err)
		}
	}
}

func TestAServerThatCannotStartSaysWhy(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	c := start(t, cluster.Options{Dir: dir, Keep: true})
	if err := c.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	conf := filepath.Join(dir, "data", "postgresql.auto.conf")
	if err := os.WriteFile(conf, []byte("shared_buffers = 'a lot'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	chownLike(t, conf, filepath.Dir(conf))
	_, err := cluster.Start(t.Context(), cluster.Options{Dir: dir, Keep: true})
	if err == nil || !strings.Contains(err.Error(), "shared_buffers") {
		t.Errorf("got %v", err)
	}
}

func TestATemplateIsCopiedAndACopyIsDropped(t *testing.T) {
	t.Parallel()
	c := start(t, cluster.Options{})
	if err := c.CreateDatabase(t.Context(), "model", ""); err != nil {
		t.Fatal(err)
	}
	tell(t, c.URL(cluster.Superuser, "model"), "create table word as select 'model' as word")
	const name = `a "copy"`
	if err := c.CreateDatabase(t.Context(), name, "model"); err != nil {
		t.Fatal(err)
	}
	if got, err := ask(c.URL(cluster.Superuser, name), "select word from word"); err != nil || got != "model" {
		t.Fatalf("got %q, %v", got, err)
	}
	guest, err := pgx.Connect(t.Context(), c.URL(cluster.Superuser, name))
	if err != nil {
		t.Fatal(err)
	}
	defer guest.Close(context.Background())
	for range 2 {
		if err := c.DropDatabase(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := ask(c.URL(cluster.Superuser, name), "select 'answers'"); err == nil {
		t.Error("the database is still there")
	}
	if err := c.CreateDatabase(t.Context(), "orphan", "nothing"); err == nil {
		t.Error("a copy of nothing was made")
	}
}

// player is a program of its own that has started a cluster.
type player struct {
	*exec.Cmd
	says *bufio.Scanner
	lock *os.File // of the cluster's folder, open before it is removed
	dir  string
	url  string
}

func newPlayer(t *testing.T) player {
	t.Helper()
	dir := folder(t)
	cmd := exec.Command(os.Args[0], "play", dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	p := player{Cmd: cmd, says: bufio.NewScanner(out), dir: dir}
	if p.says.Scan() {
		p.url = p.says.Text()
	}
	if _, err := ask(p.url, "select 'answers'"); err != nil {
		t.Fatal(p.url, err)
	}
	if p.lock, err = os.Open(filepath.Join(dir, "lock")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.lock.Close() })
	return p
}

// ended waits for the lock, which supervisor and server hold until the last of them is gone.
func (p player) ended(t *testing.T) {
	t.Helper()
	if err := syscall.Flock(int(p.lock.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
}

// killed kills the program and tells whether its server answers afterwards.
func killed(t *testing.T, program *exec.Cmd, address string, wait func()) (outlived bool) {
	t.Helper()
	guest, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer guest.Close(context.Background())
	if err := program.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = program.Wait() // killed
	wait()
	return guest.Ping(t.Context()) == nil
}

func TestTheServerDoesNotOutliveAKilledProgram(t *testing.T) {
	t.Parallel()
	p := newPlayer(t)
	if killed(t, p.Cmd, p.url, func() { p.ended(t) }) {
		t.Error("the server still answers")
	}
	left, err := os.ReadDir(p.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	// The folder itself stays where its parent is closed to the server's user, here because root owns it.
	if len(left) > 0 {
		t.Errorf("the folder still holds %v", left)
	}
}

// The twin: a server that a plain shell has started is noticed to outlive it.
func TestAServerWithoutASupervisorIsSeenToOutliveItsProgram(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	c := start(t, cluster.Options{Dir: dir, Keep: true})
	command, err := os.ReadFile(filepath.Join(dir, "data", "postmaster.opts"))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	shell := exec.Command("/bin/sh", "-c", strings.TrimSpace(string(command))+` >/dev/null 2>&1 & echo $!; wait`)
	shell.SysProcAttr = &syscall.SysProcAttr{}
	if info, err := os.Stat(dir); err == nil && os.Geteuid() == 0 {
		of := info.Sys().(*syscall.Stat_t)
		shell.SysProcAttr.Credential = &syscall.Credential{Uid: of.Uid, Gid: of.Gid}
	}
	out, err := shell.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	var server int
	if _, err := fmt.Fscan(out, &server); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Kill(server, syscall.SIGQUIT) }()
	address := c.URL(cluster.Superuser, "postgres")
	for _, err := ask(address, "select 'answers'"); err != nil && t.Context().Err() == nil; _, err = ask(address, "select 'answers'") {
	}
	if !killed(t, shell, address, func() {}) {
		t.Error("a server that outlives its program was not noticed")
	}
}

func TestAnInterruptAtTheTerminalDoesNotReachTheServer(t *testing.T) {
	t.Parallel()
	p := newPlayer(t)
	if err := syscall.Kill(-p.Process.Pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"after SIGINT: <nil>", "stopped: <nil>"} {
		if !p.says.Scan() || p.says.Text() != want {
			t.Errorf("got %q, want %q", p.says.Text(), want)
		}
	}
	if err := p.Wait(); err != nil {
		t.Error(err)
	}
	gone(t, p.dir)
}

func TestAStartThatIsGivenUpLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	for _, patience := range []time.Duration{0, 50 * time.Millisecond, 300 * time.Millisecond} {
		dir := folder(t)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		c, err := cluster.Start(ctx, cluster.Options{Dir: dir})
		cancel()
		if err == nil { // a fast machine
			if err := c.Stop(t.Context()); err != nil {
				t.Error(err)
			}
		} else if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after %s: %v", patience, err)
		}
		gone(t, dir)
	}
}
