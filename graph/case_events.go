// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"context"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/ozg-cloud/platform/events"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/reading"
)

func (r query) CaseEvents(ctx context.Context, after *string, first int, where map[string]any) (reading.Value, error) {
	if first < 0 || first > reading.LongestPage {
		return nil, problem.New(problem.Invalid, "range", "first")
	}
	from, err := r.Reading.Position(text(after), "after")
	if err != nil {
		return nil, err
	}
	if from == nil {
		from = &events.Position{}
	}
	story, err := r.Reading.CaseStory(ctx, where)
	if err != nil {
		return nil, err
	}
	page, err := r.Log.Page(ctx, *from, first, story)
	if err != nil {
		return nil, err
	}
	return r.Reading.EventPage(ctx, page)
}

func (r subscription) CaseEvents(ctx context.Context, after *string, where map[string]any, heartbeatSeconds int, live bool) (<-chan *reading.Frame, error) {
	story, err := r.Reading.CaseStory(ctx, where)
	if err != nil {
		return nil, err
	}
	return r.follow(ctx, after, heartbeatSeconds, live, story, r.each)
}

func (r subscription) WorkList(ctx context.Context, where map[string]any, after *string, heartbeatSeconds int, live bool) (<-chan *reading.Frame, error) {
	list, err := r.Reading.WorkList(ctx, where)
	if err != nil {
		return nil, err
	}
	return r.follow(ctx, after, heartbeatSeconds, live, list.Story, list.Frame)
}

// each writes everything that is told.
func (r subscription) each(ctx context.Context, f events.Frame) (reading.Frame, bool) {
	return r.Reading.Frame(ctx, f), true
}

func (r subscription) Messages(ctx context.Context, caseID string, after *string, heartbeatSeconds int, live bool) (<-chan *reading.Frame, error) {
	story, err := r.Reading.MessageStory(ctx, caseID)
	if err != nil {
		return nil, err
	}
	return r.follow(ctx, after, heartbeatSeconds, live, story, r.each)
}

// longestHeartbeat is in seconds.
const longestHeartbeat = 300

// follow begins to tell a story, until ctx ends, or everything up to now is told. write makes a frame, or says that there is none. What it tells goes past
// the channel that the printed code asks for, see telling.
func (r subscription) follow(ctx context.Context, after *string, heartbeatSeconds int, live bool, story events.Story,
	write func(context.Context, events.Frame) (reading.Frame, bool),
) (<-chan *reading.Frame, error) {
	if heartbeatSeconds < 1 || heartbeatSeconds > longestHeartbeat {
		return nil, problem.New(problem.Invalid, "range", "heartbeatSeconds")
	}
	where, path := text(after), "after"
	// A browser that lost the connection asks as it did the first time, and says here how far it has come since.
	if last := graphql.GetOperationContext(ctx).Headers.Get("Last-Event-ID"); last != "" {
		where, path = last, "Last-Event-ID"
	}
	from, err := r.Reading.Position(where, path)
	if err != nil {
		return nil, err
	}
	following, err := r.Log.Follow(ctx, from, story, time.Duration(heartbeatSeconds)*time.Second)
	if err != nil {
		return nil, err
	}
	begin(&telling{ctx: ctx, following: following, live: live, write: write})
	return nil, nil
}
