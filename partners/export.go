// SPDX-License-Identifier: EUPL-1.2

package partners

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent"
	"github.com/ozg-cloud/platform/ent/bulkoperation"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/once"
)

// Export is what is asked for.
type Export struct {
	Tenant   uuid.UUID
	Document string
	// Purpose is why, in the words of the caller's front end. It stands in the access log beside each case.
	Purpose string
}

// mostExports is how many exports somebody may have that are not at an end.
const mostExports = 3

// StartExport begins an export under the rights that ctx's principal has at each moment, and tells its id. Refused are documents of which no page
// can be asked for (unfitDocument) or that the caller could not ask page by page, and a fourth export beside three that are not at an end (tooMany).
func (d *Desk) StartExport(ctx context.Context, e Export) (uuid.UUID, error) {
	if err := problem.InFilledText(e.Document, longestDocument, "input", "document"); err != nil {
		return uuid.Nil, err
	}
	asked, err := pages(e.Document, d.contract)
	if err != nil {
		return uuid.Nil, err
	}
	if err := d.engine.Fits(ctx, asked, e.Document); err != nil {
		return uuid.Nil, ofDocument(err)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return uuid.Nil, fmt.Errorf("partners: making an id: %w", err)
	}
	return once.Change(ctx, d.client, d.at, id, func(p *authz.Principal, tx *ent.Tx) (uuid.UUID, error) {
		at, err := placeOf(ctx, p, tx, e.Tenant, "export")
		if err != nil {
			return uuid.Nil, err
		}
		under, err := tx.BulkOperation.Query().
			Where(bulkoperation.Subject(p.Subject), bulkoperation.StateIn(bulkoperation.StateCREATED, bulkoperation.StateRUNNING)).Count(ctx)
		if err != nil {
			return uuid.Nil, fmt.Errorf("partners: counting exports: %w", err)
		}
		if under >= mostExports {
			return uuid.Nil, problem.New(problem.Conflict, "tooMany", "input")
		}
		err = tx.BulkOperation.Create().SetID(id).SetTenantID(e.Tenant).SetPlace(int64(at)).SetSubject(p.Subject).SetTrustLevel(string(p.TrustLevel)).
			SetPurpose(e.Purpose).SetDocument(e.Document).SetFormat(bulkoperation.FormatJSONL).SetCreatedAt(d.at()).Exec(ctx)
		if err != nil {
			return uuid.Nil, fmt.Errorf("partners: making an export: %w", err)
		}
		return e.Tenant, nil
	})
}

// CancelExport ends an export that is not at an end. One that is, is a conflict (alreadyDone). What was written of it is thrown away.
func (d *Desk) CancelExport(ctx context.Context, id uuid.UUID) error {
	_, err := once.Change(ctx, d.client, d.at, id, func(p *authz.Principal, tx *ent.Tx) (uuid.UUID, error) {
		found, err := tx.BulkOperation.Query().Where(bulkoperation.ID(id)).ForUpdate().Only(ctx)
		switch {
		case ent.IsNotFound(err):
			return uuid.Nil, missing("bulkOperationId")
		case err != nil:
			return uuid.Nil, fmt.Errorf("partners: finding an export: %w", err)
		}
		if err := mayKeep(p, "export", authz.Place(found.Place)); err != nil {
			return uuid.Nil, err
		}
		if found.State != bulkoperation.StateCREATED && found.State != bulkoperation.StateRUNNING {
			return uuid.Nil, problem.New(problem.Conflict, "alreadyDone")
		}
		if err := tx.BulkOperation.UpdateOneID(id).SetState(bulkoperation.StateCANCELED).ClearLease().ClearLeasedUntil().Exec(ctx); err != nil {
			return uuid.Nil, fmt.Errorf("partners: ending an export: %w", err)
		}
		return found.TenantID, nil
	})
	return err
}
