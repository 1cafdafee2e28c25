// SPDX-License-Identifier: EUPL-1.2

package cluster

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

var (
	// ErrUnreachable is the answer where the user that has to run the server cannot enter the folder.
	ErrUnreachable = errors.New("the folder cannot be reached")
	// ErrRunning is the answer where a server is running in the folder already.
	ErrRunning = errors.New("cluster: a server is running in")
)

// unprivileged is the user that runs the server: nil for ourselves, somebody else when we are root.
func unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			return nil, fmt.Errorf("cluster: PostgreSQL does not run as root, and there is no user postgres or nobody: %w", err)
		}
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("cluster: read the id of user %s: %w", u.Username, err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("cluster: read the group of user %s: %w", u.Username, err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// settle makes the cluster's folder and hands it to the user that runs the server.
func settle(dir string, as *syscall.Credential) (string, error) {
	var err error
	if dir == "" {
		dir, err = os.MkdirTemp("", "ozg-postgres-")
	} else {
		dir, err = filepath.Abs(dir)
	}
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return "", err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return "", err
	}
	// The folder may be removed with all that is in it, and changes its owner: it has to be ours.
	content, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	for _, e := range content {
		switch e.Name() {
		case "data", "unfinished", "socket", "postgres.log", "lock":
		default:
			return "", fmt.Errorf("%s holds %s, which is not a cluster's", dir, e.Name())
		}
	}
	if err := reachable(dir, as); err != nil {
		return "", err
	}
	return dir, own(dir, as)
}

func own(path string, as *syscall.Credential) error {
	if err := os.Chmod(path, 0o700); err != nil || as == nil { //nolint:gosec // a folder
		return err
	}
	return os.Chown(path, int(as.Uid), int(as.Gid))
}

// reachable refuses a folder whose way is barred for the user that runs the server, such as one below /root. initdb would
// refuse it as well, in words that do not tell which folder bars the way.
func reachable(dir string, as *syscall.Credential) error {
	if as == nil {
		return nil
	}
	for up := filepath.Dir(dir); ; up = filepath.Dir(up) {
		info, err := os.Stat(up)
		if err != nil {
			return err
		}
		enter := fs.FileMode(0o001)
		if of, ok := info.Sys().(*syscall.Stat_t); ok && of.Uid == as.Uid {
			enter = 0o100
		} else if ok && of.Gid == as.Gid {
			enter = 0o010
		}
		if info.Mode()&enter == 0 {
			return fmt.Errorf("%w: %s is closed to the user who has to run PostgreSQL in place of root; choose a data folder outside of it, such as /var/lib/ozg", ErrUnreachable, up)
		}
		if up == filepath.Dir(up) {
			return nil
		}
	}
}

// claim takes the folder's lock, or tells that a running server has it. The claim ends with the last process that inherited it.
func claim(dir string) (*os.File, error) {
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cluster: open the lock of the folder: %w", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = lock.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%w %s", ErrRunning, dir)
		}
		return nil, fmt.Errorf("cluster: lock the folder: %w", err)
	}
	if err := forget(filepath.Join(dir, "data", "postmaster.pid")); err != nil {
		_ = lock.Close()
		return nil, err
	}
	return lock, nil
}

// forget removes the note that a killed server has left, when the process that it names is not a server of this folder.
// PostgreSQL itself refuses to start when the number has been given to any other process of its user,
// which is the rule rather than the exception in a container that starts anew.
func forget(note string) error {
	content, err := os.ReadFile(note)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cluster: read who had the folder before: %w", err)
	}
	first, _, _ := strings.Cut(string(content), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil || pid <= 0 {
		return nil // PostgreSQL knows what to do with a broken note
	}
	// A server works in its data folder, which /proc tells; a zombie works nowhere. Without /proc PostgreSQL shall decide.
	if _, err := os.Readlink("/proc/self/cwd"); err != nil {
		return nil
	}
	if at, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid)); err == nil && at == filepath.Dir(note) {
		return fmt.Errorf("cluster: a server that we did not start (process %d) is running in %s", pid, at)
	}
	if err := os.Remove(note); err != nil {
		return fmt.Errorf("cluster: remove the note of a server that is gone: %w", err)
	}
	return nil
}

// longest is the room for a socket's path that Linux has, less the name of the socket; macOS has four bytes less.
const longest = 103 - len("/.s.PGSQL.5432")

// socketFolder makes the folder that holds the socket: in the cluster's own, or where that path is too long, a short one of its own.
// A loopback port would be open to every user of the machine.
func socketFolder(dir string, as *syscall.Credential) (string, error) {
	socket := filepath.Join(dir, "socket")
	if len(socket) <= longest {
		if err := os.Mkdir(socket, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return "", err
		}
		return socket, own(socket, as)
	}
	socket, err := os.MkdirTemp("/tmp", "ozg-socket-")
	if err != nil {
		return "", err
	}
	return socket, own(socket, as)
}

// tail is the end of the log, to say why a server did not start. It works on a removed file, too.
func tail(log *os.File) string {
	info, err := log.Stat()
	if err != nil || info.Size() == 0 {
		return ""
	}
	end := make([]byte, min(info.Size(), 1000))
	if _, err := log.ReadAt(end, info.Size()-int64(len(end))); err != nil {
		return ""
	}
	return "\n" + strings.TrimSpace(string(end))
}
