// SPDX-License-Identifier: EUPL-1.2

package housetest_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/internal/housetest"
	"github.com/ozg-cloud/platform/schema"
)

var subscribers = flag.String("subscribers", "", "how many subscribers the figures of events are for, as 1000,10000; empty: there are none")

// ear is a subscriber that costs as little as possible: it reads frames and counts.
type ear struct {
	conn net.Conn
	r    *bufio.Reader
	sse  bool
}

// listenAt opens a socket and subscribes; without a token it only opens it.
func listenAt(address, token, document string) (*ear, error) {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	e := &ear{conn: c, r: bufio.NewReaderSize(c, 1024)}
	_, err = io.WriteString(c, "GET /graphql HTTP/1.1\r\nHost: "+address+"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n")
	for line := ""; err == nil && line != "\r\n"; {
		line, err = e.r.ReadString('\n')
	}
	if err != nil || token == "" {
		return e, err
	}
	text, _ := json.Marshal(document)
	e.say(1, `{"type":"connection_init","payload":{"Authorization":"Bearer `+token+`"}}`)
	e.say(1, `{"type":"subscribe","id":"1","payload":{"query":`+string(text)+`}}`)
	return e, nil
}

// hearAt opens an event stream.
func hearAt(address, token, document string) (*ear, error) {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	e := &ear{conn: c, r: bufio.NewReaderSize(c, 1024), sse: true}
	body, _ := json.Marshal(map[string]string{"query": document})
	_, err = fmt.Fprintf(c, "POST /graphql HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nAccept: text/event-stream\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s", address, token, len(body), body)
	return e, err
}

// say sends a frame, masked with zeros.
func (e *ear) say(opcode byte, text string) {
	head := []byte{0x80 | opcode}
	if n := len(text); n < 126 {
		head = append(head, 0x80|byte(n))
	} else {
		head = binary.BigEndian.AppendUint16(append(head, 0x80|126), uint16(n))
	}
	_, _ = e.conn.Write(append(append(head, 0, 0, 0, 0), text...))
}

// until reads until a frame has something in it.
func (e *ear) until(what []byte) error {
	for {
		text, err := e.next()
		if err != nil {
			return err
		}
		if bytes.Contains(text, what) {
			return nil
		}
	}
}

func (e *ear) next() ([]byte, error) {
	if e.sse {
		return e.r.ReadSlice('\n')
	}
	for {
		var head [4]byte
		if _, err := io.ReadFull(e.r, head[:2]); err != nil {
			return nil, err
		}
		n := int(head[1] & 0x7F)
		if n == 126 {
			if _, err := io.ReadFull(e.r, head[2:]); err != nil {
				return nil, err
			}
			n = int(binary.BigEndian.Uint16(head[2:]))
		}
		if n > 1000 {
			return nil, fmt.Errorf("a frame of %d bytes", n)
		}
		text, err := e.r.Peek(n)
		if err != nil {
			return nil, err
		}
		_, _ = e.r.Discard(n)
		switch head[0] & 0x0F {
		case 1:
			return text, nil
		case 8:
			return nil, fmt.Errorf("closed: %q", text)
		case 9:
			e.say(10, string(text))
		}
	}
}

// process is what the kernel knows of one.
func process(t *testing.T, pid int) (rss int, cpu time.Duration) {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Skip("there is no /proc here")
	}
	f := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+2:]))
	number := func(s string) int { n, _ := strconv.Atoi(s); return n }
	return number(f[21]) * os.Getpagesize(), time.Duration(number(f[11])+number(f[12])) * 10 * time.Millisecond
}

// open opens so many, some at a time, and waits for the first checkpoint of each.
func openEars(t *testing.T, n int, one func(i int) (*ear, error), first string) []*ear {
	t.Helper()
	ears := make([]*ear, n)
	var wait sync.WaitGroup
	turn := make(chan struct{}, 50)
	for i := range ears {
		turn <- struct{}{}
		wait.Go(func() {
			defer func() { <-turn }()
			e, err := one(i)
			if err == nil && first != "" {
				err = e.until([]byte(first))
			}
			if err != nil {
				t.Errorf("subscriber %d: %v", i, err)
			}
			ears[i] = e
		})
	}
	wait.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return ears
}

