// SPDX-License-Identifier: EUPL-1.2

package reading

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/ozg-cloud/platform/ent/catalog"
	"github.com/ozg-cloud/platform/events"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/schema"
)

// Frame is one of many answers to a field: what a stream tells at a time.
type Frame struct {
	Value Value
	// Err ends the stream.
	Err error

	written []byte // see Written
	cursor  string
	path    ast.Path
	denied  []ast.Path
}

// Written gives the answer with the frame as it goes out, and the cursor that stands in it: the same bytes for all who are shown the same, never to be
// changed. It is nil for a frame with errors, which are worded for each receiver.
func (f *Frame) Written() (answer []byte, cursor string) { return f.written, f.cursor }

// written writes the answer of a stream's field that has no errors, and gives the place in it where the value stands.
func written(alias string, v Value, cursor string) ([]byte, Value) {
	out := make([]byte, 0, len(v)+len(alias)+len(cursor)+64)
	out = append(append(append(out, `{"data":{"`...), alias...), `":`...) // a name of GraphQL needs no escape
	begin := len(out)
	out = append(out, v...)
	end := len(out)
	out = append(out, '}')
	if cursor != "" {
		out = append(append(append(out, `,"extensions":{"eventCursor":"`...), cursor...), `"}`...) // nor does base64
	}
	return append(out, '}'), Value(out[begin:end:end])
}

// frameOf makes a frame that nobody shares.
func frameOf(field graphql.CollectedField, v Value, cursor string, err error) Frame {
	if err != nil {
		return Frame{Err: err, cursor: cursor}
	}
	f := Frame{cursor: cursor}
	f.written, f.Value = written(field.Alias, v, cursor)
	return f
}

// MarshalGQLContext writes the answer, with its cursor beside it (extensions.eventCursor).
func (f Frame) MarshalGQLContext(ctx context.Context, w io.Writer) error {
	if f.Err != nil {
		graphql.AddError(ctx, f.Err)
	}
	for _, at := range f.denied {
		graphql.AddError(ctx, gqlerror.WrapPath(append(f.path[:len(f.path):len(f.path)], at...), problem.New(problem.Forbidden, "notAllowed")))
	}
	if f.cursor != "" {
		graphql.RegisterExtension(ctx, "eventCursor", f.cursor)
	}
	return f.Value.MarshalGQLContext(ctx, w)
}

// UnmarshalGQLContext refuses: what is told is never an input.
func (*Frame) UnmarshalGQLContext(context.Context, any) error {
	return errors.New("reading: a frame of a stream is no input")
}

// Frame writes what the log tells a receiver, in the words of the current field.
func (r *Reader) Frame(ctx context.Context, f events.Frame) Frame {
	if f.Kind == events.Happened { // which comes most often
		return f.Shown.(*shown).frame(ctx, 0) //nolint:forcetypeassert // out of tell
	}
	field := graphql.GetFieldContext(ctx).Field
	c := &compiler{r: r, oc: graphql.GetOperationContext(ctx)}
	plain := func(typ, cursor string, values map[string]any) Frame {
		v, err := c.plain(field.Selections, values, typ, field.Definition.Type.Name())
		return frameOf(field, v, cursor, err)
	}
	checkpoint := r.cursors.Checkpoint(f.At)
	switch f.Kind {
	case events.Checkpoint:
		return plain("StreamCheckpoint", checkpoint, map[string]any{"cursor": checkpoint, "caughtUp": f.CaughtUp})
	case events.Gap:
		return plain("StreamGap", checkpoint, map[string]any{"resumeAt": checkpoint})
	}
	values := map[string]any{"cursor": checkpoint}
	if f.Case != uuid.Nil {
		values["caseIds"] = []string{schema.ID(catalog.Types["Case"].Number, f.Case)}
	}
	return plain("StreamRevocation", checkpoint, values)
}

// EventPage writes a page of the log, in the words of the current field.
func (r *Reader) EventPage(ctx context.Context, p events.Page) (Value, error) {
	field := graphql.GetFieldContext(ctx).Field
	c := &compiler{r: r, oc: graphql.GetOperationContext(ctx)}
	path := graphql.GetPath(ctx)
	ends := map[string]any{"hasNextPage": p.More, "hasPreviousPage": false}
	if n := len(p.Told); n > 0 {
		ends["startCursor"], ends["endCursor"] = r.cursors.Of(p.Told[0].At), r.cursors.Of(p.Told[n-1].At)
	}
	out := []byte{'{'}
	place := 0
	for i, f := range c.collect(field.Selections, "CaseEventConnection") {
		out = append(out, keyed(i, f.Alias)...)
		switch f.Name {
		case "__typename":
			out = strconv.AppendQuote(out, "CaseEventConnection")
		case "edges", "nodes":
			out = append(out, '[')
			for n, t := range p.Told {
				if n > 0 {
					out = append(out, ',')
				}
				s := t.Shown.(*shown) //nolint:forcetypeassert // out of tell
				out = append(out, s.views[place]...)
				for _, at := range s.denied[place] {
					at = append(below(below(path, ast.PathName(f.Alias)), ast.PathIndex(n)), at...)
					graphql.AddError(ctx, gqlerror.WrapPath(at, problem.New(problem.Forbidden, "notAllowed")))
				}
			}
			out = append(out, ']')
			place++
		case "pageInfo":
			v, err := c.plain(f.Selections, ends, "PageInfo")
			if err != nil {
				return nil, err
			}
			out = append(out, v...)
		case "next":
			out = strconv.AppendQuote(out, r.cursors.Checkpoint(p.Next))
		case "newest":
			out = strconv.AppendQuote(out, r.cursors.Checkpoint(p.Newest))
		case "oldest":
			out = strconv.AppendQuote(out, r.cursors.Checkpoint(p.Oldest))
		default:
			return nil, fmt.Errorf("reading: a page of events has no %s", f.Name)
		}
	}
	return append(out, '}'), nil
}

// plain writes an object of values that are no rows.
func (c *compiler) plain(sel ast.SelectionSet, values map[string]any, typ string, union ...string) (Value, error) {
	var fields []documentField
	for i, f := range c.collect(sel, append(union, typ)...) {
		d := documentField{key: keyed(i, f.Alias), name: f.Name}
		if f.Name == "__typename" {
			d.text = strconv.AppendQuote(nil, typ)
		}
		fields = append(fields, d)
	}
	return appendSelected(nil, values, fields)
}

// Position reads an event cursor; empty is none.
func (r *Reader) Position(cursor string, path ...string) (*events.Position, error) {
	if cursor == "" {
		return nil, nil
	}
	p, ok := r.cursors.Open(cursor)
	if !ok {
		return nil, problem.New(problem.Invalid, "badCursor", path...)
	}
	return &p, nil
}

// Checkpoint is the event cursor of a position that no event need have.
func (r *Reader) Checkpoint(p events.Position) string { return r.cursors.Checkpoint(p) }
