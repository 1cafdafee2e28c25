// SPDX-License-Identifier: EUPL-1.2

package rule_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent/rule"
)

var tables = map[string]string{
	"CaseFile": "cases", "Message": "messages", "Attachment": "attachments", "Decision": "decisions", "Announcement": "announcements", "Comment": "comments",
	"Applicant": "applicants", "Connector": "connectors", "RoleAssignment": "role_assignments", "Tenant": "tenants",
}

// seen says in words whether a principal sees a row: one of the conditions under which the object is read has to be met, and where that is
// the condition of having applied, the sign-in has to be as strong as the message.
func seen(p *authz.Principal, object authz.Object, shape rule.Shape, r row) bool {
	if at, ok := p.ClerkAt(); ok && shape != rule.Shared {
		return r.target.Place == at
	}
	for _, c := range p.Rows(object).Any {
		if shape == rule.Shared {
			return true
		}
		if !(authz.Rows{Any: []authz.Condition{c}}).Contains(r.target) {
			continue
		}
		if c.Owner == "" || r.trust == "" || slices.Index(levels, r.trust) <= slices.Index(levels, p.TrustLevel) {
			return true
		}
	}
	return false
}

func mustOf(t *testing.T, entity string) (authz.Object, rule.Shape) {
	t.Helper()
	object, shape, err := rule.Of(entity)
	if err != nil {
		t.Fatal(err)
	}
	return object, shape
}

// numbered gives the question marks their numbers.
func numbered(text string) string {
	var out strings.Builder
	for i, part := range strings.Split(text, "?") {
		if i > 0 {
			out.WriteString("$" + strconv.Itoa(i))
		}
		out.WriteString(part)
	}
	return out.String()
}

func connect(t testing.TB) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), here.url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// difference is a row that the database and the words do not agree about.
type difference struct{ text string }

func (d difference) Error() string { return d.text }

// differs compares what the database selects with what the words say, for every entity. spoil seeds a fault into the SQL.
func differs(ctx context.Context, conn *pgx.Conn, p *authz.Principal, spoil func(string) string) error {
	batch := &pgx.Batch{}
	var wrong error
	for entity, table := range tables {
		object, shape, err := rule.Of(entity)
		if err != nil {
			return err
		}
		text, args := rule.Where(p, object, shape, "t")
		if n := strings.Count(text, "?"); n != len(args) {
			return fmt.Errorf("%s: %d question marks and %d arguments", entity, n, len(args))
		}
		if text == "" {
			text = "true"
		}
		batch.Queue("select id from "+table+" t where "+numbered(spoil(text)), args...).Query(func(rows pgx.Rows) error {
			found, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
			if err != nil {
				return fmt.Errorf("%s where %s: %w", table, text, err)
			}
			selected := map[uuid.UUID]bool{}
			for _, id := range found {
				selected[id] = true
			}
			for _, r := range here.rows[entity] {
				if want := seen(p, object, shape, r); want != selected[r.id] && wrong == nil {
					wrong = difference{fmt.Sprintf("%s %+v: seen by the words %t, by the database %t where %s, %v", entity, r, want, selected[r.id], text, args)}
				}
			}
			return nil
		})
	}
	if err := conn.SendBatch(ctx, batch).Close(); err != nil {
		return err
	}
	return wrong
}

func unspoilt(text string) string { return text }

func TestTheDatabaseSelectsExactlyTheRowsThatAPrincipalSees(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	for range 25 { // times a hundred principals, each before 4,700 rows of ten entities
		rapid.Check(t, func(t *rapid.T) {
			if err := differs(context.Background(), conn, principals.Draw(t, "principal"), unspoilt); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// The twins: a fence that falls is noticed. The argument of the fence stays, so that only its meaning is lost.
func TestTheComparisonWithTheDatabaseNoticesEveryFenceThatFalls(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	for _, fence := range []struct{ name, text, fallen string }{
		{"place", `\w+\.place = \?`, "?::bigint is not null"},
		{"interval", `\w+\.place between \? and \?`, "?::bigint <= ?::bigint"},
		{"Land", `\w+\.land = \?`, "?::bigint is not null"},
		{"district", `\w+\.district = \?`, "?::bigint is not null"},
		{"units", `\w+\.unit_id = any\(\?\)`, "?::uuid[] is not null"},
		{"services", `\w+\.service_id = any\(\?\)`, "?::uuid[] is not null"},
		{"owner", `\w+\.owner = \?`, "?::text is not null"},
		{"point of contact", `\w+\.via_point_of_contact`, "true"},
		{"trust level of a message", `t\.trust_level = any\(\?\)`, "?::text[] is not null"},
		{"trust level of what a message carries", `m\.trust_level = any\(\?\)`, "?::text[] is not null"},
		{"the case that it hangs on", `k\.id = \w+\.case_id`, "true"},
		{"the message that carries it", `m\.id = \w+\.message_id`, "true"},
		{"the decision that is announced", `d\.id = \w+\.decision_id`, "true"},
		{"attachments without a message", `\w+\.message_id is null or`, ""},
		{"nothing is seen", `^false$`, "true"},
		{"one alternative of two", ` or .*\)$`, " or true)"},
	} {
		t.Run(fence.name, func(t *testing.T) {
			pattern := regexp.MustCompile(fence.text)
			spoil := func(text string) string {
				if fence.name == "one alternative of two" && strings.Count(text, "?") > 0 {
					return text // its arguments would be lost
				}
				return pattern.ReplaceAllString(text, fence.fallen)
			}
			for seed := range 1000 {
				err := differs(t.Context(), conn, principals.Example(seed), spoil)
				if _, ok := errors.AsType[difference](err); ok {
					return
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			t.Error("not noticed")
		})
	}
}

func TestAnApplicantWithAWeakSignInReadsNoSecretMessageNorWhatItCarries(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	policy, err := authz.NewPolicy()
	if err != nil {
		t.Fatal(err)
	}
	for i, level := range levels {
		p := policy.Principal(owners[0], level, []authz.Assignment{{Role: authz.Applicant, Tenant: tenants[0]}})
		for entity, table := range map[string]string{"Message": "messages", "Decision": "decisions", "Announcement": "announcements", "Attachment": "attachments"} {
			object, shape := mustOf(t, entity)
			text, args := rule.Where(p, object, shape, "t")
			rows, err := conn.Query(t.Context(), "select id from "+table+" t where "+numbered(text), args...)
			if err != nil {
				t.Fatal(err)
			}
			found, err := pgx.CollectRows(rows, pgx.RowTo[uuid.UUID])
			if err != nil {
				t.Fatal(err)
			}
			reached := map[authz.TrustLevel]int{}
			for _, r := range here.rows[entity] {
				if slices.Contains(found, r.id) {
					reached[r.trust]++
				}
			}
			for j, secret := range levels {
				if (reached[secret] > 0) != (j <= i) {
					t.Errorf("signed in at %s one reads %d of %s at %s", level, reached[secret], table, secret)
				}
			}
		}
		if err := differs(t.Context(), conn, p, unspoilt); err != nil {
			t.Error(err)
		}
	}
}

func TestAnEntityThatNobodySpokeOfIsClosed(t *testing.T) {
	t.Parallel()
	if object, _, err := rule.Of("Secret"); err == nil {
		t.Errorf("it is asked for as %s", object)
	}
}
