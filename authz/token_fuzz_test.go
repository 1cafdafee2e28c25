// SPDX-License-Identifier: EUPL-1.2

package authz_test

import (
	"strings"
	"testing"
)

// FuzzToken hands in whatever is no token of ours: it must never panic, and everybody hears the same.
func FuzzToken(f *testing.F) {
	k := keys()
	good := k.ed.token(claims(noon))
	parts := strings.Split(good, ".")
	for _, seed := range []string{good, "", "..", "a.b.c", parts[0] + "." + parts[1] + ".", parts[0] + ".." + parts[2], good + "." + parts[2], strings.ToUpper(good)} {
		f.Add(seed)
	}
	o := newOffice(f, trusting(published(k.ed)))
	f.Fuzz(func(t *testing.T, token string) {
		if _, err := o.Principal(t.Context(), token); token != good && !refused(err) {
			t.Errorf("%q was answered with %v", token, err)
		}
	})
}
