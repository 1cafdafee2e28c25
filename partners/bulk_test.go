// SPDX-License-Identifier: EUPL-1.2

package partners_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ozg-cloud/platform/internal/housetest"
)

const ofExport = `query($id: ID!) { node(id: $id) { ... on BulkOperation { state failedBecause objectCount refusedFields size sha256 snapshotCursor url completedAt expiresAt } } }`

// exports begins an export and gives its id.
func exports(t testing.TB, c *housetest.Caller, text string) string {
	t.Helper()
	a := c.Say("startBulkExport", map[string]any{"tenantId": tenantOf(c, "kiel"), "document": text}).Works()
	id := a.Text("startBulkExport.bulkOperation.id")
	if id == "" {
		t.Fatalf("%s", a.Raw)
	}
	return id
}

// ends waits until an export is in a state.
func ends(t testing.TB, c *housetest.Caller, id, state string) (a housetest.Answer) {
	t.Helper()
	until(t, "the export is "+state, func() bool {
		a = c.Ask(ofExport, map[string]any{"id": id}).Works()
		return a.Text("node.state") == state
	})
	return a
}

// fetch downloads from a place on.
func fetch(t *testing.T, h *housetest.House, path, ranged, tag string) (int, []byte, http.Header) {
	t.Helper()
	r := h.Request(http.MethodGet, path)
	if ranged != "" {
		r.Header.Set("Range", ranged)
		r.Header.Set("If-Range", tag)
	}
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	body, err := io.ReadAll(got.Body)
	if err != nil {
		t.Fatal(err)
	}
	return got.StatusCode, body, got.Header
}

