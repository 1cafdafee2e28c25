// SPDX-License-Identifier: EUPL-1.2

package mailbox_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/mailbox"
	"github.com/ozg-cloud/platform/mailbox/mailboxtest"
)

// over is a mailbox whose connector is f.
func over(t testing.TB, f http.HandlerFunc) mailbox.Mailbox {
	t.Helper()
	return mailbox.HTTP(mailboxtest.Serve(t, f), mailboxtest.Token, &http.Client{})
}

func TestOnlyAnAnswerThatSpeaksOfTheLetterRefusesItForGood(t *testing.T) {
	t.Parallel()
	for status := 200; status < 600; status++ {
		if http.StatusText(status) == "" && status%100 != 99 {
			continue
		}
		m := over(t, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Retry-After", "17")
			w.WriteHeader(status)
			if status < 300 && status != http.StatusNoContent && status != http.StatusResetContent {
				_, _ = io.WriteString(w, `{"providedAt":"2026-03-02T10:00:00Z","notifiedAt":"2026-03-02T11:00:00+01:00"}`)
			}
		})
		got, err := m.Provide(t.Context(), mailboxtest.Letter(mailboxtest.Somebody))
		p, _ := problem.Of(err)
		switch {
		case status == 204 || status == 205:
			if err == nil || p != nil {
				t.Errorf("%d is no receipt, but: %v", status, err)
			}
		case status < 300:
			if want := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC); err != nil || !got.ProvidedAt.Equal(want) || !got.NotifiedAt.Equal(want) {
				t.Errorf("%d: %v, %v", status, got, err)
			}
		case status == 400 || status == 410 || status == 422:
			if p == nil || p.Kind != problem.Invalid {
				t.Errorf("%d refuses, but: %v", status, err)
			}
		default:
			if p == nil || p.Kind != problem.Busy || p.RetryAfterSeconds != 17 {
				t.Errorf("%d puts off, but: %v", status, err)
			}
		}
	}
}

func TestALetterGoesNowhereElse(t *testing.T) {
	t.Parallel()
	var elsewhere bool
	other := mailboxtest.Serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere = true }))
	for _, status := range []int{301, 302, 303, 307, 308} {
		m := over(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.String(), status) })
		if _, err := m.Provide(t.Context(), mailboxtest.Letter(mailboxtest.Somebody)); !errors.Is(err, &problem.Problem{Kind: problem.Busy}) {
			t.Errorf("%d: %v", status, err)
		}
	}
	if elsewhere {
		t.Error("a redirect was followed")
	}
}

func TestTheAddressStandsInTheBodyAlone(t *testing.T) {
	t.Parallel()
	l := mailboxtest.Letter("bk-4711", "text")
	m := over(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if head := fmt.Sprint(r.Method, r.URL, r.Header); strings.Contains(head, l.Address) || strings.Contains(head, "Antrag") {
			t.Errorf("the head tells of the letter: %s", head)
		}
		if r.Method != http.MethodPost || r.URL.String() != "/letters" || r.Header.Get("Idempotency-Key") != l.ID.String() ||
			r.Header.Get("Authorization") != "Bearer "+mailboxtest.Token || strings.Count(string(body), l.Address) != 1 {
			t.Errorf("%s %s %v\n%s", r.Method, r.URL, r.Header, body)
		}
		_, _ = io.WriteString(w, `{"providedAt":"2026-03-02T10:00:00Z","notifiedAt":"2026-03-02T10:00:00Z","more":true}`)
	})
	if _, err := m.Provide(t.Context(), l); err != nil {
		t.Error(err)
	}
}

