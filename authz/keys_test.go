// SPDX-License-Identifier: EUPL-1.2

package authz_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ozg-cloud/platform/authz"
)

// keyServer publishes keys, or does something else instead.
type keyServer struct {
	mu      sync.Mutex
	keys    []pair
	dead    bool
	instead http.HandlerFunc
	asked   int
}

func (s *keyServer) change(do func(*keyServer)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	do(s)
}

func (s *keyServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked++
	instead, set := s.instead, published(s.keys...)
	s.mu.Unlock()
	if instead != nil {
		instead(w, r)
		return
	}
	_, _ = w.Write(set)
}

// RoundTrip asks the server without a network, so that a bubble of testing/synctest can wait for it.
func (s *keyServer) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	dead := s.dead
	if dead {
		s.asked++
	}
	s.mu.Unlock()
	if dead {
		return nil, errors.New("connection refused")
	}
	reader, writer := io.Pipe()
	context.AfterFunc(r.Context(), func() { _ = reader.CloseWithError(r.Context().Err()) })
	answer := make(chan *http.Response, 1)
	go func() {
		s.ServeHTTP(&pipedAnswer{header: http.Header{}, body: writer, first: answer, reader: reader, asked: r}, r)
		_ = writer.Close()
	}()
	select {
	case a := <-answer:
		return a, nil
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

// pipedAnswer hands an answer over as soon as it begins.
type pipedAnswer struct {
	header http.Header
	body   *io.PipeWriter
	first  chan *http.Response
	reader *io.PipeReader
	asked  *http.Request
	begun  bool
}

func (a *pipedAnswer) Header() http.Header { return a.header }

func (a *pipedAnswer) WriteHeader(status int) {
	if !a.begun {
		a.begun = true
		a.first <- &http.Response{StatusCode: status, Header: a.header, Body: a.reader, Request: a.asked}
	}
}

func (a *pipedAnswer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

// asking is an issuer whose keys are fetched.
func asking(url string) authz.Issuer {
	i := trusting(nil)
	i.KeysURL = url
	return i
}

// inBubble runs a scene with a key server in which time passes only while everybody waits. That nothing is left running is checked
// at its end.
func inBubble(t *testing.T, published []pair, scene func(t *testing.T, o *office, s *keyServer)) {
	t.Helper()
	keys() // outside, because it is shared
	synctest.Test(t, func(t *testing.T) {
		s := &keyServer{keys: published}
		o := openAt(t, time.Now, asking("https://login.example/keys"))
		authz.ReachKeysBy(o.Doorkeeper, s)
		scene(t, o, s)
	})
}

// pass lets time go by in a bubble.
func pass(d time.Duration) { <-time.After(d) }

// tokenOf is a token of this moment that nobody has seen before.
func tokenOf(p pair) string {
	tokenNumber.Lock()
	defer tokenNumber.Unlock()
	tokenNumber.n++
	return p.token(claims(time.Now()).set("jti", strconv.Itoa(tokenNumber.n)).set("exp", strconv.FormatInt(time.Now().Add(24*time.Hour).Unix(), 10)))
}

var tokenNumber struct {
	sync.Mutex
	n int
}

func (o *office) accepts(t *testing.T, token string) bool {
	t.Helper()
	_, err := o.Principal(t.Context(), token)
	if err != nil && !refused(err) {
		t.Fatal(err)
	}
	return err == nil
}

func TestANewKeyIsFoundWithinFifteenSecondsOfItsFirstUse(t *testing.T) {
	t.Parallel()
	k := keys()
	inBubble(t, []pair{k.es}, func(t *testing.T, o *office, s *keyServer) {
		if !o.accepts(t, tokenOf(k.es)) {
			t.Fatal("the first key is not found at once")
		}
		pass(30 * time.Second)
		o.accepts(t, tokenOf(k.stranger)) // so that the server has been asked just now
		synctest.Wait()
		s.change(func(s *keyServer) { s.keys = []pair{k.es, k.ed} })
		token, began := tokenOf(k.ed), time.Now()
		for !o.accepts(t, token) {
			if time.Since(began) > 15*time.Second {
				t.Fatal("it is not")
			}
			pass(time.Second)
		}
	})
}

// acceptedFor removes a key and says for how long its tokens are accepted afterwards by an office that is asked now and then.
func acceptedFor(t *testing.T, pause time.Duration, remembered bool, remove func(s *keyServer)) (accepted time.Duration) {
	k := keys()
	inBubble(t, []pair{k.es, k.ed}, func(t *testing.T, o *office, s *keyServer) {
		token := tokenOf(k.es)
		if !o.accepts(t, token) {
			t.Fatal("the key is not found")
		}
		s.change(remove)
		for removed := time.Now(); time.Since(removed) < 3*time.Hour; {
			pass(pause)
			if !remembered {
				token = tokenOf(k.es)
			}
			if o.accepts(t, token) {
				accepted = time.Since(removed)
			}
		}
	})
	return accepted
}

func TestARemovedKeyIsGoneWithinFiveMinutesHoweverOftenItIsUsed(t *testing.T) {
	t.Parallel()
	remove := func(s *keyServer) { s.keys = s.keys[1:] }
	for _, pause := range []time.Duration{7 * time.Second, 59 * time.Second, 61 * time.Second, 119 * time.Second, 179 * time.Second, 239 * time.Second, time.Hour} {
		for _, remembered := range []bool{true, false} {
			if got := acceptedFor(t, pause, remembered, remove); got > 5*time.Minute {
				t.Errorf("asked every %s (the same token: %t) it was accepted for %s", pause, remembered, got)
			}
		}
	}
	// A server that fails at the first attempts.
	failing := func(s *keyServer) {
		remove(s)
		n := 0
		s.instead = func(w http.ResponseWriter, _ *http.Request) {
			if n++; n <= 3 {
				w.WriteHeader(http.StatusBadGateway)
				return
			}
			_, _ = w.Write(published(keys().ed))
		}
	}
	if got := acceptedFor(t, 20*time.Second, false, failing); got > 5*time.Minute {
		t.Errorf("after a server that failed at first it was accepted for %s", got)
	}
	// The twin: a server that does not tell.
	if got := acceptedFor(t, time.Minute, false, func(*keyServer) {}); got < 5*time.Minute {
		t.Errorf("a key that is still published was accepted for %s: the scene sees nothing", got)
	}
}

func TestAHouseIsReadyOnceItHasHadTheKeysOfEveryIssuer(t *testing.T) {
	t.Parallel()
	k := keys()
	inBubble(t, []pair{k.ed}, func(t *testing.T, o *office, s *keyServer) {
		s.change(func(s *keyServer) { s.dead = true })
		if o.Ready() == nil {
			t.Fatal("ready without keys")
		}
		s.change(func(s *keyServer) { s.dead = false })
		pass(6 * time.Second)
		for range 100 { // asking for readiness floods nobody
			_ = o.Ready()
		}
		synctest.Wait()
		if err := o.Ready(); err != nil {
			t.Fatalf("not ready with keys: %v", err)
		}
		if s.asked > 2 {
			t.Errorf("the server was asked %d times", s.asked)
		}
		s.change(func(s *keyServer) { s.dead = true })
		pass(time.Hour)
		if err := o.Ready(); err != nil {
			t.Errorf("a server that died later does harm: %v", err)
		}
	})
}

func TestADeadKeyServerChangesNothing(t *testing.T) {
	t.Parallel()
	k := keys()
	hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	for name, die := range map[string]func(*keyServer){
		"refusing": func(s *keyServer) { s.dead = true },
		"silent":   func(s *keyServer) { s.instead = hang },
	} {
		inBubble(t, []pair{k.ed}, func(t *testing.T, o *office, s *keyServer) {
			if !o.accepts(t, tokenOf(k.ed)) {
				t.Fatal("the key is not found")
			}
			s.change(die)
			ask := func(longest time.Duration) {
				began := time.Now()
				if !o.accepts(t, tokenOf(k.ed)) {
					t.Errorf("%s: a known key is refused", name)
				}
				if took := time.Since(began); took > longest {
					t.Errorf("%s: the question took %s", name, took)
				}
			}
			for range 120 {
				pass(10 * time.Second)
				ask(0)
			}
			pass(time.Hour)
			ask(3 * time.Second) // after a pause
			ask(0)
			s.change(func(s *keyServer) { s.dead, s.instead, s.keys = false, nil, []pair{k.es} })
			pass(6 * time.Second)
			o.accepts(t, tokenOf(k.ed)) // sets the question off
			synctest.Wait()
			if !o.accepts(t, tokenOf(k.es)) || o.accepts(t, tokenOf(k.ed)) {
				t.Errorf("%s: what it says when it is back is not believed", name)
			}
			if !strings.Contains(o.log.String(), "keys not fetched") {
				t.Errorf("%s: nobody is told", name)
			}
		})
	}
}

func TestAnOfficeThatOpensWithoutItsKeyServerOpensWhenThatIsThere(t *testing.T) {
	t.Parallel()
	k := keys()
	inBubble(t, []pair{k.ed}, func(t *testing.T, o *office, s *keyServer) {
		s.change(func(s *keyServer) { s.dead = true })
		if o.accepts(t, tokenOf(k.ed)) {
			t.Fatal("without keys a token was accepted")
		}
		s.change(func(s *keyServer) { s.dead = false })
		for began := time.Now(); !o.accepts(t, tokenOf(k.ed)); pass(time.Second) {
			if time.Since(began) > 15*time.Second {
				t.Fatal("it stays closed")
			}
		}
	})
}

func TestAFloodOfUnknownKeysAsksTheServerOnceInFiveSeconds(t *testing.T) {
	t.Parallel()
	k := keys()
	inBubble(t, []pair{k.ed}, func(t *testing.T, o *office, s *keyServer) {
		var wait sync.WaitGroup
		for i := range 20 {
			wait.Go(func() {
				for n := range 600 {
					id := fmt.Sprintf("k%d-%d", i, n)
					o.accepts(t, compact(k.ed.header().set("kid", quote(id)).String(), claims(time.Now()).String(), func(string) []byte { return make([]byte, 64) }))
					pass(100 * time.Millisecond)
				}
			})
		}
		wait.Wait()
		s.change(func(s *keyServer) {
			if s.asked > 13 {
				t.Errorf("in a minute of 12,000 unknown keys the server was asked %d times", s.asked)
			}
		})
		if !o.accepts(t, tokenOf(k.ed)) {
			t.Error("afterwards a known key is refused")
		}
	})
}

func TestHoweverManyComeFirstTheServerIsAskedOnce(t *testing.T) {
	t.Parallel()
	k := keys()
	inBubble(t, []pair{k.ed}, func(t *testing.T, o *office, s *keyServer) {
		s.change(func(s *keyServer) {
			s.instead = func(w http.ResponseWriter, _ *http.Request) {
				pass(2 * time.Second)
				_, _ = w.Write(published(k.ed))
			}
		})
		var wait sync.WaitGroup
		for range 50 {
			wait.Go(func() {
				if !o.accepts(t, tokenOf(k.ed)) {
					t.Error("a good token was refused")
				}
			})
		}
		wait.Wait()
		s.change(func(s *keyServer) {
			if s.asked != 1 {
				t.Errorf("it was asked %d times", s.asked)
			}
		})
	})
}

// harm is what a key server may do that has lost its mind, or its honour.
func harm() map[string]http.HandlerFunc {
	say := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	good := string(published(keys().ed, keys().stranger))
	return map[string]http.HandlerFunc{
		"fails":                        say(http.StatusInternalServerError, good),
		"is not authorised":            say(http.StatusUnauthorized, good),
		"has nothing to say":           say(http.StatusNoContent, ""),
		"says nothing":                 say(http.StatusOK, ""),
		"says HTML":                    say(http.StatusOK, "<!doctype html><title>Wartung</title>"),
		"says null":                    say(http.StatusOK, "null"),
		"says a list":                  say(http.StatusOK, "[]"),
		"says an object":               say(http.StatusOK, `{"error":"maintenance"}`),
		"says that keys are an object": say(http.StatusOK, `{"keys":{}}`),
		"says two sets":                say(http.StatusOK, good+good),
		"says half a set":              say(http.StatusOK, good[:len(good)-3]),
		"says too much":                say(http.StatusOK, good+strings.Repeat(" ", 64<<10)),
		"nests deeply":                 say(http.StatusOK, `{"keys":`+strings.Repeat("[", 60<<10)),
		"never stops": func(w http.ResponseWriter, _ *http.Request) {
			for {
				if _, err := io.WriteString(w, strings.Repeat(" ", 4<<10)); err != nil {
					return
				}
			}
		},
		"stops in the middle": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, good[:100])
			<-r.Context().Done()
		},
		"trickles": func(w http.ResponseWriter, _ *http.Request) {
			for i := range good {
				if _, err := io.WriteString(w, good[i:i+1]); err != nil {
					return
				}
				pass(time.Second)
			}
		},
		"is silent": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"sends elsewhere": func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/elsewhere" {
				_, _ = io.WriteString(w, good)
				return
			}
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		},
	}
}

