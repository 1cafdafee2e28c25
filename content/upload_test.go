// SPDX-License-Identifier: EUPL-1.2

package content_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/internal/problem"
)

func TestAnUploadIsAnsweredWithWhatItBecame(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	a := h.upload(applicant, "Übersicht 50 % größer.txt", strings.NewReader("Grüße"))
	must(t, a.err)
	if a.Code != http.StatusCreated || a.Header().Get("Content-Type") != "application/json" {
		t.Errorf("got %d, %v", a.Code, a.Header())
	}
	var said map[string]any
	must(t, json.Unmarshal(a.Body.Bytes(), &said))
	id := got(uuid.Parse(said["id"].(string)))(t)
	delete(said, "id")
	if want := map[string]any{
		"name": "Übersicht 50 % größer.txt", "mediaType": "text/plain; charset=utf-8", "size": 7.0,
		"sha256": h.keep("Grüße").SHA256, "expiresAt": "2026-03-29T12:00:00Z",
	}; !reflect.DeepEqual(said, want) {
		t.Errorf("got %v, want %v", said, want)
	}
	up := got(h.client.Upload.Get(authz.With(t.Context(), h.as(applicant)), id))(t)
	if up.Name != "Übersicht 50 % größer.txt" || up.Subject != applicant {
		t.Errorf("stored is %q of %s", up.Name, up.Subject)
	}
	for _, other := range []string{stranger, kielCaseworker} {
		if _, err := h.client.Upload.Get(authz.With(t.Context(), h.as(other)), id); err == nil {
			t.Errorf("%s sees the upload of somebody else", other)
		}
	}
	again := h.upload(applicant, "zweitens.txt", strings.NewReader("Grüße"))
	must(t, again.err)
	if there := files(t, h.folder); len(there) != 1 || h.count("uploads") != 2 {
		t.Errorf("there are %v for %d uploads", there, h.count("uploads"))
	}
}

func TestUploadsThatBreakARuleAreRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	text := func() io.Reader { return strings.NewReader("text") }
	is(t, h.upload(kielAuditor, "a.txt", text()).err, problem.Forbidden, "notAllowed")
	is(t, h.upload("user:dev:nobody", "a.txt", text()).err, problem.Forbidden, "notAllowed")
	is(t, h.upload(applicant, "", text()).err, problem.Invalid, "required")
	is(t, h.upload(applicant, "../a.txt", text()).err, problem.Invalid, "pattern")
	is(t, h.upload(applicant, "a.txt", strings.NewReader(strings.Repeat("a", uploadLimit+1))).err, problem.Invalid, "tooLarge")
	is(t, h.upload(applicant, "a.txt", io.LimitReader(letters{}, uploadLimit+1)).err, problem.Invalid, "tooLarge")

	r := httptest.NewRequest(http.MethodPost, "/uploads", text())
	is(t, h.desk.Upload(httptest.NewRecorder(), r), problem.Unauthenticated, "noPrincipal")
	r = r.WithContext(authz.With(r.Context(), h.as(applicant)))
	r.Header.Set("X-Filename", "%zz")
	is(t, h.desk.Upload(httptest.NewRecorder(), r), problem.Invalid, "pattern")
	if left := h.count("uploads"); left > 0 {
		t.Errorf("%d uploads were stored", left)
	}
}
