// SPDX-License-Identifier: EUPL-1.2

package content_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"mime"
	"net/http"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/content"
	"github.com/ozg-cloud/platform/internal/problem"
)

func TestALinkOpensTheContent(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.attach(`Übersicht "Straße".txt`, h.keep("Grüße aus Kiel"))
	for _, who := range []string{kielCaseworker, applicant} {
		a := h.download(h.desk, h.desk.Link(h.as(who), id), nil)
		must(t, a.err)
		if a.Code != http.StatusOK || a.Body.String() != "Grüße aus Kiel" {
			t.Errorf("got %d, %q", a.Code, a.Body)
		}
		for header, want := range map[string]string{
			"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff", "Cache-Control": "private, no-store",
			"Content-Security-Policy": "sandbox; default-src 'none'", "Accept-Ranges": "bytes",
		} {
			if got := a.Header().Get(header); got != want {
				t.Errorf("%s is %q", header, got)
			}
		}
		kind, params, err := mime.ParseMediaType(a.Header().Get("Content-Disposition"))
		if err != nil || kind != "attachment" || params["filename"] != `Übersicht "Straße".txt` {
			t.Errorf("got %q: %v", a.Header().Get("Content-Disposition"), err)
		}
	}
}

func TestAPartOfTheContentCanBeAskedFor(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	link := h.desk.Link(h.as(applicant), h.attach("a.txt", h.keep("0123456789")))
	whole := h.download(h.desk, link, nil)
	for asked, c := range map[string]struct {
		code int
		body string
	}{
		"bytes=2-4":   {http.StatusPartialContent, "234"},
		"bytes=7-":    {http.StatusPartialContent, "789"},
		"bytes=-1":    {http.StatusPartialContent, "9"},
		"bytes=9-100": {http.StatusPartialContent, "9"},
	} {
		a := h.download(h.desk, link, func(r *http.Request) {
			r.Header.Set("Range", asked)
			r.Header.Set("If-Range", whole.Header().Get("ETag"))
		})
		must(t, a.err)
		if a.Code != c.code || a.Body.String() != c.body {
			t.Errorf("%s: got %d, %q", asked, a.Code, a.Body)
		}
	}
	if a := h.download(h.desk, link, func(r *http.Request) { r.Header.Set("Range", "bytes=10-") }); a.Code != http.StatusRequestedRangeNotSatisfiable {
		t.Errorf("behind the end: got %d", a.Code)
	}
	head := h.download(h.desk, link, func(r *http.Request) { r.Method = http.MethodHead })
	if head.Code != http.StatusOK || head.Body.Len() != 0 || head.Header().Get("Content-Length") != "10" {
		t.Errorf("HEAD: got %d, %q, %v", head.Code, head.Body, head.Header())
	}
}

func TestMalwareIsNotHandedOut(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	link := h.desk.Link(h.as(applicant), h.attach("a.txt", h.keep("Grüße")))
	h.exec("update attachments set scan_state = 'INFECTED'")
	a := h.download(h.desk, link, nil)
	is(t, a.err, problem.Forbidden, "attachmentInfected")
	if a.Body.Len() > 0 {
		t.Errorf("got %q", a.Body)
	}
}

func TestContentThatIsLostIsAnErrorOfTheHouse(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	piece := h.keep("Grüße")
	link := h.desk.Link(h.as(applicant), h.attach("a.txt", piece))
	must(t, os.Remove(h.path(piece)))
	if err := h.download(h.desk, link, nil).err; err == nil {
		t.Error("no error")
	} else if p, ok := problem.Of(err); ok {
		t.Errorf("the caller hears %v", p)
	}
}

// afterwards makes a link for the caseworker, lets something happen, and says whether the desk still hands out something.
func (h *house) afterwards(desk *content.Desk, happens func()) (opened bool, err error) {
	h.t.Helper()
	link := desk.Link(h.as(kielCaseworker), h.attach("a.txt", h.keep("Grüße")))
	must(h.t, h.download(desk, link, nil).err)
	happens()
	a := h.download(desk, link, nil)
	return a.Body.Len() > 0, a.err
}

