// SPDX-License-Identifier: EUPL-1.2

package gather_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ozg-cloud/platform/federation/ask"
	"github.com/ozg-cloud/platform/federation/ask/asktest"
	"github.com/ozg-cloud/platform/federation/charter"
	"github.com/ozg-cloud/platform/federation/gather"
	"github.com/ozg-cloud/platform/federation/gather/gathertest"
)

// inside is a server that no other house may be sent to; it counts who comes.
func inside(t *testing.T) (url string, came *atomic.Int64) {
	t.Helper()
	came = &atomic.Int64{}
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { came.Add(1) }))
	t.Cleanup(s.Close)
	return s.URL, came
}

// squeezed is what a hundred megabytes of nothing are when compressed, some 100 kB.
func squeezed(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	nothing := make([]byte, 1<<20)
	for range 100 {
		if _, err := w.Write(nothing); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// late answers well, but says that it did so at another time, and signs that.
func late(c *gathertest.Country, n int, by time.Duration) gathertest.Fault {
	return func(h *gathertest.House, w http.ResponseWriter, r *http.Request) {
		out := httptest.NewRecorder()
		h.Well(out, r)
		a, err := ask.ReadAnswer(out.Body.Bytes())
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		payload, err := base64.RawURLEncoding.DecodeString(strings.Split(a.Receipt, ".")[1])
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		at := func(t time.Time) []byte { return fmt.Appendf(nil, `"iat":%d`, t.Unix()) }
		signed, err := c.Signers[n].Sign(ask.ReceiptType, bytes.Replace(payload, at(asktest.Now), at(asktest.Now.Add(by)), 1))
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		a.Receipt = string(signed)
		text, err := a.Bytes()
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		_, _ = w.Write(text)
	}
}

func TestWhateverAMemberSendsIsReadToABoundAndNamed(t *testing.T) {
	t.Parallel()
	const n = 2
	c := country(t, 4)
	c.Listen(t)
	elsewhere, came := inside(t)
	bomb := squeezed(t)
	says := func(status int, header map[string]string, body string) gathertest.Fault {
		return func(_ *gathertest.House, w http.ResponseWriter, _ *http.Request) {
			for k, v := range header {
				w.Header().Set(k, v)
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	for _, f := range []struct {
		name   string
		fault  gathertest.Fault
		state  gather.State
		reason string
		slow   bool
	}{
		{name: "it never stops", state: gather.Rejected, reason: "tooLarge", fault: func(_ *gathertest.House, w http.ResponseWriter, _ *http.Request) {
			for nothing := make([]byte, 1<<16); ; {
				if _, err := w.Write(nothing); err != nil {
					return
				}
			}
		}},
		{name: "it swells when unpacked", state: gather.Rejected, reason: "tooLarge", fault: says(http.StatusOK, map[string]string{"Content-Encoding": "gzip"}, string(bomb))},
		{name: "it is packed in an unknown way", state: gather.Rejected, reason: "form", fault: says(http.StatusOK, map[string]string{"Content-Encoding": "zstd"}, string(bomb))},
		{name: "it is deep", state: gather.Rejected, reason: "form", fault: says(http.StatusOK, nil, `{"receipt":`+strings.Repeat("[", 1<<20))},
		{name: "it is a page of a proxy", state: gather.Rejected, reason: "form", fault: says(http.StatusOK, map[string]string{"Content-Type": "text/html"}, "<!doctype html><p>Anmelden")},
		{name: "it is empty", state: gather.Rejected, reason: "form", fault: says(http.StatusOK, nil, "")},
		{name: "it leads elsewhere", state: gather.Rejected, reason: "unsigned", fault: says(http.StatusTemporaryRedirect, map[string]string{"Location": elsewhere}, "")},
		{name: "its header is long", state: gather.Unreachable, reason: "connection", fault: says(http.StatusOK, map[string]string{"X-Long": strings.Repeat("a", 1<<20)}, "")},
		{name: "its clock is an hour fast", state: gather.Rejected, reason: "questionExpired", fault: late(c, n, time.Hour)},
		{name: "its clock is an hour slow", state: gather.Rejected, reason: "questionExpired", fault: late(c, n, -time.Hour)},
		{name: "its clock is a little fast", state: gather.Rejected, reason: "logChanged", fault: late(c, n, time.Second)}, // the log has the true time
		{name: "it comes byte by byte", state: gather.TimedOut, reason: "deadline", slow: true, fault: func(_ *gathertest.House, w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			drop := time.NewTicker(20 * time.Millisecond)
			defer drop.Stop()
			for {
				select {
				case <-r.Context().Done():
					return
				case <-drop.C:
					_, _ = io.WriteString(w, " ")
					_ = http.NewResponseController(w).Flush()
				}
			}
		}},
	} {
		c.Houses[n].Ail(f.fault)
		o := patient
		if f.slow {
			o.Deadline = 2 * time.Second
		}
		a := asks(t, c.Gatherer(0, &gathertest.Shelf{}), byMonth, o)
		holds(t, c, byMonth, a)
		for i, m := range a.Members {
			wanted, reason := gather.Answered, ""
			if i == n {
				wanted, reason = f.state, f.reason
			}
			if m.Answer != wanted || m.Reason != reason {
				t.Errorf("%s: member %d is %s for reason %q", f.name, i, m.Answer, m.Reason)
			}
		}
	}
	if came.Load() != 0 {
		t.Error("a redirect was followed")
	}
	// The twin: what is changed here is what makes the difference.
	c.Houses[n].Ail(late(c, n, 0))
	if a := asks(t, c.Gatherer(0, &gathertest.Shelf{}), byMonth, patient); !a.Complete() {
		t.Errorf("a house that changes nothing is %s for reason %q", a.Members[n].Answer, a.Members[n].Reason)
	}
}

func TestNoQuestionGoesToAnAddressOfThisMachineOrItsLink(t *testing.T) {
	t.Parallel()
	c := country(t, 7)
	at, came := inside(t)
	port := at[strings.LastIndexByte(at, ':'):]
	for i, endpoint := range []string{"http://127.0.0.1" + port, "http://[::1]" + port, "http://localhost" + port, "http://169.254.169.254", "http://0.0.0.0" + port, "http://[::ffff:127.0.0.1]" + port} {
		c.Roll.Change(asktest.House(i+1), func(of *charter.Instance) { of.Endpoint = endpoint })
	}
	a := asks(t, c.Gatherer(0, &gathertest.Shelf{}, func(s *gather.Setup) { s.Client = nil }), byMonth, patient)
	holds(t, c, byMonth, a)
	for i, m := range a.Members[1:] {
		if m.Answer != gather.Unreachable || m.Reason != "address" {
			t.Errorf("endpoint %d: %s for reason %q", i, m.Answer, m.Reason)
		}
	}
	if came.Load() != 0 {
		t.Errorf("%d questions came in", came.Load())
	}
	// The twin: a house that lets loopback through does go there, and still to no address of the link.
	a = asks(t, c.Gatherer(0, &gathertest.Shelf{}, func(s *gather.Setup) { s.Client = gather.Outside(true) }), byMonth, patient)
	if came.Load() == 0 || a.Members[1].Reason != "form" || a.Members[4].Reason != "address" {
		t.Errorf("%d came in, %q, %q", came.Load(), a.Members[1].Reason, a.Members[4].Reason)
	}
}
