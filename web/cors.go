// SPDX-License-Identifier: EUPL-1.2

package web

import "net/http"

// crossOrigin lets pages of the allowed origins call (Fetch Standard, CORS protocol) and answers their preflight requests, which is
// when it returns true. Pages of other origins get no header, so their browser keeps the answer from them. Cookies play no part.
func (d *Door) crossOrigin(w http.ResponseWriter, r *http.Request) bool {
	h := w.Header()
	h.Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	preflight := r.Method == http.MethodOptions && origin != "" && r.Header.Get("Access-Control-Request-Method") != ""
	if d.origins[origin] {
		h.Set("Access-Control-Allow-Origin", origin)
		h.Set("Access-Control-Expose-Headers", "ETag, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate")
		if preflight {
			h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE")
			h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Accept-Language, GraphQL-Cost, Idempotency-Key, Last-Event-ID, X-GraphQL-Event-Stream-Token, X-Purpose, traceparent")
			h.Set("Access-Control-Max-Age", "600")
		}
	}
	if preflight {
		w.WriteHeader(http.StatusNoContent)
	}
	return preflight
}
