// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"errors"
	"time"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/casework"
	"github.com/ozg-cloud/platform/ent/catalog"
	"github.com/ozg-cloud/platform/events"
	"github.com/ozg-cloud/platform/extension/desk"
	"github.com/ozg-cloud/platform/extension/values"
	"github.com/ozg-cloud/platform/federation/directory"
	"github.com/ozg-cloud/platform/graph/answer"
	"github.com/ozg-cloud/platform/graph/generated"
	"github.com/ozg-cloud/platform/graph/model"
	"github.com/ozg-cloud/platform/intake"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/partners"
	"github.com/ozg-cloud/platform/reading"
	"github.com/ozg-cloud/platform/schema"
	"github.com/ozg-cloud/platform/staff"
	"github.com/ozg-cloud/platform/statistics"
)

// Resolver has what the resolvers hand their work to.
type Resolver struct {
	Reading   *reading.Reader
	Casework  *casework.Desk
	Intake    *intake.Desk
	Staff     *staff.Desk
	Extension *desk.Desk
	Values    *values.Desk
	Partners  *partners.Desk
	Log       *events.Log
	Tally     *statistics.Tally
	Belonging Belonging
	Together  Together
	Limits    model.Limits
	Shelf     *directory.Shelf // of what is offered in all houses; nil in a house that belongs to no federation
}

// Query gives the resolvers of reads.
func (r *Resolver) Query() generated.QueryResolver { return query{r} }

// Mutation gives the resolvers of verbs.
func (r *Resolver) Mutation() generated.MutationResolver { return mutation{r} }

// Subscription gives the resolvers of streams.
func (r *Resolver) Subscription() generated.SubscriptionResolver { return subscription{r} }

type (
	query        struct{ *Resolver }
	mutation     struct{ *Resolver }
	subscription struct{ *Resolver }
)

// changed makes the payload of a verb on a case.
func (r *Resolver) changed(made casework.Changed, err error) (*answer.Payload, error) {
	if err != nil {
		return refused(err)
	}
	return answer.Done(r.Reading, map[string]uuid.UUID{
		"Case": made.Case, "Applicant": made.Applicant, "Message": made.Message, "Decision": made.Decision, "Comment": made.Comment, "FollowUp": made.FollowUp,
	}).Revised(made.Revision), nil
}

// refused makes the payload of a verb that a problem stopped; what is no problem stays an error.
func refused(err error) (*answer.Payload, error) {
	if all := (problem.List)(nil); errors.As(err, &all) {
		out := &answer.Payload{}
		for _, p := range all {
			one, ok := answer.Refused(p)
			if !ok {
				return nil, err
			}
			out.Problems = append(out.Problems, one.Problems...)
		}
		return out, nil
	}
	if p, ok := problem.Of(err); ok {
		if payload, ok := answer.Refused(p); ok {
			return payload, nil
		}
	}
	return nil, err
}

// idOf reads the global id of a thing of a type. Whatever is no such id names nothing that could be found.
func idOf(typ, globalID string, path ...string) (uuid.UUID, error) {
	number, id, ok := schema.ParseID(globalID)
	if !ok || number != catalog.Types[typ].Number {
		return uuid.UUID{}, problem.New(problem.Missing, "notFound", path...)
	}
	return id, nil
}

// uploads reads the ids of uploads, which are plain UUIDs: an upload is no thing of the contract.
func uploads(ids []string) ([]uuid.UUID, error) {
	out := make([]uuid.UUID, 0, len(ids))
	for _, text := range ids {
		id, err := upload(text, "input", "uploadIds")
		if err != nil {
			return nil, err
		}
		out = append(out, id)
	}
	return out, nil
}

func upload(text string, path ...string) (uuid.UUID, error) {
	id, err := uuid.Parse(text)
	if err != nil || id.String() != text {
		return uuid.Nil, problem.New(problem.Missing, "notFound", path...)
	}
	return id, nil
}

// date reads a Date of the contract.
func date(text string, path ...string) (time.Time, error) {
	day, err := time.Parse(time.DateOnly, text)
	if err != nil || day.Year() < 1 || day.Year() > 9999 {
		return time.Time{}, problem.New(problem.Invalid, "pattern", path...)
	}
	return day, nil
}

// onCase reads the id of a case and hands it to the verb.
func (r *Resolver) onCase(caseID string, verb func(id uuid.UUID) (casework.Changed, error)) (*answer.Payload, error) {
	id, err := idOf("Case", caseID, "input", "caseId")
	if err != nil {
		return refused(err)
	}
	return r.changed(verb(id))
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

var _ generated.ResolverRoot = (*Resolver)(nil)