func TestAHostileAnswerOfTheKeyServerIsHarmless(t *testing.T) {
	t.Parallel()
	k := keys()
	for what, instead := range harm() {
		inBubble(t, []pair{k.ed}, func(t *testing.T, o *office, s *keyServer) {
			s.change(func(s *keyServer) { s.instead = instead })
			began := time.Now()
			if o.accepts(t, tokenOf(k.ed)) || o.accepts(t, tokenOf(k.stranger)) {
				t.Errorf("a server that %s has brought in a key", what)
			}
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("a server that %s makes one wait for %s", what, took)
			}
			s.change(func(s *keyServer) { s.instead = nil })
			pass(10 * time.Second)
			o.accepts(t, tokenOf(k.ed))
			synctest.Wait()
			if !o.accepts(t, tokenOf(k.ed)) {
				t.Fatalf("after a server that %s has come to itself its key is not found", what)
			}
			s.change(func(s *keyServer) { s.instead = instead })
			for range 20 {
				pass(30 * time.Second)
				if !o.accepts(t, tokenOf(k.ed)) || o.accepts(t, tokenOf(k.stranger)) {
					t.Errorf("a server that %s has changed the keys", what)
				}
			}
			pass(10 * time.Second) // what is still being asked ends
		})
	}
	// The twin: the same answer, sound.
	inBubble(t, []pair{k.ed, k.stranger}, func(t *testing.T, o *office, _ *keyServer) {
		if !o.accepts(t, tokenOf(k.ed)) || !o.accepts(t, tokenOf(k.stranger)) {
			t.Error("the set that the hostile servers spoil is of no use itself")
		}
	})
}