// publish lets something happen so many times and tells how long it took until those whom it concerns had it.
func publish(t *testing.T, concerned []*ear, times int, mark string, happen func()) (all []time.Duration) {
	t.Helper()
	var mu sync.Mutex
	for range times {
		var wait sync.WaitGroup
		begun := time.Now()
		for _, e := range concerned {
			wait.Go(func() {
				if err := e.until([]byte(mark)); err != nil {
					t.Errorf("receiving: %v", err)
				}
				took := time.Since(begun)
				mu.Lock()
				all = append(all, took)
				mu.Unlock()
			})
		}
		happen()
		wait.Wait()
	}
	slices.Sort(all)
	return all
}

func closeAll(all []*ear) {
	for _, e := range all {
		_ = e.conn.Close()
	}
}

// TestTheFiguresOfEvents measures a real program from outside, beside a raw broadcast in the same run: make bench-events.
func TestTheFiguresOfEvents(t *testing.T) {
	if *subscribers == "" {
		t.Skip("asked for by make bench-events")
	}
	h := housetest.New(t)
	raw := filepath.Join(t.TempDir(), "broadcast")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", raw, "../../bench/broadcast").CombinedOutput(); err != nil {
		t.Fatalf("building: %v\n%s", err, out)
	}
	program, environ := built(t), append(h.Environ(), "OZG_DRAIN_SECONDS=0", "OZG_CALLER_BUDGET=1000000000", "OZG_TENANT_BUDGET=1000000000")
	document := `subscription { caseEvents(heartbeatSeconds: 300) { __typename ... on CaseEvent { type case { id state revision } } } }`
	t.Logf("%-34s %9s %9s %9s %12s %12s", "", "p50 ms", "p99 ms", "/ raw", "CPU us each", "KiB each")
	for size := range strings.SplitSeq(*subscribers, ",") {
		n, err := strconv.Atoi(size)
		if err != nil {
			t.Fatal(err)
		}
		rounds := max(5, 20_000/n)
		c := h.As("kiel-applicant").Submit("99108001001000", "010020000000")
		var p *replica
		at := *h
		row := func(name string, took []time.Duration, deliveries int, cpu time.Duration, bytes int, beside time.Duration) time.Duration {
			line := fmt.Sprintf("%-34s", fmt.Sprintf("%d, %s", n, name))
			p99 := time.Duration(0)
			if len(took) > 0 {
				p99 = took[len(took)*99/100]
				line += fmt.Sprintf(" %9.1f %9.1f", took[len(took)/2].Seconds()*1e3, p99.Seconds()*1e3)
				if beside > 0 {
					line += fmt.Sprintf(" %9.2f", float64(p99)/float64(beside))
				} else {
					line += "         -"
				}
				line += fmt.Sprintf(" %12.1f", float64(cpu.Microseconds())/float64(deliveries))
			} else {
				line += strings.Repeat(" ", 42)
			}
			if bytes > 0 {
				line += fmt.Sprintf(" %12.1f", float64(bytes)/1024/float64(n))
			}
			t.Log(line)
			return p99
		}
		token := func(who string) string { return h.Token(who, map[string]any{"trust_level": "SUBSTANTIAL"}, time.Hour) }
		happen := func() { at.As("kiel-mailroom").Must("commentOnCase", &c, map[string]any{"body": "Rückruf"}) }
		run := func(name string, one func(address string, i int) (*ear, error), concerned func([]*ear) []*ear, beside time.Duration) {
			p = start(t, program, environ)
			at.URL = p.url
			address := strings.TrimPrefix(p.url, "http://")
			warm := openEars(t, 10, func(i int) (*ear, error) { return one(address, i) }, "StreamCheckpoint")
			closeAll(warm)
			before, _ := process(t, p.run.Process.Pid)
			ears := openEars(t, n, func(i int) (*ear, error) { return one(address, i) }, "StreamCheckpoint")
			<-time.After(2 * time.Second) // for what was only needed to open them
			idle, _ := process(t, p.run.Process.Pid)
			who := concerned(ears)
			publish(t, who, 2, `"CaseEvent"`, happen)
			_, spent := process(t, p.run.Process.Pid)
			took := publish(t, who, rounds, `"CaseEvent"`, happen)
			_, now := process(t, p.run.Process.Pid)
			row(name, took, len(took), now-spent, idle-before, beside)
			closeAll(ears)
			_ = p.run.Process.Kill()
			_ = p.run.Wait()
		}
		// The raw broadcast sends a frame of the same length.
		address := free(t)
		b := exec.Command(raw, address)
		if err := b.Start(); err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); <-time.After(10 * time.Millisecond) {
			if c, err := net.Dial("tcp", address); err == nil {
				_ = c.Close()
				break
			}
		}
		text := strings.Repeat(" ", 200) + `"CaseEvent"`
		before, _ := process(t, b.Process.Pid)
		ears := openEars(t, n, func(int) (*ear, error) { return listenAt(address, "", "") }, "")
		<-time.After(2 * time.Second)
		idle, _ := process(t, b.Process.Pid)
		tell := func() {
			if got, err := http.Post("http://"+address+"/", "text/plain", strings.NewReader(text)); err != nil {
				t.Error(err)
			} else {
				_ = got.Body.Close()
			}
		}
		publish(t, ears, 2, `"CaseEvent"`, tell)
		_, spent := process(t, b.Process.Pid)
		took := publish(t, ears, rounds, `"CaseEvent"`, tell)
		_, now := process(t, b.Process.Pid)
		beside := row("raw broadcast to all", took, len(took), now-spent, idle-before, 0)
		closeAll(ears)
		_ = b.Process.Kill()
		_ = b.Wait()

		kiel, luebeck := token("kiel-caseworker"), token("luebeck-caseworker")
		all := func(e []*ear) []*ear { return e }
		run("an event to all sockets", func(a string, _ int) (*ear, error) { return listenAt(a, kiel, document) }, all, beside)
		run("an event to all event streams", func(a string, _ int) (*ear, error) { return hearAt(a, kiel, document) }, all, beside)
		run("an event to one socket of all", func(a string, i int) (*ear, error) {
			if i > 0 {
				return listenAt(a, luebeck, document)
			}
			return listenAt(a, kiel, document)
		}, func(e []*ear) []*ear { return e[:1] }, beside)
	}
	// Catching up: one receiver that comes late.
	const behind = 20_000
	c := h.As("kiel-applicant").Submit("99108001001000", "010020000000")
	begin := h.As("kiel-caseworker").Ask("{ caseEvents(first: 0) { newest } }", nil).Works().Text("caseEvents.newest")
	db := h.Database()
	_, id, _ := schema.ParseID(c.ID)
	for _, statement := range []string{"set session_replication_role = replica", `insert into events (id, tenant_id, place, type, case_id, sequence, revision, at, unit_id, unit_before)
		select gen_random_uuid(), tenant_id, place, 'CASE_STARTED', case_id, 1000 + n, 1000 + n, now(), unit_id, unit_id
		from (select * from events where case_id = '` + id.String() + `' limit 1) e, generate_series(1, ` + strconv.Itoa(behind) + `) n`} {
		if _, err := db.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	p := start(t, program, environ)
	at := *h
	at.URL = p.url
	begun, got := time.Now(), 0
	s := at.With("kiel-caseworker", authz.Substantial).Follow(`subscription($after: EventCursor) { caseEvents(after: $after, heartbeatSeconds: 300) { __typename ... on CaseEvent { case { id state revision } } } }`, map[string]any{"after": begin})
	for got < behind {
		if e := s.Next(); e.Type == "CaseEvent" {
			got++
		} else if e.Type == "" {
			t.Fatal(e.Raw)
		}
	}
	t.Logf("catching up: %.0f events a second", behind/time.Since(begun).Seconds())
}
