// SPDX-License-Identifier: EUPL-1.2

package reading

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"
	"unique"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/events"
)

// sharedReads are the reads of events that are under way or have just ended: many receivers with equal rights ask the same of an event at the same
// moment, and one of them reads it for all.
type sharedReads struct {
	mu sync.Mutex
	of map[question]*sharedRead
}

// question is equal for those who are shown the same.
type question struct {
	document *ast.QueryDocument    // of one contract: the same text is the same document, see graph.Engine
	asked    unique.Handle[string] // by whom, see asking
	at       string                // the events, and the last one of all
}

type sharedRead struct {
	done chan struct{} // closed when what follows is there
	read *read
	err  error
}

// sharedFor is how long what was read is kept for others who ask the same.
const sharedFor = time.Second

var errUnread = errors.New("reading: an event was not read")

// tellOnce is tell for a receiver among many. Whoever is shown what somebody else has read has the same rights, which are as young as what was read;
// that it is shown is written down for each.
func (r *Reader) tellOnce(ctx context.Context, t told, filter any, asked *asking, at []events.Position, now events.Position) ([]events.Told, error) {
	p, err := authz.From(ctx)
	if err != nil {
		return nil, err
	}
	oc := graphql.GetOperationContext(ctx)
	// Who waits for somebody else's read waits no longer than that one does.
	got, err := r.shared(ctx, p, oc, asked, append(at[:len(at):len(at)], now), func(ctx context.Context) (*read, error) {
		ctx, cancel := context.WithTimeout(ctx, patienceWithStories)
		defer cancel()
		return r.tell(ctx, p, t, filter, at)
	})
	if err != nil {
		return nil, err
	}
	if err := p.Knows(got.version); err != nil {
		return nil, err
	}
	return got.told, r.report(ctx, p, oc, got.seen)
}

func (r *Reader) shared(ctx context.Context, p *authz.Principal, oc *graphql.OperationContext, asked *asking, at []events.Position, tell func(context.Context) (*read, error)) (*read, error) {
	q, some, err := asked.question(p, oc, at)
	if err != nil {
		return nil, err
	}
	if !some {
		return tell(ctx)
	}
	all := &r.reads
	all.mu.Lock()
	s, first := all.of[q], false
	if s == nil {
		if all.of == nil {
			all.of = map[question]*sharedRead{}
		}
		s, first = &sharedRead{done: make(chan struct{})}, true
		all.of[q] = s
	}
	all.mu.Unlock()
	if !first {
		select {
		case <-s.done: // which costs less to find than to wait for
		default:
			select {
			case <-s.done:
			case <-ctx.Done():
				return nil, failed(ctx, ctx.Err())
			}
		}
		if s.err != nil || s.read.personal {
			return tell(ctx)
		}
		return s.read, nil
	}
	forget := func() {
		all.mu.Lock()
		defer all.mu.Unlock()
		delete(all.of, q)
	}
	defer close(s.done)
	s.err = errUnread // as long as nothing else is known, and where reading panics

	if s.read, s.err = tell(ctx); s.err != nil {
		forget()
	} else {
		time.AfterFunc(sharedFor, forget)
	}
	return s.read, s.err
}

// asking is the part of one receiver's questions that stays the same from event to event: writing it out takes longer than most of what follows.
type asking struct {
	by    *authz.Principal
	alone bool // somebody else is shown something else
	said  unique.Handle[string]
}

// standing is what equal rights are known by, among those whose rights do not depend on who they are.
var standing = func(p *authz.Principal) any {
	return struct {
		TrustLevel  authz.TrustLevel
		Assignments []authz.Assignment
	}{p.TrustLevel, p.Assignments}
}

// question says everything that what is shown depends on: the operation, its variables, the rights, the events, and the last one of all, as every
// change of a case is one. Where a stream began does not matter. It is false where nobody else can have the same.
func (a *asking) question(p *authz.Principal, oc *graphql.OperationContext, at []events.Position) (question, bool, error) {
	if a.by != p {
		variables := maps.Clone(oc.Variables)
		for _, d := range oc.Operation.VariableDefinitions {
			if d.Type.Name() == "EventCursor" {
				delete(variables, d.Variable)
			}
		}
		said, err := json.Marshal([]any{oc.Operation.Name, variables, standing(p)}) // which keeps nil apart from empty
		if err != nil {
			return question{}, false, fmt.Errorf("reading: writing down who asks what: %w", err)
		}
		a.by, a.alone, a.said = p, p.Personal(), unique.Make(string(said))
	}
	if a.alone {
		return question{}, false, nil
	}
	text := make([]byte, 0, 64)
	for _, p := range at {
		text = binary.BigEndian.AppendUint64(text, p.XID)
		text = binary.BigEndian.AppendUint64(text, uint64(p.Seq)) //nolint:gosec // the same bits
	}
	return question{oc.Doc, a.said, string(text)}, true, nil
}
