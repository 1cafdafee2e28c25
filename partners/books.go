// SPDX-License-Identifier: EUPL-1.2

package partners

import (
	"context"
	stdsql "database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"entgo.io/ent/dialect"
	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent/store"
	"github.com/ozg-cloud/platform/events"
	"github.com/ozg-cloud/platform/internal/problem"
)

// Books are where the house writes: the writing driver.
type Books = dialect.ExecQuerier

// books keep what the house itself writes about webhooks and exports, each line in one statement. Whoever works on one has a lease of it and names it with
// each line: errLost is that somebody else has it by now, or that it was told to rest, or is gone.
type books struct {
	on    Books
	lease time.Duration
}

var errLost = errors.New("partners: the lease is lost")

func asHouse(ctx context.Context) context.Context {
	return authz.With(ctx, authz.System(authz.Partnering))
}

// write runs a statement that has to change something.
func (b books) write(ctx context.Context, doing, statement string, args ...any) error {
	var done stdsql.Result
	if err := b.on.Exec(asHouse(ctx), statement, args, &done); err != nil {
		return fmt.Errorf("partners: %s: %w", doing, err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return errLost
	}
	return nil
}

// read hands each row to scan.
func (b books) read(ctx context.Context, doing string, scan func(row func(...any) error) error, statement string, args ...any) error {
	if err := store.Each(asHouse(ctx), b.on, scan, statement, args...); err != nil {
		return fmt.Errorf("partners: %s: %w", doing, err)
	}
	return nil
}

// hook is a webhook that somebody works on.
type hook struct {
	id      uuid.UUID
	place   authz.Place
	subject string
	trust   authz.TrustLevel
	url     string
	text    string // the document
	mark    events.Position
	held    []authz.Assignment
	lease   string
}

const hookColumns = "w.id, w.place, w.subject, w.trust_level, w.url, w.document, w.mark_xid, w.mark_seq, w.held"

func (h *hook) scan(row func(...any) error, further ...any) error {
	var (
		place, xid int64
		trust      string
		held       []byte
	)
	if err := row(append([]any{&h.id, &place, &h.subject, &trust, &h.url, &h.text, &xid, &h.mark.Seq, &held}, further...)...); err != nil {
		return err
	}
	h.place, h.trust, h.mark.XID = authz.Place(place), authz.TrustLevel(trust), uint64(xid) //nolint:gosec // never negative
	return assignmentsOf(held, &h.held)
}

func assignmentsOf(text []byte, to *[]authz.Assignment) error {
	if len(text) == 0 {
		return nil
	}
	return json.Unmarshal(text, to)
}

// assignments writes down by which rights something was read. Nobody who has none is ever read for.
func assignments(held []authz.Assignment) (string, error) {
	text, err := json.Marshal(held)
	if err != nil {
		return "", fmt.Errorf("partners: writing down rights: %w", err)
	}
	return string(text), nil
}

// dueHooks takes up to most webhooks that are due.
func (b books) dueHooks(ctx context.Context, most int) (all []hook, err error) {
	err = b.read(ctx, "taking webhooks", func(row func(...any) error) error {
		h := hook{}
		err := h.scan(row, &h.lease)
		all = append(all, h)
		return err
	}, `with due as (select id from webhooks where state = 'ACTIVE' and (leased_until is null or leased_until < now()) and (next_at is null or next_at <= now())
			order by leased_until nulls first, id limit $2 for update skip locked)
		update webhooks w set lease = gen_random_uuid()::text, leased_until = now() + make_interval(secs => $1), next_at = null from due where w.id = due.id
		returning `+hookColumns+`, w.lease`, b.lease.Seconds(), most)
	return all, err
}

// keepHook renews a lease.
func (b books) keepHook(ctx context.Context, h hook) error {
	return b.write(ctx, "keeping a webhook", `update webhooks set leased_until = now() + make_interval(secs => $3) where id = $1 and lease = $2 and state = 'ACTIVE'`,
		h.id, h.lease, b.lease.Seconds())
}

// leaveHook gives a lease back; after, a while has to pass before anybody takes the webhook again.
func (b books) leaveHook(ctx context.Context, h hook, after time.Duration) error {
	return b.write(ctx, "leaving a webhook", `update webhooks set lease = null, leased_until = null, next_at = case when $3 > 0 then now() + make_interval(secs => $3) end where id = $1 and lease = $2`,
		h.id, h.lease, after.Seconds())
}

// stopHook lets a webhook stop because of a rule.
func (b books) stopHook(ctx context.Context, h hook, rule string) error {
	return b.write(ctx, "stopping a webhook", `update webhooks set state = 'STOPPED', stopped_because = $3, lease = null, leased_until = null where id = $1 and lease = $2 and state = 'ACTIVE'`,
		h.id, h.lease, rule)
}

// passed writes down that everything up to a position was sent.
func (b books) passed(ctx context.Context, h hook, at events.Position, held []authz.Assignment, caughtUp bool) error {
	rights, err := assignments(held)
	if err != nil {
		return err
	}
	return b.write(ctx, "moving a webhook on", `update webhooks set mark_xid = $3, mark_seq = $4, held = $5::jsonb, waiting_since = null,
		caught_up_at = case when $6 then now() else caught_up_at end where id = $1 and lease = $2 and state = 'ACTIVE'`,
		h.id, h.lease, int64(at.XID), at.Seq, rights, caughtUp) //nolint:gosec // 48 bits
}

// attempt begins an attempt to deliver a frame, before it is made: also one in which the house falls counts.
func (b books) attempt(ctx context.Context, h hook, frame string, at events.Position) (id uuid.UUID, attempts int, err error) {
	id, err = uuid.NewV7()
	if err != nil {
		return id, 0, fmt.Errorf("partners: making an id: %w", err)
	}
	found := false
	err = b.read(ctx, "beginning an attempt", func(row func(...any) error) error { found = true; return row(&id, &attempts) },
		`insert into webhook_deliveries as d (id, tenant_id, place, subject, trust_level, webhook_id, frame, xid, seq, state, attempts, created_at, attempted_at)
		select $3, tenant_id, place, subject, trust_level, id, $4, $5, $6, 'PENDING', 1, now(), now() from webhooks where id = $1 and lease = $2 and state = 'ACTIVE'
		on conflict (tenant_id, webhook_id, xid, seq, frame) do update
		set state = 'PENDING', attempts = case when d.state = 'PENDING' then d.attempts + 1 else 1 end, attempted_at = now(), next_at = null, delivered_at = null
		returning d.id, d.attempts`, h.id, h.lease, id, frame, int64(at.XID), at.Seq) //nolint:gosec // 48 bits
	if err == nil && !found {
		err = errLost
	}
	return id, attempts, err
}

// delivered writes down that the receiver took a frame, and moves the webhook on.
func (b books) delivered(ctx context.Context, h hook, delivery uuid.UUID, at events.Position, held []authz.Assignment, o outcome) error {
	rights, err := assignments(held)
	if err != nil {
		return err
	}
	return b.write(ctx, "writing down a delivery", `with w as (update webhooks set mark_xid = $3, mark_seq = $4, held = $5::jsonb, dead_in_row = 0, delivered_at = now(), waiting_since = null
			where id = $1 and lease = $2 returning tenant_id, id)
		update webhook_deliveries d set state = 'DELIVERED', delivered_at = now(), failure = null, status = $7, next_at = null from w where d.tenant_id = w.tenant_id and d.webhook_id = w.id and d.id = $6`,
		h.id, h.lease, int64(at.XID), at.Seq, rights, delivery, o.status) //nolint:gosec // 48 bits
}

// failed writes down that a frame is to be tried again, and gives the lease back until then.
func (b books) failed(ctx context.Context, h hook, delivery uuid.UUID, o outcome, again time.Duration) error {
	return b.write(ctx, "writing down a failure", `with w as (update webhooks set waiting_since = coalesce(waiting_since, now()), next_at = now() + make_interval(secs => $3), lease = null, leased_until = null
			where id = $1 and lease = $2 returning tenant_id, id, next_at)
		update webhook_deliveries d set failure = $5, status = nullif($6, 0), next_at = w.next_at from w where d.tenant_id = w.tenant_id and d.webhook_id = w.id and d.id = $4`,
		h.id, h.lease, again.Seconds(), delivery, o.failure, o.status)
}

// dead writes down that a frame is given up, and moves the webhook on; where that has happened so often in a row, the webhook stops.
func (b books) dead(ctx context.Context, h hook, delivery uuid.UUID, at events.Position, held []authz.Assignment, o outcome, most int) error {
	rights, err := assignments(held)
	if err != nil {
		return err
	}
	return b.write(ctx, "giving a frame up", `with w as (update webhooks set mark_xid = $3, mark_seq = $4, held = $5::jsonb, dead_in_row = dead_in_row + 1, waiting_since = null,
				state = case when dead_in_row + 1 >= $9 then 'STOPPED' else state end, stopped_because = case when dead_in_row + 1 >= $9 then $10 end
			where id = $1 and lease = $2 and state = 'ACTIVE' returning tenant_id, id)
		update webhook_deliveries d set state = 'DEAD', failure = $7, status = nullif($8, 0), next_at = null from w where d.tenant_id = w.tenant_id and d.webhook_id = w.id and d.id = $6`,
		h.id, h.lease, int64(at.XID), at.Seq, rights, delivery, o.failure, o.status, most, problem.New(problem.Busy, "receiverFails").Rule) //nolint:gosec // 48 bits
}

// replay is a delivery that is to be tried once more.
type replay struct {
	hook
	delivery uuid.UUID
	at       events.Position
	attempts int
}

// dueReplays takes up to most deliveries that are to be replayed. Who falls over one leaves it to the next after a lease.
func (b books) dueReplays(ctx context.Context, most int) (all []replay, err error) {
	err = b.read(ctx, "taking replays", func(row func(...any) error) error {
		var (
			r   replay
			xid int64
		)
		err := r.scan(row, &r.delivery, &xid, &r.at.Seq, &r.attempts)
		r.at.XID = uint64(xid) //nolint:gosec // never negative
		all = append(all, r)
		return err
	}, `with due as (select d.id from webhook_deliveries d join webhooks w on w.tenant_id = d.tenant_id and w.id = d.webhook_id
			where d.state = 'REPLAYING' and w.state = 'ACTIVE' and (d.next_at is null or d.next_at <= now()) order by d.next_at nulls first limit $2 for update of d skip locked)
		update webhook_deliveries d set next_at = now() + make_interval(secs => $1), attempts = d.attempts + 1, attempted_at = now()
		from due, webhooks w where d.id = due.id and w.tenant_id = d.tenant_id and w.id = d.webhook_id returning `+hookColumns+`, d.id, d.xid, d.seq, d.attempts`,
		b.lease.Seconds(), most)
	return all, err
}

// replayed writes down what came of a replay.
func (b books) replayed(ctx context.Context, r replay, o outcome) error {
	return b.write(ctx, "writing down a replay", `update webhook_deliveries set state = case when $2 = '' then 'DELIVERED' else 'DEAD' end, failure = nullif($2, ''), status = nullif($3, 0), next_at = null,
		delivered_at = case when $2 = '' then now() end where id = $1 and state = 'REPLAYING' and attempts = $4`, r.delivery, o.failure, o.status, r.attempts)
}
