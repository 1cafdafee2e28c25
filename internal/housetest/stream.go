// SPDX-License-Identifier: EUPL-1.2

package housetest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// Told is what a stream has told at a time.
type Told struct {
	// Type is the type of the frame; empty in the last one, when the stream has ended.
	Type string
	// Frame is what was selected of it.
	Frame map[string]any
	// Cursor is the place that the answer names beside the data, which event streams send as their id.
	Cursor string
	// Rule is the rule of the first error.
	Rule string
	// Raw is the answer as it came.
	Raw string
}

// Text is a field of the frame that is a text.
func (t Told) Text(name string) string {
	s, _ := t.Frame[name].(string)
	return s
}

// Stream is a subscription under way.
type Stream struct {
	h    *House
	told chan Told
	stop context.CancelFunc
	wait sync.WaitGroup
}

// soon bounds what a test waits for. Nothing takes that long unless it never comes.
const soon = 20 * time.Second

// Next waits for what is told next.
func (s *Stream) Next() Told {
	s.h.Helper()
	select {
	case t := <-s.told:
		return t
	case <-time.After(soon):
		s.h.Fatal("nothing is told")
		return Told{}
	}
}

// Wait is Next that waits for as long as it takes.
func (s *Stream) Wait() Told { return <-s.told }

// Silent tells what has come so far that was not taken yet: an empty list while nothing has.
func (s *Stream) Silent() (all []Told) {
	for {
		select {
		case t := <-s.told:
			all = append(all, t)
		default:
			return all
		}
	}
}

// Close ends the stream from this side.
func (s *Stream) Close() {
	s.stop()
	s.wait.Wait()
}

// hear begins to take what is told. read gives the next answer and its cursor, or an error where there is none any more.
func (c *Caller) hear(ctx context.Context, stop context.CancelFunc, read func() ([]byte, string, error)) *Stream {
	s := &Stream{h: c.h, told: make(chan Told, 1000), stop: stop}
	c.h.Cleanup(s.Close)
	s.wait.Go(func() {
		for {
			text, cursor, err := read()
			if err != nil {
				s.told <- Told{Raw: err.Error()}
				return
			}
			var answer struct {
				Data       map[string]map[string]any `json:"data"`
				Errors     []Failure                 `json:"errors"`
				Extensions map[string]any            `json:"extensions"`
			}
			t := Told{Raw: string(text), Cursor: cursor}
			if err := json.Unmarshal(text, &answer); err != nil {
				t.Rule = err.Error()
			}
			for _, f := range answer.Data {
				t.Frame = f
				t.Type, _ = f["__typename"].(string)
			}
			if t.Cursor == "" {
				t.Cursor, _ = answer.Extensions["eventCursor"].(string)
			}
			if len(answer.Errors) > 0 {
				t.Rule, _ = answer.Errors[0].Extensions["rule"].(string)
			}
			select {
			case s.told <- t:
			case <-ctx.Done():
				return
			}
		}
	})
	return s
}

// Follow opens a socket and subscribes.
func (c *Caller) Follow(document string, variables map[string]any) *Stream {
	c.h.Helper()
	ctx, stop := context.WithCancel(c.h.Context())
	conn, _, err := websocket.Dial(ctx, c.h.URL+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}}) //nolint:bodyclose // of an upgrade
	if err != nil {
		c.h.Fatal(err)
	}
	conn.SetReadLimit(1 << 24)
	say := func(m map[string]any) {
		text, err := json.Marshal(m)
		if err == nil {
			err = conn.Write(ctx, websocket.MessageText, text)
		}
		if err != nil {
			c.h.Fatal(err)
		}
	}
	say(map[string]any{"type": "connection_init", "payload": map[string]any{"Authorization": "Bearer " + c.token()}})
	say(map[string]any{"type": "subscribe", "id": "1", "payload": map[string]any{"query": document, "variables": variables}})
	return c.hear(ctx, func() { stop(); _ = conn.CloseNow() }, func() ([]byte, string, error) {
		for {
			_, text, err := conn.Read(ctx)
			if err != nil {
				return nil, "", err
			}
			var m struct {
				Type    string
				Payload json.RawMessage
			}
			if err := json.Unmarshal(text, &m); err != nil {
				return nil, "", err
			}
			switch m.Type {
			case "next":
				return m.Payload, "", nil
			case "error":
				return append(append([]byte(`{"errors":`), m.Payload...), '}'), "", nil
			case "complete":
				return nil, "", io.EOF
			}
		}
	})
}

// Listen subscribes over an event stream, from behind an event where last is not empty, as a browser does that has lost the connection.
func (c *Caller) Listen(document string, variables map[string]any, last string) *Stream {
	c.h.Helper()
	body, err := json.Marshal(map[string]any{"query": document, "variables": variables})
	if err != nil {
		c.h.Fatal(err)
	}
	ctx, stop := context.WithCancel(c.h.Context())
	r := c.h.Request(http.MethodPost, "/graphql").WithContext(ctx)
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.ContentLength = int64(len(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "text/event-stream")
	r.Header.Set("Authorization", "Bearer "+c.token())
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	got, err := http.DefaultClient.Do(r) //nolint:bodyclose // when the stream ends
	if err != nil {
		c.h.Fatal(err)
	}
	lines := bufio.NewReaderSize(got.Body, 1<<20)
	return c.hear(ctx, func() { stop(); _ = got.Body.Close() }, func() ([]byte, string, error) {
		var kind, data, id string
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				return nil, "", fmt.Errorf("status %d: %w", got.StatusCode, err)
			}
			line = strings.TrimSuffix(line, "\n")
			name, value, _ := strings.Cut(line, ": ")
			switch {
			case name == "event":
				kind = value
			case name == "data":
				data = value
			case name == "id":
				id = value
			case line == "" && kind == "next":
				return []byte(data), id, nil
			case line == "" && kind == "complete":
				return nil, "", io.EOF
			}
		}
	})
}
