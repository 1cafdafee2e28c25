// SPDX-License-Identifier: EUPL-1.2

package content_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/content"
	"github.com/ozg-cloud/platform/internal/problem"
)

// leftovers lists what there is of content that was taken in and not kept: temporary files, blobs, rows.
func (h *house) leftovers(temporary string) []string {
	h.t.Helper()
	left := append(files(h.t, temporary), files(h.t, h.folder)...)
	if h.count("uploads") > 0 {
		left = append(left, "uploads")
	}
	return left
}

// apart gives the test a folder for temporary files of its own.
func apart(t *testing.T) string {
	t.Helper()
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	return temporary
}

func TestWhatIsNotKeptLeavesNothingBehind(t *testing.T) {
	temporary, h := apart(t), newHouse(t)
	half := func() io.Reader {
		return io.MultiReader(strings.NewReader("the first half"), iotest.ErrReader(errors.New("torn")))
	}
	ctx, cancel := context.WithCancel(t.Context())
	for name, stage := range map[string]func() error{
		"half-read": func() error { _, err := h.store.Stage(ctx, "a.txt", half(), 100); return err },
		"half-sent": func() error { return h.upload(applicant, "a.txt", half()).err },
		"empty":     func() error { return h.upload(applicant, "a.txt", strings.NewReader("")).err },
		"too large": func() error { return h.upload(applicant, "a.txt", io.LimitReader(letters{}, uploadLimit+1)).err },
		"a program": func() error { return h.upload(applicant, "a.txt", strings.NewReader("\x7fELF\x02\x01\x01")).err },
		"no name":   func() error { return h.upload(applicant, "", strings.NewReader("text")).err },
		"no right":  func() error { return h.upload(kielAuditor, "a.txt", strings.NewReader("text")).err },
		"cancelled": func() error { _, err := h.store.Stage(ctx, "a.txt", cancelling{cancel}, 100); return err },
		"not kept": func() error {
			st := got(h.store.Stage(t.Context(), "a.txt", strings.NewReader("text"), 100))(t)
			st.Drop()
			st.Drop()
			return st.Keep(t.Context())
		},
		"kept by nobody any more": func() error {
			st := got(h.store.Stage(t.Context(), "a.txt", strings.NewReader("text"), 100))(t)
			defer st.Drop()
			gone, leave := context.WithCancel(t.Context())
			leave()
			return st.Keep(gone)
		},
	} {
		if err := stage(); err == nil {
			t.Errorf("%s: no error", name)
		}
		if left := h.leftovers(temporary); len(left) > 0 {
			t.Fatalf("%s leaves %v behind", name, left)
		}
	}

	// The twins: what would be left is found.
	st := got(h.store.Stage(t.Context(), "a.txt", strings.NewReader("text"), 100))(t)
	must(t, st.Keep(t.Context()))
	st.Drop()
	named := got(os.CreateTemp(temporary, "ozg-content-"))(t)
	must(t, named.Close())
	if left := h.leftovers(temporary); len(left) != 2 {
		t.Errorf("a blob and a temporary file were left on purpose, found %v", left)
	}
}

func TestASenderWhoHangsUpLeavesNothingBehind(t *testing.T) {
	temporary, h := apart(t), newHouse(t)
	refused := make(chan error)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refused <- h.desk.Upload(w, r.WithContext(authz.With(r.Context(), h.as(applicant))))
	}))
	defer server.Close()
	conn := got(net.Dial("tcp", server.Listener.Addr().String()))(t)
	got(io.WriteString(conn, "POST /uploads HTTP/1.1\r\nHost: h\r\nX-Filename: a.txt\r\nContent-Length: 1000\r\n\r\nthe first half"))(t)
	must(t, conn.Close())
	if err := <-refused; err == nil {
		t.Error("half an upload was taken")
	}
	if left := h.leftovers(temporary); len(left) > 0 {
		t.Errorf("%v is left behind", left)
	}
}

// letters never end.
type letters struct{}

func (letters) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

// cancelling is a reader during which the caller leaves.
type cancelling struct{ cancel func() }

