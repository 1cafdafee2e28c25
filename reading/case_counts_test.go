// SPDX-License-Identifier: EUPL-1.2

package reading_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/reading"
)

// miscounted compares the figures of a list with a count of its rows, page by page, as the same viewer sees them.
func miscounted(t *testing.T, v viewer, where string) (out []string, rows int) {
	t.Helper()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]map[string]int{"byState": {}, "byChannel": {}, "byService": {}, "byAuthority": {}, "byMonth": {}}
	for after := "null"; ; {
		a := v.ask("{ cases(first: 100, after: "+after+", where: "+where+") { nodes { state channel receivedAt service { leikaKey } tenant { slug } } pageInfo { hasNextPage endCursor } } }", nil)
		nodes, _ := a.At("cases.nodes").([]any)
		for i := range nodes {
			at := fmt.Sprintf("cases.nodes.%d.", i)
			received, err := time.Parse(time.RFC3339, a.Text(at+"receivedAt"))
			if err != nil {
				t.Fatal(err)
			}
			for by, value := range map[string]string{
				"byState": a.Text(at + "state"), "byChannel": a.Text(at + "channel"), "byService": a.Text(at + "service.leikaKey"), "byAuthority": a.Text(at + "tenant.slug"),
				"byMonth": received.In(berlin).Format("2006-01"),
			} {
				want[by][value]++
			}
		}
		rows += len(nodes)
		if a.At("cases.pageInfo.hasNextPage") != true {
			break
		}
		after = fmt.Sprintf("%q", a.Text("cases.pageInfo.endCursor"))
	}
	a := v.ask("{ cases(first: 0, where: "+where+") { figures: statistics { byState { n: count value __typename } byChannel { count value } byService { count value } byAuthority { count value } byMonth { count value } __typename } } }", nil)
	for by, values := range want {
		got, name := map[string]int{}, "count"
		if by == "byState" {
			name = "n"
		}
		last := ""
		told, _ := a.At("cases.figures." + by).([]any)
		for i := range told {
			at := fmt.Sprintf("cases.figures.%s.%d.", by, i)
			value := a.Text(at + "value")
			if value <= last {
				out = append(out, fmt.Sprintf("%s: %s behind %s", by, value, last))
			}
			got[value], last = a.Number(at+name), value
		}
		if !maps.Equal(got, values) {
			out = append(out, fmt.Sprintf("where %s, %s: %v, and the rows are %v", where, by, got, values))
		}
	}
	if a.Text("cases.figures.__typename") != "CaseListStatistics" {
		out = append(out, string(a.Raw))
	}
	return out, rows
}

var someCases = []string{"{}", "{ state: [NEW, IN_PROGRESS] }", "{ overdue: true }", `{ not: { state: [CLOSED] } }`, `{ state: [ERASED] }`}

func TestTheFiguresOfAListAreThoseOfItsRows(t *testing.T) {
	w := shared()
	all := 0
	people := append(w.narrow(t), w.viewer("sh-admin", authz.Substantial), w.viewer("kiel-caseworker", authz.Substantial), w.viewer("federation-analyst", authz.Substantial))
	for _, v := range people {
		for _, where := range someCases {
			if a := v.ask("{ cases(first: 0) { totalCount } }", nil); len(a.Errors) > 0 {
				continue // there are no cases for them
			}
			wrong, rows := miscounted(t, v, where)
			for _, c := range wrong {
				t.Error(c)
			}
			all += rows
		}
	}
	if all < 100 {
		t.Errorf("only %d rows were counted", all)
	}
}

// TestAGapInWhatIsCountedShowsInTheFigures is the twin.
func TestAGapInWhatIsCountedShowsInTheFigures(t *testing.T) {
	w := shared()
	people := w.narrow(t)
	mend := reading.GapInCounts()
	defer mend()
	for _, v := range people {
		for _, where := range someCases {
			if a := v.ask("{ cases(first: 0) { totalCount } }", nil); len(a.Errors) > 0 {
				continue
			}
			if wrong, _ := miscounted(t, v, where); len(wrong) > 0 {
				return
			}
		}
	}
	t.Error("nobody notices")
}
