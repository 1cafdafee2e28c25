// SPDX-License-Identifier: EUPL-1.2

package web

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"os"
	"runtime/debug"
	"strconv"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/ozg-cloud/platform/internal/problem"
)

// mostErrors is how many errors one answer tells: ten thousand wrong names are one mistake.
const mostErrors = 5

// longestWords is how much of what a parser says is passed on.
const longestWords = 500

// documentError is a document that was refused, with what parser or validator found.
type documentError struct {
	*problem.Problem
	found gqlerror.List
}

// Unwrap leads to the problem.
func (e *documentError) Unwrap() error { return e.Problem }

// panicError is a panic on its way out.
type panicError struct {
	value any
	stack []byte
}

// panicked makes an error of what recover gave.
func panicked(value any) error {
	if p, ok := value.(*panicError); ok { // somebody has seen it before, where it happened
		return p
	}
	return &panicError{value, debug.Stack()}
}

// Error does not show the value unless it is an error: it may hold anything.
func (p *panicError) Error() string {
	if err, ok := p.value.(error); ok {
		return "panic: " + err.Error()
	}
	return "panic"
}

// stated says of an error what the caller may hear. Whatever is no problem is logged here, once, under the reference that is returned.
func (d *Door) stated(ctx context.Context, err error) (p *problem.Problem, reference string) {
	if p, ok := problem.Of(err); ok {
		return p, ""
	}
	var tooLarge *http.MaxBytesError
	var panicked *panicError
	switch {
	case errors.As(err, &panicked):
	case errors.As(err, &tooLarge):
		return problem.New(problem.Invalid, "tooLarge"), ""
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.Is(ctx.Err(), context.Canceled):
		return problem.New(problem.Busy, "timeout"), "" // the third has gone and hears nothing
	}
	var b [6]byte
	_, _ = rand.Read(b[:]) // never fails
	reference = hex.EncodeToString(b[:])
	logged := []any{"reference", reference, "error", err}
	if panicked != nil {
		logged = append(logged, "stack", string(panicked.stack))
	}
	d.o.Log.ErrorContext(ctx, "internal error", logged...)
	return problem.New(problem.Internal, "internal"), reference
}

// statusOf is the HTTP status of a problem: of some rules of the front door, else of the kind.
func statusOf(p *problem.Problem) int {
	switch p.Rule {
	case "tooLarge":
		return http.StatusRequestEntityTooLarge
	case "contentType", "mediaType":
		return http.StatusUnsupportedMediaType
	case "method":
		return http.StatusMethodNotAllowed
	case "notAcceptable", "streamOnly":
		return http.StatusNotAcceptable
	case "quotaExceeded":
		return http.StatusTooManyRequests
	}
	switch p.Kind {
	case problem.Invalid:
		return http.StatusBadRequest
	case problem.Unauthenticated:
		return http.StatusUnauthorized
	case problem.Forbidden:
		return http.StatusForbidden
	case problem.Missing:
		return http.StatusNotFound
	case problem.Conflict:
		return http.StatusConflict
	case problem.Busy:
		return http.StatusServiceUnavailable
	case problem.Internal:
	}
	return http.StatusInternalServerError
}

// operationStatus is the HTTP status of a refused GraphQL request. Under the watershed's edition, those who only know
// application/json get 200 for a well-formed request whatever its document is like.
func (p Profile) operationStatus(refused *problem.Problem, form string) int {
	switch {
	case ofDocument(refused) && p == Watershed2025 && form == plainJSON:
		return http.StatusOK
	case ofDocument(refused) && refused.Rule != "unreadableDocument" && p == Draft202608, refused.Rule == "requestShape" && p == Draft202608:
		return http.StatusUnprocessableEntity
	}
	return statusOf(refused)
}

// ofDocument tells whether a well-formed request was refused for its document or variables.
func ofDocument(p *problem.Problem) bool {
	switch p.Rule {
	case "unreadableDocument", "invalidDocument", "tooComplex", "tooCostly", "unknownDocument", "untrustedDocument":
		return true
	}
	return false
}

