// SPDX-License-Identifier: EUPL-1.2

package once

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent"
	"github.com/ozg-cloud/platform/ent/idempotencykey"
	"github.com/ozg-cloud/platform/internal/problem"
)

// life is how long a key is remembered.
const life = 24 * time.Hour

// Request is a verb with the key under which it may be said again.
type Request struct {
	Key  string
	Hash string // over the verb and its input
}

type contextKey struct{}

// With puts a request into the context of its verb: between the resolver that knows the key and the transaction that keeps it lie verbs that need not know.
func With(ctx context.Context, r Request) context.Context {
	return context.WithValue(ctx, contextKey{}, r)
}

// Do carries out a verb in one transaction, unless its request was carried out before: then it gives what was made that time. The same key with other
// content is a conflict (keyReused). All that do writes is stored or nothing, under rights that hold when it is stored: where they have changed meanwhile,
// do is called again. With Enter it writes into the transaction what it makes. Without a request in ctx, it is called and that is all.
func Do[Made any](ctx context.Context, client *ent.Client, now func() time.Time, do func(*ent.Tx) (Made, error)) (made Made, err error) {
	err = authz.Current(ctx, func() error {
		made, err = said(ctx, client, now(), func() (Made, error) { return attempt(ctx, client, do) })
		return err
	})
	return made, err
}

// Change is Do for a verb that changes or makes one thing, whose id it gives: that of the first time. do tells the tenant in which it has done so.
func Change(ctx context.Context, client *ent.Client, now func() time.Time, id uuid.UUID, do func(*authz.Principal, *ent.Tx) (tenant uuid.UUID, err error)) (uuid.UUID, error) {
	return Do(ctx, client, now, func(tx *ent.Tx) (uuid.UUID, error) {
		p, err := authz.From(ctx)
		if err != nil {
			return id, err
		}
		tenant, err := do(p, tx)
		if err != nil {
			return id, err
		}
		return id, Enter(ctx, tx, now(), tenant, id, id)
	})
}

// said calls do, unless the request of ctx was carried out before.
func said[Made any](ctx context.Context, client *ent.Client, now time.Time, do func() (Made, error)) (Made, error) {
	r, asked := ctx.Value(contextKey{}).(Request)
	if !asked {
		return do()
	}
	var before Made
	if found, err := r.lookUp(ctx, client, now, &before); err != nil || found {
		return before, err
	}
	made, failed := do()
	if failed == nil {
		return made, nil
	}
	// Somebody may have said the same at the same time and been faster: that is why it failed, whatever it failed of.
	if found, err := r.lookUp(ctx, client, now, &before); err != nil || found {
		return before, err
	}
	return made, failed
}

// attempt stores what do writes, or nothing.
func attempt[Made any](ctx context.Context, client *ent.Client, do func(*ent.Tx) (Made, error)) (none Made, err error) {
	tx, err := client.Tx(ctx)
	if err != nil {
		return none, fmt.Errorf("once: beginning: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	made, err := do(tx)
	if err != nil {
		return none, err
	}
	if err := tx.Commit(); err != nil {
		return none, fmt.Errorf("once: storing: %w", err)
	}
	return made, nil
}

// lookUp asks the register what the request has made.
func (r Request) lookUp(ctx context.Context, client *ent.Client, now time.Time, made any) (found bool, err error) {
	p, err := authz.From(ctx)
	if err != nil {
		return false, err
	}
	line, err := client.IdempotencyKey.Query().
		Where(idempotencykey.Subject(p.Subject), idempotencykey.Key(r.key()), idempotencykey.ExpiresAtGT(now)).Only(ctx)
	switch {
	case ent.IsNotFound(err):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("once: asking the register: %w", err)
	case line.RequestHash != r.Hash:
		return false, problem.New(problem.Conflict, "keyReused")
	}
	if err := json.Unmarshal(line.Made, made); err != nil {
		return false, fmt.Errorf("once: reading the register: %w", err)
	}
	return true, nil
}

func (r Request) key() string { return "mutation:" + r.Key }

// Enter writes into the transaction of a verb all that it has made, as JSON; without a request in ctx, nothing. tenant is where it lies, id the thing that
// was made or changed.
func Enter(ctx context.Context, tx *ent.Tx, now time.Time, tenant, id uuid.UUID, made any) error {
	r, asked := ctx.Value(contextKey{}).(Request)
	if !asked {
		return nil
	}
	p, err := authz.From(ctx)
	if err != nil {
		return err
	}
	// The line of a key that has expired may still be there.
	_, err = tx.IdempotencyKey.Delete().
		Where(idempotencykey.Subject(p.Subject), idempotencykey.Key(r.key()), idempotencykey.ExpiresAtLTE(now)).Exec(ctx)
	if err != nil {
		return fmt.Errorf("once: clearing the register: %w", err)
	}
	written, err := json.Marshal(made)
	if err != nil {
		return fmt.Errorf("once: writing down what was made: %w", err)
	}
	err = tx.IdempotencyKey.Create().SetSubject(p.Subject).SetKey(r.key()).SetRequestHash(r.Hash).
		SetTenantID(tenant).SetResultID(id).SetMade(written).SetCreatedAt(now).SetExpiresAt(now.Add(life)).Exec(ctx)
	if err != nil {
		return fmt.Errorf("once: writing into the register: %w", err)
	}
	return nil
}

// Sweep throws away the keys that have expired, and says how many.
func Sweep(ctx context.Context, client *ent.Client, now time.Time) (int, error) {
	n, err := client.IdempotencyKey.Delete().Where(idempotencykey.ExpiresAtLTE(now)).Exec(authz.With(ctx, authz.System(authz.Sweeping)))
	if err != nil {
		return n, fmt.Errorf("once: sweeping the register: %w", err)
	}
	return n, nil
}
