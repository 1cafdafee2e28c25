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

// Do carries out a verb, unless its request was carried out before: then it gives what was made that time. The same key with other content is a conflict
// (keyReused). do writes with Enter into its own transaction what it makes, and leaves nothing behind when it fails. Without a request in ctx, it is called
// and that is all.
func Do[Made any](ctx context.Context, client *ent.Client, now time.Time, do func() (Made, error)) (Made, error) {
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
