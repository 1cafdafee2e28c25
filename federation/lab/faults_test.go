// SPDX-License-Identifier: EUPL-1.2

package lab_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ozg-cloud/platform/federation/book"
	"github.com/ozg-cloud/platform/federation/lab"
	"github.com/ozg-cloud/platform/statistics"
)

var (
	long   = flag.Bool("long", false, "every fault at 1, 2, ... and all houses but the one that asks")
	houses = flag.Int("houses", 4, "how many houses there are")
)

const question = `query($from: String!, $to: String!, $age: Int, $deadline: Int!) { federation { statistics(measures: [APPLICATIONS], groupBy: [LAND, MONTH], from: $from, to: $to,
  options: {maxAgeSeconds: $age, deadlineMillis: $deadline}) { meta { complete expected answered members { state reason member { id } } } rows { at figures { count } } } } }`

// told is what came of a question: the state of each member in the order of the charter, and how many each has.
type answered struct {
	order  []string
	states map[string]string
	counts map[string]int
	full   bool
	took   time.Duration
}

// period is from one month to another.
type period struct{ from, to string }

// asked asks a house for the applications of a period.
func asked(t *testing.T, h *lab.House, of period, age *int, deadline int) answered {
	t.Helper()
	begun := time.Now()
	a := h.As("federation-analyst").Ask(question, map[string]any{"from": of.from, "to": of.to, "age": age, "deadline": deadline}).Works()
	out := answered{states: map[string]string{}, counts: map[string]int{}, took: time.Since(begun)}
	var data struct {
		Federation struct {
			Statistics struct {
				Meta struct {
					Complete bool
					Members  []struct {
						State, Reason string
						Member        struct{ ID string }
					}
				}
				Rows []struct {
					At      []string
					Figures []struct{ Count int }
				}
			}
		}
	}
	text, err := json.Marshal(a.Data)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &data); err != nil {
		t.Fatal(err)
	}
	s := data.Federation.Statistics
	out.full = s.Meta.Complete
	for _, m := range s.Meta.Members {
		out.order = append(out.order, m.Member.ID)
		out.states[m.Member.ID] = m.State
		if m.Reason != "" {
			out.states[m.Member.ID] += " " + m.Reason
		}
	}
	for _, r := range s.Rows {
		out.counts[r.At[0]] += r.Figures[0].Count
	}
	return out
}

// another is another process of a house.
func another(t *testing.T, h *lab.House) *lab.House {
	t.Helper()
	out := &lab.House{House: h.Another(), Seat: h.Seat}
	if err := out.Belonging.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	return out
}

// keepers are the owners' connections to houses.
var keepers = map[*lab.House]*pgx.Conn{}

