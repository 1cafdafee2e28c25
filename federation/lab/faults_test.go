// SPDX-License-Identifier: EUPL-1.2

package lab_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/ozg-cloud/platform/federation/book"
	"github.com/ozg-cloud/platform/federation/lab"
)

var long = flag.Bool("long", false, "every fault at one house, and at all but the one that asks")

const question = `query($from: String!, $to: String!, $age: Int, $deadline: Int!) { federation { statistics(measures: [APPLICATIONS], groupBy: [LAND], from: $from, to: $to,
  options: {maxAgeSeconds: $age, deadlineMillis: $deadline}) { meta { complete expected answered members { state reason member { id } } } rows { at figures { count } } } } }`

// told is what came of a question: the state of each member in the order of the charter, and how many each has.
type answered struct {
	order  []string
	states map[string]string
	counts map[string]int
	full   bool
	took   time.Duration
}

// asked asks the first house for the applications of a month.
func asked(t *testing.T, h *lab.House, month string, age *int, deadline int) answered {
	t.Helper()
	begun := time.Now()
	a := h.As("federation-analyst").Ask(question, map[string]any{"from": month, "to": month, "age": age, "deadline": deadline}).Works()
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
		out.counts[r.At[0]] = r.Figures[0].Count
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

// counted changes what a house has counted.
func counted(t *testing.T, h *lab.House, statement string) {
	t.Helper()
	if _, err := h.Database().Exec(t.Context(), statement); err != nil {
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
	l := lab.New(t, 4)
	for i, h := range l.Houses {
		h.SeedIn(h.Seat.Region, 700+100*i, uint64(i+1)) // some in every month
		if err := h.Tally.Rebuild(t.Context(), func(int) {}); err != nil {
			t.Fatal(err)
		}
	}
	ids := make([]string, len(l.Houses))
	for i, h := range l.Houses {
		ids[i] = string(h.Seat.Member)
	}
	month := func(back int) string {
		now := l.Houses[0].Clock.Now().UTC()
		return time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC).AddDate(0, -back, 0).Format("2006-01")
	}
	const deadline = 1000

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
			counted(t, h, "update statistics_cells set n = n * 3; delete from federation_statements where document is null")
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
	for n, f := range faults {
		for _, faulty := range [][]int{{2}, {1, 2, 3}} {
			if !*long && len(faulty) == 1+2*(n%2) {
				continue
			}
			name := fmt.Sprintf("%s at %v", f.name, faulty)
			at := month(2 + n)
			if len(faulty) > 1 {
				at = month(14 + n) // another question, which nobody has answered yet
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
				asked(t, asker, month(40+len(faulty)), nil, deadline) // the answer that is said again and again
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
			for _, h := range l.Houses {
				h.Front.Mend()
			}
			if f.name == "contradictory" {
				for _, i := range faulty {
					counted(t, l.Houses[i], "update statistics_cells set n = n / 3; delete from federation_statements where document is null")
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

	t.Run("suspended", func(t *testing.T) {
		l.Houses[0].Learn(book.Bundle{Suspensions: []string{string(l.Suspend(3))}})
		before := l.Houses[3].Front.Asked()
		got := asked(t, l.Houses[0], month(2), nil, deadline) // it has answered this before
		if got.states[ids[3]] != "SUSPENDED" || got.counts[ids[3]] != 0 || got.full {
			t.Errorf("%v %v", got.states, got.counts)
		}
		if l.Houses[3].Front.Asked() != before {
			t.Error("who is suspended was asked")
		}
	})

	t.Run("old charter", func(t *testing.T) {
		d := l.Next()
		d.Members[1].Name = "Another name"
		document := must(t)(sign(l, d, 0, 4))
		l.Houses[0].Learn(book.Bundle{Charters: []string{string(document)}})
		got := asked(t, l.Houses[0], month(30), nil, deadline)
		if got.states[ids[1]] != "ANSWERED" || got.states[ids[2]] != "ANSWERED" {
			t.Errorf("houses that know an older charter: %v", got.states)
		}
		if v := l.Houses[1].Belonging.Roll().Version(); v != 1 {
			t.Fatalf("house 1 knows charter %d: this proves nothing", v)
		}
	})

	t.Run("older edition", func(t *testing.T) {
		h := l.Houses[2]
		h.Seat.Editions = []int{0}
		for _, h := range l.Houses {
			h.Clock.Forward(time.Minute)
		}
		if err := h.Belonging.Renew(t.Context(), true); err != nil {
			t.Fatal(err)
		}
		l.Houses[0].Learn(h.Belonging.Known())
		if i, _ := l.Houses[0].Belonging.Roll().Instance(h.Seat.Instance); fmt.Sprint(i.Editions) != "[0]" {
			t.Fatalf("it answers in %v", i.Editions)
		}
		if got := asked(t, l.Houses[0], month(31), nil, deadline); got.states[ids[2]] != "UNSUPPORTED edition" || got.full {
			t.Errorf("%v", got.states)
		}
	})

	// The twin: who believes whatever is signed counts what was made up.
	liar := l.Houses[1]
	believed := 0
	liar.Front.Break(liar.Said(func(payload []byte) []byte { believed++; return numbers("${1}0")(payload) }, nil))
	if got := asked(t, l.Houses[0], month(33), nil, deadline); believed == 0 || got.states[ids[1]] == "REJECTED signature" {
		t.Errorf("what was changed was not signed: %v", got.states)
	}
}
