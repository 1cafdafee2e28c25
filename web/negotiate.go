// SPDX-License-Identifier: EUPL-1.2

package web

import (
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/ozg-cloud/platform/internal/problem"
)

// The media types that GraphQL is answered in.
const (
	graphqlJSON = "application/graphql-response+json"
	plainJSON   = "application/json"
	eventStream = "text/event-stream"
)

// Profile is the edition of GraphQL over HTTP whose status codes and defaults are followed.
type Profile int

const (
	// Watershed2025 is what published clients and audits know: 400 for what does not validate, and 200 for those who only know
	// application/json.
	Watershed2025 Profile = iota
	// Draft202608 is the draft of August 2026: 422 for what does not validate, 294 for data together with errors, and no 200 for a
	// refused request.
	Draft202608
)

// negotiate picks the offer that an Accept header (RFC 9110, section 12.5.1) gives the highest weight, the first of those that are
// equal; "" when it accepts none. named tells whether any offer is named in it: wildcards alone express no wish.
func negotiate(accept []string, offers ...string) (best string, named bool) {
	if len(accept) == 0 {
		return offers[0], false
	}
	header, weight := strings.Join(accept, ","), 0.0
	for _, offer := range offers {
		q, exact := quality(header, offer)
		named = named || exact && q > 0
		if q > weight {
			best, weight = offer, q
		}
	}
	return best, named
}

// quality is the weight that a header gives a media type by its most specific range.
func quality(header, offer string) (weight float64, named bool) {
	kind, _, _ := strings.Cut(offer, "/")
	specific := 0
	for part := range strings.SplitSeq(header, ",") {
		media, params, _ := strings.Cut(part, ";")
		rank := 0
		switch strings.ToLower(strings.TrimSpace(media)) {
		case offer:
			rank = 3
		case kind + "/*":
			rank = 2
		case "*/*":
			rank = 1
		}
		if rank <= specific {
			continue
		}
		q := 1.0
		for param := range strings.SplitSeq(params, ";") {
			name, value, _ := strings.Cut(strings.TrimSpace(param), "=")
			if !strings.EqualFold(name, "q") {
				continue
			}
			parsed, err := strconv.ParseFloat(value, 64)
			if err != nil || parsed < 0 || parsed > 1 {
				parsed = 0
			}
			q = parsed
		}
		specific, weight = rank, q
	}
	return weight, specific == 3
}

// form picks the media type of an answer to r, "" when none is accepted.
func (p Profile) form(r *http.Request, offers ...string) string {
	accept := r.Header.Values("Accept")
	best, named := negotiate(accept, append([]string{graphqlJSON, plainJSON}, offers...)...)
	if p == Watershed2025 && !named { // who expresses no wish may not know the younger type
		best, _ = negotiate(accept, append([]string{plainJSON, graphqlJSON}, offers...)...)
	}
	return best
}

// acceptsStream tells whether an event stream is named among what r accepts.
func acceptsStream(r *http.Request) bool {
	q, named := quality(strings.Join(r.Header.Values("Accept"), ","), eventStream)
	return named && q > 0
}

// readsJSON tells whether a body declares itself as JSON in UTF-8 without a content coding. Nothing else is read as JSON by guess:
// that a browser cannot send this type across origins without asking keeps cross-site requests out.
func readsJSON(r *http.Request) error {
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset, given := params["charset"]
	if err != nil || media != plainJSON || given && !strings.EqualFold(charset, "utf-8") || r.Header.Get("Content-Encoding") != "" {
		return problem.New(problem.Invalid, "contentType")
	}
	return nil
}
