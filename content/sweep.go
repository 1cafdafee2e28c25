// SPDX-License-Identifier: EUPL-1.2

package content

import (
	"context"
	"fmt"

	"gocloud.dev/gcerrors"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent/attachment"
	"github.com/ozg-cloud/platform/ent/upload"
)

const (
	// keptDays is after how many days content may be thrown away at the earliest: what was kept at the end of a day is referred to by an upload
	// for the next one, and a verb that took this upload in its last moment has a whole day to be stored.
	keptDays = 3

	// together is how many hashes are asked for at once.
	together = 500
)

// Sweep throws away uploads that have expired, and content that is days old and that neither an upload nor an attachment refers to.
// Of content that was kept on several days the newest stays. It says how many of both it threw away, also when it could not finish; any number of
// sweeps may run at once, and what one has missed the next one finds.
func (d *Desk) Sweep(ctx context.Context) (int, error) {
	ctx = authz.With(ctx, authz.System(authz.Sweeping))
	now := d.now()
	thrown, err := d.client.Upload.Delete().Where(upload.ExpiresAtLTE(now)).Exec(ctx)
	if err != nil {
		return thrown, fmt.Errorf("content: throwing away uploads: %w", err)
	}
	old := dayOf(now.AddDate(0, 0, -keptDays))
	lot := map[string][]held{}
	throw := func() error {
		n, err := d.throw(ctx, lot, old)
		thrown += n
		clear(lot)
		return err
	}
	for h, err := range d.store.all(ctx, "") {
		if err != nil {
			return thrown, err
		}
		if len(lot) == together && lot[h.hash] == nil {
			if err := throw(); err != nil {
				return thrown, err
			}
		}
		lot[h.hash] = append(lot[h.hash], h)
	}
	return thrown, throw()
}

// throw throws away what is old in a lot of content, by hash, and not needed.
func (d *Desk) throw(ctx context.Context, lot map[string][]held, old string) (thrown int, err error) {
	var hashes []string
	for hash, copies := range lot {
		if copies[0].day <= old {
			hashes = append(hashes, hash)
		}
	}
	if len(hashes) == 0 {
		return 0, nil
	}
	needed, err := d.needed(ctx, hashes)
	if err != nil {
		return 0, err
	}
	for _, hash := range hashes {
		newest := ""
		if needed[hash] {
			for _, h := range lot[hash] {
				if !h.unfinished {
					newest = h.key
				}
			}
		}
		for _, h := range lot[hash] {
			if h.day > old || h.key == newest {
				continue
			}
			err := d.store.bucket.Delete(ctx, h.key)
			if gcerrors.Code(err) == gcerrors.NotFound {
				continue // another sweep was faster
			}
			if err != nil {
				return thrown, fmt.Errorf("content: throwing away %s: %w", hash, err)
			}
			thrown++
		}
	}
	return thrown, nil
}

// needed tells which content is referred to. The order matters: a verb turns uploads into attachments, and asking for attachments
// first would miss content that changes hands between the two questions.
func (d *Desk) needed(ctx context.Context, hashes []string) (map[string]bool, error) {
	uploads, err := d.client.Upload.Query().Where(upload.Sha256In(hashes...)).Unique(true).Select(upload.FieldSha256).Strings(ctx)
	if err != nil {
		return nil, fmt.Errorf("content: asking which uploads there are: %w", err)
	}
	attachments, err := d.client.Attachment.Query().Where(attachment.Sha256In(hashes...)).Unique(true).Select(attachment.FieldSha256).Strings(ctx)
	if err != nil {
		return nil, fmt.Errorf("content: asking which attachments there are: %w", err)
	}
	needed := map[string]bool{}
	for _, hash := range append(uploads, attachments...) {
		needed[hash] = true
	}
	return needed, nil
}
