// SPDX-License-Identifier: EUPL-1.2

package web

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/ozg-cloud/platform/internal/problem"
)

// patience is how long readiness may take to be found out.
const patience = 2 * time.Second

// health are the endpoints that tell about the house itself; anybody may ask them.
func (d *Door) health() []Route {
	return []Route{
		{Pattern: "GET /livez", Handler: d.alive},
		{Pattern: "GET /readyz", Handler: d.ready},
		{Pattern: "GET /schema.graphql", Handler: d.contract},
	}
}

// alive says that the process answers. It asks nobody: a dead database is no reason to kill the house.
func (d *Door) alive(w http.ResponseWriter, r *http.Request) error { return plainly(w, r, "alive\n") }

// ready says whether requests should be sent here. A draining house is not ready, although it still answers.
func (d *Door) ready(w http.ResponseWriter, r *http.Request) error {
	if d.draining.Load() {
		return problem.New(problem.Busy, "shuttingDown")
	}
	fresh, err := d.lately.ready(r.Context())
	if err != nil {
		if fresh {
			d.o.Log.WarnContext(r.Context(), "not ready", "error", err)
		}
		return problem.New(problem.Busy, "notReady")
	}
	return plainly(w, r, "ready\n")
}

// contract gives the contract as SDL: to whoever signs in their own one, where it is another. In production it is as public as on paper.
func (d *Door) contract(w http.ResponseWriter, r *http.Request) error {
	h := w.Header()
	text, etag, kept := d.o.Contract, d.etag, "no-cache"
	if d.o.ContractOf != nil {
		h.Add("Vary", "Authorization")
		ctx, known, err := d.identified(r)
		if err != nil {
			return err
		}
		if known {
			kept = "private, no-cache"
			if own, ok := d.o.ContractOf(ctx); ok {
				text, etag = own, etagOf(own)
			}
		}
	}
	h.Set("ETag", "W/"+etag) // weak, because it is the same text whether compressed or not
	h.Set("Cache-Control", kept)
	for known := range strings.SplitSeq(r.Header.Get("If-None-Match"), ",") {
		if known = strings.TrimPrefix(strings.TrimSpace(known), "W/"); known == etag || known == "*" {
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	return plainly(w, r, text)
}

func plainly(w http.ResponseWriter, r *http.Request, text string) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	send(w, r, http.StatusOK, []byte(text))
	return nil
}

// lately is what was found out about readiness a moment ago: anybody may ask, and the database is not to hear of each.
type lately struct {
	ask func(context.Context) error

	mu  sync.Mutex
	at  time.Time
	err error
}

// still is how long that is believed.
const still = 500 * time.Millisecond

// ready asks, or remembers. Those who ask meanwhile wait for the same answer. fresh tells whether it was asked.
func (l *lately) ready(ctx context.Context) (fresh bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.at.IsZero() && time.Since(l.at) < still {
		return false, l.err
	}
	// It is everybody's answer, so it does not end when one of them leaves.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	l.err, l.at = l.ask(ctx), time.Now()
	return true, l.err
}
