// SPDX-License-Identifier: EUPL-1.2

package web

import (
	"context"
	"fmt"
	"net/http"
	"strings"
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
func (d *Door) alive(w http.ResponseWriter, _ *http.Request) error { return plainly(w, "alive\n") }

// ready says whether requests should be sent here. A draining house is not ready, although it still answers.
func (d *Door) ready(w http.ResponseWriter, r *http.Request) error {
	if d.draining.Load() {
		return problem.New(problem.Busy, "shuttingDown")
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	if err := d.o.Ready(ctx); err != nil {
		d.o.Log.WarnContext(ctx, "not ready", "error", err)
		return problem.New(problem.Busy, "notReady")
	}
	return plainly(w, "ready\n")
}

// contract gives the contract as SDL. In production it is as public as on paper.
func (d *Door) contract(w http.ResponseWriter, r *http.Request) error {
	h := w.Header()
	h.Set("ETag", d.etag)
	h.Set("Cache-Control", "no-cache")
	for known := range strings.SplitSeq(r.Header.Get("If-None-Match"), ",") {
		if known = strings.TrimPrefix(strings.TrimSpace(known), "W/"); known == d.etag || known == "*" {
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	return plainly(w, d.o.Contract)
}

func plainly(w http.ResponseWriter, text string) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if _, err := w.Write([]byte(text)); err != nil {
		return fmt.Errorf("web: answering: %w", err)
	}
	return nil
}
