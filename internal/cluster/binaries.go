// SPDX-License-Identifier: EUPL-1.2

package cluster

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// oldest is the first major version that has what the migrations use: a schema public that belongs to the database's owner.
const oldest = 15

// ErrNotInstalled is the answer where there is no PostgreSQL to start.
var ErrNotInstalled = errors.New("PostgreSQL 15 or newer is not on this machine: install it with apt-get install postgresql-15 (or a newer version)")

// binaries finds the folder that holds postgres and initdb of a version that is new enough. Given a folder, it looks only there.
func binaries(ctx context.Context, given string) (string, error) {
	if given != "" {
		return first(ctx, []string{given})
	}
	var places []string
	if server, err := exec.LookPath("postgres"); err == nil {
		// On the PATH there may be links; the folder behind them has initdb, too.
		if server, err = filepath.EvalSymlinks(server); err == nil {
			places = append(places, filepath.Dir(server))
		}
	}
	debian, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	slices.SortFunc(debian, func(a, b string) int { return release(b) - release(a) })
	places = append(places, debian...)
	if out, err := exec.CommandContext(ctx, "pg_config", "--bindir").Output(); err == nil {
		places = append(places, strings.TrimSpace(string(out)))
	}
	return first(ctx, places)
}

func first(ctx context.Context, places []string) (string, error) {
	for _, dir := range places {
		if fits(ctx, dir) {
			return dir, nil
		}
	}
	if err := ctx.Err(); err != nil {
		return "", err // nobody could be asked for a version
	}
	return "", ErrNotInstalled
}

// release is the number in /usr/lib/postgresql/15/bin.
func release(bin string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(bin))) // what is no number comes last
	return n
}

var major = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

func fits(ctx context.Context, dir string) bool {
	if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil {
		return false
	}
	out, err := exec.CommandContext(ctx, filepath.Join(dir, "postgres"), "--version").Output()
	if err != nil {
		return false
	}
	m := major.FindSubmatch(out)
	if m == nil {
		return false
	}
	n, err := strconv.Atoi(string(m[1]))
	return err == nil && n >= oldest
}
