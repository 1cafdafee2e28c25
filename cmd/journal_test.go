// SPDX-License-Identifier: EUPL-1.2

package cmd_test

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/ozg-cloud/platform/cmd"
)

// page is where a log is written to.
type page struct {
	mu     sync.Mutex
	text   strings.Builder
	writes int
}

func (p *page) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.writes++
	return p.text.Write(b)
}

// lines are the numbers of the lines that have been written.
func (p *page) lines() (out []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for line := range strings.Lines(p.text.String()) {
		_, n, _ := strings.Cut(strings.TrimSpace(line), "number=")
		out = append(out, n)
	}
	return out
}

// missing writes lines of many levels with pauses in between, and tells what is not on the page although it should be: in their order, at once where a line
// tells of something wrong, a tenth of a second later where not, and all in the end.
func missing(t *rapid.T, journal func(io.Writer) (*slog.Logger, func())) (out []string) {
	p := &page{}
	log, turn := journal(p)
	var written []string
	lagging := func(when string) {
		if got := p.lines(); fmt.Sprint(got) != fmt.Sprint(written) {
			out = append(out, fmt.Sprintf("%s: %s instead of %s", when, got, written))
		}
	}
	for n := range rapid.IntRange(1, 12).Draw(t, "lines") {
		written = append(written, fmt.Sprint(n))
		if rapid.IntRange(0, 4).Draw(t, "level") == 0 {
			log.Warn("a line", "number", n)
			lagging("after a warning")
		} else {
			log.With("a", n).Info("a line", "number", n)
		}
		if rapid.Bool().Draw(t, "pause") {
			time.Sleep(100 * time.Millisecond) //nolint:forbidigo // of the clock that synctest moves
			synctest.Wait()
			lagging("after a tenth of a second")
		}
	}
	turn()
	lagging("in the end")
	return out
}

func TestNoLineOfTheLogIsLostAndNoneWaitsForLong(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		synctest.Test(t, func(t *testing.T) {
			for _, m := range missing(r, cmd.Journal) {
				t.Error(m)
			}
		})
	})
}

func TestAJournalThatKeepsItsLinesIsNoticed(t *testing.T) {
	held := func(to io.Writer) (*slog.Logger, func()) { // it turns the page in the end alone
		var b strings.Builder
		return slog.New(slog.NewTextHandler(&b, nil)), func() { _, _ = io.WriteString(to, b.String()) }
	}
	noticed := false
	for seed := 0; seed < 20 && !noticed; seed++ {
		synctest.Test(t, func(*testing.T) {
			noticed = rapid.Custom(func(r *rapid.T) bool { return len(missing(r, held)) > 0 }).Example(seed)
		})
	}
	if !noticed {
		t.Error("nobody notices")
	}
}

func TestABusyHouseWritesManyLinesOfItsLogAtOnce(t *testing.T) {
	p := &page{}
	log, turn := cmd.Journal(p)
	for n := range 1000 {
		log.Info("a line", "number", n)
	}
	turn()
	if got := len(p.lines()); got != 1000 || p.writes > 20 {
		t.Errorf("%d lines in %d writes", got, p.writes)
	}
}
