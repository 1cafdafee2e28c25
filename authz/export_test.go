// SPDX-License-Identifier: EUPL-1.2

package authz

import "net/http"

// PolicyOfModel is PolicyOf with another model, for a test of what the self-test of a policy finds.
var PolicyOfModel = policyOf

// ModelText is the model that the house is shipped with.
var ModelText = modelText

// ReachKeysBy makes a doorkeeper ask for keys by a transport of the test's.
func ReachKeysBy(d *Doorkeeper, by http.RoundTripper) {
	for _, k := range d.keys {
		if k.client != nil {
			k.client.Transport = by
		}
	}
}

// Remembered counts the tokens and the principals that a doorkeeper holds in memory.
func Remembered(d *Doorkeeper) (tokens, principals int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.tokens), len(d.principals)
}

// MostRemembered is the bound of both.
const MostRemembered = mostRemembered
