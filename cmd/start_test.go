// SPDX-License-Identifier: EUPL-1.2

package cmd_test

import (
	"strings"
	"testing"

	"github.com/ozg-cloud/platform/cmd"
	"github.com/ozg-cloud/platform/internal/housetest"
)

// served lets a house be served by another login.
func served(address string) func(*cmd.Ground) {
	return func(g *cmd.Ground) { g.DatabaseURL = address }
}

// TestTheStartIsRefusedWhereTheSecondWallWouldNotHold has a seeded fault for each refusal.
func TestTheStartIsRefusedWhereTheSecondWallWouldNotHold(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		login string   // how the serving login is made
		exec  []string // what is done to the database; LOGIN stands for the login
		wants []string // what the refusals say; none: the house starts
	}{
		"as it should be":            {login: "in role ozg_serving"},
		"a superuser":                {login: "superuser in role ozg_serving", wants: []string{"is a superuser"}},
		"who can become a superuser": {login: "in role ozg_serving", exec: []string{"grant ozg to LOGIN"}, wants: []string{"is a superuser"}},
		"bypassrls":                  {login: "bypassrls in role ozg_serving", wants: []string{"BYPASSRLS"}},
		"createrole":                 {login: "createrole in role ozg_serving", wants: []string{"CREATEROLE"}},
		"replication":                {login: "replication in role ozg_serving", wants: []string{"REPLICATION"}},
		"the owner's role":           {login: "in role ozg_serving, ozg_owner", wants: []string{"member of ozg_owner"}},
		"the watch's role":           {login: "in role ozg_serving, ozg_watching", wants: []string{"member of ozg_watching"}},
		"who owns a table":           {login: "in role ozg_serving", exec: []string{"create table mine ()", "alter table mine owner to LOGIN"}, wants: []string{"owns a table"}},
		"a table without a wall":     {login: "in role ozg_serving", exec: []string{"create table parcel (place bigint not null)"}, wants: []string{"the table parcel has a place and no wall"}},
		"a wall that is off":         {login: "in role ozg_serving", exec: []string{"alter table messages disable row level security"}, wants: []string{"the table messages has a place and no wall"}},
		"a wall that is not forced":  {login: "in role ozg_serving", exec: []string{"alter table cases no force row level security"}, wants: []string{"the table cases has a place and no wall"}},
		"a wall that is gone":        {login: "in role ozg_serving", exec: []string{"drop policy wall on comments"}, wants: []string{"the table comments has a place and no wall"}},
		"a wall for reading alone": {
			login: "in role ozg_serving", exec: []string{"drop policy wall on comments", "create policy wall on comments for select using (true)"},
			wants: []string{"the table comments has a place and no wall"},
		},
		"set_config": {login: "in role ozg_serving", exec: []string{"grant execute on function pg_catalog.set_config(text, text, boolean) to public"}, wants: []string{"pg_catalog.set_config"}},
		"two faults": {
			login: "bypassrls in role ozg_serving", exec: []string{"alter table cases disable row level security"},
			wants: []string{"BYPASSRLS", "the table cases has a place and no wall"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := housetest.New(t)
			login, address := h.Login(c.login)
			for _, s := range c.exec {
				if _, err := h.Database().Exec(t.Context(), strings.ReplaceAll(s, "LOGIN", login)); err != nil {
					t.Fatalf("%s: %v", s, err)
				}
			}
			err := h.Another(served(address)).Inspect(t.Context())
			if len(c.wants) == 0 {
				if err != nil {
					t.Errorf("a sound house is refused: %v", err)
				}
				return
			}
			if err == nil {
				t.Fatal("the house starts")
			}
			for _, want := range c.wants {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not said in: %v", want, err)
				}
			}
		})
	}
}

func TestInDevelopmentOnlyTheRoleOfServingIsLookedAt(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	_, address := h.Login("superuser")
	as := func(role string) error {
		return h.Another(func(g *cmd.Ground) { g.DatabaseURL, g.Role = address, role }).Inspect(t.Context())
	}
	if err := as("ozg_serving"); err != nil {
		t.Errorf("a house for development is refused: %v", err)
	}
	if err := as("ozg_owner"); err == nil || !strings.Contains(err.Error(), "ozg_owner") {
		t.Errorf("another role is not refused: %v", err)
	}
}

func TestAHouseThatCannotLookAtItsDatabaseDoesNotStart(t *testing.T) {
	t.Parallel()
	h := housetest.New(t)
	if err := h.Another(served("postgres://nobody@127.0.0.1:1/ozg?sslmode=disable")).Inspect(t.Context()); err == nil {
		t.Error("the house starts")
	}
}
