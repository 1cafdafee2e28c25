// SPDX-License-Identifier: EUPL-1.2

package housetest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/ozg-cloud/platform/internal/housetest"
)

var rounds = flag.Int("rounds", 5, "how often a house under load is told to end")

// replica is the real program, serving.
type replica struct {
	url    string
	run    *exec.Cmd
	logged bytes.Buffer
}

// built is the real program.
func built(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "ozg")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../../cmd/ozg").CombinedOutput(); err != nil {
		t.Fatalf("building: %v\n%s", err, out)
	}
	return binary
}

// free is an address that nobody uses.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// start starts it on a free port, and waits until it is ready.
func start(t *testing.T, binary string, environ []string) *replica {
	t.Helper()
	address := free(t)
	p := &replica{url: "http://" + address, run: exec.Command(binary, "serve")}
	p.run.Env = append(slices.Clone(environ), "OZG_LISTEN="+address)
	p.run.Stderr = &p.logged
	if err := p.run.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.run.Process.Kill() })
	for end := time.Now().Add(30 * time.Second); ; <-time.After(10 * time.Millisecond) {
		if got, err := http.Get(p.url + "/readyz"); err == nil {
			_ = got.Body.Close()
			if got.StatusCode == http.StatusOK {
				return p
			}
		}
		if time.Now().After(end) {
			t.Fatalf("it is not ready:\n%s", p.logged.String())
		}
	}
}

// customer sends requests over one connection until it is told to turn away from this replica, or loses one. The requests cannot be sent
// again: what is lost stays lost.
func customer(url, token string, body func() string) (answered int, err error) {
	c := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}}
	defer c.CloseIdleConnections()
	for {
		text := body()
		r, err := http.NewRequest(http.MethodPost, url+"/graphql", io.NopCloser(strings.NewReader(text)))
		if err != nil {
			return answered, err
		}
		r.ContentLength = int64(len(text))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept", "application/graphql-response+json")
		r.Header.Set("Authorization", "Bearer "+token)
		got, err := c.Do(r)
		if err != nil {
			return answered, err
		}
		said, err := io.ReadAll(got.Body)
		_ = got.Body.Close()
		if err != nil || got.StatusCode != http.StatusOK || !bytes.HasPrefix(said, []byte(`{"data":{`)) {
			return answered, fmt.Errorf("status %d: %.200s (%w)", got.StatusCode, said, err)
		}
		answered++
		if got.Close {
			return answered, nil
		}
	}
}

// drained tells a replica to end while customers ask and hand in applications and sockets are open, and says what was lost.
func drained(t *testing.T, h *housetest.House, p *replica, signal syscall.Signal, number *atomic.Int64) (answered, handedIn, told int, lost []error) {
	t.Helper()
	token := func(who string) string { return h.Token(who, map[string]any{"trust_level": "SUBSTANTIAL"}, time.Hour) }
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var mu sync.Mutex
	var wait sync.WaitGroup
	lose := func(err error) {
		mu.Lock()
		defer mu.Unlock()
		lost = append(lost, err)
	}
	for range 4 {
		c, _, err := websocket.Dial(ctx, p.url+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
		if err != nil {
			t.Fatal(err)
		}
		greeted(ctx, c, token("kiel-caseworker"))
		wait.Go(func() {
			defer func() { _ = c.CloseNow() }()
			for {
				if _, _, err := c.Read(ctx); err != nil {
					if websocket.CloseStatus(err) != websocket.StatusGoingAway {
						lose(fmt.Errorf("a socket is not told: %w", err))
						return
					}
					mu.Lock()
					defer mu.Unlock()
					told++
					return
				}
			}
		})
	}
	var busy atomic.Int64
	for i := range 6 {
		who, body := "kiel-caseworker", func() string {
			busy.Add(1)
			return `{"query":"{ cases(first: 20) { totalCount nodes { id number service { title } } } }"}`
		}
		if i%2 == 1 {
			who, body = "kiel-applicant", func() string {
				busy.Add(1)
				text, _ := json.Marshal(map[string]any{
					"query":     `mutation($in: SubmitApplicationInput!) { submitApplication(input: $in) { case { id } problems { __typename } } }`,
					"variables": map[string]any{"in": housetest.Application("99108001001000", "010020000000", fmt.Sprintf("drain-%d", number.Add(1)))},
				})
				return string(text)
			}
		}
		wait.Go(func() {
			n, err := customer(p.url, token(who), body)
			mu.Lock()
			answered += n
			if who == "kiel-applicant" {
				handedIn += n
			}
			mu.Unlock()
			if err != nil {
				lose(err)
			}
		})
	}
	for busy.Load() < 150 && ctx.Err() == nil {
		<-time.After(time.Millisecond)
	}
	if err := p.run.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	wait.Wait()
	if err := p.run.Wait(); err != nil {
		lose(fmt.Errorf("it did not end well: %w\n%s", err, p.logged.String()))
	}
	return answered, handedIn, told, lost
}

// TestNothingIsLostWhenAHouseUnderLoadIsToldToEnd plays against the real program. make drain does so 200 times.
func TestNothingIsLostWhenAHouseUnderLoadIsToldToEnd(t *testing.T) {
	h := housetest.New(t)
	h.Seed(100, 1)
	db := h.Database()
	cases := func() (n int) {
		if err := db.QueryRow(t.Context(), "select count(*) from cases").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	binary, environ := built(t), append(h.Environ(), "OZG_DRAIN_SECONDS=1", "OZG_CALLER_BUDGET=1000000000", "OZG_TENANT_BUDGET=1000000000")
	var number atomic.Int64
	answered, told := 0, 0
	begun := time.Now()
	for round := range *rounds {
		before := cases()
		asked, handedIn, sockets, lost := drained(t, h, start(t, binary, environ), syscall.SIGTERM, &number)
		for _, err := range lost {
			t.Errorf("round %d: %v", round, err)
		}
		if stored := cases() - before; stored != handedIn {
			t.Errorf("round %d: %d applications were taken and %d are stored", round, handedIn, stored)
		}
		if sockets != 4 {
			t.Errorf("round %d: %d of 4 sockets were told", round, sockets)
		}
		answered, told = answered+asked, told+sockets
	}
	t.Logf("%d houses ended under load in %v: %d requests answered, none lost, %d sockets told", *rounds, time.Since(begun).Round(time.Second), answered, told)
}

func TestTheSearchForLossesFindsAHouseThatIsKilled(t *testing.T) {
	h := housetest.New(t)
	var number atomic.Int64
	p := start(t, built(t), append(h.Environ(), "OZG_DRAIN_SECONDS=1"))
	if _, _, told, lost := drained(t, h, p, syscall.SIGKILL, &number); told > 0 || len(lost) < 5 {
		t.Errorf("%d sockets are told, %d requests lost", told, len(lost))
	}
}
