// SPDX-License-Identifier: EUPL-1.2

package partners_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/ozg-cloud/platform/internal/housetest"
)

func TestAWebhookSendsWhatHappensSignedAndInOrder(t *testing.T) {
	t.Parallel()
	h := housetest.New(t, near)
	r := receives(t, h)
	started(t, h)
	partner := h.As("partner")
	id := hooks(t, partner, r.URL+"/in?key=hush", nil)
	c := h.As("kiel-applicant").Submit(parking, kiel)
	first := r.next()
	if first.Type != "CaseEvent" || first.Event != "CASE_OPENED" || first.Case != c.ID || first.Attempt != "1" {
		t.Errorf("%+v", first)
	}
	h.As("kiel-mailroom").Must("acceptCase", &c, nil)
	if second := r.next(); second.Event != "CASE_ACCEPTED" || second.State != "ACCEPTED" || second.Cursor == first.Cursor || second.Delivery == first.Delivery {
		t.Errorf("%+v", second)
	}
	until(t, "both are told as delivered", func() bool {
		a := partner.Ask(about, map[string]any{"id": id}).Works()
		return a.Number("node.deliveries.totalCount") == 2 && a.Text("node.deliveries.nodes.0.state") == "DELIVERED" && a.Number("node.deliveries.nodes.0.status") == 204 &&
			a.Text("node.deliveries.nodes.1.eventCursor") == first.Cursor && a.Text("node.caughtUpAt") != ""
	})
	if log := h.Log.String(); strings.Contains(log, "hush") {
		t.Errorf("the log has the address: %s", log)
	}
	// Nobody is shown the address, and another partner not even the webhook.
	if a := partner.Ask(`{ webhooks(first: 1) { nodes { host } } }`, nil).Works(); strings.Contains(string(a.Raw), "hush") || a.Text("webhooks.nodes.0.host") == "" {
		t.Errorf("%s", a.Raw)
	}
	other := h.Give("another-partner", "PARTNER", "kiel", "", parking)
	if a := other.Ask(about, map[string]any{"id": id}).Works(); a.At("node") != nil {
		t.Errorf("%s", a.Raw)
	}
	if a := h.As("kiel-admin").Ask(about, map[string]any{"id": id}).Works(); a.At("node") == nil {
		t.Errorf("the administrator does not see it: %s", a.Raw)
	}
}

func TestWhatIsNotTakenIsTriedAgainAndThenDeadAndReplayed(t *testing.T) {
	t.Parallel()
	h := housetest.New(t, near)
	r := receives(t, h)
	started(t, h)
	partner := h.As("partner")
	bad := ""
	r.answers(func(_ int, l letter) int {
		if bad == "" {
			bad = l.Cursor
		}
		if l.Cursor == bad {
			return http.StatusInternalServerError
		}
		return http.StatusNoContent
	})
	id := hooks(t, partner, r.URL, nil)
	c := h.As("kiel-applicant").Submit(parking, kiel)
	h.As("kiel-mailroom").Must("acceptCase", &c, nil)
	if l := r.next(); l.Event != "CASE_ACCEPTED" { // later events are not held up for ever
		t.Errorf("%+v", l)
	}
	all := r.all()
	if len(all) != brisk.Attempts+1 {
		t.Errorf("%d attempts", len(all))
	}
	for i, l := range all[:brisk.Attempts] {
		if l.Cursor != bad || l.Delivery != all[0].Delivery || l.Attempt != fmt.Sprint(i+1) {
			t.Errorf("attempt %d: %+v", i, l)
		}
	}
	a := partner.Ask(about, map[string]any{"id": id}).Works()
	dead := a.Text("node.deliveries.nodes.1.id")
	if a.Number("node.deadLetters") != 1 || a.Text("node.deliveries.nodes.1.state") != "DEAD" || a.Text("node.deliveries.nodes.1.failure") != "STATUS" || a.Number("node.deliveries.nodes.1.status") != 500 {
		t.Fatalf("%s", a.Raw)
	}
	r.answers(nil)
	partner.Ask(`mutation($id: ID!) { replayWebhookDelivery(input: { webhookDeliveryId: $id }) { webhookDelivery { state } problems { ... on Problem { code } } } }`, map[string]any{"id": dead}).Works()
	if l := r.next(); l.Cursor != bad || l.Event != "CASE_OPENED" || l.State != "ACCEPTED" { // as it is shown now
		t.Errorf("%+v", l)
	}
	until(t, "the dead one is delivered", func() bool {
		return partner.Ask(about, map[string]any{"id": id}).Works().Text("node.deliveries.nodes.1.state") == "DELIVERED"
	})
}
