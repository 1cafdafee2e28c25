// SPDX-License-Identifier: EUPL-1.2

package partners

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ozg-cloud/platform/internal/problem"
)

// Outside says where the house may send something.
type Outside struct {
	// Allowed are networks that are open although they are not public, for example that of a data centre.
	Allowed []netip.Prefix
	// Plain lets http pass beside https: for developers only.
	Plain bool
	// Resolve finds the addresses of a host; nil: as the machine does.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)
}

// reserved are the networks that are not public (IANA's registries of special addresses for IPv4 and IPv6). Those of IPv6 lie within what is given to anybody
// at all, 2000::/3; everything beyond that is closed, but for addresses of IPv4 in other clothes, which are looked at as what they are.
var reserved = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24",
	"192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "2620:4f:8000::/48",
)

var (
	global     = netip.MustParsePrefix("2000::/3")
	translated = netip.MustParsePrefix("64:ff9b::/96") // NAT64: the last four bytes are an address of IPv4
)

func prefixes(all ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(all))
	for i, p := range all {
		out[i] = netip.MustParsePrefix(p)
	}
	return out
}

// open tells whether something may be sent to an address.
func (o Outside) open(a netip.Addr) bool {
	if a.Zone() != "" {
		return false
	}
	a = a.Unmap()
	holds := func(all []netip.Prefix) bool {
		return slices.ContainsFunc(all, func(p netip.Prefix) bool { return p.Contains(a) })
	}
	switch {
	case !a.IsValid():
		return false
	case holds(o.Allowed):
		return true
	case translated.Contains(a):
		b := a.As16()
		return o.open(netip.AddrFrom4([4]byte(b[12:])))
	case a.Is6() && !global.Contains(a):
		return false
	}
	return !holds(reserved)
}

// longestURL is in bytes.
const longestURL = 2000

// address reads an address to send to. Refused, all Invalid at the path url of the input: what is no https://host/path without user and fragment (badAddress),
// and an address in figures that is not open (closedAddress). Where a name leads is looked at each time something is sent.
func (o Outside) address(text string) (host string, err error) {
	wrong := problem.New(problem.Invalid, "badAddress", "input", "url")
	if len(text) > longestURL || strings.ContainsFunc(text, func(c rune) bool { return c <= ' ' || c >= 0x7f }) {
		return "", wrong
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && (!o.Plain || u.Scheme != "http") || u.User != nil || strings.Contains(text, "#") || u.Opaque != "" || u.Hostname() == "" {
		return "", wrong
	}
	if a, err := netip.ParseAddr(u.Hostname()); err == nil && !o.open(a) {
		return "", problem.New(problem.Invalid, "closedAddress", "input", "url")
	}
	return u.Host, nil
}

// errClosed is that a name leads where nothing is sent.
var errClosed = errors.New("partners: the address is not open")

const (
	answerWithin = 10 * time.Second
	dialWithin   = 5 * time.Second
)

// client sends to what is open, and to the very addresses that were looked at: a name that leads elsewhere a moment later leads nowhere. A name of which
// one address is closed is closed. Redirections are answers like any other, proxies of the environment are not asked.
func (o Outside) client() *http.Client {
	resolve := o.Resolve
	if resolve == nil {
		resolve = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	dialer := &net.Dialer{Timeout: dialWithin}
	return &http.Client{
		Timeout:       answerWithin,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				host, port, err := net.SplitHostPort(address)
				if err != nil {
					return nil, err
				}
				found, err := resolve(ctx, host)
				if err != nil {
					return nil, err
				}
				if len(found) == 0 || slices.ContainsFunc(found, func(a netip.Addr) bool { return !o.open(a) }) {
					return nil, errClosed
				}
				var failed error
				for _, a := range found {
					conn, err := dialer.DialContext(ctx, network, net.JoinHostPort(a.String(), port))
					if err == nil {
						return conn, nil
					}
					failed = err
				}
				return nil, failed
			},
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:    dialWithin,
			ResponseHeaderTimeout:  answerWithin,
			MaxResponseHeaderBytes: 16 << 10,
			MaxIdleConnsPerHost:    2,
			IdleConnTimeout:        30 * time.Second,
			ForceAttemptHTTP2:      true,
			DisableCompression:     true,
		},
	}
}
