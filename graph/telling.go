// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"context"
	"io"

	"github.com/99designs/gqlgen/graphql"

	"github.com/ozg-cloud/platform/events"
	"github.com/ozg-cloud/platform/reading"
)

// telling is a stream of the log on its way to one receiver. Whoever takes what it tells makes it go on: no goroutine stands between the log and the wire.
type telling struct {
	ctx       context.Context // of the field
	following *events.Following
	live      bool
	write     func(context.Context, events.Frame) (reading.Frame, bool)

	over  bool
	frame reading.Frame // the last one
	held  bool          // it was not written, and the executor has it next
}

// tellingKey is where the stream that an operation has begun lies in the operation.
const tellingKey = "ozg telling"

func begin(t *telling) { graphql.GetOperationContext(t.ctx).Stats.SetExtension(tellingKey, t) }

// Written gives what tells the answers of an operation that has begun to follow the log, each written already, with its cursor: the same bytes for all
// who are shown the same. Where it gives nil, the executor is asked for the next answer. For other operations there is none.
func Written(op *graphql.OperationContext) func() (answer []byte, cursor string) {
	t, ok := op.Stats.GetExtension(tellingKey).(*telling)
	if !ok {
		return nil
	}
	return func() ([]byte, string) {
		f := t.next()
		if f == nil {
			return nil, ""
		}
		answer, cursor := f.Written()
		t.held = answer == nil
		return answer, cursor
	}
}

// next waits for the next frame; nil: there is none any more. What stops the stream before its time is told as the last one.
func (t *telling) next() *reading.Frame {
	if t.held {
		t.held = false
		return &t.frame
	}
	for !t.over {
		f, err := t.following.Next()
		if t.ctx.Err() != nil { // who has gone need not know
			break
		}
		if err != nil {
			t.over, t.frame = true, reading.Frame{Err: err}
			return &t.frame
		}
		t.over = !t.live && f.Kind == events.Checkpoint && f.CaughtUp
		var some bool
		if t.frame, some = t.write(t.ctx, f); some {
			return &t.frame
		}
	}
	t.over = true
	return nil
}

// answer is the same for the executor, which has no other way to be told that there is no channel.
func (t *telling) answer(ctx context.Context) graphql.Marshaler {
	f := t.next()
	if f == nil {
		return nil
	}
	return graphql.WriterFunc(func(w io.Writer) {
		_, _ = io.WriteString(w, `{"`+graphql.GetFieldContext(t.ctx).Field.Alias+`":`) // a buffer takes everything
		graphql.WrapContextMarshaler(ctx, f).MarshalGQL(w)
		_, _ = io.WriteString(w, "}")
	})
}

// told puts what is told past the channel of a subscription in the place of the channel.
func told(ctx context.Context, next graphql.Resolver) (any, error) {
	out, err := next(ctx)
	if err != nil || graphql.GetFieldContext(ctx).Object != "Subscription" {
		return out, err
	}
	if t, ok := graphql.GetOperationContext(ctx).Stats.GetExtension(tellingKey).(*telling); ok {
		return t.answer, nil
	}
	return out, nil
}