func TestAnAnswerThatIsNoReceiptIsRepeatedNowhere(t *testing.T) {
	t.Parallel()
	const secret = "Erika Beispiel"
	for name, answer := range map[string]string{
		"text":               secret,
		"another shape":      `{"providedAt":"` + secret + `"}`,
		"half of it":         `{"providedAt":"2026-03-02T10:00:00Z"}`,
		"a null":             `{"providedAt":"2026-03-02T10:00:00Z","notifiedAt":null}`,
		"nothing":            "",
		"a list":             `["` + secret + `"]`,
		"without end":        `{"providedAt":"` + strings.Repeat(secret, 100_000),
		"a receipt too late": strings.Repeat(" ", 64<<10) + `{"providedAt":"2026-03-02T10:00:00Z","notifiedAt":"2026-03-02T10:00:00Z"}`,
	} {
		m := over(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, answer) })
		_, err := m.Provide(t.Context(), mailboxtest.Letter(mailboxtest.Somebody))
		if _, isProblem := problem.Of(err); err == nil || isProblem || strings.Contains(err.Error(), "Erika") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, raw := range map[string]string{
		"a broken head":     "HTTP/1.1 200 OK\r\n" + secret + "\r\n\r\n",
		"a broken status":   secret + "\r\n\r\n",
		"a broken redirect": "HTTP/1.1 302 Found\r\nLocation: http://" + secret + "/\r\nContent-Length: 0\r\n\r\n",
		"hanging up":        "",
	} {
		_, err := mailbox.HTTP(saying(t, raw), mailboxtest.Token, &http.Client{}).Provide(t.Context(), mailboxtest.Letter(mailboxtest.Somebody))
		if err == nil || strings.Contains(err.Error(), "Erika") || errors.Is(err, &problem.Problem{Kind: problem.Invalid}) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// saying answers each connection with raw bytes after the head of the request, and hangs up.
func saying(t *testing.T, raw string) *url.URL {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 64<<10))
			_, _ = io.WriteString(c, raw)
			_ = c.Close()
		}
	}()
	return &url.URL{Scheme: "http", Host: l.Addr().String(), Path: "/"}
}

func TestAConnectorThatCannotBeReachedMayBeLater(t *testing.T) {
	t.Parallel()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := &url.URL{Scheme: "http", Host: l.Addr().String()}
	_ = l.Close()
	_, err = mailbox.HTTP(nobody, "", &http.Client{}).Provide(t.Context(), mailboxtest.Letter(mailboxtest.Somebody, "text"))
	var network *net.OpError
	if _, isProblem := problem.Of(err); isProblem || !errors.As(err, &network) {
		t.Errorf("got %v", err)
	}
}

// noted is content that notes whether it was closed.
type noted struct {
	io.Reader
	closed chan struct{}
}

func (n noted) Close() error { close(n.closed); return nil }

// endless gives as much as is asked for.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestWhoeverLeavesWaitsForNobodyAndLeavesNothingOpen(t *testing.T) {
	t.Parallel()
	for name, connector := range map[string]func(leave func(), w http.ResponseWriter, r *http.Request){
		"the caller leaves while the letter is written": func(leave func(), _ http.ResponseWriter, r *http.Request) {
			_, _ = io.CopyN(io.Discard, r.Body, 1<<20)
			leave()
			_, _ = io.Copy(io.Discard, r.Body) // until the connection ends
		},
		"the connector answers before it has read the letter": func(_ func(), w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusUnauthorized)
		},
	} {
		ctx, leave := context.WithCancel(t.Context())
		l := mailboxtest.Letter(mailboxtest.Somebody, "text")
		content := noted{endless{}, make(chan struct{})}
		l.Attachments[0].Open = func(context.Context) (io.ReadCloser, error) { return content, nil }
		m := over(t, func(w http.ResponseWriter, r *http.Request) { connector(leave, w, r) })
		_, err := m.Provide(ctx, l)
		leave()
		if err == nil || errors.Is(err, &problem.Problem{Kind: problem.Invalid}) {
			t.Errorf("%s: %v", name, err)
		}
		select {
		case <-content.closed:
		default:
			t.Errorf("%s: the attachment is still open", name)
		}
	}
}
