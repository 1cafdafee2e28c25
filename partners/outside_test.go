// SPDX-License-Identifier: EUPL-1.2

package partners_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/partners"
)

// inside are addresses where nothing is sent, in every dress that they come in.
var inside = []string{
	"127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1", "100.127.255.255", "0.0.0.0", "0.1.2.3",
	"192.0.0.1", "192.0.2.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "192.88.99.1",
	"::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12:3456::1", "fec0::1", "ff02::1", "2001:db8::1", "2001::1", "2002:7f00:1::", "100::1", "3fff::1",
	"::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::7f00:1", "64:ff9b::10.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b:1::1", "4000::1",
}

func TestNothingIsSentInside(t *testing.T) {
	o := partners.Outside{}
	for _, text := range inside {
		if o.Open(netip.MustParseAddr(text)) {
			t.Errorf("%s is open", text)
		}
	}
	for _, text := range []string{"8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.0", "172.15.0.1", "172.32.0.1", "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"} {
		if !o.Open(netip.MustParseAddr(text)) {
			t.Errorf("%s is closed", text)
		}
	}
	// What is allowed is open, also in other clothes, and nothing beside it. The zero address of a list is not everything.
	o.Allowed = []netip.Prefix{netip.MustParsePrefix("10.20.0.0/16")}
	for text, want := range map[string]bool{"10.20.1.1": true, "::ffff:10.20.1.1": true, "10.21.0.1": false, "127.0.0.1": false} {
		if o.Open(netip.MustParseAddr(text)) != want {
			t.Errorf("%s is open: %v", text, !want)
		}
	}
	if o.Open(netip.Addr{}) {
		t.Error("no address at all is open")
	}
}

func TestAnAddressIsHTTPSWithoutSecretsInTheWrongPlaceAndNotInside(t *testing.T) {
	o := partners.Outside{}
	for text, rule := range map[string]string{
		"https://partner.example/in": "", "https://partner.example:8443/in?key=1": "", "https://8.8.8.8/": "",
		"http://partner.example/": "badAddress", "ftp://partner.example/": "badAddress", "//partner.example/": "badAddress", "https://": "badAddress", "https:///in": "badAddress",
		"https://anna:secret@partner.example/": "badAddress", "https://partner.example/#a": "badAddress", "https://partner.example/#": "badAddress", "mailto:a@b": "badAddress",
		"https:partner.example": "badAddress", "https://partner.example/a b": "badAddress", "https://partner.example/\x00": "badAddress", "https://pärtner.example/": "badAddress",
		"https://partner.example/" + strings.Repeat("a", 2000): "badAddress", "": "badAddress",
		"https://127.0.0.1/": "closedAddress", "https://[::1]/": "closedAddress", "https://[::ffff:10.0.0.1]:443/": "closedAddress", "https://169.254.169.254/latest": "closedAddress",
	} {
		_, err := o.Address(text)
		got := ""
		if p, ok := problem.Of(err); ok {
			got = p.Rule
		}
		if got != rule || (err != nil) != (rule != "") {
			t.Errorf("%q: %q, not %q: %v", text, got, rule, err)
		}
	}
	o.Plain = true
	if _, err := o.Address("http://partner.example/"); err != nil {
		t.Error(err)
	}
}

func TestANameIsLookedAtWhenItIsDialledAndNeverAgain(t *testing.T) {
	t.Parallel()
	var came atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		came.Add(1)
		if r.URL.Path == "/away" {
			http.Redirect(w, r, "/there", http.StatusFound)
		}
	}))
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	here := netip.MustParseAddr("127.0.0.1")
	to := func(o partners.Outside, path string) (int, error) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://partner.example:"+u.Port()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := o.Client().Do(r)
		if err != nil {
			return 0, err
		}
		return got.StatusCode, got.Body.Close()
	}
	leads := func(all ...netip.Addr) func(context.Context, string) ([]netip.Addr, error) {
		return func(context.Context, string) ([]netip.Addr, error) { return all, nil }
	}
	for name, resolve := range map[string]func(context.Context, string) ([]netip.Addr, error){
		"inside": leads(here), "to both": leads(netip.MustParseAddr("8.8.8.8"), here), "nowhere": leads(), "inside in other clothes": leads(netip.MustParseAddr("::ffff:127.0.0.1")),
	} {
		if _, err := to(partners.Outside{Resolve: resolve}, "/"); !errors.Is(err, partners.ErrClosed) {
			t.Errorf("a name that leads %s: %v", name, err)
		}
	}
	if came.Load() > 0 {
		t.Fatalf("%d requests came inside", came.Load())
	}
	// A name that leads elsewhere the second time is asked once for each connection: what was looked at is what is dialled.
	asked := 0
	rebinding := partners.Outside{Allowed: []netip.Prefix{netip.PrefixFrom(here, 32)}, Resolve: func(context.Context, string) ([]netip.Addr, error) {
		asked++
		if asked == 1 {
			return []netip.Addr{here}, nil
		}
		return []netip.Addr{netip.MustParseAddr("127.0.0.2")}, nil
	}}
	if status, err := to(rebinding, "/"); status != http.StatusOK || err != nil || asked != 1 {
		t.Errorf("status %d, asked %d times: %v", status, asked, err)
	}
	if _, err := to(rebinding, "/"); !errors.Is(err, partners.ErrClosed) {
		t.Errorf("the second time: %v", err)
	}
	// Nobody is followed elsewhere.
	before := came.Load()
	if status, err := to(partners.Outside{Allowed: rebinding.Allowed, Resolve: leads(here)}, "/away"); status != http.StatusFound || err != nil || came.Load() != before+1 {
		t.Errorf("status %d, %d requests: %v", status, came.Load()-before, err)
	}
}