func TestALinkGivesNothingAfterItsRightIsLost(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(h *house){
		"role taken":   func(h *house) { h.roles[kielCaseworker] = nil },
		"moved away":   func(h *house) { h.roles[kielCaseworker] = h.roles[luebeckCaseworker] },
		"another role": func(h *house) { h.roles[kielCaseworker] = h.roles[kielAuditor] },
		"blocked":      func(h *house) { delete(h.roles, kielCaseworker) },
	} {
		h := newHouse(t)
		opened, err := h.afterwards(h.desk, func() { lose(h) })
		if opened {
			t.Errorf("%s: the link still opens", name)
		}
		is(t, err, problem.Missing, "notFound")
	}
	// The twin remembers who somebody was.
	h := newHouse(t)
	once := h.as(kielCaseworker)
	stale := h.deskWith(h.client, func(context.Context, string, authz.TrustLevel) (*authz.Principal, error) { return once, nil })
	if opened, _ := h.afterwards(stale, func() { delete(h.roles, kielCaseworker) }); !opened {
		t.Error("the test does not notice a desk that remembers rights")
	}
}

func TestALinkIsUselessAfterFiveMinutes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		after  time.Duration
		opened bool
	}{
		{0, true}, {5*time.Minute - time.Second, true}, {5 * time.Minute, false}, {time.Hour, false}, {100 * 365 * 24 * time.Hour, false},
	} {
		h := newHouse(t)
		opened, err := h.afterwards(h.desk, func() { h.now = h.now.Add(c.after) })
		if opened != c.opened {
			t.Errorf("after %v: opened %v, %v", c.after, opened, err)
		}
		if !c.opened {
			is(t, err, problem.Missing, "linkExpired")
		}
	}
	// The twin's clock stands still.
	h := newHouse(t)
	then := h.now
	stopped := content.NewDesk(h.store, h.client, secret, h.recall, unwatched, func() time.Time { return then }, uploadLimit)
	if opened, _ := h.afterwards(stopped, func() { h.now = h.now.Add(time.Hour) }); !opened {
		t.Error("the test does not notice a clock that stands still")
	}
}

// forgeries are the positions at which a token can be changed and still opens something.
func forgeries(token string, open func(token string) error) (at []int) {
	for i := range token {
		for bit := range 8 {
			forged := []byte(token)
			forged[i] ^= 1 << bit
			if forged[i] != '/' && open(string(forged)) == nil {
				at = append(at, i)
				break
			}
		}
	}
	return at
}

func TestALinkWithAFlippedBitOpensNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	link := h.desk.Link(h.as(applicant), h.attach("a.txt", h.keep("Grüße")))
	token := strings.TrimPrefix(link, "/attachments/")
	open := func(token string) error {
		a := h.download(h.desk, "/attachments/x", func(r *http.Request) { r.URL.Path = "/attachments/" + token })
		if a.err == nil && a.Body.String() != "Grüße" {
			return errors.New("nothing is opened")
		}
		return a.err
	}
	must(t, open(token))
	if at := forgeries(token, open); len(at) > 0 {
		t.Errorf("forged at %v it opens", at)
	}
	raw := got(base64.RawURLEncoding.DecodeString(token))(t)
	if at := forgeries(string(raw), func(raw string) error { return open(base64.RawURLEncoding.EncodeToString([]byte(raw))) }); len(at) > 0 {
		t.Errorf("forged at byte %v it opens", at)
	}
	for length := range len(token) {
		if open(token[:length]) == nil {
			t.Errorf("the first %d characters open it", length)
		}
	}
	if open(token+"A") == nil || open(token+"=") == nil {
		t.Error("more than the token opens it")
	}
	// The twin does not look at one position.
	if at := forgeries(token, func(forged string) error { return open(forged[:40] + token[40:41] + forged[41:]) }); !reflect.DeepEqual(at, []int{40}) {
		t.Errorf("the test finds %v where position 40 is not looked at", at)
	}
}

