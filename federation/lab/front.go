// SPDX-License-Identifier: EUPL-1.2

package lab

import (
	"bytes"
	"encoding/base64"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ozg-cloud/platform/federation/ask"
	"github.com/ozg-cloud/platform/federation/charter"
)

// Fault answers in the place of a house. next is the house.
type Fault func(w http.ResponseWriter, r *http.Request, next http.Handler)

// Front stands before a house, on the address that the others know.
type Front struct {
	URL string

	house atomic.Pointer[http.Handler]
	fault atomic.Pointer[Fault]
	asked atomic.Int64
}

func newFront(t testing.TB) *Front {
	f := &Front{}
	server := httptest.NewServer(f)
	t.Cleanup(func() {
		f.Mend()
		server.CloseClientConnections()
		server.Close()
	})
	f.URL = server.URL
	return f
}

func (f *Front) lead(to http.Handler) { f.house.Store(&to) }

// Break has a fault answer from now on.
func (f *Front) Break(fault Fault) { f.fault.Store(&fault) }

// Mend lets the house answer again.
func (f *Front) Mend() { f.fault.Store(nil) }

// Asked is how many requests there have been.
func (f *Front) Asked() int64 { return f.asked.Load() }

// ServeHTTP lets the house or the fault answer.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.asked.Add(1)
	house := f.house.Load()
	if house == nil {
		http.Error(w, "nobody is there yet", http.StatusServiceUnavailable)
		return
	}
	if fault := f.fault.Load(); fault != nil {
		(*fault)(w, r, *house)
		return
	}
	(*house).ServeHTTP(w, r)
}

// Cut breaks the connection off before anything is answered.
func Cut(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) }

// Slow answers nothing for as long as somebody waits.
func Slow(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
	_, _ = io.Copy(io.Discard, r.Body) // that the other one has gone is only noticed once everything was read
	<-r.Context().Done()
}

// SlowBody begins to answer and does not go on.
func SlowBody(w http.ResponseWriter, r *http.Request, next http.Handler) {
	answer := recorded(r, next)
	answer.head(w)
	half := answer.body.Bytes()[:answer.body.Len()/2]
	_, _ = w.Write(half)
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}

// Changed changes what the house answers.
func Changed(change func(body []byte) []byte) Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		answer := recorded(r, next)
		answer.body = bytes.NewBuffer(change(answer.body.Bytes()))
		answer.header.Del("Content-Length")
		answer.head(w)
		_, _ = w.Write(answer.body.Bytes())
	}
}

// Said changes what the house says to questions and signs it anew with its real key: the payload of the statement, and that of the receipt, which names the hash of
// the changed statement. Either may be nil.
func (h *House) Said(statement, receipt func(payload []byte) []byte) Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.URL.Path != ask.Path {
			next.ServeHTTP(w, r)
			return
		}
		Changed(func(body []byte) []byte {
			a, err := ask.ReadAnswer(body)
			if err != nil || a.Statement == "" {
				return body
			}
			if statement != nil {
				a.Statement = h.again(a.Statement, ask.StatementType, statement)
			}
			a.Receipt = h.again(a.Receipt, ask.ReceiptType, func(payload []byte) []byte {
				payload = ofStatement.ReplaceAll(payload, []byte(`"st":"`+charter.Hash([]byte(a.Statement))+`"`))
				if receipt != nil {
					payload = receipt(payload)
				}
				return payload
			})
			text, err := a.Bytes()
			if err != nil {
				return body
			}
			return text
		})(w, r, next)
	}
}

var ofStatement = regexp.MustCompile(`"st":"[^"]*"`)

// again signs a document anew after a change.
func (h *House) again(document, typ string, change func(payload []byte) []byte) string {
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(document, ".")[1])
	if err != nil {
		return document
	}
	signed, err := h.Seat.Signer().Sign(typ, change(payload))
	if err != nil {
		return document
	}
	return string(signed)
}

// Unsigned lets the house answer, and breaks the last signature in what it says.
func Unsigned(w http.ResponseWriter, r *http.Request, next http.Handler) {
	Changed(func(body []byte) []byte {
		a, err := ask.ReadAnswer(body)
		if err != nil || len(a.Statement) < 10 {
			return body
		}
		at := len(a.Statement) - 10
		other := byte('A')
		if a.Statement[at] == other {
			other = 'B'
		}
		a.Statement = a.Statement[:at] + string(other) + a.Statement[at+1:]
		text, err := a.Bytes()
		if err != nil {
			return body
		}
		return text
	})(w, r, next)
}

// Replay answers every question with the first answer that the house has given.
func Replay() Fault {
	var first atomic.Pointer[answer]
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.URL.Path != ask.Path {
			next.ServeHTTP(w, r)
			return
		}
		first.CompareAndSwap(nil, recorded(r, next))
		a := first.Load()
		a.head(w)
		_, _ = w.Write(a.body.Bytes())
	}
}

// answer is what a house has answered, kept.
type answer struct {
	header http.Header
	status int
	body   *bytes.Buffer
}

func recorded(r *http.Request, next http.Handler) *answer {
	r.Header.Set("Accept-Encoding", "identity")
	kept := httptest.NewRecorder()
	next.ServeHTTP(kept, r)
	return &answer{header: kept.Header(), status: kept.Code, body: kept.Body}
}

func (a *answer) head(w http.ResponseWriter) {
	maps.Copy(w.Header(), a.header)
	w.WriteHeader(a.status)
}
