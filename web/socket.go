// SPDX-License-Identifier: EUPL-1.2

package web

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/internal/rounds"
	"github.com/ozg-cloud/platform/internal/strictjson"
)

// subprotocol is the protocol spoken on sockets (graphql-ws, PROTOCOL.md).
const subprotocol = "graphql-transport-ws"

// The close codes of the protocol, and two of its reference server.
const (
	badMessage     websocket.StatusCode = 4400
	unauthorized   websocket.StatusCode = 4401
	forbidden      websocket.StatusCode = 4403
	noSubprotocol  websocket.StatusCode = 4406
	initTimeout    websocket.StatusCode = 4408
	alreadyExists  websocket.StatusCode = 4409
	tooManyOfThese websocket.StatusCode = 4429
	internalError  websocket.StatusCode = 4500
)

func upgrades(r *http.Request) bool {
	return strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

// fromHere tells whether a page may open a socket: one of our own or of an allowed origin. Browsers ask nobody before they open one,
// so it is asked here. What is no browser sends no origin.
func (d *Door) fromHere(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" || d.origins[origin] {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && strings.EqualFold(u.Host, r.Host)
}

// socket speaks graphql-transport-ws until one of both sides ends it. The error is one before the upgrade.
func (d *Door) socket(w http.ResponseWriter, r *http.Request) error {
	if !d.fromHere(r) {
		return problem.New(problem.Forbidden, "notAllowed")
	}
	ctx, known, err := d.identified(r)
	if err != nil {
		return err
	}
	if err := d.enter(); err != nil {
		return err
	}
	// The origin was checked above, against the same list as that of the other requests.
	c, err := websocket.Accept(narrow{w, d.o.Limits.Write}, r, &websocket.AcceptOptions{Subprotocols: []string{subprotocol}, InsecureSkipVerify: true})
	if err != nil {
		d.streams.leave()
		return nil // Accept has answered
	}
	// The handler ends here, and with it all that the server keeps of a request: buffers, headers and a stack that has grown.
	go d.converse(context.WithoutCancel(ctx), c, &http.Request{Header: ofOperations(r.Header)}, known)
	return nil
}

// converse speaks with the other side of an open socket.
func (d *Door) converse(ctx context.Context, c *websocket.Conn, asked *http.Request, known bool) {
	defer d.streams.leave()
	d.o.Metrics.sockets.Inc()
	defer d.o.Metrics.sockets.Dec()
	defer func() { _ = c.CloseNow() }()
	defer func() {
		if p := recover(); p != nil {
			_, _ = d.stated(ctx, panicked(p)) // nobody is left to be told
		}
	}()
	c.SetReadLimit(d.o.Limits.Message)
	whole := ctx
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &socket{door: d, connection: c, request: asked, whole: whole, principal: ctx, known: known, left: burst * d.o.Limits.MessageRate, counted: time.Now()}
	s.operations = d.newOperations(languageOf(asked), s.frame)
	if c.Subprotocol() != subprotocol {
		s.close(noSubprotocol, "Subprotocol not acceptable")
		return
	}
	s.listen(ctx)
	cancel()
	_ = c.CloseNow() // an operation may still be writing
	s.operations.finish()
}

// narrow hands a connection over with small buffers, as most messages are small and there are many sockets, and with so much time for each write.
type narrow struct {
	http.ResponseWriter
	within time.Duration
}

// patient is a connection that gives a write up when its time is over. A deadline costs a tenth of what a context of the message's own does.
type patient struct {
	net.Conn
	within time.Duration
}

// Write writes in its time.
func (p patient) Write(b []byte) (int, error) {
	_ = p.SetWriteDeadline(time.Now().Add(p.within)) // where the connection knows none, there is none
	return p.Conn.Write(b)                           //nolint:wrapcheck // it stands in the connection's place
}

const (
	readBuffer  = 512
	writeBuffer = 1024
)

func (n narrow) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, given, err := http.NewResponseController(n.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, fmt.Errorf("web: taking over a connection: %w", err)
	}
	early, _ := given.Reader.Peek(given.Reader.Buffered()) // it is there already
	r := bufio.NewReaderSize(io.MultiReader(bytes.NewReader(bytes.Clone(early)), c), max(readBuffer, len(early)))
	_, _ = r.Peek(len(early)) // whoever takes over looks for it in the buffer
	return c, bufio.NewReadWriter(r, bufio.NewWriterSize(patient{c, n.within}, writeBuffer)), nil
}

