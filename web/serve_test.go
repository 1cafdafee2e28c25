// SPDX-License-Identifier: EUPL-1.2

package web_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
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

// losses sends requests over kept-alive connections while a server stops, until each client is told to turn away or loses a request.
// The requests cannot be sent again: what is lost stays lost.
func losses(t *testing.T, url string, stop func()) (answered, lost int64) {
	t.Helper()
	var yes, no atomic.Int64
	var wait sync.WaitGroup
	body := query("{ __typename }")
	for range 8 {
		wait.Go(func() {
			c := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}}
			for turnAway := false; !turnAway; {
				r, err := http.NewRequest(http.MethodPost, url+"/graphql", io.NopCloser(strings.NewReader(body)))
				if err != nil {
					t.Error(err)
					return
				}
				r.ContentLength = int64(len(body))
				r.Header.Set("Content-Type", plainJSON)
				answer, err := c.Do(r)
				if err != nil {
					no.Add(1)
					return
				}
				_, _ = io.Copy(io.Discard, answer.Body)
				_ = answer.Body.Close()
				yes.Add(1)
				turnAway = answer.Close
			}
		})
	}
	for yes.Load() < 200 {
		runtime.Gosched()
	}
	stop()
	wait.Wait()
	return yes.Load(), no.Load()
}

func TestNoAcceptedRequestIsLostInADrain(t *testing.T) {
	s := serve(t, 200*time.Millisecond, nil)
	if answered, lost := losses(t, s.url, s.stop); lost > 0 {
		t.Errorf("%d of %d requests lost", lost, answered)
	}
	if err := <-s.end; err != nil {
		t.Error(err)
	}
}

func TestTheSearchForLostRequestsFindsAServerThatDoesNotDrain(t *testing.T) {
	s := httptest.NewServer(open(t, nil))
	defer s.Close()
	stop := func() { _ = s.Config.Shutdown(context.Background()) }
	if _, lost := losses(t, s.URL, stop); lost == 0 {
		t.Error("nothing is lost by a server that only shuts down")
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
