// SPDX-License-Identifier: EUPL-1.2

package web_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ozg-cloud/platform/web"
)

// served is a door on a port of its own.
type served struct {
	*house
	url  string
	stop context.CancelFunc
	end  chan error
}

func serve(t *testing.T, drain time.Duration, change func(*web.Options)) *served {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &served{house: open(t, change), url: "http://" + l.Addr().String(), stop: stop, end: make(chan error, 1)}
	go func() { s.end <- s.Serve(ctx, l, drain) }()
	t.Cleanup(stop)
	return s
}

func get(t *testing.T, c *http.Client, url string) (status int, closes bool) {
	t.Helper()
	r, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	_, _ = io.Copy(io.Discard, r.Body)
	return r.StatusCode, r.Close
}

func TestADrainingHouseSaysSoAnswersAndFinishesWhatIsUnderWay(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	s := serve(t, 300*time.Millisecond, func(o *web.Options) {
		o.Routes = []web.Route{{Pattern: "GET /long", Handler: func(w http.ResponseWriter, _ *http.Request) error {
			close(entered)
			<-leave
			_, err := io.WriteString(w, "done")
			return err
		}}}
	})
	c := &http.Client{Transport: &http.Transport{}}
	if status, closes := get(t, c, s.url+"/readyz"); status != 200 || closes {
		t.Fatalf("before: %d, closes %v", status, closes)
	}
	long := make(chan int)
	go func() {
		status, _ := get(t, c, s.url+"/long")
		long <- status
	}()
	<-entered
	s.stop()
	// The drain begins in another goroutine; readiness is how the world learns of it.
	for status := 200; status == 200; {
		status, _ = get(t, c, s.url+"/readyz")
	}
	if status, closes := get(t, c, s.url+"/livez"); status != 200 || !closes {
		t.Errorf("while draining: %d, closes %v", status, closes)
	}
	close(leave)
	if status := <-long; status != 200 {
		t.Errorf("what was under way: %d", status)
	}
	if err := <-s.end; err != nil {
		t.Error(err)
	}
	if _, err := c.Get(s.url + "/livez"); err == nil {
		t.Error("still answers")
	}
}

func TestNoAcceptedRequestIsLostInADrain(t *testing.T) {
	s := serve(t, 200*time.Millisecond, nil)
	var answered, lost atomic.Int64
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			c := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}}
			for draining := false; !draining; {
				r, err := c.Get(s.url + "/graphql?query={__typename}")
				if err != nil {
					lost.Add(1)
					return
				}
				_, _ = io.Copy(io.Discard, r.Body)
				_ = r.Body.Close()
				answered.Add(1)
				draining = r.Close // a client that is told to turn away does
			}
		})
	}
	for answered.Load() < 200 {
		get(t, http.DefaultClient, s.url+"/livez")
	}
	s.stop()
	wait.Wait()
	if err := <-s.end; err != nil {
		t.Error(err)
	}
	if lost.Load() > 0 {
		t.Errorf("%d of %d requests lost", lost.Load(), answered.Load())
	}
}

func TestAHeaderThatNeverEndsIsCutOff(t *testing.T) {
	s := serve(t, 0, nil)
	r, err := http.NewRequest(http.MethodGet, s.url+"/graphql", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Long", strings.Repeat("x", 100<<10))
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("%d", answer.StatusCode)
	}
}
