// SPDX-License-Identifier: EUPL-1.2

package partners

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent"
	"github.com/ozg-cloud/platform/ent/bulkoperation"
	"github.com/ozg-cloud/platform/internal/problem"
)

const (
	// linkLife is how long a link is good.
	linkLife = 5 * time.Minute
	// downloadWithin is how long a download may take; who needs longer goes on with a range.
	downloadWithin = time.Hour
)

// Link is the path of a download of an export, good for five minutes. Like a key it serves whoever holds it.
func (d *Desk) Link(_ *authz.Principal, export uuid.UUID) string {
	said := binary.BigEndian.AppendUint64(nil, uint64(d.clock().Add(linkLife).Unix())) //nolint:gosec // both ways the same 64 bits
	return "/exports/" + string(d.links.Append(nil, append(said, export[:]...)))
}

// Download answers a link, whose token is the path value "token", with the file, or with ranges of it (RFC 9110, section 14).
// It is for the subject of the export: the rights are those that this one has now, and where one is lost by which the file was made, there is no more of it
// (rightsLost). A link that is merely too old is linkExpired, as is an export that was thrown away; forged links, and what is not there, are notFound.
func (d *Desk) Download(w http.ResponseWriter, r *http.Request) error {
	said, ok := d.links.Open(r.PathValue("token"))
	if !ok || len(said) != 8+16 {
		return problem.New(problem.Missing, "notFound")
	}
	if !d.clock().Before(time.Unix(int64(binary.BigEndian.Uint64(said)), 0)) { //nolint:gosec // both ways the same 64 bits
		return problem.New(problem.Missing, "linkExpired")
	}
	e, err := d.complete(r, uuid.UUID(said[8:]))
	if err != nil {
		return err
	}
	file, err := d.files.Open(r.Context(), *e.Blob)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // it was only read
	// Where the connection knows no deadlines (in a test), there are none.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(downloadWithin))
	h := w.Header()
	h.Set("Content-Type", "application/jsonl")
	h.Set("Content-Disposition", `attachment; filename="`+e.ID.String()+`.jsonl"`)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "private, no-store")
	h.Set("ETag", `"`+*e.Sha256+`"`) // lets an interrupted download go on
	http.ServeContent(w, r, "", *e.CompletedAt, file)
	return nil
}

// complete finds an export that can be downloaded, under the rights that its subject has now.
func (d *Desk) complete(r *http.Request, id uuid.UUID) (e *ent.BulkOperation, err error) {
	ctx := r.Context()
	var subject, trust string
	if err := d.books.read(ctx, "finding an export", func(row func(...any) error) error { return row(&subject, &trust) },
		"select subject, trust_level from bulk_operations where id = $1", id); err != nil {
		return nil, err
	}
	gone := problem.New(problem.Missing, "notFound")
	if subject == "" {
		return nil, gone
	}
	p, err := d.engine.Who(ctx, subject, authz.TrustLevel(trust))
	if err == nil {
		ctx = authz.With(ctx, p)
		err = authz.Current(ctx, func() error {
			e, err = d.client.BulkOperation.Query().Where(bulkoperation.ID(id)).Only(ctx)
			return err
		})
	}
	switch {
	case ent.IsNotFound(err), errors.Is(err, &problem.Problem{Kind: problem.Unauthenticated}):
		return nil, gone
	case err != nil:
		return nil, fmt.Errorf("partners: finding an export: %w", err)
	case e.State == bulkoperation.StateEXPIRED, e.ExpiresAt != nil && !d.clock().Before(*e.ExpiresAt):
		return nil, problem.New(problem.Missing, "linkExpired")
	case e.State != bulkoperation.StateCOMPLETED:
		return nil, gone
	}
	if p, err = authz.From(ctx); err != nil {
		return nil, err
	}
	var held []authz.Assignment
	if err := json.Unmarshal(e.Held, &held); err != nil {
		return nil, fmt.Errorf("partners: reading by which rights an export was made: %w", err)
	}
	if authz.Lost(held, p.Assignments) {
		return nil, problem.New(problem.Forbidden, "rightsLost")
	}
	return e, nil
}