func exec(t *testing.T, h *housetest.House, statement string, args ...any) {
	t.Helper()
	if _, err := h.Database().Exec(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// slowly lets the copyist take a while after each page.
func slowly(t *testing.T, h *housetest.House) {
	t.Helper()
	exec(t, h, `create function slowly() returns trigger language plpgsql as $$ begin perform pg_sleep(0.05); return new; end $$;
		create trigger slowly before update of object_count on bulk_operations for each row when (new.object_count > 0) execute function slowly();`)
}

func TestAnExportHoldsTheWholeListAndCanBeDownloadedInParts(t *testing.T) {
	t.Parallel()
	h := housetest.New(t, near)
	h.Seed(700, 4)
	started(t, h)
	admin := h.As("kiel-admin")
	id := exports(t, admin, `{ all: cases { nodes { id number submission { form: receivedAt } } } }`)
	a := ends(t, admin, id, "COMPLETED")
	total := admin.Ask(`{ cases(first: 0) { totalCount } }`, nil).Works().Number("cases.totalCount")
	if total < 150 || a.Text("node.objectCount") != fmt.Sprint(total) || a.Text("node.expiresAt") == "" {
		t.Fatalf("%d cases: %s", total, a.Raw)
	}
	status, body, head := fetch(t, h, a.Text("node.url"), "", "")
	sum := sha256.Sum256(body)
	if status != http.StatusOK || hex.EncodeToString(sum[:]) != a.Text("node.sha256") || fmt.Sprint(len(body)) != a.Text("node.size") || head.Get("Content-Type") != "application/jsonl" || head.Get("Cache-Control") != "private, no-store" {
		t.Errorf("status %d, %d bytes: %v", status, len(body), head)
	}
	seen := map[string]bool{}
	for line := range bytes.Lines(body) {
		var one struct {
			ID     string
			Number string
		}
		if err := json.Unmarshal(line, &one); err != nil || one.ID == "" || one.Number == "" || seen[one.ID] {
			t.Fatalf("%v: %s", err, line)
		}
		seen[one.ID] = true
	}
	if len(seen) != total {
		t.Errorf("%d lines, not %d", len(seen), total)
	}
	status, rest, _ := fetch(t, h, a.Text("node.url"), "bytes=1000-", head.Get("ETag"))
	if status != http.StatusPartialContent || !bytes.Equal(rest, body[1000:]) {
		t.Errorf("status %d, %d bytes", status, len(rest))
	}
	// Only for whom it was made, and not for ever.
	if a := h.As("sh-admin").Ask(ofExport, map[string]any{"id": id}).Works(); a.At("node.state") == nil || a.At("node.url") != nil {
		t.Errorf("%s", a.Raw)
	}
	for name, path := range map[string]string{"forged": a.Text("node.url")[:40] + "x", "none": "/exports/x"} {
		if status, _, _ := fetch(t, h, path, "", ""); status != http.StatusNotFound {
			t.Errorf("%s: status %d", name, status)
		}
	}
	exec(t, h, "update bulk_operations set expires_at = now()")
	if err := h.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := ends(t, admin, id, "EXPIRED"); got.At("node.url") != nil {
		t.Errorf("%s", got.Raw)
	}
	if status, _, _ := fetch(t, h, a.Text("node.url"), "", ""); status == http.StatusOK {
		t.Error("what has expired is still there")
	}
	h.Clock.Forward(6 * time.Minute)
	if status, _, _ := fetch(t, h, a.Text("node.url"), "", ""); status == http.StatusOK {
		t.Errorf("an old link is answered with status %d", status)
	}
}

func TestWhoHasLostARightGetsNothingMoreOfAnExport(t *testing.T) {
	t.Parallel()
	h := housetest.New(t, near)
	h.Seed(50, 4)
	started(t, h)
	h.Give("otto", "CASEWORKER", "kiel", "")
	otto := h.Give("otto", "TENANT_ADMIN", "kiel", "")
	a := ends(t, otto, exports(t, otto, `{ cases { nodes { id applicant { name } } } }`), "COMPLETED")
	if status, body, _ := fetch(t, h, a.Text("node.url"), "", ""); status != http.StatusOK || !bytes.Contains(body, []byte(`"name":"`)) {
		t.Fatalf("status %d: %s", status, body)
	}
	// It stands in the access log like any other read.
	if err := h.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	var written, cases int
	if err := h.Database().QueryRow(t.Context(), `select (select count(distinct case_id) from access_entries where reader = 'user:dev:otto' and fields ? 'Applicant.name'),
		(select count(*) from cases where tenant_id = (select id from tenants where slug = 'kiel') and state <> 'ERASED')`).Scan(&written, &cases); err != nil || written == 0 || written > cases {
		t.Errorf("%d of %d cases: %v", written, cases, err)
	}
	exec(t, h, "delete from role_assignments where subject = 'user:dev:otto' and role = 'CASEWORKER'")
	if status, body, _ := fetch(t, h, a.Text("node.url"), "", ""); status != http.StatusForbidden {
		t.Errorf("status %d: %s", status, body)
	}
	exec(t, h, "delete from role_assignments where subject = 'user:dev:otto'")
	if status, body, _ := fetch(t, h, a.Text("node.url"), "", ""); status != http.StatusNotFound {
		t.Errorf("status %d: %s", status, body)
	}
}

func TestAnExportThatIsInterruptedIsMadeByAnotherHouseAndNeverHalfComplete(t *testing.T) {
	t.Parallel()
	h := housetest.New(t, near)
	h.Seed(700, 4)
	slowly(t, h)
	stop := started(t, h)
	admin := h.As("kiel-admin")
	id := exports(t, admin, `{ cases { nodes { id } } }`)
	until(t, "it has begun", func() bool {
		n := admin.Ask(ofExport, map[string]any{"id": id}).Works().Text("node.objectCount")
		return n != "0"
	})
	stop()
	a := admin.Ask(ofExport, map[string]any{"id": id}).Works()
	if a.Text("node.state") == "COMPLETED" {
		t.Skip("it was faster")
	}
	if a.At("node.url") != nil || a.At("node.sha256") != nil {
		t.Errorf("%s", a.Raw)
	}
	other := h.Another()
	started(t, other)
	a = ends(t, admin, id, "COMPLETED")
	total := admin.Ask(`{ cases(first: 0) { totalCount } }`, nil).Works().Number("cases.totalCount")
	if _, body, _ := fetch(t, h, a.Text("node.url"), "", ""); bytes.Count(body, []byte{'\n'}) != total {
		t.Errorf("%d lines, not %d", bytes.Count(body, []byte{'\n'}), total)
	}
	// One that is ended on the way leaves nothing.
	id = exports(t, admin, `{ cases { nodes { id } } }`)
	admin.Say("cancelBulkExport", map[string]any{"bulkOperationId": id}).Works()
	if a := ends(t, admin, id, "CANCELED"); a.At("node.url") != nil {
		t.Errorf("%s", a.Raw)
	}
	if again := admin.Say("cancelBulkExport", map[string]any{"bulkOperationId": id}).Works(); !strings.Contains(string(again.Raw), "alreadyDone") {
		t.Errorf("%s", again.Raw)
	}
}

// missed makes an export while cases change all the time, then follows the log to its end, from the position of the export or from where the export ended, and
// tells how many cases there are whose last change is in neither.
func missed(t *testing.T, fromTheEnd bool) (missed int) {
	t.Helper()
	h := housetest.New(t, near)
	h.Seed(700, 4)
	slowly(t, h)
	started(t, h)
	admin, clerk := h.As("kiel-admin"), h.As("kiel-caseworker")
	var cases []housetest.Case
	for range 6 { // those that are read first
		c := h.As("kiel-applicant").Submit(parking, kiel)
		cases = append(cases, c)
	}
	life, end := context.WithCancel(t.Context())
	var writing sync.WaitGroup
	for i := range cases {
		writing.Go(func() {
			for life.Err() == nil {
				clerk.Must("commentOnCase", &cases[i], map[string]any{"body": "Notiz"})
			}
		})
	}
	id := exports(t, admin, `{ cases(orderBy: [{field: RECEIVED_AT, direction: ASC}]) { nodes { id revision } } }`)
	a := ends(t, admin, id, "COMPLETED")
	end()
	writing.Wait()
	known := map[string]int{}
	_, body, _ := fetch(t, h, a.Text("node.url"), "", "")
	for line := range bytes.Lines(body) {
		var one struct {
			ID       string
			Revision int
		}
		if err := json.Unmarshal(line, &one); err != nil {
			t.Fatal(err)
		}
		known[one.ID] = one.Revision
	}
	// The log is read until it tells of what happens last of all: what was committed may wait for a transaction of somebody else.
	last := h.As("kiel-applicant").Submit(parking, kiel)
	told := map[string]int{}
	at := a.Text("node.snapshotCursor")
	until(t, "the log is read to its end", func() bool {
		got := admin.Ask(`query($after: EventCursor) { caseEvents(first: 100, after: $after) { nodes { caseId revision } next } }`, map[string]any{"after": at}).Works()
		nodes, _ := got.At("caseEvents.nodes").([]any)
		for n := range nodes {
			told[got.Text(fmt.Sprintf("caseEvents.nodes.%d.caseId", n))] = got.Number(fmt.Sprintf("caseEvents.nodes.%d.revision", n))
		}
		at = got.Text("caseEvents.next")
		return told[last.ID] > 0
	})
	if fromTheEnd {
		clear(told) // all of it lies before
	}
	for id, revision := range told {
		known[id] = max(known[id], revision)
	}
	for _, c := range cases {
		if known[c.ID] < c.Revision {
			missed++
		}
	}
	return missed
}

func TestWhoExportsAndThenFollowsTheLogMissesNothing(t *testing.T) {
	t.Parallel()
	if n := missed(t, false); n > 0 {
		t.Errorf("%d cases are older than they are", n)
	}
}

// TestWhoFollowsFromTheEndOfAnExportIsCaught is the twin: the position is taken after the pages.
func TestWhoFollowsFromTheEndOfAnExportIsCaught(t *testing.T) {
	t.Parallel()
	if n := missed(t, true); n == 0 {
		t.Error("nothing is missed either: the test is of no use")
	}
}
