// SPDX-License-Identifier: EUPL-1.2

package intake

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/casework"
	"github.com/ozg-cloud/platform/ent"
	"github.com/ozg-cloud/platform/ent/idempotencykey"
	"github.com/ozg-cloud/platform/internal/problem"
)

// key is what the register has a line for; the same id of two sources is two.
func (a *arrival) key() string { return "submission:" + a.TransactionID }

// lookUp asks the register whether the source has delivered this before. The same transaction with other content is a conflict.
func (d *Desk) lookUp(ctx context.Context, a *arrival) (receipt, error) {
	line, err := d.client.IdempotencyKey.Query().Where(idempotencykey.Subject(a.by.Subject), idempotencykey.Key(a.key())).Only(ctx)
	switch {
	case ent.IsNotFound(err):
		return receipt{}, nil
	case err != nil:
		return receipt{}, fmt.Errorf("intake: asking the register: %w", err)
	case line.RequestHash != a.hash:
		return receipt{}, problem.New(problem.Conflict, "transactionReused")
	}
	// The line was made with the case, at the same instant: the number follows, and the case need not be read.
	return receipt{caseID: line.ResultID, number: casework.Number(line.ResultID, line.CreatedAt), again: true}, nil
}

// enter writes a line of the register, which never expires. The database has one for a source and a transaction: whoever comes second
// waits for the first and is then refused.
func enter(ctx context.Context, tx *ent.Tx, a *arrival, tenant, caseID uuid.UUID, now time.Time) error {
	err := tx.IdempotencyKey.Create().SetSubject(a.by.Subject).SetKey(a.key()).SetRequestHash(a.hash).
		SetTenantID(tenant).SetResultID(caseID).SetCreatedAt(now).Exec(ctx)
	if err != nil {
		return fmt.Errorf("intake: writing into the register: %w", err)
	}
	return nil
}

// seal is SHA-256 in hex over the fields in order, each behind its length as eight bytes.
func seal(fields ...[]byte) string {
	h := sha256.New()
	for _, f := range fields {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(f)))) // a hash never fails
		h.Write(f)
	}
	return hex.EncodeToString(h.Sum(nil))
}