// burst is how many seconds' worth of messages may come at once.
const burst = 4

type socket struct {
	door       *Door
	connection *websocket.Conn
	request    *http.Request
	operations *operations
	closeOnce  sync.Once
	whole      context.Context // never ends: what is written has its time from narrow

	// what follows belongs to listen
	principal context.Context // of the principal, once there is one
	known     bool
	greeted   bool // connection_init was received
	hello     *time.Timer
	release   func() bool // of the end of the sign-in
	left      int         // messages that may come at once
	counted   time.Time
}

// listen takes messages until the connection ends.
func (s *socket) listen(ctx context.Context) {
	s.hello = time.AfterFunc(s.door.o.Limits.Init, func() { s.close(initTimeout, "Connection initialisation timeout") })
	defer s.hello.Stop()
	defer func() {
		if s.release != nil {
			s.release()
		}
	}()
	defer context.AfterFunc(s.door.streams.ending, func() { s.close(websocket.StatusGoingAway, "Going away") })()
	defer rounds.Every(s.door.o.Limits.Ping, func() bool { return s.ping(ctx) })()
	for {
		kind, text, err := s.connection.Read(ctx)
		if err != nil {
			return
		}
		if code, reason := s.take(kind, text); code != 0 {
			s.close(code, reason)
			return
		}
	}
}

// ping ends the connection (false) when the other side is silent for too long.
func (s *socket) ping(ctx context.Context) bool {
	within, cancel := context.WithTimeout(ctx, s.door.o.Limits.Write)
	defer cancel()
	if s.connection.Ping(within) != nil {
		_ = s.connection.CloseNow()
		return false
	}
	return true
}

func (s *socket) close(code websocket.StatusCode, reason string) {
	s.closeOnce.Do(func() { _ = s.connection.Close(code, reason) }) // the connection is gone either way
}

// take does what a message says; a code other than zero closes the connection.
func (s *socket) take(kind websocket.MessageType, text []byte) (websocket.StatusCode, string) {
	if s.tooFast() {
		return tooManyOfThese, "Too many messages"
	}
	v, err := strictjson.Read(text, s.door.o.Limits.Nesting)
	message, ok := v.(map[string]any)
	if kind != websocket.MessageText || err != nil || !ok {
		return badMessage, "Invalid message"
	}
	id, hasID := message["id"].(string)
	payload, isMap := message["payload"].(map[string]any)
	hasID = hasID && id != "" && len(id) <= s.door.o.Limits.ID
	isMap = isMap || message["payload"] == nil
	switch name, _ := message["type"].(string); {
	case !isMap:
	case name == "connection_init":
		return s.greet(payload)
	case name == "ping":
		if code, reason := s.renew(payload); code != 0 {
			return code, reason
		}
		return s.pong()
	case name == "pong":
		return 0, ""
	case name == "subscribe" && !s.greeted:
		return unauthorized, "Unauthorized"
	case name == "subscribe" && hasID && payload != nil:
		return s.subscribe(id, payload)
	case name == "complete" && hasID:
		s.operations.stop(id)
		return 0, ""
	}
	return badMessage, "Invalid message"
}

// tooFast counts messages: those that were saved up, and some more each second.
func (s *socket) tooFast() bool {
	rate := s.door.o.Limits.MessageRate
	now := time.Now()
	if earned := int(now.Sub(s.counted).Seconds() * float64(rate)); earned > 0 {
		s.left, s.counted = min(burst*rate, s.left+earned), now
	}
	s.left--
	return s.left < 0
}