// counted changes what a house has counted.
func counted(t *testing.T, h *lab.House, statement string) {
	t.Helper()
	if keepers[h] == nil {
		keepers[h] = h.Database()
	}
	if _, err := keepers[h].Exec(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

var ofCases = regexp.MustCompile(`"n":([1-9][0-9]*)`)

// numbers changes every number of cases in a statement.
func numbers(to string) func([]byte) []byte {
	return func(payload []byte) []byte { return ofCases.ReplaceAll(payload, []byte(`"n":`+to)) }
}

// other replaces the value of a name.
func other(name, value string) func([]byte) []byte {
	of := regexp.MustCompile(`"` + name + `":"[^"]*"`)
	return func(payload []byte) []byte { return of.ReplaceAll(payload, []byte(`"`+name+`":"`+value+`"`)) }
}

func TestWhateverIsWrongWithSomeHousesTheOthersAreCountedAndEveryMemberIsNamedOnce(t *testing.T) {
	l := lab.New(t, *houses)
	for i, h := range l.Houses {
		h.SeedIn(h.Seat.Region, 700+100*(i%4), uint64(i+1)) // some in every month
		if err := h.Tally.Rebuild(t.Context(), func(int) {}); err != nil {
			t.Fatal(err)
		}
	}
	ids := make([]string, len(l.Houses))
	for i, h := range l.Houses {
		ids[i] = string(h.Seat.Member)
	}
	// Each question is another one than all before, so that nobody has answered it yet.
	questions := 0
	unasked := func() period {
		now := l.Houses[0].Clock.Now()
		back, long := 2+questions%28, questions/28
		questions++
		return period{statistics.MonthBefore(now, back+long), statistics.MonthBefore(now, back)}
	}
	deadline := 1000
	if len(l.Houses) > 4 { // they share the machine with each other
		deadline = 5000
	}

	again := 60 // asked anew, whatever is kept
	faults := []struct {
		name  string
		fault func(h *lab.House) lab.Fault
		state string
		// known: everybody has said it before.
		known bool
	}{
		{"another statement than its log has", func(h *lab.House) lab.Fault { return h.Said(numbers("${1}0"), nil) }, "REJECTED logChanged", true},
		{"contradictory", func(h *lab.House) lab.Fault {
			// Whoever runs its database has changed what was counted: it signs that, and its log fits.
			counted(t, h, "update statistics_cells set n = n * 1000; delete from federation_statements where document is null")
			return func(w http.ResponseWriter, r *http.Request, next http.Handler) { next.ServeHTTP(w, r) }
		}, "REJECTED contradiction", true},
		{"cut", func(*lab.House) lab.Fault { return lab.Cut }, "UNREACHABLE connection", false},
		{"slow", func(*lab.House) lab.Fault { return lab.Slow }, "TIMED_OUT deadline", false},
		{"slow body", func(*lab.House) lab.Fault { return lab.SlowBody }, "TIMED_OUT deadline", false},
		{"bad signature", func(*lab.House) lab.Fault { return lab.Unsigned }, "REJECTED", false},
		{"wrong audience", func(h *lab.House) lab.Fault {
			return h.Said(nil, other("aud", "https://land-09.example/ozg"))
		}, "REJECTED", false},
		{"replay", nil, "REJECTED", false},
		{"lying shape", func(h *lab.House) lab.Fault {
			return h.Said(func(payload []byte) []byte {
				return bytes.Replace(payload, []byte(`"rows":[`), []byte(`"rows":[1,`), 1)
			}, nil)
		}, "REJECTED", false},
		{"in the name of another", func(h *lab.House) lab.Fault {
			return h.Said(other("iss", string(l.Houses[0].Seat.Instance)), nil)
		}, "REJECTED", false},
		{"implausible", func(h *lab.House) lab.Fault {
			return h.Said(numbers("9007199254740993"), nil)
		}, "REJECTED", false},
		{"no house at all", func(*lab.House) lab.Fault {
			return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { w.WriteHeader(http.StatusBadGateway) }
		}, "UNREACHABLE", false},
	}
	chance := rand.New(rand.NewPCG(1, 2))
	var late []time.Duration
	asks, first := 0, period{}
	for n, f := range faults {
		for size := 1; size < len(l.Houses); size++ {
			if !*long && size != 1+2*(n%2) {
				continue
			}
			faulty := chance.Perm(len(l.Houses) - 1)[:size]
			for i := range faulty {
				faulty[i]++ // the first one asks
			}
			name := fmt.Sprintf("%s at %v", f.name, faulty)
			at := unasked()
			asks++
			if asks == 1 {
				first = at
			}
			// Another process of the asking house: no breaker of it is open.
			asker := another(t, l.Houses[0])
			if f.known {
				if first := asked(t, asker, at, nil, deadline); !first.full {
					t.Fatalf("%s: at first %v", name, first.states)
				}
			}
			for _, i := range faulty {
				fault := lab.Replay()
				if f.fault != nil {
					fault = f.fault(l.Houses[i])
				}
				l.Houses[i].Front.Break(fault)
			}
			if f.name == "replay" {
				asked(t, asker, unasked(), nil, deadline) // the answer that is said again and again
			}
			var age *int
			if f.known {
				age = &again
				for _, h := range l.Houses {
					h.Clock.Forward(2 * time.Minute)
				}
			}
			got := asked(t, asker, at, age, deadline)
			asker.Close()
			if strings.HasPrefix(f.state, "TIMED_OUT") {
				late = append(late, got.took-time.Duration(deadline)*time.Millisecond)
			}
			for _, h := range l.Houses {
				h.Front.Mend()
			}
			if f.name == "contradictory" {
				for _, i := range faulty {
					counted(t, l.Houses[i], "update statistics_cells set n = n / 1000; delete from federation_statements where document is null")
				}
			}
			if fmt.Sprint(got.order) != fmt.Sprint(ids) {
				t.Errorf("%s: the members are %v", name, got.order)
			}
			if got.full {
				t.Errorf("%s: the answer calls itself complete", name)
			}
			// What the others have, they say again when everything is well.
			whole := asked(t, l.Houses[0], at, nil, deadline)
			for i, id := range ids {
				bad := false
				for _, j := range faulty {
					bad = bad || i == j
				}
				state := got.states[id]
				switch {
				case bad && f.known && whole.counts[id] == 0: // nothing times anything is nothing
				case bad && (len(state) < len(f.state) || state[:len(f.state)] != f.state):
					t.Errorf("%s: house %d is %s", name, i, state)
				case bad && got.counts[id] != 0:
					t.Errorf("%s: house %d is counted", name, i)
				case !bad && state != "ANSWERED" && state != "CACHED":
					t.Errorf("%s: house %d is %s", name, i, state)
				case !bad && got.counts[id] != whole.counts[id]:
					t.Errorf("%s: house %d has %d, and %d without the others' faults", name, i, got.counts[id], whole.counts[id])
				}
			}
		}
	}

	slices.Sort(late)
	t.Logf("%d questions to %d houses; where some are slow, the answer comes %v after the deadline, and %v at most", asks, len(l.Houses), late[len(late)/2].Round(time.Millisecond),
		late[len(late)-1].Round(time.Millisecond))

	t.Run("old charter", func(t *testing.T) {
		d := l.Next()
		d.Members[1].Name = "Another name"
		document := must(t)(sign(l, d, 0, len(l.Houses)))
		l.Houses[0].Learn(book.Bundle{Charters: []string{string(document)}})
		got := asked(t, l.Houses[0], unasked(), nil, deadline)
		for i, id := range ids[1:] { // all others know an older one
			if got.states[id] != "ANSWERED" {
				t.Errorf("house %d, which knows an older charter: %v", i+1, got.states[id])
			}
		}
		if v := l.Houses[1].Belonging.Roll().Version(); v != 1 {
			t.Fatalf("house 1 knows charter %d: this proves nothing", v)
		}
	})

	t.Run("older edition", func(t *testing.T) {
		answersIn := func(h *lab.House, edition int) {
			h.Seat.Editions = []int{edition}
			for _, each := range l.Houses {
				each.Clock.Forward(time.Minute)
			}
			if err := h.Belonging.Renew(t.Context(), true); err != nil {
				t.Fatal(err)
			}
			l.Houses[0].Learn(h.Belonging.Known())
		}
		for old := range ids[1:] { // one more each time
			if !*long && old > 0 {
				break
			}
			h := l.Houses[old+1]
			answersIn(h, 0)
			if i, _ := l.Houses[0].Belonging.Roll().Instance(h.Seat.Instance); fmt.Sprint(i.Editions) != "[0]" {
				t.Fatalf("it answers in %v", i.Editions)
			}
			got := asked(t, l.Houses[0], unasked(), nil, deadline)
			for i, id := range ids {
				if of := i > 0 && i <= old+1; of != (got.states[id] == "UNSUPPORTED edition") || of && got.counts[id] != 0 || got.full {
					t.Errorf("%d houses of an older edition: house %d is %s", old+1, i, got.states[id])
				}
			}
		}
		for _, h := range l.Houses[1:] {
			answersIn(h, 1)
		}
	})

	// The twin: who believes whatever is signed counts what was made up.
	liar := l.Houses[1]
	believed := 0
	liar.Front.Break(liar.Said(func(payload []byte) []byte { believed++; return numbers("${1}0")(payload) }, nil))
	if got := asked(t, l.Houses[0], unasked(), nil, deadline); believed == 0 || got.states[ids[1]] == "REJECTED signature" {
		t.Errorf("what was changed was not signed: %v", got.states)
	}
	liar.Front.Mend()

	t.Run("suspended", func(t *testing.T) {
		for n := range ids[1:] { // one more each time
			if !*long && n > 0 {
				break
			}
			i := len(ids) - 1 - n
			l.Houses[0].Learn(book.Bundle{Suspensions: []string{string(l.Suspend(i))}})
			before := l.Houses[i].Front.Asked()
			got := asked(t, l.Houses[0], first, nil, deadline) // it has answered this before
			for j, id := range ids {
				if out := j >= i; out != (got.states[id] == "SUSPENDED") || out && got.counts[id] != 0 || got.full {
					t.Errorf("%d are suspended: house %d is %s", n+1, j, got.states[id])
				}
			}
			if l.Houses[i].Front.Asked() != before {
				t.Error("who is suspended was asked")
			}
		}
	})
}
