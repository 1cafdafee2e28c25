// SPDX-License-Identifier: EUPL-1.2

package cmd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent"
	"github.com/ozg-cloud/platform/ent/store"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/reading"
	"github.com/ozg-cloud/platform/staff"
)

// operator is what whoever works at the console has at hand. In the audit log it is system:operator.
type operator struct {
	client *ent.Client
	staff  *staff.Desk
	reader *reading.Reader
	store  *store.Store
}

// operate lets the operator do something with the owner's login, in the owner's role: behind both walls like everybody else.
func operate(ctx context.Context, c console, do func(ctx context.Context, o operator) error) error {
	address, stop, err := owned(ctx, c)
	if err != nil {
		return err
	}
	defer stop()
	opened, err := store.Open(ctx, address, store.Options{
		Scope:     scopeOf,
		Configure: func(p *pgxpool.Config) { p.ConnConfig.RuntimeParams["role"] = "ozg_owner" },
	})
	if err != nil {
		return err
	}
	defer opened.Close()
	policy, err := authz.NewPolicy()
	if err != nil {
		return err
	}
	issuers, err := c.issuers()
	if err != nil {
		return err
	}
	client := ent.NewClient(ent.Driver(opened.Writing))
	keeper, err := authz.NewDoorkeeper(policy, roster{client, opened.Writing}, issuers, c.log, time.Now)
	if err != nil {
		return err
	}
	err = do(authz.With(ctx, authz.System(authz.Operator)), operator{
		client: client,
		staff:  staff.NewDesk(client, policy, keeper, time.Now),
		reader: reading.New(opened.Reading, nil, nil, nil), // it only locates
		store:  opened,
	})
	if p, ok := problem.Of(err); ok {
		return errors.New(strings.TrimSpace(fmt.Sprintln(p.Title("en"), strings.Join(p.Path, " "))))
	}
	return err
}

// issuers are the configured ones, or that of development.
func (c console) issuers() ([]authz.Issuer, error) {
	if c.config.IssuersFile != "" {
		return c.config.issuers()
	}
	mint, err := c.mint()
	if err != nil {
		return nil, err
	}
	return []authz.Issuer{mint.Issuer()}, nil
}
