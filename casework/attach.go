// SPDX-License-Identifier: EUPL-1.2

package casework

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/ent"
	"github.com/ozg-cloud/platform/ent/attachment"
	"github.com/ozg-cloud/platform/ent/upload"
	"github.com/ozg-cloud/platform/internal/problem"
)

// Piece is content that lies in the blob store and is about to become an attachment.
type Piece struct {
	Name, MediaType, SHA256 string
	Size                    int64
	Purpose                 attachment.Purpose
}

// Hanging says where attachments hang: on a case of a tenant, and there on the submission or a message.
type Hanging struct {
	Tenant, Case        uuid.UUID
	Place               int64
	Submission, Message *uuid.UUID
}

// Attach hangs pieces on a case and gives the ids of the attachments, in the same order.
func (d *Desk) Attach(ctx context.Context, tx *ent.Tx, at Hanging, pieces []Piece) ([]uuid.UUID, error) {
	now := d.now()
	ids := make([]uuid.UUID, len(pieces))
	for i, p := range pieces {
		ids[i] = uuid.Must(uuid.NewV7())
		err := tx.Attachment.Create().SetID(ids[i]).SetTenantID(at.Tenant).SetPlace(at.Place).SetCaseID(at.Case).
			SetNillableSubmissionID(at.Submission).SetNillableMessageID(at.Message).SetPurpose(p.Purpose).
			SetName(p.Name).SetMediaType(p.MediaType).SetSize(p.Size).SetSha256(p.SHA256).SetCreatedAt(now).Exec(ctx)
		if err != nil {
			return nil, fmt.Errorf("casework: attaching: %w", err)
		}
	}
	return ids, nil
}

// TakeUploads takes the caller's uploads with these ids, in this order, so that nobody can take them again. One that does not exist,
// has expired, was taken before or is somebody else's is missing. path leads to the ids in the input.
func (d *Desk) TakeUploads(ctx context.Context, tx *ent.Tx, ids []uuid.UUID, purpose attachment.Purpose, path ...string) ([]Piece, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	if len(ids) > mostUploads {
		return nil, problem.New(problem.Invalid, "tooMany", path...)
	}
	found, err := tx.Upload.Query().Where(upload.IDIn(ids...), upload.ExpiresAtGT(d.now())).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("casework: finding uploads: %w", err)
	}
	byID := make(map[uuid.UUID]*ent.Upload, len(found))
	for _, u := range found {
		byID[u.ID] = u
	}
	pieces := make([]Piece, 0, len(ids))
	for _, id := range ids {
		u := byID[id]
		if u == nil {
			return nil, problem.New(problem.Missing, "notFound", path...)
		}
		delete(byID, id) // named twice it is not there the second time
		pieces = append(pieces, Piece{u.Name, u.MediaType, u.Sha256, u.Size, purpose})
	}
	taken, err := tx.Upload.Delete().Where(upload.IDIn(ids...)).Exec(ctx)
	if err != nil {
		return nil, fmt.Errorf("casework: taking uploads: %w", err)
	}
	if taken != len(ids) {
		return nil, problem.New(problem.Conflict, "attachmentUsed")
	}
	return pieces, nil
}
