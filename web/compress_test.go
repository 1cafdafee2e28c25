// SPDX-License-Identifier: EUPL-1.2

package web_test

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestLongAnswersAreCompressedForThoseWhoTakeThat(t *testing.T) {
	h := open(t, nil)
	long := query(`{ hello(to: "` + strings.Repeat("Hundesteuer ", 500) + `") }`)
	for accepted, want := range map[string]string{
		"gzip": "gzip", "gzip, deflate, br, zstd": "gzip", "br;q=1.0, gzip;q=0.2, *;q=0.1": "gzip", "GZIP": "gzip",
		"": "", "identity": "", "gzip;q=0": "", "br": "", "*": "", "gzip;q=0.5, identity;q=1": "", "gzip;q=x": "",
	} {
		w := h.post(long, "Accept-Encoding", accepted)
		if w.Code != 200 || w.Header().Get("Content-Encoding") != want || !slices.Contains(w.Header().Values("Vary"), "Accept-Encoding") {
			t.Errorf("Accept-Encoding %q: %d %v", accepted, w.Code, w.Header())
			continue
		}
		body := io.Reader(w.Body)
		if want == "gzip" {
			if w.Body.Len() > 1000 {
				t.Errorf("%d bytes", w.Body.Len())
			}
			z, err := gzip.NewReader(w.Body)
			if err != nil {
				t.Fatal(err)
			}
			body = z
		}
		if text, err := io.ReadAll(body); err != nil || !json.Valid(text) || len(text) < 6000 {
			t.Errorf("Accept-Encoding %q: %d bytes, %v", accepted, len(text), err)
		}
	}
	if w := h.post(query("{ hello }"), "Accept-Encoding", "gzip"); w.Header().Get("Content-Encoding") != "" {
		t.Error("a short answer is compressed")
	}
	if w := h.ask(http.MethodGet, "/schema.graphql", "", "Accept-Encoding", "gzip"); w.Header().Get("Content-Encoding") != "gzip" {
		t.Error("the contract is not compressed")
	}
}

func TestStreamsAreNeverCompressed(t *testing.T) {
	h := open(t, nil)
	w := h.post(query("subscription { countdown(from: 200) }"), "Accept", "text/event-stream", "Accept-Encoding", "gzip")
	if w.Header().Get("Content-Encoding") != "" || !strings.Contains(w.Body.String(), "event: complete") {
		t.Errorf("%v", w.Header())
	}
}
