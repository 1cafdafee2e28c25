// SPDX-License-Identifier: EUPL-1.2

// Package mailboxtest is a mailbox for tests, in memory and over HTTP, and the suite that every mailbox has to pass.
// How letters get to a mailbox, and what becomes of failures, does not belong here.
package mailboxtest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/mailbox"
)

// The addresses that a mailbox under test has to know. A Fake takes letters to any other, too.
const (
	Somebody = "test:somebody" // takes every letter
	Nobody   = "test:nobody"   // has no mailbox any more
	Full     = "test:full"     // takes nothing for now
)

// Token is what a served Fake is spoken to with.
const Token = "a token of tests"

// Kept is a letter as it lies in a Fake.
type Kept struct {
	Letter   mailbox.Letter
	Contents []string // of the attachments
	Receipt  mailbox.Receipt
	Times    int // it was handed over so often
}

// Fake is a mailbox in memory. It forgets nothing.
type Fake struct {
	clock func() time.Time

	mu   sync.Mutex
	kept map[uuid.UUID]*Kept
}

// New makes an empty mailbox.
func New(clock func() time.Time) *Fake { return &Fake{clock: clock, kept: map[uuid.UUID]*Kept{}} }

// Kept gives what lies in the mailbox under an id; nil where there is nothing.
func (f *Fake) Kept(id uuid.UUID) *Kept {
	f.mu.Lock()
	defer f.mu.Unlock()
	k := f.kept[id]
	if k == nil {
		return nil
	}
	seen := *k
	return &seen
}

// Provide keeps a letter.
func (f *Fake) Provide(ctx context.Context, l mailbox.Letter) (mailbox.Receipt, error) {
	switch l.Address {
	case Nobody:
		return mailbox.Receipt{}, problem.New(problem.Invalid, "mailboxRefused")
	case Full:
		return mailbox.Receipt{}, &problem.Problem{Kind: problem.Busy, Rule: "notAvailable", RetryAfterSeconds: 7}
	}
	contents := make([]string, len(l.Attachments))
	for i, a := range l.Attachments {
		content, err := whole(ctx, a)
		if err != nil {
			return mailbox.Receipt{}, err
		}
		contents[i] = string(content)
	}
	if err := ctx.Err(); err != nil {
		return mailbox.Receipt{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	k := f.kept[l.ID]
	if k == nil {
		now := f.clock()
		k = &Kept{Letter: l, Contents: contents, Receipt: mailbox.Receipt{ProvidedAt: now, NotifiedAt: now}}
		f.kept[l.ID] = k
	}
	k.Times++
	return k.Receipt, nil
}

// whole reads an attachment and holds it against its hash.
func whole(ctx context.Context, a mailbox.Attachment) ([]byte, error) {
	r, err := a.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	content, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(content); int64(len(content)) != a.Size || hex.EncodeToString(sum[:]) != a.SHA256 {
		return nil, errors.New("mailboxtest: an attachment is not what its hash says")
	}
	return content, nil
}

// ServeHTTP speaks the connector's side of docs/mailbox.md.
func (f *Fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer "+Token {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	l, err := read(r)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError) // broken off on the way
		return
	}
	got, err := f.Provide(r.Context(), l)
	p, _ := problem.Of(err)
	switch {
	case err == nil:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]time.Time{"providedAt": got.ProvidedAt, "notifiedAt": got.NotifiedAt}) // the caller has left
	case p != nil && p.Kind == problem.Invalid:
		w.WriteHeader(http.StatusUnprocessableEntity)
	case p != nil:
		w.Header().Set("Retry-After", strconv.Itoa(p.RetryAfterSeconds))
		w.WriteHeader(http.StatusServiceUnavailable)
	default:
		w.WriteHeader(http.StatusInternalServerError)
	}
}

// read reads a delivery as a connector does that has only read the document: the parts in their order, all of them.
func read(r *http.Request) (mailbox.Letter, error) {
	form, err := r.MultipartReader()
	if err != nil {
		return mailbox.Letter{}, err
	}
	part, err := form.NextPart()
	if err != nil {
		return mailbox.Letter{}, err
	}
	var s struct {
		ID, Case               uuid.UUID
		Address, Subject, Body string
		ReplyPolicy            string
		TrustLevel             authz.TrustLevel
		SentAt                 time.Time
		Attachments            []struct {
			Name, MediaType, SHA256 string
			Size                    int64
		}
	}
	if err := json.NewDecoder(part).Decode(&s); err != nil {
		return mailbox.Letter{}, err
	}
	if part.FormName() != "letter" || r.Header.Get("Idempotency-Key") != s.ID.String() {
		return mailbox.Letter{}, errors.New("mailboxtest: this is no letter")
	}
	l := mailbox.Letter{
		ID: s.ID, Case: s.Case, Address: s.Address, Subject: s.Subject, Body: s.Body,
		ReplyPolicy: s.ReplyPolicy, TrustLevel: s.TrustLevel, SentAt: s.SentAt,
	}
	for _, a := range s.Attachments {
		part, err := form.NextPart()
		if err != nil {
			return mailbox.Letter{}, err
		}
		if part.FormName() != "attachment" || part.FileName() != a.Name || part.Header.Get("Content-Type") != a.MediaType {
			return mailbox.Letter{}, fmt.Errorf("mailboxtest: the part is called %q and not %q", part.FileName(), a.Name)
		}
		content, err := io.ReadAll(part)
		if err != nil {
			return mailbox.Letter{}, err
		}
		l.Attachments = append(l.Attachments, mailbox.Attachment{
			Name: a.Name, MediaType: a.MediaType, SHA256: a.SHA256, Size: a.Size,
			Open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil },
		})
	}
	if _, err := form.NextPart(); !errors.Is(err, io.EOF) {
		return mailbox.Letter{}, errors.New("mailboxtest: the delivery has no end, or more than it says")
	}
	return l, nil
}

// Serve serves a mailbox on loopback until the test ends, and gives the address.
func Serve(t testing.TB, f http.Handler) *url.URL {
	t.Helper()
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL + "/letters")
	if err != nil {
		t.Fatal(err)
	}
	return u
}