func TestWhatALinkDoesNotOpenLooksTheSame(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.attach("a.txt", h.keep("Grüße"))
	other := content.NewDesk(h.store, h.client, []byte("another secret of thirty-two byt"), h.recall, unwatched, h.clock, uploadLimit)
	for name, link := range map[string]string{
		"foreign":             h.desk.Link(h.as(luebeckCaseworker), id),
		"somebody else's":     h.desk.Link(h.as(stranger), id),
		"without the right":   h.desk.Link(h.as(kielAuditor), id),
		"unknown":             h.desk.Link(h.as(kielCaseworker), uuid.Must(uuid.NewV7())),
		"unknown subject":     h.desk.Link(h.as("user:dev:nobody"), id),
		"a system principal":  h.desk.Link(authz.System(authz.Sweeping), id),
		"sealed by another":   other.Link(h.as(kielCaseworker), id),
		"made up":             "/attachments/AAAA",
		"of another alphabet": "/attachments/" + strings.Repeat("!", 40),
	} {
		a := h.download(h.desk, link, nil)
		p, ok := problem.Of(a.err)
		if !ok || !reflect.DeepEqual(p, problem.New(problem.Missing, "notFound")) {
			t.Errorf("%s: got %#v", name, a.err)
		}
		if a.Body.Len() > 0 || len(a.Header()) > 0 {
			t.Errorf("%s: got %q, %v", name, a.Body, a.Header())
		}
	}
}

func TestALinkOpensOneAttachmentOnly(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	first, second := h.attach("a.txt", h.keep("first")), h.attach("b.txt", h.keep("second"))
	one := h.download(h.desk, h.desk.Link(h.as(kielCaseworker), first), nil).Body.String()
	two := h.download(h.desk, h.desk.Link(h.as(kielCaseworker), second), nil).Body.String()
	if one != "first" || two != "second" {
		t.Errorf("got %q and %q", one, two)
	}
}

func TestALinkKeepsItsTrustLevel(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.attach("a.txt", h.keep("Grüße"))
	h.exec(`insert into messages (id, tenant_id, place, case_id, direction, subject, body, reply_policy, trust_level, author, sent_at, delivery_state)
		select id, tenant_id, place, id, 'TO_APPLICANT', '', '', 'POSSIBLE', 'SUBSTANTIAL', 'x', now(), 'PROVIDED' from cases`)
	h.exec("update attachments set message_id = case_id")
	for trust, opens := range map[authz.TrustLevel]bool{authz.Basic: false, authz.Substantial: true, authz.High: true} {
		a := h.download(h.desk, h.desk.Link(h.policy.Principal(applicant, trust, h.roles[applicant]), id), nil)
		if (a.err == nil) != opens {
			t.Errorf("%s: %v", trust, a.err)
		}
	}
}

func TestALinkDoesNotTellWhoseItIs(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := uuid.Must(uuid.NewV7())
	link := h.desk.Link(h.as(applicant), id)
	token := got(base64.RawURLEncoding.DecodeString(strings.TrimPrefix(link, "/attachments/")))(t)
	if strings.Contains(link, "anna") || bytes.Contains(token, []byte("anna")) || bytes.Contains(token, id[:]) {
		t.Errorf("%q tells whose it is", token)
	}
	if link == h.desk.Link(h.as(applicant), id) {
		t.Error("two links of one person are the same")
	}
}

func TestARecallThatFailsIsNoAnswerToTheCaller(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	broken := errors.New("the roster does not answer")
	desk := h.deskWith(h.client, func(context.Context, string, authz.TrustLevel) (*authz.Principal, error) { return nil, broken })
	a := h.download(desk, desk.Link(h.as(applicant), uuid.Must(uuid.NewV7())), nil)
	if !errors.Is(a.err, broken) {
		t.Errorf("got %v", a.err)
	}
	if _, ok := problem.Of(a.err); ok {
		t.Error("the caller hears of it")
	}
}

func BenchmarkLink(b *testing.B) {
	h := newHouse(b)
	p, id := h.as(kielCaseworker), uuid.Must(uuid.NewV7())
	for b.Loop() {
		h.desk.Link(p, id)
	}
}