// prompt tells in headers what the caller can do about a problem.
func (d *Door) prompt(h http.Header, p *problem.Problem, err error) {
	if s := (*spent)(nil); errors.As(err, &s) {
		s.tell(h, d.o.Limits)
	}
	switch {
	case p.Kind == problem.Busy:
		h.Set("Retry-After", strconv.Itoa(max(1, p.RetryAfterSeconds)))
	case p.Kind == problem.Unauthenticated && p.Rule == "noPrincipal":
		h.Set("WWW-Authenticate", "Bearer")
	case p.Kind == problem.Unauthenticated:
		h.Set("WWW-Authenticate", `Bearer error="invalid_token"`) // RFC 6750, section 3.1
	}
}

// refuse answers a request that failed outside GraphQL, with problem details (RFC 9457).
func (d *Door) refuse(w http.ResponseWriter, r *http.Request, err error) {
	p, reference := d.stated(r.Context(), err)
	if begun(w) {
		cutOff(w)
		return
	}
	d.prompt(w.Header(), p, err)
	language := problem.Language(r.Header.Get("Accept-Language"))
	body, err := json.Marshal(struct {
		Type      string   `json:"type"`
		Title     string   `json:"title"`
		Status    int      `json:"status"`
		Code      string   `json:"code"`
		Rule      string   `json:"rule"`
		Path      []string `json:"path,omitempty"`
		Reference string   `json:"reference,omitempty"`
	}{p.TypeURI(), p.Title(language), statusOf(p), p.Code(), p.Rule, p.Path, reference})
	if err != nil {
		panic("web: strings cannot be written as JSON")
	}
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Content-Language", language)
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(statusOf(p))
	_, _ = w.Write(body) // who has gone cannot be told
}

// refusedOperation makes the answer to a GraphQL request that failed before it was carried out. It has no data.
func (d *Door) refusedOperation(ctx context.Context, language string, err error) (*graphql.Response, *problem.Problem) {
	p, reference := d.stated(ctx, err)
	shown := &gqlerror.Error{Message: p.Title(language), Extensions: map[string]any{"code": p.Code(), "rule": p.Rule}}
	if reference != "" {
		shown.Extensions["reference"] = reference
	}
	if len(p.Path) > 0 {
		shown.Extensions["argument"] = p.Path
	}
	if p.RetryAfterSeconds > 0 {
		shown.Extensions["retryAfter"] = p.RetryAfterSeconds
	}
	var document *documentError
	if !errors.As(err, &document) || len(document.found) == 0 {
		return &graphql.Response{Errors: gqlerror.List{shown}}, p
	}
	out := &graphql.Response{}
	for _, found := range document.found[:min(mostErrors, len(document.found))] {
		e := *shown
		e.Locations = found.Locations
		if !d.o.Production && len(found.Message) <= longestWords { // the words of the parser repeat the document
			e.Message = found.Message
		}
		if at := variableIn(found, d.o.Production); at != nil {
			e.Extensions = maps.Clone(shown.Extensions)
			e.Extensions["variable"] = at
		}
		out.Errors = append(out.Errors, &e)
	}
	return out, p
}

// variableIn is where in the variables a value does not fit: the name of the variable, and the way inside it, as far as it consists of names and numbers.
// Of a field that is unknown, production tells only what it stands in: nothing that was sent is repeated there.
func variableIn(found *gqlerror.Error, production bool) (at []string) {
	if len(found.Path) < 2 || found.Path[0] != ast.PathName("variable") {
		return nil
	}
	for _, step := range found.Path[1:] {
		switch step := step.(type) {
		case ast.PathIndex:
			at = append(at, strconv.Itoa(int(step)))
		case ast.PathName:
			if !isName(string(step)) { // any text can be a key of JSON
				return at
			}
			at = append(at, string(step))
		}
	}
	if production && found.Message == "unknown field" {
		at = at[:len(at)-1]
	}
	return at
}
