// SPDX-License-Identifier: EUPL-1.2

package gathertest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ozg-cloud/platform/federation/ask"
	"github.com/ozg-cloud/platform/federation/ask/asktest"
	"github.com/ozg-cloud/platform/federation/charter"
	"github.com/ozg-cloud/platform/federation/gather"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/statistics"
)

// Country is a number of Länder with a house each. House 0 is the one that asks.
type Country struct {
	Roll    *asktest.Roll
	Signers []*charter.Signer
	Houses  []*House
}

// House is one that answers, well or badly.
type House struct {
	n       int
	country *Country
	mu      sync.Mutex
	fault   Fault
	cases   []asktest.Case
	books   *asktest.Books
	desk    *ask.Desk
	earlier []byte // the first answer that it gave
}

// New is a country of n Länder, whose cases are given for each.
func New(n int, cases func(i int) []asktest.Case) (*Country, error) {
	roll, signers, err := asktest.NewRoll(n)
	if err != nil {
		return nil, err
	}
	c := &Country{Roll: roll, Signers: signers}
	for i := range n {
		h := &House{n: i, country: c, cases: cases(i)}
		h.Restart(true)
		c.Houses = append(c.Houses, h)
	}
	return c, nil
}

// Restart makes a new desk, which does not remember what was said before where it is to forget.
func (h *House) Restart(forget bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if forget {
		h.books = &asktest.Books{}
	}
	h.desk = asktest.Desk(h.n, h.country.Roll, h.country.Signers[h.n], h.books, func() []asktest.Case { return h.cases })
}

// Desk answers as the house does, without a fault.
func (h *House) Desk() *ask.Desk {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.desk
}

// Counts replaces the cases of a house, which then has to restart.
func (h *House) Counts(cases []asktest.Case) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.cases = cases
}

// Ail gives a house a fault; nil heals it.
func (h *House) Ail(f Fault) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.fault = f
}

// ServeHTTP answers a question.
func (h *House) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	fault := h.fault
	h.mu.Unlock()
	if fault == nil {
		fault = (*House).Well
	}
	fault(h, w, r)
}

// Well answers as a house should.
func (h *House) Well(w http.ResponseWriter, r *http.Request) {
	out := httptest.NewRecorder()
	if err := h.Desk().Serve(out, r); err != nil {
		status := http.StatusInternalServerError
		if p, told := problem.Of(err); told {
			status = http.StatusBadRequest
			if p.Kind == problem.Busy {
				status = http.StatusServiceUnavailable
			}
		}
		w.WriteHeader(status)
		return
	}
	h.mu.Lock()
	if h.earlier == nil {
		h.earlier = out.Body.Bytes()
	}
	h.mu.Unlock()
	_, _ = w.Write(out.Body.Bytes())
}

// Listen lets every house answer on a port of its own.
func (c *Country) Listen(t testing.TB) {
	for i, h := range c.Houses {
		s := httptest.NewServer(h)
		t.Cleanup(s.Close)
		c.Roll.Change(asktest.House(i), func(at *charter.Instance) { at.Endpoint = s.URL })
	}
}

// RoundTrip answers without a network.
func (c *Country) RoundTrip(r *http.Request) (*http.Response, error) {
	for i, h := range c.Houses {
		if strings.HasPrefix(r.URL.String(), string(asktest.House(i))+"/") {
			return answered(h, r)
		}
	}
	return nil, errors.New("there is no such house")
}

func answered(h *House, r *http.Request) (out *http.Response, err error) {
	defer func() {
		p := recover()
		if broken, ok := p.(error); ok && errors.Is(broken, http.ErrAbortHandler) {
			err = errors.New("the connection has broken off")
		} else if p != nil {
			panic(p)
		}
	}()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result(), nil
}

// Gatherer asks for a house. Where the country does not listen, houses answer without a network.
func (c *Country) Gatherer(asker int, shelf gather.Shelf, change ...func(*gather.Setup)) *gather.Gatherer {
	s := gather.Setup{
		Self: asktest.House(asker), Member: asktest.Land(asker), Roll: func() ask.Roll { return c.Roll }, Signer: c.Signers[asker], Editions: []ask.Edition{ask.Current()},
		Own: func(ctx context.Context, e ask.Edition, v ask.Vars) ([]byte, error) {
			return c.Houses[asker].Desk().Own(ctx, e, v)
		},
		Shelf: shelf, Clock: func() time.Time { return asktest.Now },
	}
	s.Client = gather.Outside(true)
	if i, _ := c.Roll.Instance(asktest.House(1)); strings.HasPrefix(i.Endpoint, "https:") {
		s.Client = &http.Client{Transport: c}
	}
	for _, f := range change {
		f(&s)
	}
	return gather.New(s)
}

// Fault is how a house answers badly.
type Fault func(h *House, w http.ResponseWriter, r *http.Request)

