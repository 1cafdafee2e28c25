// SPDX-License-Identifier: EUPL-1.2

package book_test

import (
	"context"
	"testing"

	"entgo.io/ent/dialect"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent/store"
	"github.com/ozg-cloud/platform/internal/housetest"
)

func TestMain(m *testing.M) { housetest.Main(m) }

// driver writes to a fresh database, in the role that serves.
func driver(t *testing.T) dialect.Driver {
	t.Helper()
	return as(t, housetest.New(t), "ozg_serving")
}

// as is a driver that writes to the database of a house in a role.
func as(t *testing.T, h *housetest.House, role string) dialect.Driver {
	t.Helper()
	_, address := h.Login("in role " + role)
	opened, err := store.Open(t.Context(), address, store.Options{Scope: func(ctx context.Context) (store.Scope, error) {
		p, err := authz.From(ctx)
		if err != nil {
			return store.Scope{}, err
		}
		s := p.Scope()
		return store.Scope{Lo: int64(s.Lo), Hi: int64(s.Hi), Owner: s.Owner}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(opened.Close)
	return opened.Writing
}
