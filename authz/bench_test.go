// SPDX-License-Identifier: EUPL-1.2

package authz_test

import (
	"fmt"
	"testing"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
)

// roles gives somebody this many assignments in a Land, no two alike.
func manyRoles(n int) (out []authz.Assignment) {
	for i := range n {
		at := tenant(fmt.Sprintf("t%d", i), authz.Authority, fmt.Sprintf("01055%07d", i+1), 1)
		out = append(out, authz.Assignment{Role: "CASEWORKER", Tenant: at, Units: []uuid.UUID{id(2, i), id(3, i)}})
	}
	return out
}

// BenchmarkMay is a decision on a row of an authority: for a caseworker there, and for somebody with a hundred roles of which the last fits.
func BenchmarkMay(b *testing.B) {
	for _, n := range []int{1, 100} {
		roles := manyRoles(n)
		p := shipped(b).Principal(anna, authz.High, roles)
		at := authz.Target{Place: roles[n-1].Tenant.Place, Unit: roles[n-1].Units[0]}
		b.Run(fmt.Sprintf("%d roles", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !p.May("case", "decide", at) {
					b.Fatal("refused")
				}
			}
		})
	}
}

// BenchmarkCompile is what a principal costs once a second while it is asking.
func BenchmarkCompile(b *testing.B) {
	for _, n := range []int{1, 100} {
		roles, policy := manyRoles(n), shipped(b)
		b.Run(fmt.Sprintf("%d roles", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				policy.Principal(anna, authz.High, roles)
			}
		})
	}
}

// BenchmarkDoorkeeper is a token that is remembered, as with nearly every request, and one that was never seen.
func BenchmarkDoorkeeper(b *testing.B) {
	o := newOffice(b, speaking("sh"))
	o.give(anna, manyRoles(3)...)
	token := keys().ed.token(claims(noon))
	b.Run("remembered", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := o.Principal(b.Context(), token); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, p := range []pair{keys().rs, keys().es, keys().es384, keys().ed} {
		all := newOffice(b, trusting(everyKey()))
		b.Run("new "+p.alg, func(b *testing.B) {
			var tokens []string
			for i := range 64 {
				tokens = append(tokens, p.token(claims(noon).set("jti", fmt.Sprint(i))))
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if i%64 == 0 {
					b.StopTimer()
					all = newOffice(b, trusting(everyKey()))
					b.StartTimer()
				}
				if _, err := all.Principal(b.Context(), tokens[i%64]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkPolicy is what the start pays.
func BenchmarkPolicy(b *testing.B) {
	for b.Loop() {
		shipped(b)
	}
}
