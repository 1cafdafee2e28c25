// SPDX-License-Identifier: EUPL-1.2

package cmd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/casework"
	"github.com/ozg-cloud/platform/content"
	"github.com/ozg-cloud/platform/ent"
	"github.com/ozg-cloud/platform/ent/migrations"
	_ "github.com/ozg-cloud/platform/ent/runtime" // ties the store's rules to its entities
	"github.com/ozg-cloud/platform/ent/store"
	"github.com/ozg-cloud/platform/graph"
	"github.com/ozg-cloud/platform/graph/model"
	"github.com/ozg-cloud/platform/intake"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/reading"
	"github.com/ozg-cloud/platform/schema"
	"github.com/ozg-cloud/platform/web"
)

// Ground is what a house is built on.
type Ground struct {
	// DatabaseURL is the address of the database for serving.
	DatabaseURL string
	// Role is taken on by every connection where the login is not itself of the role ozg_serving; empty otherwise.
	Role string
	// BlobsURL is where content lies.
	BlobsURL string
	// Secret seals cursors and links.
	Secret []byte
	// Issuers are whose tokens are accepted.
	Issuers []authz.Issuer
	// Origins are the origins of browsers that may call.
	Origins []string
	// UploadBytes bounds one upload.
	UploadBytes int64
	// Development opens what is for developers only: free error texts, and Routes such as the explorer.
	Development bool
	// Routes are further doors.
	Routes []web.Route
	Log    *slog.Logger
	Clock  func() time.Time
}

// House answers requests.
type House struct {
	// Door is everything that can be asked over HTTP.
	Door *web.Door
	// Sweep throws away what has expired, once.
	Sweep func(context.Context) error

	close []func()
}

// Build puts a house together. It connects to nothing: whether the database answers is told by readiness.
func Build(ctx context.Context, g Ground) (*House, error) {
	h := &House{}
	built := false
	defer func() {
		if !built {
			h.Close()
		}
	}()
	opened, err := store.Open(ctx, g.DatabaseURL, store.Options{
		Scope: scopeOf,
		Configure: func(c *pgxpool.Config) {
			if g.Role != "" {
				c.ConnConfig.RuntimeParams["role"] = g.Role
			}
		},
	})
	if err != nil {
		return nil, err
	}
	h.close = append(h.close, opened.Close)
	blobs, err := content.Open(ctx, g.BlobsURL)
	if err != nil {
		return nil, err
	}
	h.close = append(h.close, func() { _ = blobs.Close() })
	policy, err := authz.NewPolicy()
	if err != nil {
		return nil, err
	}
	client := ent.NewClient(ent.Driver(opened.Writing))
	keeper, err := authz.NewDoorkeeper(policy, roster{client}, g.Issuers, g.Log, g.Clock)
	if err != nil {
		return nil, err
	}
	attachments := content.NewDesk(blobs, client, g.Secret, keeper.Recall, g.Clock, g.UploadBytes)
	cases := casework.NewDesk(client, g.Clock)
	applications := intake.NewDesk(client, cases, blobs, accountHolder(g.Issuers), g.Clock, intake.Limits{})
	limits := web.DefaultLimits()
	resolver := &graph.Resolver{
		Reading:  reading.New(opened.Reading, g.Secret, attachments.Link),
		Casework: cases,
		Intake:   applications,
		Limits: model.Limits{
			MaxPageSize: reading.LongestPage, MaxDepth: limits.Depth, MaxCost: limits.Cost, MaxBodyBytes: int(limits.Body),
			MaxUploadBytes: fmt.Sprint(g.UploadBytes),
		},
	}
	contract, err := schema.Load()
	if err != nil {
		return nil, err
	}
	engine := web.Engine{Executor: graph.Engine(resolver, g.Log), Guard: web.NewGuard(contract, limits)}
	h.Sweep = func(ctx context.Context) error {
		_, err := attachments.Sweep(authz.With(ctx, authz.System(authz.Sweeping)))
		return err
	}
	h.Door, err = web.New(web.Options{
		Engine:   func(context.Context) web.Engine { return engine },
		Contract: schema.SDL(),
		Identify: func(ctx context.Context, token string) (context.Context, error) {
			p, err := keeper.Principal(ctx, token)
			if err != nil {
				return nil, err
			}
			return authz.With(ctx, p), nil
		},
		Limits:         limits,
		AllowedOrigins: g.Origins,
		Production:     !g.Development,
		Log:            g.Log,
		Ready:          func(ctx context.Context) error { return ready(ctx, opened.Reading) },
		Routes: append([]web.Route{
			{Pattern: "POST /uploads", NeedsPrincipal: true, Handler: attachments.Upload},
			{Pattern: "GET /attachments/{token}", Handler: attachments.Download},
			{Pattern: "POST /intake/gover", NeedsPrincipal: true, Handler: applications.Gover},
		}, g.Routes...),
	})
	if err != nil {
		return nil, err
	}
	built = true
	return h, nil
}

// Close gives back what the house holds, last things first.
func (h *House) Close() {
	for _, c := range slices.Backward(h.close) {
		c()
	}
	h.close = nil
}

// ServeHTTP answers a request at the door.
func (h *House) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.Door.ServeHTTP(w, r) }

// scopeOf is what the second wall is entered with for whoever is asking.
func scopeOf(ctx context.Context) (store.Scope, error) {
	p, err := authz.From(ctx)
	if err != nil {
		return store.Scope{}, err
	}
	s := p.Scope()
	return store.Scope{Lo: int64(s.Lo), Hi: int64(s.Hi), Owner: s.Owner}, nil
}

// accountHolder says which subject signs in here for an identifier of a service account.
func accountHolder(issuers []authz.Issuer) func(account, identifier string) (string, bool) {
	return func(account, identifier string) (string, bool) {
		for _, i := range issuers {
			if i.Applicants && identifier != "" && slices.Contains(i.Accounts, account) {
				return "user:" + i.Name + ":" + identifier, true
			}
		}
		return "", false
	}
}

// ready tells whether the database answers and has the structure that this program wants.
func ready(ctx context.Context, pool *pgxpool.Pool) error {
	have, want, err := migrations.Version(ctx, pool)
	if err != nil {
		return errors.Join(problem.New(problem.Busy, "notAvailable"), err)
	}
	if have != want {
		return errors.Join(problem.New(problem.Busy, "notAvailable"), fmt.Errorf("the database has version %d, not %d", have, want))
	}
	return nil
}