func (c cancelling) Read(p []byte) (int, error) {
	c.cancel()
	p[0] = 'a'
	return 1, nil
}

func TestTheSameContentTwiceIsOneBlob(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	var all sync.WaitGroup
	for range 25 {
		all.Go(func() {
			st, err := h.store.Stage(t.Context(), "Anlage.txt", strings.NewReader("Grüße aus Kiel"), 100)
			if err == nil {
				defer st.Drop()
				err = st.Keep(t.Context())
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	h.keep("Grüße aus Kiel")
	if there := files(t, h.folder); len(there) != 1 {
		t.Errorf("there are %v", there)
	}
	h.keep("Grüße aus Lübeck")
	if there := files(t, h.folder); len(there) != 2 {
		t.Errorf("there are %v", there)
	}
}

func TestKeepingAgainDoesNotWriteAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	piece := h.keep("Grüße")
	before := h.stat(piece)
	h.keep("Grüße")
	if !os.SameFile(before, h.stat(piece)) {
		t.Error("the content was written again")
	}
	// A machine that lost power has left a shorter file.
	must(t, os.Truncate(h.path(piece), 1))
	h.keep("Grüße")
	if body := got(os.ReadFile(h.path(piece)))(t); string(body) != "Grüße" {
		t.Errorf("there is %q", body)
	}
}

func (h *house) path(p content.Piece) string {
	return filepath.Join(h.folder, p.SHA256[:3], p.SHA256+"."+h.now.Format(time.DateOnly))
}

func (h *house) stat(p content.Piece) os.FileInfo { return got(os.Stat(h.path(p)))(h.t) }

func TestAFolderOfContentIsOpenToNobodyElse(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "data", "blobs")
	s := got(content.Open(t.Context(), "file://"+folder))(t)
	must(t, s.Close())
	if mode := got(os.Stat(folder))(t).Mode().Perm(); mode != 0o700 {
		t.Errorf("the folder has %v", mode)
	}
}

func TestAFolderIsNamedByItsAbsolutePathAlone(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"file:data", "file://data/blobs", "file:///tmp/x?prefix=a", "file://", "ftp://host/x", "%", ""} {
		if s, err := content.Open(t.Context(), address); err == nil {
			t.Errorf("%q was opened", address)
			_ = s.Close()
		}
	}
}

func TestAPieceSaysWhatWasHandedIn(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	body := "Fußgängerübergang"
	sum := sha256.Sum256([]byte(body))
	if p := h.keep(body); p != (content.Piece{Name: "Anlage.txt", MediaType: "text/plain; charset=utf-8", SHA256: hex.EncodeToString(sum[:]), Size: int64(len(body))}) {
		t.Errorf("got %+v", p)
	}
}

func TestContentMayBeAsLargeAsTheLimit(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	st, err := h.store.Stage(t.Context(), "a.txt", io.LimitReader(letters{}, 1000), 1000)
	must(t, err)
	st.Drop()
	_, err = h.store.Stage(t.Context(), "a.txt", io.LimitReader(letters{}, 1001), 1000)
	is(t, err, problem.Invalid, "tooLarge")
	_, err = h.store.Stage(t.Context(), "a.txt", letters{}, 1000)
	is(t, err, problem.Invalid, "tooLarge")
	_, err = h.store.Stage(t.Context(), "a.txt", http.MaxBytesReader(nil, io.NopCloser(letters{}), 10), 1000)
	is(t, err, problem.Invalid, "tooLarge")
	_, err = h.store.Stage(t.Context(), "a.txt", strings.NewReader(""), 1000)
	is(t, err, problem.Invalid, "required")
	_, err = h.store.Stage(t.Context(), "a.txt", iotest.ErrReader(io.ErrUnexpectedEOF), 1000)
	is(t, err, problem.Invalid, "malformed")
	_, err = h.store.Stage(t.Context(), "a.txt", iotest.ErrReader(problem.New(problem.Busy, "timeout")), 1000)
	is(t, err, problem.Busy, "timeout")
}

func TestWhatIsNoFileNameIsRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for name, rule := range map[string]string{
		"":                            "required",
		" ":                           "required",
		".":                           "pattern",
		"..":                          "pattern",
		"../a.txt":                    "pattern",
		`a\b.txt`:                     "pattern",
		"a/b.txt":                     "pattern",
		"a\x00.txt":                   "pattern",
		"a\n.txt":                     "pattern",
		"a\u0085.txt":                 "pattern",
		"a\u2028.txt":                 "pattern",
		"annexe\u202efdp.exe":         "pattern",
		"a\xff.txt":                   "notText",
		strings.Repeat("ü", 201):      "maxLength",
		strings.Repeat("ü", 200):      "",
		"Übersicht der Straßen.txt":   "",
		"a:b 50 % \"und\" 'mehr'.txt": "",
		"…":                           "",
	} {
		st, err := h.store.Stage(t.Context(), name, strings.NewReader("text"), 100)
		if rule == "" {
			if err != nil {
				t.Errorf("%q is refused: %v", name, err)
				continue
			}
			st.Drop()
			continue
		}
		is(t, err, problem.Invalid, rule)
		if p, ok := problem.Of(err); ok && strings.Join(p.Path, ".") != "name" {
			t.Errorf("%q is refused at %v", name, p.Path)
		}
	}
}

