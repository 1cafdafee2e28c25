// SPDX-License-Identifier: EUPL-1.2

package rule

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"entgo.io/ent"
	"entgo.io/ent/dialect/sql"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/internal/problem"
)

// limited is what a printed query or mutation can be limited by.
type limited interface {
	WhereP(...func(*sql.Selector))
}

// entity says under which object of the policy, and in which shape, an entity is asked for.
type entity struct {
	object authz.Object
	shape  Shape
}

// entities lists the tenant-owned entities. One that is missing is closed to everybody.
var entities = map[string]entity{
	"Webhook":             {"webhook", Kept},
	"WebhookDelivery":     {"webhook", Kept},
	"BulkOperation":       {"export", Kept},
	"OrganisationalUnit":  {"unit", Owned},
	"ServiceOffering":     {"offering", Shared}, // the directory: which authority offers what
	"Connector":           {"connector", Owned},
	"Submission":          {"submission", OfCase},
	"CaseFile":            {"case", Cases},
	"Applicant":           {"applicant", OfCase},
	"Message":             {"message", OfCase},
	"Attachment":          {"attachment", OfCase},
	"Decision":            {"decision", OfCase},
	"Announcement":        {"decision", OfDecision},
	"Comment":             {"comment", OfCase},
	"FollowUp":            {"followUp", OfCase},
	"Assignment":          {"assignment", OfCase},
	"HistoryEvent":        {"history", OfCase},
	"Event":               {"event", OfCase},
	"RoleAssignment":      {"roleAssignment", Owned},
	"AuditEntry":          {"audit", Owned},
	"AccessEntry":         {"accessLog", OfCase},
	"BlockedSubject":      {"blockedSubject", Shared}, // for the doorkeeper: no role reads it
	"ExtensionDefinition": {"extension", Owned},
	"ExtensionRecord":     {"case", OfCase}, // as secret as the case; what hangs on none is read by reading alone
	"ExtensionEntry":      {"case", OfCase},
	"Tenant":              {"tenant", Shared},
	"Service":             {"service", Shared},
}

// Of gives object and shape of an entity, for the reading plan.
func Of(name string) (authz.Object, Shape, error) {
	e, ok := entities[name]
	if !ok {
		return "", 0, fmt.Errorf("rule: nothing says who may see %s", name)
	}
	return e.object, e.shape, nil
}

// Limit adds the principal's predicate to every query of an entity, eager loads and nested ones too.
func Limit() ent.Interceptor {
	return ent.TraverseFunc(func(ctx context.Context, q ent.Query) error {
		return limit(ctx, entityOf(q), q)
	})
}

func limit(ctx context.Context, name string, q any) error {
	p, err := authz.From(ctx)
	if err != nil {
		return err
	}
	object, shape, err := Of(name)
	if err != nil {
		return err
	}
	l, ok := q.(limited)
	if !ok {
		return fmt.Errorf("rule: %T cannot be limited", q)
	}
	l.WhereP(func(s *sql.Selector) {
		text, args := Where(p, object, shape, s.TableName())
		s.Where(predicate(cmp.Or(text, "true"), args)) // ent panics on a change of one row whose predicates add nothing
	})
	return nil
}

// entityOf says what a printed query asks for. The context does not: within a nested query it still names the query around it.
func entityOf(q ent.Query) string {
	_, name, _ := strings.Cut(fmt.Sprintf("%T", q), ".")
	return strings.TrimSuffix(name, "Query")
}

// predicate numbers the arguments as PostgreSQL wants it, which sql.ExprP does not.
func predicate(text string, args []any) *sql.Predicate {
	return sql.P(func(b *sql.Builder) {
		parts := strings.Split(text, "?")
		b.WriteString(parts[0])
		for i, a := range args {
			b.Arg(a).WriteString(parts[i+1])
		}
	})
}

// Guard keeps mutations inside the principal's part of the tree: what is made must lie there, and only what is seen there
// can be changed. The tenant itself never changes: the field is immutable, and the foreign keys hold it together with the case.
func Guard() ent.Hook {
	return refusing(func(ctx context.Context, p *authz.Principal, m ent.Mutation) error {
		if !m.Op().Is(ent.OpCreate) {
			return limit(ctx, m.Type(), m)
		}
		place, ok := m.Field("place")
		if !ok {
			return fmt.Errorf("rule: a new %s has no place", m.Type())
		}
		if at, ok := place.(int64); !ok || !p.MayWriteAt(authz.Place(at)) {
			return problem.New(problem.Missing, "notFound")
		}
		return nil
	})
}

// refusing carries out what a principal wants to change where check does not refuse it.
func refusing(check func(context.Context, *authz.Principal, ent.Mutation) error) ent.Hook {
	return func(next ent.Mutator) ent.Mutator {
		return ent.MutateFunc(func(ctx context.Context, m ent.Mutation) (ent.Value, error) {
			p, err := authz.From(ctx)
			if err != nil {
				return nil, err
			}
			if err := check(ctx, p, m); err != nil {
				return nil, err
			}
			return next.Mutate(ctx, m)
		})
	}
}

// KeptBySystem lets only named system principals change the directory and the catalogue.
func KeptBySystem() ent.Hook {
	return refusing(func(_ context.Context, p *authz.Principal, _ ent.Mutation) error {
		if !p.System() {
			return problem.New(problem.Forbidden, "notAllowed")
		}
		return nil
	})
}

// OwnOnly limits queries to rows whose subject is the principal's.
func OwnOnly() ent.Interceptor {
	return ent.TraverseFunc(func(ctx context.Context, q ent.Query) error { return own(ctx, entityOf(q), q) })
}

// OwnOnlyChanged limits mutations to rows whose subject is the principal's.
func OwnOnlyChanged() ent.Hook {
	return refusing(func(ctx context.Context, p *authz.Principal, m ent.Mutation) error {
		if !m.Op().Is(ent.OpCreate) {
			return own(ctx, m.Type(), m)
		}
		if s, ok := m.Field("subject"); !ok || s != p.Subject {
			return problem.New(problem.Forbidden, "notAllowed")
		}
		return nil
	})
}

// expiring names what belongs to a subject for a while.
var expiring = map[string]authz.Object{"Upload": "upload", "IdempotencyKey": "idempotencyKey"}

func own(ctx context.Context, name string, q any) error {
	p, err := authz.From(ctx)
	if err != nil {
		return err
	}
	// What expires is thrown away by the system principal that was given all of it, whosever it is. No role can be given that.
	if o, ok := expiring[name]; ok && p.System() && len(p.Rows(o).Any) > 0 {
		return nil
	}
	l, ok := q.(limited)
	if !ok {
		return fmt.Errorf("rule: %T cannot be limited", q)
	}
	l.WhereP(func(s *sql.Selector) { s.Where(sql.EQ(s.C("subject"), p.Subject)) })
	return nil
}
