// SPDX-License-Identifier: EUPL-1.2

package cmd

import (
	"bytes"
	"math"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
)

const (
	// spacious is the share of what is alive, in percent, by which the heap may grow before garbage is collected. A house keeps little alive and throws much away:
	// at Go's own 100 it spent a tenth of its time on collecting.
	spacious = 400
	// limitFile is where Linux says how much memory the container has (cgroup v2): bytes, or "max".
	limitFile = "/sys/fs/cgroup/memory.max"
	// ofLimit is how much of that in a hundred the program may fill before it collects more often instead. The rest is for what is no heap.
	ofLimit = 80
)

// makeRoom lets the program collect garbage seldom, unless the environment says how often it is to (GOGC), and more often towards the end of the memory
// that the container has, unless the environment says where that is (GOMEMLIMIT).
func makeRoom(environ []string) {
	has := func(name string) bool {
		return slices.ContainsFunc(environ, func(e string) bool { return strings.HasPrefix(e, name+"=") })
	}
	if !has("GOGC") {
		debug.SetGCPercent(spacious)
	}
	if !has("GOMEMLIMIT") {
		said, err := os.ReadFile(limitFile)
		if err != nil {
			return // no container, or another system
		}
		if limit, ok := limitOf(said); ok {
			debug.SetMemoryLimit(limit)
		}
	}
}

// limitOf is how much may be filled by what the system says the container has.
func limitOf(said []byte) (int64, bool) {
	n, err := strconv.ParseInt(string(bytes.TrimSpace(said)), 10, 64)
	if err != nil || n <= 0 || n > math.MaxInt64/ofLimit {
		return 0, false
	}
	return n * ofLimit / 100, true
}
