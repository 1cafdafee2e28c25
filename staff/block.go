// SPDX-License-Identifier: EUPL-1.2

package staff

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent"
	"github.com/ozg-cloud/platform/ent/auditentry"
	"github.com/ozg-cloud/platform/ent/blockedsubject"
	"github.com/ozg-cloud/platform/ent/tenant"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/once"
)

// Block refuses the tokens of an account although they are valid, whatever its roles. Only the operator may. A second time it is a conflict (alreadyDone).
func (d *Desk) Block(ctx context.Context, subject string) error {
	return d.shut(ctx, subject, auditentry.ActionSUBJECT_BLOCKED)
}

// Unblock lets the account in again, with the roles that it has then. Where it is not blocked, that is a conflict (alreadyDone).
func (d *Desk) Unblock(ctx context.Context, subject string) error {
	return d.shut(ctx, subject, auditentry.ActionSUBJECT_UNBLOCKED)
}

func (d *Desk) shut(ctx context.Context, subject string, action auditentry.Action) error {
	if !subjects.MatchString(subject) {
		return problem.New(problem.Invalid, "pattern", "input", "subject")
	}
	_, err := once.Change(ctx, d.client, d.now, uuid.Nil, func(p *authz.Principal, tx *ent.Tx) (uuid.UUID, error) {
		if !p.System() {
			return uuid.Nil, authz.Refusal("blockedSubject", "block")
		}
		root, err := tx.Tenant.Query().Where(tenant.ParentIDIsNil()).Only(ctx)
		if err != nil {
			return uuid.Nil, fmt.Errorf("staff: finding the root of the tree: %w", err)
		}
		blocked, err := tx.BlockedSubject.Query().Where(blockedsubject.Subject(subject)).Exist(ctx)
		if err != nil {
			return uuid.Nil, fmt.Errorf("staff: looking for a block: %w", err)
		}
		if blocked == (action == auditentry.ActionSUBJECT_BLOCKED) {
			return uuid.Nil, problem.New(problem.Conflict, "alreadyDone")
		}
		if blocked {
			_, err = tx.BlockedSubject.Delete().Where(blockedsubject.Subject(subject)).Exec(ctx)
		} else {
			err = tx.BlockedSubject.Create().SetSubject(subject).SetBlockedAt(d.now()).Exec(ctx)
		}
		if err != nil {
			return uuid.Nil, fmt.Errorf("staff: changing a block: %w", err)
		}
		return root.ID, written(ctx, d.entry(p, tx, root.ID, authz.Place(root.Place), action, subject))
	})
	return err
}