// Cut breaks the connection off.
func Cut(*House, http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// Slow does not answer until nobody waits any more.
func Slow(_ *House, _ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // who does not read does not notice that the other side has gone
	<-r.Context().Done()
}

// SlowBody begins to answer, and does not go on.
func SlowBody(_ *House, w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	_, _ = io.WriteString(w, `{"statement":"`)
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}

// BadSignature answers with a signature of somebody else.
func BadSignature(h *House, w http.ResponseWriter, r *http.Request) {
	h.answer(w, r, func(a *ask.Answer) {
		signature := []byte(a.Receipt[strings.LastIndexByte(a.Receipt, '.')+1:])
		if signature[0] == 'A' {
			signature[0] = 'B'
		} else {
			signature[0] = 'A'
		}
		a.Receipt = a.Receipt[:strings.LastIndexByte(a.Receipt, '.')+1] + string(signature)
	})
}

// WrongAudience sends the receipt of another house.
func WrongAudience(h *House, w http.ResponseWriter, r *http.Request) {
	other := 1 + h.n%2 // not 0, which asks, and not always itself
	h.reply(w, r, func(q ask.Question) ask.Question {
		q.Issuer, q.ID = asktest.House(other), ask.NewID()
		return q
	}, h.country.Signers[other])
}

// Replay answers as it has answered before.
func Replay(h *House, w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	earlier := h.earlier
	h.mu.Unlock()
	if earlier == nil {
		h.Well(w, r)
		return
	}
	_, _ = w.Write(earlier)
}

// OldCharter signs with a key that the charter does not vouch for any more.
func OldCharter(h *House, w http.ResponseWriter, r *http.Request) {
	old, err := charter.NewSigner()
	if err != nil {
		panic(err)
	}
	h.mu.Lock()
	cases := h.cases
	h.mu.Unlock()
	out := httptest.NewRecorder()
	if asktest.Desk(h.n, h.country.Roll, old, &asktest.Books{}, func() []asktest.Case { return cases }).Serve(out, r) != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	_, _ = w.Write(out.Body.Bytes())
}

// OtherShape signs a statement about somebody else.
func OtherShape(h *House, w http.ResponseWriter, r *http.Request) {
	h.lie(w, r, func(s *ask.Statement) {
		s.Cells = json.RawMessage(strings.ReplaceAll(string(s.Cells), string(asktest.Land(h.n)), "https://somebody.example"))
	})
}

// Implausible signs durations of many more cases than there are.
func Implausible(h *House, w http.ResponseWriter, r *http.Request) {
	h.lie(w, r, func(s *ask.Statement) {
		var part statistics.Part
		if err := json.Unmarshal(s.Cells, &part); err != nil {
			panic(err)
		}
		for i := range part.Rows {
			for j := range part.Rows[i].Figures {
				if len(part.Rows[i].Figures[j].Bins) > 0 {
					part.Rows[i].Figures[j].N += 100_000
				}
			}
		}
		s.Cells, _ = part.Bytes()
	})
}

// Otherwise says something else than before, which is as plausible.
func Otherwise(h *House, w http.ResponseWriter, r *http.Request) {
	h.lie(w, r, func(s *ask.Statement) {
		var part statistics.Part
		if err := json.Unmarshal(s.Cells, &part); err != nil {
			panic(err)
		}
		part.Rows[0].Figures[0].N++
		s.Cells, _ = part.Bytes()
	})
}

// answer answers well but for a change.
func (h *House) answer(w http.ResponseWriter, r *http.Request, change func(*ask.Answer)) {
	out := httptest.NewRecorder()
	h.Well(out, r)
	a, err := ask.ReadAnswer(out.Body.Bytes())
	if err != nil {
		panic(err)
	}
	change(&a)
	body, err := a.Bytes()
	if err != nil {
		panic(err)
	}
	_, _ = w.Write(body)
}

// asked is the question that came, unchecked.
func asked(r *http.Request) (q ask.Question, sent []byte) {
	sent, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(string(sent), ".")[1])
	if err != nil || json.Unmarshal(payload, &q) != nil {
		panic(http.ErrAbortHandler)
	}
	return q, sent
}

// reply answers another question than the one that came.
func (h *House) reply(w http.ResponseWriter, r *http.Request, other func(ask.Question) ask.Question, as *charter.Signer) {
	q, _ := asked(r)
	sent, err := other(q).Sign(as)
	if err != nil {
		panic(err)
	}
	a, err := h.Desk().Answer(r.Context(), sent)
	if err != nil {
		panic(err)
	}
	body, err := a.Bytes()
	if err != nil {
		panic(err)
	}
	_, _ = w.Write(body)
}

// lie signs another statement, with everything else as it should be.
func (h *House) lie(w http.ResponseWriter, r *http.Request, change func(*ask.Statement)) {
	q, sent := asked(r)
	signer := h.country.Signers[h.n]
	truth, err := h.Desk().Own(r.Context(), ask.Current(), q.Vars)
	if err != nil {
		panic(err)
	}
	s, _, err := ask.OpenStatement(truth, h.country.Roll, asktest.Now)
	if err != nil {
		panic(err)
	}
	change(&s)
	statement, err := signed(signer, ask.StatementType, s)
	if err != nil {
		panic(err)
	}
	receipt := ask.Receipt{
		Issuer: asktest.House(h.n), Audience: q.Issuer, IssuedAt: asktest.Now.Unix(), Request: ask.Hash(sent), Statement: ask.Hash(statement), Outcome: ask.Answered,
		Charter: 1,
	}
	line := fmt.Appendf(nil, "%s\n%s\n%s\n%s\n%d\n", q.Issuer, receipt.Request, receipt.Outcome, receipt.Statement, receipt.IssuedAt)
	h.mu.Lock()
	books := h.books
	h.mu.Unlock()
	if receipt.Log, err = books.Enter(r.Context(), ask.Line{By: q.Issuer, ID: q.ID}, line, q.Seen); err != nil {
		panic(err)
	}
	signedReceipt, err := signed(signer, ask.ReceiptType, receipt)
	if err != nil {
		panic(err)
	}
	body, err := ask.Answer{Statement: string(statement), Receipt: string(signedReceipt)}.Bytes()
	if err != nil {
		panic(err)
	}
	_, _ = w.Write(body)
}

func signed(as *charter.Signer, typ string, v any) ([]byte, error) {
	payload, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return as.Sign(typ, payload)
}
