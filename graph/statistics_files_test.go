// SPDX-License-Identifier: EUPL-1.2

package graph_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ozg-cloud/platform/cmd"
	"github.com/ozg-cloud/platform/internal/housetest"
)

// posted sends a question to a door for files.
func posted(h *housetest.House, c *housetest.Caller, path string, question any) housetest.Answer {
	h.Helper()
	body, ok := question.(string)
	if !ok {
		text, err := json.Marshal(question)
		if err != nil {
			h.Fatal(err)
		}
		body = string(text)
	}
	r := h.Request(http.MethodPost, path)
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	r.Header.Set("Content-Type", "application/json")
	return c.Send(r)
}

// tabled are the numbers of a column by the values of the axes before it.
func tabled(t *testing.T, a housetest.Answer, column string) map[string]int {
	t.Helper()
	lines, err := csv.NewReader(bytes.NewReader(a.Raw)).ReadAll()
	if err != nil || len(lines) == 0 {
		t.Fatalf("%v: %s", err, a.Raw)
	}
	at := slices.Index(lines[0], column)
	if at < 0 {
		t.Fatalf("no column %s: %q", column, lines[0])
	}
	out := map[string]int{}
	for _, l := range lines[1:] {
		n, err := strconv.Atoi(l[at])
		if err != nil {
			t.Fatal(err)
		}
		out[strings.Join(l[:at], " ")] = n
	}
	return out
}

func TestFiguresInFilesAreThoseOfTheContractForTheSamePeople(t *testing.T) {
	t.Parallel()
	b := newBureau(t)
	ask := func(product, to string) map[string]any {
		return map[string]any{"scope": "sh", "product": product, "measures": []string{"APPLICATIONS"}, "groupBy": []string{"AUTHORITY", "MONTH"}, "from": b.from, "to": to}
	}
	for _, c := range []struct{ who, product, to string }{{"sh-analyst", "EXACT", b.to}, {"by-analyst", "PROTECTED", b.closed}} {
		want := counts(b.ask(c.who, "sh", c.product, b.from, c.to, []string{"APPLICATIONS"}, "AUTHORITY", "MONTH").Works())
		table := posted(b.House, b.As(c.who), "/statistics.csv", ask(c.product, c.to))
		if got := tabled(t, table, "applications"); table.Status != 200 || len(want) < 10 || !maps.Equal(got, want) {
			t.Errorf("%s is given %d %v, and the contract says %v", c.who, table.Status, got, want)
		}
		if h := table.Header; h.Get("Content-Type") != "text/csv; charset=utf-8; header=present" || h.Get("Content-Disposition") != "attachment; filename=figures.csv" || h.Get("Cache-Control") != "no-store" {
			t.Errorf("the table comes under %v", h)
		}
		set := posted(b.House, b.As(c.who), "/statistics.json", ask(c.product, c.to))
		var read struct {
			Class     string
			Dimension map[string]struct {
				Category struct{ Label map[string]string }
			}
			Value map[string]float64
		}
		if err := json.Unmarshal(set.Raw, &read); err != nil || read.Class != "dataset" || len(read.Value) != 2*len(want) || read.Dimension["authority"].Category.Label["kiel"] != "Landeshauptstadt Kiel" {
			t.Errorf("%v: the dataset has %d values of %d rows: %.500s", err, len(read.Value), len(want), set.Raw)
		}
	}
	// Whoever may not is refused alike, for the same reasons.
	for wants, q := range map[string]map[string]any{
		"notAllowed": ask("EXACT", b.to), "openPeriod": ask("PROTECTED", b.to), "tooMany": {"scope": "sh", "product": "PROTECTED", "measures": slices.Repeat([]string{"OPEN"}, 11)},
		"notFound": {"scope": "nowhere", "product": "PROTECTED", "measures": []string{"OPEN"}}, "unknownValue": {"scope": "sh", "product": "PROTECTED", "measures": []string{"open"}},
		"required": {"scope": "sh", "product": "PROTECTED"},
	} {
		if a := posted(b.House, b.As("by-analyst"), "/statistics.csv", q); a.Status < 400 || a.Status >= 500 || ruleIn(t, a) != wants {
			t.Errorf("not refused as %s: %d %s", wants, a.Status, a.Raw)
		}
	}
	// The price is that of an operation.
	r := b.Request(http.MethodPost, "/graphql")
	text, _ := json.Marshal(map[string]any{"query": askFigures, "variables": map[string]any{"scope": "sh", "product": "EXACT", "measures": []string{"OPEN"}}})
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(text)), int64(len(text))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("GraphQL-Cost", "1")
	priced := b.As("sh-analyst").Send(r)
	var told struct {
		Extensions struct{ Cost struct{ Requested int } }
	}
	if err := json.Unmarshal(priced.Raw, &told); err != nil {
		t.Fatal(err)
	}
	if cost := told.Extensions.Cost.Requested; cost != cmd.CostOfFigures {
		t.Errorf("a file costs %d and the operation %d: %s", cmd.CostOfFigures, cost, priced.Raw)
	}
}

func ruleIn(t *testing.T, a housetest.Answer) string {
	t.Helper()
	var p struct{ Rule string }
	if err := json.Unmarshal(a.Raw, &p); err != nil {
		t.Fatalf("%v: %s", err, a.Raw)
	}
	return p.Rule
}

func TestDoorsForFilesOfFiguresAreNoneForThoseWhoReadNone(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	q := map[string]any{"scope": "sh", "product": "EXACT", "measures": []string{"OPEN"}}
	for _, who := range []*housetest.Caller{h.As("kiel-caseworker"), h.As("kiel-applicant"), h.As("somebody-who-applies")} {
		for _, question := range []any{q, "{"} {
			here, nowhere := posted(h, who, "/statistics.csv", question), posted(h, who, "/statistics.none", question)
			if here.Status != http.StatusNotFound || !bytes.Equal(here.Raw, nowhere.Raw) {
				t.Errorf("%s:\n%s\n%s", who.Name, here.Raw, nowhere.Raw)
			}
		}
	}
	if a := posted(h, h.Anonymous(), "/statistics.csv", q); a.Status != http.StatusUnauthorized {
		t.Errorf("without a token: %d", a.Status)
	}
	if a := posted(h, h.As("sh-analyst"), "/statistics.csv", q); a.Status != http.StatusOK {
		t.Errorf("an analyst does not find it either: %s", a.Raw)
	}
}