// greet learns who is there: from the payload, or from the header of the handshake. Nobody unknown is let in.
func (s *socket) greet(payload map[string]any) (websocket.StatusCode, string) {
	if s.greeted {
		return tooManyOfThese, "Too many initialisation requests"
	}
	s.greeted = true
	s.hello.Stop()
	bearer := &http.Request{Header: bearerIn(payload)}
	if len(bearer.Header) > 0 {
		var ctx context.Context
		var known bool
		var err error
		aside(func() { ctx, known, err = s.door.identified(bearer.WithContext(s.principal)) }) //nolint:fatcontext // it is done once
		if err != nil {
			return s.refused(err)
		}
		s.principal, s.known = ctx, known
	}
	if !s.known {
		return forbidden, "Forbidden"
	}
	s.release = s.untilSignedOut()
	return s.write([]byte(`{"type":"connection_ack"}`))
}

// renew lets who was let in go on with another token, which a ping may bring. One that is refused ends the connection: going on until the old one
// expires would hide it.
func (s *socket) renew(payload map[string]any) (websocket.StatusCode, string) {
	headers := bearerIn(payload)
	if s.release == nil || s.door.o.Renew == nil || len(headers) == 0 {
		return 0, ""
	}
	token, err := bearerOf(headers.Values("Authorization"))
	if err == nil {
		err = s.door.o.Renew(s.principal, token)
	}
	if err != nil {
		return s.refused(err)
	}
	s.release()
	s.release = s.untilSignedOut()
	return 0, ""
}

func (s *socket) untilSignedOut() (release func() bool) {
	return s.door.untilSignedOut(s.principal, func() { s.close(forbidden, "Sign-in has ended") })
}

// bearerIn is the token in a payload, as the header that it stands for.
func bearerIn(payload map[string]any) http.Header {
	h := http.Header{}
	for name, value := range payload {
		if strings.EqualFold(name, "Authorization") {
			text, _ := value.(string)
			h.Add("Authorization", text)
		}
	}
	return h
}

func (s *socket) refused(err error) (websocket.StatusCode, string) {
	p, _ := s.door.stated(s.principal, err)
	switch p.Kind {
	case problem.Unauthenticated, problem.Forbidden:
		return forbidden, "Forbidden"
	case problem.Busy:
		return websocket.StatusTryAgainLater, "Try again later"
	}
	return internalError, "Internal server error"
}

func (s *socket) subscribe(id string, payload map[string]any) (websocket.StatusCode, string) {
	params, err := paramsOf(payload, s.request)
	if err != nil {
		return badMessage, "Invalid message"
	}
	err = s.operations.start(s.principal, id, func(ctx context.Context) (operation, error) { return s.door.prepare(ctx, params, true) })
	switch {
	case errors.Is(err, problem.New(problem.Conflict, "")):
		return alreadyExists, "Subscriber already exists"
	case err != nil:
		return tooManyOfThese, "Too many operations"
	}
	return 0, ""
}

func (s *socket) pong() (websocket.StatusCode, string) { return s.write([]byte(`{"type":"pong"}`)) }

// write sends a message in its time. Where that fails the connection is of no use any more.
func (s *socket) write(text []byte) (websocket.StatusCode, string) {
	if err := s.connection.Write(s.whole, websocket.MessageText, text); err != nil {
		_ = s.connection.CloseNow()
		return websocket.StatusGoingAway, ""
	}
	return 0, ""
}

// frame sends what an operation tells.
func (s *socket) frame(f frame) error {
	return laid(func(out []byte) ([]byte, error) { return f.append(out, f.kind), nil }, func(text []byte) error {
		if code, _ := s.write(text); code != 0 {
			return errUnwanted
		}
		return nil
	})
}
