// SPDX-License-Identifier: EUPL-1.2

package client

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/coder/websocket"
)

// longestFrame bounds one message of a socket and one line of an event stream.
const longestFrame = 16 << 20

// over follows over a socket. Rights and revocations come in the stream; a new token goes into the open socket.
func (f *following) over(ctx context.Context, cancel context.CancelCauseFunc, token string, due time.Time, take func([]byte) error) (bool, error) {
	c, answered, err := websocket.Dial(ctx, f.c.URL, &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}, HTTPClient: f.c.HTTP}) //nolint:bodyclose // the library closes it
	if err != nil {
		if answered != nil && answered.StatusCode >= 400 {
			return false, &Refused{Status: answered.StatusCode}
		}
		return false, fmt.Errorf("client: connecting: %w", err)
	}
	defer func() { _ = c.CloseNow() }()
	c.SetReadLimit(longestFrame)
	say := func(m map[string]any) error {
		text, err := json.Marshal(m)
		if err == nil {
			err = c.Write(ctx, websocket.MessageText, text)
		}
		return err
	}
	bearer := func(token string) map[string]any { return map[string]any{"Authorization": "Bearer " + token} }
	if err := say(map[string]any{"type": "connection_init", "payload": bearer(token)}); err != nil {
		return false, fmt.Errorf("client: greeting: %w", err)
	}
	if err := say(map[string]any{"type": "subscribe", "id": "1", "payload": f.body()}); err != nil {
		return false, fmt.Errorf("client: subscribing: %w", err)
	}
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		for !due.IsZero() {
			timer := time.NewTimer(time.Until(due))
			select {
			case <-timer.C:
			case <-ended:
				timer.Stop()
				return
			}
			asked := time.Now()
			token, until, err := f.c.Token(ctx)
			if err == nil {
				err = say(map[string]any{"type": "ping", "payload": bearer(token)})
			}
			if err != nil {
				cancel(fmt.Errorf("client: renewing the token: %w", err))
				return
			}
			due = fourFifths(asked, until)
		}
	}()
	for {
		_, text, err := c.Read(ctx)
		if err != nil {
			if code := websocket.CloseStatus(err); code >= 0 {
				return false, &Refused{Status: int(code)}
			}
			return false, fmt.Errorf("client: the socket is gone: %w", err)
		}
		var m struct {
			Type    string
			Payload json.RawMessage
		}
		if err := json.Unmarshal(text, &m); err != nil {
			return false, fmt.Errorf("client: reading a message: %w", err)
		}
		switch m.Type {
		case "next":
			if err := take(m.Payload); err != nil {
				return false, err
			}
		case "error":
			return false, refusedBy(0, m.Payload)
		case "complete":
			return true, nil
		case "ping":
			if err := say(map[string]any{"type": "pong"}); err != nil {
				return false, fmt.Errorf("client: answering: %w", err)
			}
		}
	}
}
