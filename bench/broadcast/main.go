// SPDX-License-Identifier: EUPL-1.2

// Broadcast is the least that a server of sockets can do, against which the streams of events are measured: what is posted is sent to all sockets.
// It knows no rights, no log and no database.
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/coder/websocket"
)

func main() {
	var mu sync.Mutex
	all := map[chan []byte]struct{}{}
	http.HandleFunc("GET /graphql", func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"graphql-transport-ws"}, InsecureSkipVerify: true})
		if err != nil {
			return
		}
		defer func() { _ = c.CloseNow() }()
		told := make(chan []byte, 16)
		mu.Lock()
		all[told] = struct{}{}
		mu.Unlock()
		ctx := c.CloseRead(context.Background())
		for {
			select {
			case text := <-told:
				if c.Write(ctx, websocket.MessageText, text) != nil {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	})
	http.HandleFunc("POST /", func(_ http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		for told := range all {
			told <- text
		}
	})
	s := &http.Server{Addr: os.Args[1], ReadHeaderTimeout: 5 * time.Second}
	if err := s.ListenAndServe(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1) //nolint:forbidigo // this is its main
	}
}
