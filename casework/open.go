// SPDX-License-Identifier: EUPL-1.2

package casework

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent"
	"github.com/ozg-cloud/platform/ent/casefile"
	"github.com/ozg-cloud/platform/law"
)

// Opening is an application that an authority is responsible for and that is about to become a case.
type Opening struct {
	Tenant            authz.TenantRef // the responsible authority
	Service           uuid.UUID
	Unit              *uuid.UUID
	Channel           string // FORM_SERVER or PORTAL
	ViaPointOfContact bool
	TrustLevel        authz.TrustLevel
	Owner             string // subject of the applicant where one can sign in here, else empty
	ReceivedAt        time.Time
}

// Open writes a new case with the first line of its history and its event into tx, and gives its id. What hangs on the case is
// written by the caller, as is the commit. ctx is a clerk's at the place of the tenant, who has asked for the right to submit.
func (d *Desk) Open(ctx context.Context, tx *ent.Tx, o Opening) (uuid.UUID, error) {
	p, err := authz.From(ctx)
	if err != nil {
		return uuid.Nil, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return uuid.Nil, fmt.Errorf("casework: making an id: %w", err)
	}
	line := Line{Case: id, Sequence: 1, At: o.ReceivedAt, Actor: p.Subject, Action: CaseOpened, To: New}
	create := tx.CaseFile.Create().SetID(id).SetTenantID(o.Tenant.ID).SetPlace(int64(o.Tenant.Place)).
		SetNumber(Number(id, o.ReceivedAt)).SetServiceID(o.Service).SetNillableUnitID(o.Unit).
		SetChannel(casefile.Channel(o.Channel)).SetViaPointOfContact(o.ViaPointOfContact).SetTrustLevel(casefile.TrustLevel(o.TrustLevel)).
		SetReceivedAt(o.ReceivedAt).SetUpdatedAt(o.ReceivedAt).SetHistoryHead(line.Hash(NoHash))
	if o.Owner != "" {
		create.SetOwner(o.Owner)
	}
	if err := create.Exec(ctx); err != nil {
		return uuid.Nil, fmt.Errorf("casework: opening a case: %w", err)
	}
	return id, record(ctx, tx, o.Tenant.ID, int64(o.Tenant.Place), line, NoHash, happened{unit: o.Unit})
}

// crockford is an alphabet without letters that are mistaken for others when somebody reads a number aloud.
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// Number is the number of a case: the year in Berlin and eight letters that follow from its id. It is not counted, so that it tells nobody
// how many cases an authority has and no row is hot. Among a million in one authority and year the chance that any two are the same
// is about one in three: the database then refuses the later one, and opening again with another id succeeds.
func Number(id uuid.UUID, receivedAt time.Time) string {
	sum := sha256.Sum256(id[:])
	n := binary.BigEndian.Uint64(sum[:8])
	out := make([]byte, 0, 13)
	out = law.Today(receivedAt).AppendFormat(out, "2006-")
	for range 8 {
		out = append(out, crockford[n&31])
		n >>= 5
	}
	return string(out)
}
