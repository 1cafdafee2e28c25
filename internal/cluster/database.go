// SPDX-License-Identifier: EUPL-1.2

package cluster

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// CreateDatabase makes a database as a copy of template; empty means an empty one. Nobody may be connected to the template meanwhile.
func (c *Cluster) CreateDatabase(ctx context.Context, name, template string) error {
	if template == "" {
		template = "template1"
	}
	if err := c.exec(ctx, "create database "+quote(c.named(name))+" template "+quote(c.named(template))); err != nil {
		return fmt.Errorf("cluster: create database %s from %s: %w", name, template, err)
	}
	if c.given != nil {
		c.stop.Lock()
		defer c.stop.Unlock()
		c.given.made[name] = true
	}
	return nil
}

// DropDatabase removes a database and throws out who is connected to it. Removing what is not there is no error.
func (c *Cluster) DropDatabase(ctx context.Context, name string) error {
	if err := c.exec(ctx, "drop database if exists "+quote(c.named(name))+" with (force)"); err != nil {
		return fmt.Errorf("cluster: drop database %s: %w", name, err)
	}
	return nil
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

func (c *Cluster) exec(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, c.URL(Superuser, "postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, statement)
	return err
}
