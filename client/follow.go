// SPDX-License-Identifier: EUPL-1.2

package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"time"
)

// Transport is how a stream comes over the network.
type Transport int

const (
	// Socket is graphql-transport-ws. A new token is handed in without a break.
	Socket Transport = iota
	// EventStream is server-sent events by POST. A new token needs a new request, which goes on where the old one was.
	EventStream
)

// Client knows a house. URL and Token have no default.
type Client struct {
	// URL is where the house speaks GraphQL, as https://ozg.example/graphql.
	URL string
	// Token gives a token and when it expires; the zero time where that is not known. It is asked before each connection, and once more when four
	// fifths of the time are over.
	Token func(ctx context.Context) (token string, until time.Time, err error)
	// Transport is Socket where nothing is said.
	Transport Transport
	// HTTP makes requests and handshakes; nil: http.DefaultClient. It must not have a timeout, which would end every stream.
	HTTP *http.Client
	// First and Longest bound how long is waited before coming back: a random time below First, then below twice that, and so on. Zero: 0.2 and 30 seconds.
	First, Longest time.Duration
	// Silence is how long a connection may be without a frame before it is given up. It has to be longer than the heartbeat of the subscription.
	// Zero: 45 seconds, three heartbeats.
	Silence time.Duration
}

// Subscription is what is to be followed.
type Subscription struct {
	// Document is a subscription with one field, a variable $after: EventCursor that is handed to it, and __typename in its selection.
	Document string
	// DocumentID is the hash of a trusted document, where a house answers no others; Document is empty then.
	DocumentID string
	// Variables are all others.
	Variables map[string]any
	// After is where to begin: behind this cursor; where it is empty, with the first checkpoint that is told.
	After string
}

// Event is what happened.
type Event struct {
	// Type is the type of the frame, as CaseEvent.
	Type string
	// Cursor is where it stands. It is the same whenever the event is told.
	Cursor string
	// Frame is what was selected.
	Frame json.RawMessage
	// Errors are those of fields that were refused.
	Errors json.RawMessage
}

// Receiver is who is told. An error of the first three ends Follow, and the position stays in front of what was not taken.
type Receiver struct {
	// Event is told of everything that happens, each once for as long as the process lives, and again after it began anew at an older cursor.
	Event func(ctx context.Context, e Event) error
	// Gap is told that something was missed that is kept no longer: what is had has to be read afresh.
	Gap func(ctx context.Context, resumeAt string) error
	// Revoked is told of cases that have to be dropped; nil: rights have become less, and everything has to be read afresh.
	Revoked func(ctx context.Context, caseIDs []string) error
	// Checkpoint is told that everything before a cursor was delivered. It may be nil.
	Checkpoint func(cursor string, caughtUp bool)
	// Broken is told why a connection ended, and how long is waited. It may be nil.
	Broken func(why error, wait time.Duration)
}

// Refused is what the house says to a subscription that it will not accept the next time either.
type Refused struct {
	// Status is that of HTTP, or the close code of the socket; zero where the refusal came in the stream.
	Status int
	// Code and Rule are those of the first error in the answer, where there is one.
	Code, Rule string
}

func (r *Refused) Error() string {
	return fmt.Sprintf("client: refused: %d %s %s", r.Status, r.Code, r.Rule)
}

// final tells whether coming back is of no use. Who is not let in may have a better token the next time.
func (r *Refused) final() bool {
	switch r.Code {
	case "", "INTERNAL", "UNAVAILABLE", "QUOTA_EXCEEDED", "UNAUTHENTICATED":
	default:
		return true
	}
	switch r.Status {
	case 4400, 4406, 1002, 1003, 1009:
		return true
	case http.StatusUnauthorized, http.StatusRequestTimeout, http.StatusTooManyRequests:
		return false
	}
	return r.Status >= 400 && r.Status < 500
}

// unknown tells whether nobody was let in with the token.
func (r *Refused) unknown() bool {
	return r.Status == 4403 || r.Status == 4401 || r.Status == http.StatusUnauthorized || r.Code == "UNAUTHENTICATED"
}

// mostUnknown is how many tokens in a row may be refused.
const mostUnknown = 3

// rememberedCursors is how many events are kept in mind, so that one that is told twice is passed on once.
const rememberedCursors = 1024

// Follow tells a receiver what happens until ctx ends, the subscription is complete (then the error is nil), the house refuses it for good (*Refused), or
// the receiver returns an error. at is the position that it has come to, from where another Follow goes on, in another process and at another replica
// too: keep it together with what was made of the events.
func (c *Client) Follow(ctx context.Context, s Subscription, to Receiver) (at string, err error) {
	f := &following{c: c, s: s, to: to, at: s.After, seen: map[string]bool{}}
	for waits, refused := 0, 0; ; waits++ {
		f.heard = false
		complete, err := f.connect(ctx)
		var no *Refused
		var own *receiverError
		switch {
		case ctx.Err() != nil:
			return f.at, ctx.Err()
		case errors.As(err, &own):
			return f.at, own.error
		case complete:
			return f.at, nil
		case errors.Is(err, errAgain):
			waits = -1
			continue
		case errors.As(err, &no) && no.final():
			return f.at, no
		}
		if f.heard {
			waits, refused = 0, 0
		}
		if no != nil && no.unknown() {
			if refused++; refused == mostUnknown {
				return f.at, no
			}
		}
		wait := c.wait(waits)
		if to.Broken != nil {
			to.Broken(err, wait)
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return f.at, ctx.Err()
		}
	}
}

