// SPDX-License-Identifier: EUPL-1.2

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// tick is what /proc counts CPU time in: Linux has told programs hundredths of a second for ever, whatever it counts itself.
const tick = 10 * time.Millisecond

// cpuOf is the CPU time of a process, its descendants and those children that it has seen end (proc(5), stat).
func cpuOf(root int) (time.Duration, error) {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, err
	}
	children, ticks := map[int][]int{}, map[int]int64{}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			continue // it has ended meanwhile
		}
		pid, parent, spent, err := stat(text)
		if err != nil {
			return 0, err
		}
		children[parent] = append(children[parent], pid)
		ticks[pid] = spent
	}
	if _, there := ticks[root]; !there {
		return 0, fmt.Errorf("bench: process %d has ended", root)
	}
	var sum func(pid int) int64
	sum = func(pid int) int64 {
		n := ticks[pid]
		for _, c := range children[pid] {
			n += sum(c)
		}
		return n
	}
	return time.Duration(sum(root)) * tick, nil
}

// stat reads a line of /proc/<pid>/stat. The name in it may hold anything, brackets too.
func stat(text []byte) (pid, parent int, ticks int64, err error) {
	number, _, _ := bytes.Cut(text, []byte(" "))
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 15 {
		return 0, 0, 0, fmt.Errorf("bench: a line of %d fields tells of a process", len(fields))
	}
	if pid, err = strconv.Atoi(string(number)); err == nil {
		parent, err = strconv.Atoi(fields[1])
	}
	for _, f := range fields[11:15] { // utime, stime, cutime, cstime
		var n int64
		if err == nil {
			n, err = strconv.ParseInt(f, 10, 64)
		}
		ticks += n
	}
	return pid, parent, ticks, err
}

// allCPU is the CPU time that the whole machine has spent on anything.
func allCPU() (time.Duration, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(text), "\n")
	var sum int64
	for i, f := range strings.Fields(first) {
		if i == 0 || i == 4 || i == 5 || i > 8 { // the name, idle, iowait, and guests, who are counted before
			continue
		}
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return time.Duration(sum) * tick, nil
}

// memoryOf is the resident memory of a process, in bytes.
func memoryOf(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0, fmt.Errorf("bench: nothing tells of the memory of process %d", pid)
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize()), err
}

// reading is what the meter shows.
type reading struct {
	server, database, all time.Duration
	own                   time.Duration // of this program
	at                    time.Time
}

// read reads the meter for a server.
func (g *ground) read(s *server) (r reading, err error) {
	r.at = time.Now()
	if r.server, err = cpuOf(s.pid); err != nil {
		return r, err
	}
	if r.database, err = cpuOf(g.postmaster); err != nil {
		return r, err
	}
	var own syscall.Rusage
	if err = syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
		return r, err
	}
	r.own = time.Duration(own.Utime.Nano() + own.Stime.Nano())
	r.all, err = allCPU()
	return r, err
}
