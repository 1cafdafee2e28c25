// SPDX-License-Identifier: EUPL-1.2

package authz_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/ozg-cloud/platform/authz"
)

func TestAPlaceIsItsRegionalKeyAndNumber(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		key, n := rapid.StringMatching(`[0-9]{12}`).Draw(t, "key"), rapid.IntRange(0, 999).Draw(t, "n")
		p, err := authz.PlaceOf(key, n)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%015d", p); got != fmt.Sprintf("%s%03d", key, n) {
			t.Errorf("%s and %d are at %s", key, n, got)
		}
		if p > authz.Last || fmt.Sprintf("%02d", p.Land()) != key[:2] || fmt.Sprintf("%05d", p.District()) != key[:5] {
			t.Errorf("%d lies in Land %d, district %d", p, p.Land(), p.District())
		}
	})
	for _, bad := range []struct {
		key string
		n   int
	}{{"", 0}, {"01002000000", 0}, {"0100200000000", 0}, {"+10020000000", 0}, {"-10020000000", 0}, {"01002000000x", 0}, {" 10020000000", 0}, {"1_0020000000", 0},
		{"０１００２０", 0}, {"010020000000", -1}, {"010020000000", 1000}} {
		if p, err := authz.PlaceOf(bad.key, bad.n); err == nil {
			t.Errorf("%q and %d are at %d", bad.key, bad.n, p)
		}
	}
}

func TestATenantCoversExactlyItselfAndWhatIsBelowIt(t *testing.T) {
	t.Parallel()
	for range 5 {
		rapid.Check(t, func(t *rapid.T) {
			w := worlds.Draw(t, "world")
			for _, top := range w.tenants {
				part := authz.Cover(top.ref.Kind, top.ref.Place)
				if part.Level() != top.ref.Kind {
					t.Errorf("what a %s covers is said to be a %s", top.ref.Kind, part.Level())
				}
				for _, n := range w.tenants {
					inside := n.below(top)
					if part.Contains(n.ref.Place) != inside {
						t.Errorf("%s %d in %s %d: %t", n.ref.Kind, n.ref.Place, top.ref.Kind, top.ref.Place, !inside)
					}
					if other := authz.Cover(n.ref.Kind, n.ref.Place); part.Covers(other) != inside {
						t.Errorf("all of %s %d in %s %d: %t", n.ref.Kind, n.ref.Place, top.ref.Kind, top.ref.Place, !inside)
					}
				}
			}
		})
	}
}

func TestSiblingsNeverOverlap(t *testing.T) {
	t.Parallel()
	for range 5 {
		rapid.Check(t, func(t *rapid.T) {
			w := worlds.Draw(t, "world")
			for _, a := range w.tenants {
				for _, b := range w.tenants {
					i, j := authz.Cover(a.ref.Kind, a.ref.Place), authz.Cover(b.ref.Kind, b.ref.Place)
					if a != b && a.parent == b.parent && i.Lo <= j.Hi && j.Lo <= i.Hi {
						t.Errorf("%s %d and %s %d overlap", a.ref.Kind, a.ref.Place, b.ref.Kind, b.ref.Place)
					}
				}
			}
		})
	}
}

func TestAnIntervalThatIsNoNodeIsReckonedToTheFederation(t *testing.T) {
	t.Parallel()
	for _, i := range []authz.Interval{
		{Lo: kiel.Place, Hi: luebeck.Place}, {Lo: sh.Place, Hi: sh.Place + 1}, {Lo: ostholst.Place + 1, Hi: ostholst.Place + 9_999_999_999}, {Lo: sh.Place, Hi: by.Place}, {Lo: 0, Hi: authz.Last - 1},
	} {
		if i.Level() != authz.Federation {
			t.Errorf("%v is said to be a %s", i, i.Level())
		}
	}
	for level, of := range map[string]authz.TenantRef{"authority": kiel, "district": ostholst, "land": sh, "federation": federation} {
		i := authz.Cover(of.Kind, of.Place)
		if got := (authz.Scope{Lo: i.Lo, Hi: i.Hi}).Class(); got != level {
			t.Errorf("the class of %s is %s", of.Slug, got)
		}
		if got := (authz.Scope{Lo: i.Lo, Hi: i.Hi, Owner: anna}).Class(); got != "applicant" {
			t.Errorf("the class of an applicant is %s", got)
		}
	}
}
