// SPDX-License-Identifier: EUPL-1.2

package rule_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent"
	_ "github.com/ozg-cloud/platform/ent/runtime"
	"github.com/ozg-cloud/platform/ent/store"
	"github.com/ozg-cloud/platform/ent/upload"
	"github.com/ozg-cloud/platform/internal/problem"
)

// openClient is the store as the desks have it, but for the second wall.
func openClient(t *testing.T) *ent.Client {
	t.Helper()
	s, err := store.Open(t.Context(), here.url, store.Options{Scope: func(context.Context) (store.Scope, error) { return store.Scope{Lo: 0, Hi: int64(authz.Last)}, nil }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return ent.NewClient(ent.Driver(s.Writing))
}

func with(t *testing.T, p *authz.Principal) context.Context {
	t.Helper()
	return authz.With(t.Context(), p)
}

func staff(t *testing.T, role authz.Role, at authz.TenantRef) *authz.Principal {
	t.Helper()
	policy, err := authz.NewPolicy()
	if err != nil {
		t.Fatal(err)
	}
	return policy.Principal(owners[0], authz.High, []authz.Assignment{{Role: role, Tenant: at}})
}

// asked are the questions that the twin and the test put to the store.
func asked(ctx context.Context, c *ent.Client) (map[string][]uuid.UUID, error) {
	out := map[string][]uuid.UUID{}
	var err error
	for entity, ask := range map[string]func(context.Context) ([]uuid.UUID, error){
		"CaseFile": c.CaseFile.Query().IDs, "Message": c.Message.Query().IDs, "Attachment": c.Attachment.Query().IDs, "Decision": c.Decision.Query().IDs,
		"Announcement": c.Announcement.Query().IDs, "Comment": c.Comment.Query().IDs, "Applicant": c.Applicant.Query().IDs, "Connector": c.Connector.Query().IDs,
		"RoleAssignment": c.RoleAssignment.Query().IDs, "Tenant": c.Tenant.Query().IDs,
	} {
		if out[entity], err = ask(ctx); err != nil {
			return nil, fmt.Errorf("%s: %w", entity, err)
		}
	}
	return out, nil
}

func TestTheStoreAnswersWithTheRowsThatAPrincipalSees(t *testing.T) {
	t.Parallel()
	c := openClient(t)
	for seed := range 50 {
		p := principals.Example(seed)
		found, err := asked(with(t, p), c)
		if err != nil {
			t.Fatal(err)
		}
		for entity, ids := range found {
			object, shape := mustOf(t, entity)
			want := map[uuid.UUID]bool{}
			for _, r := range here.rows[entity] {
				if seen(p, object, shape, r) {
					want[r.id] = true
				}
			}
			if len(ids) != len(want) {
				t.Errorf("principal %d: %d rows of %s, not %d", seed, len(ids), entity, len(want))
			}
			for _, id := range ids {
				if !want[id] {
					t.Errorf("principal %d sees a foreign row of %s", seed, entity)
				}
			}
		}
	}
}

func TestANestedQueryIsLimitedAsWell(t *testing.T) {
	t.Parallel()
	c := openClient(t)
	officer := staff(t, "DELETION_OFFICER", tenants[9]) // sees cases, and neither messages nor comments
	files, err := c.CaseFile.Query().WithMessages().WithComments().WithHistory().All(with(t, officer))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d cases, %v", len(files), err)
	}
	for _, f := range files {
		if len(f.Edges.Messages)+len(f.Edges.Comments) > 0 {
			t.Error("a message or a comment came along with a case")
		}
	}
	if n, err := files[0].QueryMessages().Count(with(t, officer)); err != nil || n != 0 {
		t.Errorf("%d messages behind a case, %v", n, err)
	}
	files, err = c.CaseFile.Query().WithMessages().All(with(t, staff(t, "MAIL_ROOM", tenants[9])))
	if err != nil || len(files) == 0 || len(files[0].Edges.Messages) != 1 {
		t.Errorf("who may does not see the message: %v", err)
	}
}

func TestWithoutAPrincipalNothingIsReadOrChanged(t *testing.T) {
	t.Parallel()
	c := openClient(t)
	_, read := asked(t.Context(), c)
	_, changed := c.CaseFile.Update().SetFileReference("x").Save(t.Context())
	_, deleted := c.RoleAssignment.Delete().Exec(t.Context())
	_, uploads := c.Upload.Query().IDs(t.Context())
	for what, err := range map[string]error{
		"reading": read, "changing": changed, "deleting": deleted, "making": comment(c, tenants[9]).Exec(t.Context()), "uploads": uploads,
		"a tenant": c.Tenant.UpdateOneID(tenants[9].ID).SetName("x").Exec(t.Context()), "an upload": anUpload(c, owners[0]).Exec(t.Context()),
	} {
		if !errors.Is(err, problem.New(problem.Unauthenticated, "noPrincipal")) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func comment(c *ent.Client, at authz.TenantRef) *ent.CommentCreate {
	return c.Comment.Create().SetTenantID(at.ID).SetPlace(int64(at.Place)).SetCaseID(here.rows["CaseFile"][0].id).SetBody("x").SetAuthor("x")
}

func anUpload(c *ent.Client, subject string) *ent.UploadCreate {
	return c.Upload.Create().SetSubject(subject).SetName("x").SetMediaType("x").SetSize(1).
		SetSha256("0000000000000000000000000000000000000000000000000000000000000000").SetExpiresAt(time.Now())
}

// rolledBack does something in a transaction that is not kept.
func rolledBack(ctx context.Context, t *testing.T, c *ent.Client, do func(*ent.Client)) {
	t.Helper()
	tx, err := c.Tx(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	do(tx.Client())
}

func TestNobodyMakesARowOutsideTheOwnPartOfTheTree(t *testing.T) {
	t.Parallel()
	c := openClient(t)
	for _, p := range []*authz.Principal{staff(t, "CASEWORKER", tenants[9]), staff(t, "TENANT_ADMIN", tenants[4]), staff(t, "TENANT_ADMIN", tenants[2])} {
		part := p.Scope()
		for _, at := range tenants {
			inside := part.Lo <= at.Place && at.Place <= part.Hi
			rolledBack(with(t, p), t, c, func(c *ent.Client) {
				err := comment(c, at).Exec(with(t, p))
				if missing := errors.Is(err, problem.New(problem.Missing, "notFound")); missing == inside {
					t.Errorf("%v makes a row at %d: %v", p.Assignments, at.Place, err)
				}
			})
		}
	}
}

func TestOnlyWhatIsSeenIsChanged(t *testing.T) {
	t.Parallel()
	c := openClient(t)
	for seed := range 30 {
		p := principals.Example(seed)
		object, shape := mustOf(t, "CaseFile")
		want := 0
		for _, r := range here.rows["CaseFile"] {
			if seen(p, object, shape, r) {
				want++
			}
		}
		rolledBack(with(t, p), t, c, func(c *ent.Client) {
			if n, err := c.CaseFile.Update().SetFileReference("x").Save(with(t, p)); err != nil || n != want {
				t.Errorf("principal %d changes %d cases of %d, %v", seed, n, want, err)
			}
		})
		for _, r := range here.rows["CaseFile"][:20] {
			rolledBack(with(t, p), t, c, func(c *ent.Client) {
				err := c.CaseFile.UpdateOneID(r.id).SetFileReference("x").Exec(with(t, p))
				if seen(p, object, shape, r) != (err == nil) || err != nil && !ent.IsNotFound(err) {
					t.Errorf("principal %d changes one case: %v", seed, err)
				}
			})
		}
	}
	officer := staff(t, "AUDITOR", tenants[2])
	rolledBack(with(t, officer), t, c, func(c *ent.Client) {
		n, err := c.RoleAssignment.Delete().Exec(with(t, officer))
		if err != nil || n != 9 { // of the Land, its two districts and six authorities
			t.Errorf("%d role assignments of the Land are seen by a delete, %v", n, err)
		}
	})
}

func TestTheDirectoryIsKeptBySystemPrincipalsAlone(t *testing.T) {
	t.Parallel()
	c := openClient(t)
	admin := staff(t, "TENANT_ADMIN", tenants[0])
	if err := c.Tenant.UpdateOneID(tenants[9].ID).SetName("x").Exec(with(t, admin)); !errors.Is(err, problem.New(problem.Forbidden, "notAllowed")) {
		t.Errorf("an administrator renames a tenant: %v", err)
	}
	keeper := with(t, authz.System(authz.Doorkeeping))
	rolledBack(keeper, t, c, func(c *ent.Client) {
		if err := c.Tenant.UpdateOneID(tenants[9].ID).SetName("x").Exec(keeper); err != nil {
			t.Errorf("who keeps it is refused: %v", err)
		}
	})
}

func TestAnUploadBelongsToWhoMadeIt(t *testing.T) {
	t.Parallel()
	c := openClient(t)
	policy, err := authz.NewPolicy()
	if err != nil {
		t.Fatal(err)
	}
	anna, bert := with(t, policy.Principal(owners[0], authz.High, nil)), with(t, policy.Principal(owners[1], authz.High, []authz.Assignment{{Role: "TENANT_ADMIN", Tenant: tenants[0]}}))
	mine, err := anUpload(c, owners[0]).Save(anna)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Upload.DeleteOneID(mine.ID).Exec(authz.With(context.Background(), policy.Principal(owners[0], authz.High, nil)))
	})
	if err := anUpload(c, owners[0]).Exec(bert); !errors.Is(err, problem.New(problem.Forbidden, "notAllowed")) {
		t.Errorf("somebody uploads in the name of another: %v", err)
	}
	for who, of := range map[string]struct {
		ctx  context.Context
		sees int
	}{"who made it": {anna, 1}, "an administrator": {bert, 0}, "the relay": {with(t, authz.System(authz.Relay)), 0}, "the sweeper": {with(t, authz.System(authz.Sweeping)), 1}} {
		if n, err := c.Upload.Query().Where(upload.ID(mine.ID)).Count(of.ctx); err != nil || n != of.sees {
			t.Errorf("%s sees %d, %v", who, n, err)
		}
		rolledBack(of.ctx, t, c, func(c *ent.Client) {
			if n, err := c.Upload.Delete().Where(upload.ID(mine.ID)).Exec(of.ctx); err != nil || n != of.sees {
				t.Errorf("%s deletes %d, %v", who, n, err)
			}
		})
	}
}
