// SPDX-License-Identifier: EUPL-1.2

package partners

import (
	"net/http"
	"net/netip"

	"github.com/vektah/gqlparser/v2/ast"
)

// Open tells whether something may be sent to an address.
func (o Outside) Open(a netip.Addr) bool { return o.open(a) }

// Address reads an address to send to.
func (o Outside) Address(text string) (string, error) { return o.address(text) }

// Client is what sends.
func (o Outside) Client() *http.Client { return o.client() }

// ErrClosed is that a name leads where nothing is sent.
var ErrClosed = errClosed

// Subscribes refuses what no webhook can be made of.
func Subscribes(document string) error { return subscribes(document) }

// Pages turns a query into one that asks for a page.
func Pages(document string, contract *ast.Schema) (string, error) { return pages(document, contract) }
