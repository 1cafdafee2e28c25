// SPDX-License-Identifier: EUPL-1.2

package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// line is a connection that is kept. It knows just enough of HTTP/1.1 for the driver not to cost more than what it drives.
type line struct {
	to   net.Conn
	from *bufio.Reader
	body bytes.Buffer
}

func dial(ctx context.Context, address string) (*line, error) {
	to, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return &line{to: to, from: bufio.NewReaderSize(to, 64<<10)}, nil
}

// ask sends a request and waits for its answer, which is good until the next.
func (l *line) ask(request []byte) (status int, body []byte, err error) {
	if err := l.to.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return 0, nil, err
	}
	if _, err := l.to.Write(request); err != nil {
		return 0, nil, err
	}
	got, err := http.ReadResponse(l.from, nil)
	if err != nil {
		return 0, nil, err
	}
	l.body.Reset()
	if _, err = io.Copy(&l.body, got.Body); err == nil {
		err = got.Body.Close()
	}
	return got.StatusCode, l.body.Bytes(), err
}

// post writes a request.
func post(address, path, token string, body []byte) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nAccept: application/json\r\nContent-Length: %d\r\n", path, address, len(body))
	if token != "" {
		fmt.Fprintf(&b, "Authorization: Bearer %s\r\n", token)
	}
	b.WriteString("\r\n")
	b.Write(body)
	return b.Bytes()
}

// asking is what one of those who ask does: the n-th request, and whether its answer is good.
type asking struct {
	request func(n int) []byte
	good    func(status int, body []byte) bool
}

// driven is what came of asking for a while.
type driven struct {
	took    []time.Duration
	failed  int
	failure string
}

// drive asks by so many connections at once, each as soon as it has its answer.
func drive(ctx context.Context, address string, all []asking, lasts time.Duration) (driven, error) {
	var (
		wait  sync.WaitGroup
		mu    sync.Mutex
		sum   driven
		wrong error
		end   = time.Now().Add(lasts)
	)
	for _, a := range all {
		wait.Go(func() {
			one, err := a.until(ctx, address, end)
			mu.Lock()
			defer mu.Unlock()
			sum.took = append(sum.took, one.took...)
			sum.failed += one.failed
			if one.failure != "" {
				sum.failure = one.failure
			}
			if err != nil {
				wrong = err
			}
		})
	}
	wait.Wait()
	slices.Sort(sum.took)
	return sum, wrong
}

func (a asking) until(ctx context.Context, address string, end time.Time) (d driven, err error) {
	l, err := dial(ctx, address)
	if err != nil {
		return d, err
	}
	defer l.to.Close()
	for n := 0; ctx.Err() == nil; n++ {
		request := a.request(n)
		begun := time.Now()
		if begun.After(end) {
			break
		}
		status, body, err := l.ask(request)
		if err != nil {
			return d, fmt.Errorf("bench: asking: %w", err)
		}
		d.took = append(d.took, time.Since(begun))
		if !a.good(status, body) {
			d.failed++
			d.failure = fmt.Sprintf("%d %.200s", status, body)
		}
	}
	return d, ctx.Err()
}

// afterwards is how long the meter runs on, for what is written a little later than what it tells of was answered.
const afterwards = 400 * time.Millisecond

// run measures one question at one server.
func (g *ground) run(ctx context.Context, p plan, question string, s side) (Run, error) {
	r := Run{Question: question, Server: s.server.name}
	if s.fresh != nil {
		if err := s.fresh(ctx); err != nil {
			return r, err
		}
	}
	all := s.asking(p.Connections)
	if _, err := drive(ctx, s.server.address, all, p.Warm); err != nil {
		return r, err
	}
	before, err := g.read(s.server)
	if err != nil {
		return r, err
	}
	d, err := drive(ctx, s.server.address, all, p.Lasts)
	if err != nil {
		return r, err
	}
	lasted := time.Since(before.at)
	if len(d.took) == 0 {
		return r, fmt.Errorf("bench: the %s has not answered %s", s.server.name, question)
	}
	select {
	case <-time.After(afterwards):
	case <-ctx.Done():
		return r, ctx.Err()
	}
	after, err := g.read(s.server)
	if err != nil {
		return r, err
	}
	memory, err := memoryOf(s.server.pid)
	if err != nil {
		return r, err
	}
	n := float64(len(d.took))
	each := func(t time.Duration) float64 { return t.Seconds() * 1000 / n }
	own := after.own - before.own
	r.PerSecond = n / lasted.Seconds()
	r.P50, r.P99 = d.took[len(d.took)/2].Seconds()*1000, d.took[len(d.took)*99/100].Seconds()*1000
	r.ServerCPU, r.DatabaseCPU = each(after.server-before.server), each(after.database-before.database)
	r.Others = (after.all - before.all - own - (after.server - before.server) - (after.database - before.database)).Seconds() / after.at.Sub(before.at).Seconds()
	r.Memory = float64(memory) / (1 << 20)
	r.Failed, r.Failure = d.failed, d.failure
	return r, nil
}

// idle is how much of a CPU the house and the database need when nobody asks anything.
func (g *ground) idle(ctx context.Context, lasts time.Duration) (float64, error) {
	before, err := g.read(g.house)
	if err != nil {
		return 0, err
	}
	select {
	case <-time.After(lasts):
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	after, err := g.read(g.house)
	return (after.server + after.database - before.server - before.database).Seconds() / after.at.Sub(before.at).Seconds(), err
}
