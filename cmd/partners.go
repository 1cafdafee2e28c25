// SPDX-License-Identifier: EUPL-1.2

package cmd

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/content"
	"github.com/ozg-cloud/platform/documents"
	"github.com/ozg-cloud/platform/ent"
	"github.com/ozg-cloud/platform/ent/store"
	"github.com/ozg-cloud/platform/events"
	"github.com/ozg-cloud/platform/graph"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/partners"
	"github.com/ozg-cloud/platform/web"
)

// backstage carries out operations for those who are not there: by the same contracts, guards and resolvers as the front door, and under rights that are
// looked up for each answer. Nobody waits for them, and so they pay from no budget.
type backstage struct {
	keeper    *authz.Doorkeeper
	contracts *graph.Contracts[web.Engine]
	writes    *store.Driver
	loaded    func(ctx context.Context, hash string) (document string, ok bool) // nil: any document is answered
	patience  time.Duration                                                     // with what is no stream
}

var _ partners.Engine = backstage{}

// Who says who a subject is now, past all memories: nothing is stopped because of rights that were given a moment ago.
func (b backstage) Who(ctx context.Context, subject string, trust authz.TrustLevel) (*authz.Principal, error) {
	p, err := b.keeper.Recall(ctx, subject, trust)
	if err != nil {
		return nil, err
	}
	return b.still(authz.With(ctx, p))
}

// Fits tells whether ctx's principal could ask a document. Of a document that is made of another one, the other one has to be loaded.
func (b backstage) Fits(ctx context.Context, document string, of ...string) error {
	if b.loaded != nil {
		if of == nil {
			of = []string{document}
		}
		for _, d := range of {
			if _, ok := b.loaded(ctx, documents.Hash(d)); !ok {
				return problem.New(problem.Invalid, "untrustedDocument")
			}
		}
	}
	_, _, err := b.prepare(ctx, ctx, partners.Question{Document: document})
	return err
}

// prepare measures and validates a document in the contract of as, as the front door does.
func (b backstage) prepare(ctx, as context.Context, q partners.Question) (web.Engine, *graphql.OperationContext, error) {
	headers := http.Header{}
	headers.Set("X-Purpose", q.Purpose)
	if q.After != "" {
		headers.Set("Last-Event-Id", q.After)
	}
	params := graphql.RawParams{Query: q.Document, Variables: q.Variables, Headers: headers}
	engine := b.contracts.For(as)
	if _, err := engine.Guard.Measure(&params); err != nil {
		return engine, nil, err
	}
	operation, found := engine.Executor.CreateOperationContext(graphql.StartOperationTrace(ctx), &params)
	if len(found) > 0 {
		if p, ok := problem.Of(found); ok {
			return engine, nil, p
		}
		return engine, nil, problem.New(problem.Invalid, "invalidDocument")
	}
	return engine, operation, nil
}

// Play carries out an operation. Whoever held something before and follows a stream begins as who they were, so that the stream notices what was lost.
func (b backstage) Play(ctx context.Context, q partners.Question, each func(partners.Answer) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	now, err := b.Who(ctx, q.Subject, q.Trust)
	if err != nil {
		return err
	}
	reader, held := now, now.Assignments
	if q.Held != nil && !reflect.DeepEqual(q.Held, held) {
		held = q.Held
		if reader, err = b.keeper.Former(ctx, q.Subject, q.Trust, held); err != nil {
			return err
		}
	}
	as := authz.With(ctx, now)
	ctx = authz.With(ctx, reader)
	engine, operation, err := b.prepare(ctx, as, q)
	if err != nil {
		return err
	}
	if operation.Operation.Operation != ast.Subscription {
		var end context.CancelFunc
		ctx, end = context.WithTimeout(ctx, b.patience)
		defer end()
	}
	next, within := engine.Executor.DispatchOperation(ctx, operation)
	for {
		response := next(within)
		if response == nil || ctx.Err() != nil {
			return ctx.Err()
		}
		answer, err := answerOf(response)
		if err != nil {
			return err
		}
		if answer.Reader, err = b.still(ctx); err != nil {
			return err
		}
		if authz.Lost(held, answer.Reader.Assignments) && !revokes(answer) {
			return partners.ErrAgain
		}
		held = answer.Reader.Assignments
		if err := each(answer); err != nil {
			return err
		}
		if operation.Operation.Operation != ast.Subscription {
			return nil
		}
	}
}

// partnership is everything for partners: the desk, and what works beside the door.
func partnership(g Ground, client *ent.Client, writes *store.Driver, engine partners.Engine, log *events.Log, contract *ast.Schema, blobs *content.Store) (*partners.Desk, *Partners, error) {
	signet, err := authz.NewSignet(partners.SigningSeed(g.Secret))
	if err != nil {
		return nil, nil, err
	}
	outside := partners.Outside{Allowed: g.WebhookNetworks, Plain: g.Development}
	files := blobs.Files("exports")
	return partners.NewDesk(client, writes, engine, log.Now, outside, contract, files, g.Secret, g.Clock), &Partners{
		courier: partners.NewCourier(writes, engine, events.NewCursors(g.Secret), signet, outside, g.Patience, g.Clock, g.Log),
		copyist: partners.NewCopyist(writes, engine, log.Now, contract, files, g.Patience, g.Log),
		keys:    signet.Keys(),
	}, nil
}

// Partners is what works for partners beside the door.
type Partners struct {
	courier *partners.Courier
	copyist *partners.Copyist
	keys    []byte
}

// Run sends what webhooks want sent and makes exports, until ctx ends.
func (p *Partners) Run(ctx context.Context) {
	var both sync.WaitGroup
	both.Go(func() { p.courier.Run(ctx) })
	both.Go(func() { p.copyist.Run(ctx) })
	both.Wait()
}

// tellKeys answers with the keys by which the signatures of webhooks can be verified.
func (p *Partners) tellKeys(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/jwk-set+json")
	w.Header().Set("Cache-Control", "public, max-age=300")
	_, err := w.Write(p.keys)
	return err
}

// still says who ctx's principal is at this moment: with rights that are at least as young as the last change that was stored before.
func (b backstage) still(ctx context.Context) (p *authz.Principal, err error) {
	version, err := b.writes.Version(authz.With(ctx, authz.System(authz.Doorkeeping)))
	if err != nil {
		return nil, err
	}
	err = authz.Current(ctx, func() error {
		if p, err = authz.From(ctx); err != nil {
			return err
		}
		return p.Knows(version)
	})
	return p, err
}

// revokes tells whether an answer is the frame that tells of lost rights.
func revokes(a partners.Answer) bool {
	typ, _ := a.Frame()
	return typ == "StreamRevocation"
}

// answerOf writes an answer as the front door does.
func answerOf(r *graphql.Response) (partners.Answer, error) {
	a := partners.Answer{Data: r.Data}
	a.Cursor, _ = r.Extensions["eventCursor"].(string)
	for _, e := range r.Errors {
		f := partners.Failure{}
		f.Code, _ = e.Extensions["code"].(string)
		f.Rule, _ = e.Extensions["rule"].(string)
		a.Errors = append(a.Errors, f)
	}
	var err error
	if a.Body, err = json.Marshal(r); err != nil {
		return a, fmt.Errorf("cmd: writing an answer: %w", err)
	}
	return a, nil
}