func (c *Client) wait(n int) time.Duration {
	first, longest := c.First, c.Longest
	if first <= 0 {
		first = 200 * time.Millisecond
	}
	if longest <= 0 {
		longest = 30 * time.Second
	}
	most := longest
	if n < 20 {
		most = min(longest, first<<n)
	}
	return rand.N(most) + 1 //nolint:gosec // chance is enough: it only has to differ from what others wait
}

// following is a subscription under way.
type following struct {
	c     *Client
	s     Subscription
	to    Receiver
	at    string
	heard bool // something, over this connection

	seen   map[string]bool
	recent [rememberedCursors]string
	next   int
}

// errAgain ends a connection that is opened again at once.
var errAgain = errors.New("client: the connection is opened again with a new token")

// receiverError is one of the receiver's.
type receiverError struct{ error }

func (f *following) connect(ctx context.Context) (complete bool, err error) {
	asked := time.Now()
	token, until, err := f.c.Token(ctx)
	if err != nil {
		return false, fmt.Errorf("client: getting a token: %w", err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := f.c.Silence
	if silence <= 0 {
		silence = 45 * time.Second
	}
	silent := time.AfterFunc(silence, func() { cancel(errSilent) })
	defer silent.Stop()
	take := func(body []byte) error {
		silent.Reset(silence)
		return f.take(ctx, body)
	}
	over := f.over
	if f.c.Transport == EventStream {
		over = f.overEventStream
	}
	complete, err = over(ctx, cancel, token, fourFifths(asked, until), take)
	if why := context.Cause(ctx); why != nil && err != nil {
		return complete, errors.Join(why, err)
	}
	return complete, err
}

var errSilent = errors.New("client: nothing was heard for too long")

// fourFifths is when a new token is due; zero where that is not known.
func fourFifths(from, until time.Time) time.Time {
	if until.IsZero() {
		return until
	}
	return from.Add(until.Sub(from) * 4 / 5)
}

// answer is what is told at a time.
type answer struct {
	Data   map[string]json.RawMessage `json:"data"`
	Errors json.RawMessage            `json:"errors"`
	Extend struct {
		EventCursor string `json:"eventCursor"`
	} `json:"extensions"`
}

// refusedBy is the refusal in a list of errors.
func refusedBy(status int, list []byte) *Refused {
	var all []struct {
		Extensions struct{ Code, Rule string } `json:"extensions"`
	}
	r := &Refused{Status: status}
	if json.Unmarshal(list, &all) == nil && len(all) > 0 {
		r.Code, r.Rule = all[0].Extensions.Code, all[0].Extensions.Rule
	}
	return r
}

// take hands one answer to the receiver.
func (f *following) take(ctx context.Context, body []byte) error {
	var a answer
	if err := json.Unmarshal(body, &a); err != nil {
		return fmt.Errorf("client: reading an answer: %w", err)
	}
	if len(a.Data) == 0 {
		return refusedBy(0, a.Errors)
	}
	f.heard = true
	for _, raw := range a.Data {
		var frame struct {
			Type     string   `json:"__typename"`
			CaughtUp bool     `json:"caughtUp"`
			CaseIDs  []string `json:"caseIds"`
		}
		if err := json.Unmarshal(raw, &frame); err != nil {
			return fmt.Errorf("client: reading a frame: %w", err)
		}
		if err := f.hand(ctx, frame.Type, frame.CaughtUp, frame.CaseIDs, a.Extend.EventCursor, raw, a.Errors); err != nil {
			return &receiverError{err}
		}
		if a.Extend.EventCursor != "" {
			f.at = a.Extend.EventCursor
		}
	}
	return nil
}

func (f *following) hand(ctx context.Context, typ string, caughtUp bool, ids []string, cursor string, raw, refused json.RawMessage) error {
	switch typ {
	case "StreamCheckpoint":
		if f.to.Checkpoint != nil {
			f.to.Checkpoint(cursor, caughtUp)
		}
		return nil
	case "StreamGap":
		return f.to.Gap(ctx, cursor)
	case "StreamRevocation":
		return f.to.Revoked(ctx, ids)
	}
	if f.seen[cursor] {
		return nil
	}
	if err := f.to.Event(ctx, Event{typ, cursor, raw, refused}); err != nil {
		return err
	}
	delete(f.seen, f.recent[f.next])
	f.seen[cursor], f.recent[f.next] = true, cursor
	f.next = (f.next + 1) % rememberedCursors
	return nil
}

// body is the request, from where the subscription stands.
func (f *following) body() map[string]any {
	variables := map[string]any{}
	maps.Copy(variables, f.s.Variables)
	if variables["after"] = nil; f.at != "" {
		variables["after"] = f.at
	}
	b := map[string]any{"variables": variables}
	if f.s.DocumentID != "" {
		b["documentId"] = f.s.DocumentID
	} else {
		b["query"] = f.s.Document
	}
	return b
}

func (c *Client) http() *http.Client {
	if c.HTTP == nil {
		return http.DefaultClient
	}
	return c.HTTP
}
