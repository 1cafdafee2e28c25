// SPDX-License-Identifier: EUPL-1.2

package housetest

import (
	"context"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
)

// Proxy stands between clients and houses on the level of TCP, and breaks connections.
type Proxy struct {
	// URL is where clients connect to.
	URL string

	listener net.Listener
	target   atomic.Value // host and port
	carried  atomic.Int64
	wait     sync.WaitGroup

	mu   sync.Mutex
	open map[net.Conn]struct{}
}

// NewProxy leads to the house at an address. It ends with the test.
func NewProxy(t testing.TB, to string) *Proxy {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{URL: "http://" + l.Addr().String(), listener: l, open: map[net.Conn]struct{}{}}
	p.Lead(to)
	p.wait.Go(p.accept)
	t.Cleanup(func() {
		_ = l.Close()
		p.Cut()
		p.wait.Wait()
	})
	return p
}

// Lead leads those who come from now on to another house.
func (p *Proxy) Lead(to string) {
	u, err := url.Parse(to)
	if err != nil {
		panic(err) // the address of a house that is open
	}
	p.target.Store(u.Host)
}

// Cut breaks all connections, and tells how many there were. What is under way is lost.
func (p *Proxy) Cut() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.open)
	for c := range p.open {
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // reset, not closed
		}
		_ = c.Close()
	}
	return n
}

// Carried is how many connections there have been.
func (p *Proxy) Carried() int64 { return p.carried.Load() }

func (p *Proxy) accept() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.wait.Go(func() { p.carry(c) })
	}
}

func (p *Proxy) carry(c net.Conn) {
	defer p.drop(c)
	to, _ := p.target.Load().(string)
	house, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", to)
	if err != nil {
		return
	}
	defer p.drop(house)
	p.carried.Add(1)
	p.mu.Lock()
	p.open[c], p.open[house] = struct{}{}, struct{}{}
	p.mu.Unlock()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(house, c)
		_ = house.Close()
	}()
	_, _ = io.Copy(c, house)
	_ = c.Close()
	<-done
}

func (p *Proxy) drop(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, c)
	_ = c.Close()
}
