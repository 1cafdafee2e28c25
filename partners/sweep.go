// SPDX-License-Identifier: EUPL-1.2

package partners

import (
	"context"
	"errors"
	"strings"

	"github.com/google/uuid"
)

// keptHours is how long the file of an export is kept.
const keptHours = 72

// Sweep throws away the files of exports that have expired or never came to their end, and what is known of deliveries that were made so many days ago.
// What it could not throw away the next one does.
func (d *Desk) Sweep(ctx context.Context, days int) error {
	return errors.Join(d.sweepDeliveries(ctx, days), d.sweepExports(ctx))
}

func (d *Desk) sweepDeliveries(ctx context.Context, days int) error {
	err := d.books.write(ctx, "throwing away deliveries", "delete from webhook_deliveries where state in ('DELIVERED', 'DEAD') and created_at < now() - make_interval(days => $1)", days)
	if errors.Is(err, errLost) {
		return nil // there were none
	}
	return err
}

func (d *Desk) sweepExports(ctx context.Context) error {
	err := d.books.write(ctx, "letting exports expire", "update bulk_operations set state = 'EXPIRED', blob = null where state = 'COMPLETED' and expires_at <= now()")
	if err != nil && !errors.Is(err, errLost) {
		return err
	}
	for name, err := range d.files.Names(ctx) {
		if err != nil {
			return err
		}
		id, rest, _ := strings.Cut(name, ".")
		export, err := uuid.Parse(id)
		if err != nil {
			continue // not ours
		}
		lease, _, _ := strings.Cut(rest, ".")
		needed := false
		if err := d.books.read(ctx, "asking for an export", func(row func(...any) error) error { return row(&needed) },
			"select true from bulk_operations where id = $1 and (state = 'COMPLETED' and blob = $2 or state = 'RUNNING' and lease = $3)", export, name, lease); err != nil {
			return err
		}
		if needed {
			continue
		}
		if err := d.files.Throw(ctx, name); err != nil {
			return err
		}
	}
	return nil
}
