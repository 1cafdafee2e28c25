// SPDX-License-Identifier: EUPL-1.2

package authz

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

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

// Crowd gives a doorkeeper tokens and persons to remember that nobody will ask for again.
func Crowd(d *Doorkeeper, n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range n {
		d.tokens[sha256.Sum256(fmt.Append(nil, i))] = &identity{}
		d.principals[person{subject: strconv.Itoa(i)}] = remembered{}
	}
}

// MostRemembered is the bound of both.
const MostRemembered = mostRemembered

// Signed tells whether a token is signed by a key of a set, by what the doorkeeper asks of serialisation, algorithm and signature alone.
func Signed(token string, set []byte) bool {
	keys, err := parseKeys(set)
	if err != nil {
		return false
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return false
	}
	header, err := object(parts[0])
	if err != nil {
		return false
	}
	for _, part := range parts[1:] {
		if _, err := decode(part); err != nil {
			return false
		}
	}
	for _, k := range keys {
		if alg, _ := header["alg"].(string); alg == k.algorithm && k.verify(token) {
			return true
		}
	}
	return false
}
