// SPDX-License-Identifier: EUPL-1.2

package housetest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/ozg-cloud/platform/internal/housetest"
)

// timely is how soon an answer has to come to be of use.
const timely = 2 * time.Second

// load is what is asked of a house, by somebody.
type load struct {
	name, token string
	body        func() []byte
	share       int // of a hundred

	asked, answered, refused, failed atomic.Int64
	mu                               sync.Mutex
	refusals                         []time.Duration
}

func (l *load) ask(c *http.Client, address string) {
	l.asked.Add(1)
	begun := time.Now()
	r, err := http.NewRequest(http.MethodPost, address+"/graphql", bytes.NewReader(l.body()))
	if err != nil {
		l.failed.Add(1)
		return
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/graphql-response+json")
	r.Header.Set("Authorization", "Bearer "+l.token)
	got, err := c.Do(r)
	if err != nil {
		l.failed.Add(1)
		return
	}
	_, _ = io.Copy(io.Discard, got.Body)
	_ = got.Body.Close()
	took := time.Since(begun)
	switch {
	case got.StatusCode == http.StatusServiceUnavailable:
		l.refused.Add(1)
		l.mu.Lock()
		defer l.mu.Unlock()
		l.refusals = append(l.refusals, took)
	case got.StatusCode == http.StatusOK && took <= timely:
		l.answered.Add(1)
	default:
		l.failed.Add(1)
	}
}

// told is what the house tells of its refusals: how many there were, and how many took no more than five milliseconds.
func told(t *testing.T, address string) (refusals, soon int) {
	t.Helper()
	got, err := http.Get(address + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	number := func(pattern string) int {
		m := regexp.MustCompile(`(?m)^` + pattern + ` (\d+)$`).FindSubmatch(text)
		if m == nil {
			t.Fatalf("%s is not told", pattern)
		}
		n, err := strconv.Atoi(string(m[1]))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	return number("ozg_refusal_duration_seconds_count"), number(`ozg_refusal_duration_seconds_bucket\{le="0.005"\}`)
}

// TestTenTimesTheCapacity plays against the real program and database for as long as -long says. make overload runs it; what CI can
// afford, on a clock of its own, is in web.
func TestTenTimesTheCapacity(t *testing.T) {
	if *long == 0 {
		t.Skip("make overload runs it")
	}
	h := housetest.New(t)
	h.Seed(30_000, 1)
	metrics := free(t)
	environ := h.Environ()
	for i, e := range environ {
		if address, ok := strings.CutPrefix(e, "OZG_DATABASE_URL="); ok {
			u, err := url.Parse(address)
			if err != nil {
				t.Fatal(err)
			}
			q := u.Query()
			q.Set("pool_max_conns", "4")
			u.RawQuery = q.Encode()
			environ[i] = "OZG_DATABASE_URL=" + u.String()
		}
	}
	p := start(t, built(t), append(environ, "OZG_METRICS_LISTEN="+metrics, "OZG_CALLER_BUDGET=2000000000", "OZG_TENANT_BUDGET=2000000000"))
	token := func(who string) string { return h.Token(who, map[string]any{"trust_level": "SUBSTANTIAL"}, time.Hour) }
	var number atomic.Int64
	search := func() []byte {
		return []byte(`{"query":"{ cases(first: 1, where: {number: {contains: \"nobody\"}}) { totalCount } }"}`)
	}
	loads := []*load{
		{name: "intake", token: token("kiel-applicant"), share: 2, body: func() []byte {
			text, _ := json.Marshal(map[string]any{
				"query":     `mutation($in: SubmitApplicationInput!) { submitApplication(input: $in) { case { id } problems { __typename } } }`,
				"variables": map[string]any{"in": housetest.Application("99108001001000", "010020000000", fmt.Sprintf("overload-%d", number.Add(1)))},
			})
			return text
		}},
		{name: "questions", token: token("sh-admin"), share: 88, body: search},
		{name: "figures", token: token("sh-analyst"), share: 10, body: search},
	}
	client := &http.Client{Timeout: 15 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 2000, MaxConnsPerHost: 2000}}

	// The capacity is what somebody gets who asks no more than is answered. It is looked at before and afterwards, because on a machine that
	// is shared it is not always the same.
	capacity := func() float64 {
		l := &load{token: token("sh-admin"), body: search}
		var wait sync.WaitGroup
		for range 8 {
			wait.Go(func() {
				for end := time.Now().Add(*long / 4); time.Now().Before(end); {
					l.ask(client, p.url)
				}
			})
		}
		wait.Wait()
		return float64(l.answered.Load()) / (*long / 4).Seconds()
	}
	before := capacity()
	perSecond := 10 * before
	begun := time.Now()
	var wait sync.WaitGroup
	for sent := 0; time.Since(begun) < *long; <-time.After(5 * time.Millisecond) {
		for due := int(time.Since(begun).Seconds() * perSecond); sent < due; sent++ {
			at := sent % 100
			for _, l := range loads {
				if at < l.share {
					wait.Go(func() { l.ask(client, p.url) })
					break
				}
				at -= l.share
			}
		}
	}
	lasted := time.Since(begun)
	over := time.Now()
	var recovered time.Duration
	for who := h.Token("kiel-mailroom", nil, time.Hour); ; <-time.After(10 * time.Millisecond) {
		l := &load{token: who, body: func() []byte { return []byte(`{"query":"{ cases(first: 1) { totalCount } }"}`) }}
		asked := time.Now()
		if l.ask(client, p.url); l.answered.Load() == 1 && time.Since(asked) < 250*time.Millisecond {
			recovered = time.Since(over)
			break
		}
	}
	wait.Wait()
	var answered, asked int64
	var refusals []time.Duration
	for _, l := range loads {
		t.Logf("%s: %d asked, %d answered in time, %d refused, %d late or lost", l.name, l.asked.Load(), l.answered.Load(), l.refused.Load(), l.failed.Load())
		answered, asked, refusals = answered+l.answered.Load(), asked+l.asked.Load(), append(refusals, l.refusals...)
	}
	slices.Sort(refusals)
	after := capacity()
	peak := (before + after) / 2
	goodput := float64(answered) / lasted.Seconds()
	all, soon := told(t, "http://"+metrics)
	t.Logf("peak %.0f a second before, %.0f afterwards; asked %.0f a second, answered %.0f a second (%.0f %% of the peak); %d refusals, %.2f %% of them within 5 ms in the house; as the callers see it %v at the median, %v at the 99th of 100; well again after %v",
		before, after, float64(asked)/lasted.Seconds(), goodput, 100*goodput/peak, all, 100*float64(soon)/float64(max(1, all)), refusals[len(refusals)/2], refusals[len(refusals)*99/100], recovered)
	if goodput < 0.9*peak {
		t.Error("less than 90 % of the peak is answered")
	}
	if float64(soon) < 0.99*float64(all) {
		t.Error("more than one of a hundred refusals takes more than 5 ms")
	}
	if intake := loads[0]; intake.answered.Load() < intake.asked.Load()*95/100 {
		t.Error("intake suffers")
	}
	if recovered > time.Second {
		t.Error("the house does not recover within a second")
	}
	if err := p.run.Process.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
}
