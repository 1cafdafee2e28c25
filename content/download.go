// SPDX-License-Identifier: EUPL-1.2

package content

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent"
	"github.com/ozg-cloud/platform/ent/attachment"
	"github.com/ozg-cloud/platform/internal/problem"
)

// Download answers a link, whose token is the path value "token", with the content, or with ranges of it (RFC 9110, section 14).
// Whoever holds the link needs no token of an issuer. The rights are those that the link's subject has now.
//
// A link that is merely too old is linkExpired. Forged links, and what the subject cannot see or never was, are the same notFound.
// Malware is refused (attachmentInfected). When an error is returned, nothing has been answered yet.
func (d *Desk) Download(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	t, ok := d.links.open(r.PathValue("token"))
	if !ok {
		return problem.New(problem.Missing, "notFound")
	}
	if !d.clock().Before(t.expiresAt) {
		return problem.New(problem.Missing, "linkExpired")
	}
	ctx, a, err := d.find(ctx, t)
	switch {
	case ent.IsNotFound(err), errors.Is(err, &problem.Problem{Kind: problem.Unauthenticated}): // blocked in the meantime, or the issuer is gone
		return problem.New(problem.Missing, "notFound")
	case err != nil:
		return fmt.Errorf("content: finding an attachment: %w", err)
	case a.ScanState == attachment.ScanStateINFECTED:
		return problem.New(problem.Forbidden, "attachmentInfected")
	}
	body, err := d.store.read(ctx, a.Sha256)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }() // it was only read
	if err := d.witness(ctx, a, r); err != nil {
		return err
	}

	h := w.Header()
	h.Set("Content-Type", a.MediaType)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": a.Name})) // RFC 5987 where it is not ASCII
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	h.Set("Cache-Control", "private, no-store")
	h.Set("ETag", `"`+a.Sha256+`"`) // lets an interrupted download go on
	http.ServeContent(w, r, "", a.CreatedAt, body)
	return nil
}

// find reads what a ticket names, with the rights that its subject has now, and gives the context of that subject.
func (d *Desk) find(ctx context.Context, t ticket) (_ context.Context, a *ent.Attachment, err error) {
	p, err := d.recall(ctx, t.subject, t.trust)
	if err != nil {
		return ctx, nil, fmt.Errorf("recalling whose link it is: %w", err)
	}
	ctx = authz.With(ctx, p)
	err = authz.Current(ctx, func() error {
		a, err = d.client.Attachment.Query().Where(attachment.ID(t.attachment)).Only(ctx)
		return err
	})
	return ctx, a, err
}
