// SPDX-License-Identifier: EUPL-1.2

package gather

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// ErrInside says that an endpoint leads back to this machine or its own link, where no other house can be.
var ErrInside = errors.New("gather: the address lies inside")

// mostHeader is how much may stand above an answer.
const mostHeader = 64 << 10

// Outside is a client for what other houses hand on. Where a house is, only its member says; so an endpoint may name any address, and a name may lead to any. The
// client connects to none that is loopback, link-local, multicast or unspecified (ErrInside); it looks at the address it connects to, not at the name. The networks of
// the administrations have private addresses: those are let through. It follows no redirects, takes no proxy, and reads 64 kB of header at most.
// loopback lets loopback through, for houses that stand on one machine.
func Outside(loopback bool) *http.Client {
	dialer := &net.Dialer{Timeout: 10 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("gather: reading an address: %w", err)
		}
		if ip := to.Addr().Unmap(); ip.IsLoopback() && !loopback || ip.IsLinkLocalUnicast() || ip.IsMulticast() || ip.IsUnspecified() {
			return ErrInside
		}
		return nil
	}}
	return &http.Client{
		Transport: &http.Transport{
			DialContext: dialer.DialContext, MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true, MaxResponseHeaderBytes: mostHeader,
			TLSHandshakeTimeout: 10 * time.Second,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
