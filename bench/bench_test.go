// SPDX-License-Identifier: EUPL-1.2

package main_test

import (
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bench "github.com/ozg-cloud/platform/bench"
)

func TestTheNameOfAProcessDoesNotShiftItsFields(t *testing.T) {
	line := "42 (a ) (b c) S 7 42 42 0 -1 4194304 1 2 3 4 100 20 30 4 20 0 1 0 5 6 7"
	pid, parent, ticks, err := bench.Stat([]byte(line))
	if pid != 42 || parent != 7 || ticks != 154 || err != nil {
		t.Errorf("process %d of %d spent %d ticks, %v", pid, parent, ticks, err)
	}
	if _, _, _, err := bench.Stat([]byte("42 (a) S 7")); err == nil {
		t.Error("half a line is read")
	}
}

func TestWorkIsMeasured(t *testing.T) {
	before, err := bench.CPUOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for end, n := time.Now().Add(10*time.Second), 0; time.Now().Before(end); n++ {
		if after, err := bench.CPUOf(os.Getpid()); err != nil || after > before {
			return
		}
	}
	t.Error("ten seconds of work cost nothing")
}

// run is a measurement that costs the server and the database so much.
func run(question, server string, cpu, database float64) bench.Run {
	return bench.Run{Question: question, Server: server, ServerCPU: cpu, DatabaseCPU: database, P99: cpu}
}

func TestTheTableTellsMediansAndRatios(t *testing.T) {
	r := &bench.Results{Rounds: 3, Runs: []bench.Run{
		run("q1", "house", 0.3, 0.1), run("q1", "limit", 0.1, 0.1), run("q1", "house", 9, 9), run("q1", "limit", 0.1, 0.1), run("q1", "house", 0.2, 0.1), run("q1", "limit", 7, 7),
		run("q6a", "house", 0.04, 0),
	}}
	before := &bench.Results{Runs: []bench.Run{run("q1", "house", 0.5, 0), run("q1", "limit", 0.1, 0)}}
	table := func(before *bench.Results) string {
		var out strings.Builder
		bench.Table(r, &out, before)
		return out.String()
	}
	for _, want := range []string{"| 2 | 1.4 | 5 | 3.00 |", "| 0.04 ms | 0.05 |"} {
		if got := table(before); !strings.Contains(got, want) {
			t.Errorf("%s is not told:\n%s", want, got)
		}
	}
	if got := table(nil); !strings.Contains(got, "| 2 | 1.4 | | 3.00 |") {
		t.Errorf("without anything before:\n%s", got)
	}
	// The twin: a mean would have told of the one run that something else disturbed.
	if strings.Contains(table(nil), "9.5") {
		t.Error("one disturbed run is the result")
	}
}

func TestTheRecordedRunCanBeRead(t *testing.T) {
	r, err := bench.Load(filepath.Join("results", "baseline.json"))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("no run has been recorded yet")
	}
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Runs) == 0 {
		t.Error("nothing was measured")
	}
}

func TestWhoeverAsksReadsEachAnswerAndCountsTheBadOnes(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer token" || r.URL.Path != "/good" {
			w.WriteHeader(http.StatusTeapot)
		}
		_, _ = w.Write([]byte(strings.Repeat("x", 100_000)))
	}))
	defer s.Close()
	address := strings.TrimPrefix(s.URL, "http://")
	good := func(status int, body []byte) bool { return status == http.StatusOK && len(body) == 100_000 }
	for path, bad := range map[string]bool{"/good": false, "/bad": true} {
		ask := bench.NewAsking(func(int) []byte { return bench.Post(address, path, "token", []byte("{}")) }, good)
		d, err := bench.Drive(t.Context(), address, []bench.Asking{ask, ask}, 50*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		if answers, failed := bench.Took(d); answers == 0 || bad && failed != answers || !bad && failed > 0 {
			t.Errorf("%s: %d answers, %d bad", path, answers, failed)
		}
	}
}