func TestTheMediaTypeIsThatOfTheContent(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for name, c := range map[string]struct {
		body []byte
		want string // empty: refused
	}{
		"PDF":              {[]byte("%PDF-1.7\n"), "application/pdf"},
		"PNG":              {[]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"), "image/png"},
		"JPEG":             {[]byte("\xff\xd8\xff\xe0\x00\x10JFIF"), "image/jpeg"},
		"HEIC":             {[]byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"), "image/heic"},
		"Word":             {archive("[Content_Types].xml", "_rels/.rels", "word/document.xml"), "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
		"archive":          {archive("a.txt", "b.txt"), "application/zip"},
		"text":             {[]byte("Grüße aus Kiel"), "text/plain; charset=utf-8"},
		"old text":         {[]byte("Gr\xfc\xdfe aus Kiel"), "text/plain; charset=iso-8859-1"},
		"table":            {[]byte("a,b,c\n1,2,3\n4,5,6\n"), "text/csv"},
		"XML":              {[]byte(`<?xml version="1.0" encoding="UTF-8"?><xta/>`), "text/xml; charset=UTF-8"},
		"JSON":             {[]byte(`{"a": [1, 2]}`), "application/json"},
		"program":          {[]byte("\x7fELF\x02\x01\x01"), ""},
		"Windows program":  {append([]byte("MZ\x90\x00"), make([]byte, 100)...), ""},
		"script":           {[]byte("#!/bin/sh\nrm -rf /\n"), ""},
		"HTML":             {[]byte("<!DOCTYPE html><html><script>alert(1)</script></html>"), ""},
		"HTML after space": {[]byte("\n\n  <html><script>alert(1)</script></html>"), ""},
		"SVG":              {[]byte(`<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>`), ""},
		"SVG in XML":       {[]byte(`<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script/></svg>`), ""},
		"XHTML":            {[]byte(`<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><script/></html>`), ""},
		"Java":             {archive("META-INF/MANIFEST.MF", "A.class"), ""},
		"gzip":             {[]byte("\x1f\x8b\x08\x00\x00\x00\x00\x00"), ""},
		"noise":            {[]byte{0, 1, 2, 3, 250, 251}, ""},
	} {
		st, err := h.store.Stage(t.Context(), "vertrag.pdf", bytes.NewReader(c.body), 10_000)
		switch {
		case c.want == "":
			if err == nil {
				t.Errorf("%s is taken for %s", name, st.MediaType)
				st.Drop()
				continue
			}
			is(t, err, problem.Invalid, "mediaType")
		case err != nil:
			t.Errorf("%s is refused: %v", name, err)
		default:
			if st.MediaType != c.want {
				t.Errorf("%s is taken for %s", name, st.MediaType)
			}
			st.Drop()
		}
	}
}