func TestAKeySetWithoutUsableKeysTakesAllKeysAway(t *testing.T) {
	t.Parallel()
	k := keys()
	inBubble(t, []pair{k.ed}, func(t *testing.T, o *office, s *keyServer) {
		if !o.accepts(t, tokenOf(k.ed)) {
			t.Fatal("the key is not found")
		}
		s.change(func(s *keyServer) { s.keys = nil })
		pass(2 * time.Minute)
		o.accepts(t, tokenOf(k.ed))
		synctest.Wait()
		if o.accepts(t, tokenOf(k.ed)) {
			t.Error("a key that is gone is accepted")
		}
	})
}

func TestAKeyOfAKindThatIsNotUnderstoodDoesNotHideTheOthers(t *testing.T) {
	t.Parallel()
	later := pair{id: "later", public: map[string]any{"kty": "AKP", "alg": "ML-DSA-65", "kid": "later", "pub": "AAAA"}}
	broken := pair{id: "broken", public: map[string]any{"kty": "RSA", "n": 1}}
	o := newOffice(t, trusting(published(later, broken, keys().ed)))
	if !o.accepts(t, keys().ed.token(claims(noon))) {
		t.Error("it does")
	}
}

func TestKeysAreFetchedOverHTTPAndNeverFromElsewhere(t *testing.T) {
	t.Parallel()
	k := keys()
	elsewhere := &keyServer{keys: []pair{k.stranger}}
	other := httptest.NewServer(elsewhere)
	defer other.Close()
	s := &keyServer{keys: []pair{k.ed}}
	server := httptest.NewServer(s)
	defer server.Close()
	o := newOffice(t, asking(server.URL+"/keys"))
	if !o.accepts(t, k.ed.token(claims(noon))) || o.accepts(t, k.stranger.token(claims(noon))) {
		t.Error("the keys are not those of the server")
	}
	var bomb bytes.Buffer
	zip := gzip.NewWriter(&bomb)
	_, _ = zip.Write(published(k.stranger))
	for range 128 {
		_, _ = zip.Write(bytes.Repeat([]byte(" "), 64<<10))
	}
	_ = zip.Close()
	for what, instead := range map[string]http.HandlerFunc{
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL, http.StatusMovedPermanently)
		},
		"8 MB in 8 KB": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb.Bytes())
		},
	} {
		s.change(func(s *keyServer) { s.instead = instead })
		o := newOffice(t, asking(server.URL+"/keys"))
		if o.accepts(t, k.stranger.token(claims(noon))) {
			t.Errorf("%s has brought in a key", what)
		}
	}
	if elsewhere.asked > 0 {
		t.Error("another server was asked")
	}
}
