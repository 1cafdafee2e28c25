// SPDX-License-Identifier: EUPL-1.2

package cluster

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
)

// Password is that of logins that tests make on a given server. A cluster of our own asks for none.
const Password = "ozg-of-tests" //nolint:gosec // it opens what tests made and drop

// given is a server that somebody else runs.
type given struct {
	address url.URL // of a superuser
	prefix  string  // of the databases that this process makes there
	made    map[string]bool
}

// Given takes a server that somebody else runs for a cluster: address is that of a superuser. The databases that are made on it have
// names of this process alone, and Stop drops them. It does not connect.
func Given(address string) (*Cluster, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme == "" {
		return nil, errors.New("cluster: the address of the given server is no URL") // it may hold a password
	}
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails
	return &Cluster{given: &given{address: *u, prefix: "ozg_test_" + hex.EncodeToString(b[:]) + "_", made: map[string]bool{}}}, nil
}

// url is the address of a database for a login.
func (g *given) url(user, database string) string {
	u := g.address
	if user != Superuser {
		u.User = url.UserPassword(user, Password)
	}
	if database != "postgres" {
		u.Path = "/" + g.prefix + database
	}
	return u.String()
}

// leave drops what was made.
func (c *Cluster) leave(ctx context.Context) error {
	var wrong error
	for database := range c.given.made {
		if err := c.exec(ctx, "drop database if exists "+quote(c.named(database))+" with (force)"); err != nil {
			wrong = errors.Join(wrong, fmt.Errorf("cluster: drop database %s: %w", database, err))
		}
	}
	clear(c.given.made)
	return wrong
}

// named is how a database is called on the server.
func (c *Cluster) named(database string) string {
	if c.given == nil || database == "template1" {
		return database
	}
	return c.given.prefix + database
}
