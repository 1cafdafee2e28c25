// SPDX-License-Identifier: EUPL-1.2

package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// overEventStream follows over server-sent events.
func (f *following) overEventStream(ctx context.Context, cancel context.CancelCauseFunc, token string, due time.Time, take func([]byte) error) (bool, error) {
	body, err := json.Marshal(f.body())
	if err != nil {
		return false, &receiverError{fmt.Errorf("client: writing variables: %w", err)}
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, f.c.URL, bytes.NewReader(body))
	if err != nil {
		return false, &receiverError{fmt.Errorf("client: %w", err)}
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "text/event-stream")
	r.Header.Set("Authorization", "Bearer "+token)
	got, err := f.c.http().Do(r)
	if err != nil {
		return false, fmt.Errorf("client: connecting: %w", err)
	}
	defer func() { _ = got.Body.Close() }()
	if got.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(got.Body, 1<<20)) // what it says is a help, no more
		var a answer
		_ = json.Unmarshal(text, &a)
		return false, refusedBy(got.StatusCode, a.Errors)
	}
	if !isEventStream(got.Header.Get("Content-Type")) {
		return false, errUnspoken
	}
	if !due.IsZero() {
		timer := time.AfterFunc(time.Until(due), func() { cancel(errAgain) })
		defer timer.Stop()
	}
	lines := bufio.NewScanner(got.Body)
	lines.Buffer(make([]byte, 0, 4<<10), longestFrame)
	var kind string
	var data []byte
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case name == "event":
			kind = value
		case name == "data":
			data = append(data, value...)
		case name == "" && value == "" && kind == "next":
			if err := take(data); err != nil {
				return false, err
			}
			kind, data = "", data[:0]
		case name == "" && value == "" && kind == "complete":
			return true, nil
		}
	}
	if err := lines.Err(); err != nil {
		return false, fmt.Errorf("client: the event stream is gone: %w", err)
	}
	return false, fmt.Errorf("client: the event stream is gone: %w", io.EOF)
}

var errUnspoken = errors.New("client: that is no event stream")

// isEventStream tells whether a Content-Type is that of server-sent events.
func isEventStream(contentType string) bool {
	kind, _, _ := strings.Cut(contentType, ";")
	return strings.EqualFold(strings.TrimSpace(kind), "text/event-stream")
}
