// SPDX-License-Identifier: EUPL-1.2

package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/casework"
	"github.com/ozg-cloud/platform/content"
	"github.com/ozg-cloud/platform/documents"
	"github.com/ozg-cloud/platform/ent"
	"github.com/ozg-cloud/platform/ent/migrations"
	_ "github.com/ozg-cloud/platform/ent/runtime" // ties the store's rules to its entities
	"github.com/ozg-cloud/platform/ent/store"
	"github.com/ozg-cloud/platform/events"
	"github.com/ozg-cloud/platform/extension"
	"github.com/ozg-cloud/platform/extension/desk"
	"github.com/ozg-cloud/platform/extension/inforce"
	"github.com/ozg-cloud/platform/extension/values"
	"github.com/ozg-cloud/platform/federation/book"
	"github.com/ozg-cloud/platform/federation/directory"
	"github.com/ozg-cloud/platform/graph"
	"github.com/ozg-cloud/platform/graph/model"
	"github.com/ozg-cloud/platform/intake"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/mailbox"
	"github.com/ozg-cloud/platform/once"
	"github.com/ozg-cloud/platform/partners"
	"github.com/ozg-cloud/platform/reading"
	"github.com/ozg-cloud/platform/schema"
	"github.com/ozg-cloud/platform/staff"
	"github.com/ozg-cloud/platform/statistics"
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
	// Policy says who may do what; nil: the one that the house is shipped with.
	Policy *authz.Policy
	// Origins are the origins of browsers that may call.
	Origins []string
	// Profile is the edition of GraphQL over HTTP.
	Profile web.Profile
	// EventDays is how long the log of events is kept; zero: 30 days.
	EventDays int
	// UploadBytes bounds one upload.
	UploadBytes int64
	// WatchURL is the address of the database for the watch over the second wall; empty: nobody watches.
	WatchURL string
	// WatchEvery is how many reads come to one that the watch repeats.
	WatchEvery int
	// Mailboxes are those that lie elsewhere, by kind of service account.
	Mailboxes map[string]mailbox.Mailbox
	// WebhookNetworks are networks that webhooks may send to although they are not public.
	WebhookNetworks []netip.Prefix
	// Patience is how often and how long webhooks and exports try; zero: what partners.Patient says.
	Patience partners.Patience
	// CallerBudget and TenantBudget are the cost that a caller and a tenant may ask for in a minute; zero: what web.DefaultLimits says.
	CallerBudget, TenantBudget int
	// Slow is how long an operation takes that gets a line in the log; zero: none does.
	Slow time.Duration
	// TracesURL is where spans are sent by OTLP over HTTP, and TracePercent how many traces of a hundred; empty: there are none.
	TracesURL    string
	TracePercent int
	// Seat is the place of this house in the federation; nil: it belongs to none.
	Seat *Seat
	// Development opens what is for developers only: free error texts, and Routes such as the explorer.
	Development bool
	// TrustedOnly answers no documents but those that were loaded for clients.
	TrustedOnly bool
	// Routes are further doors.
	Routes []web.Route
	Log    *slog.Logger
	Clock  func() time.Time
}

// What is asked for at doors other than GraphQL costs as much as an operation of that size.
const (
	costOfUpload   = 20
	costOfDelivery = 100
)

// CostOfFigures is that of a file of figures: as much as caseStatistics costs with its rows, by the directives of the contract.
const CostOfFigures = 1050

// validKept is how many bytes the valid documents of all contracts take.
const validKept = 64 << 20

// warmed is how many of the trusted documents a contract reads before somebody asks for them.
const warmed = 1000

// House answers requests.
type House struct {
	// Door is everything that can be asked over HTTP.
	Door *web.Door
	// Relay carries messages to the mailboxes that lie elsewhere.
	Relay *mailbox.Relay
	// Tally counts what happened into the figures.
	Tally *statistics.Tally
	// Caretaker sees to what extension fields held before their definition changed.
	Caretaker *values.Caretaker
	// Partners sends what webhooks want sent, and makes exports.
	Partners *Partners
	// Belonging keeps it in the federation; nil where it belongs to none.
	Belonging *Belonging
	// Directory spreads who offers what; nil where the house belongs to no federation.
	Directory *Directory
	// Sweep throws away what has expired, once.
	Sweep func(context.Context) error
	// Metrics answers scrapes.
	Metrics http.Handler
	// Settle waits until everything that anybody has been shown so far stands in the access log.
	Settle func(context.Context) error

	alarm   *alarm
	reading *pgxpool.Pool
	role    string
	close   []func()
}

// Build puts a house together. It connects to nothing: whether the database answers is told by readiness.
func Build(ctx context.Context, g Ground) (*House, error) {
	g.Log = redacted(g.Log)
	h := &House{alarm: &alarm{log: g.Log}, role: g.Role}
	built := false
	defer func() {
		if !built {
			h.Close()
		}
	}()
	var log *events.Log
	var tracer trace.Tracer = noop.Tracer{}
	if g.TracesURL != "" {
		t, stop, err := tracing(ctx, g.TracesURL, g.TracePercent, g.Log)
		if err != nil {
			return nil, err
		}
		tracer = t
		h.close = append(h.close, stop)
	}
	opened, err := store.Open(ctx, g.DatabaseURL, store.Options{
		Scope:     scopeOf,
		Refused:   h.alarm.raise,
		Committed: func() { log.Nudge() },
		Configure: func(c *pgxpool.Config) {
			if g.Role != "" {
				c.ConnConfig.RuntimeParams["role"] = g.Role
			}
			if g.TracesURL != "" {
				c.ConnConfig.Tracer = statements{tracer}
			}
		},
	})
	if err != nil {
		return nil, err
	}
	h.reading = opened.Reading
	h.close = append(h.close, opened.Close)
	log = events.NewLog(opened.Reading, g.Log)
	blobs, err := content.Open(ctx, g.BlobsURL)
	if err != nil {
		return nil, err
	}
	h.close = append(h.close, func() { _ = blobs.Close() })
	policy := g.Policy
	if policy == nil {
		if policy, err = authz.NewPolicy(); err != nil {
			return nil, err
		}
	}
	client := ent.NewClient(ent.Driver(opened.Writing))
	keeper, err := authz.NewDoorkeeper(policy, roster{client, opened.Writing}, g.Issuers, g.Log, g.Clock)
	if err != nil {
		return nil, err
	}
	readers := reading.NewBook(writeDown(opened.Writing), g.Clock, g.Log)
	h.close = append(h.close, running(ctx, readers.Keep))
	h.Settle = readers.Settle
	attachments := content.NewDesk(blobs, client, g.Secret, keeper.Recall, downloads(readers), g.Clock, g.UploadBytes)
	cases := casework.NewDesk(client, g.Clock)
	applications := intake.NewDesk(client, cases, blobs, accountHolder(g.Issuers), g.Clock, intake.Limits{})
	contract, err := schema.Load()
	if err != nil {
		return nil, err
	}
	register := documents.NewRegister(opened.Reading)
	h.close = append(h.close, running(ctx, func(ctx context.Context) { register.Run(ctx, g.Log) }))
	added := inforce.NewRegister(opened.Reading, contract, g.Log)
	h.close = append(h.close, running(ctx, func(ctx context.Context) { added.Run(ctx, g.Log) }))
	applications.FilledBy(added.Chain, func(ctx context.Context, p *problem.Problem) {
		g.Log.WarnContext(ctx, "a form does not fill an extension field", "field", strings.Join(p.Path, "."), "rule", p.Rule)
	})
	limits := web.DefaultLimits()
	if g.CallerBudget > 0 {
		limits.CallerPerMinute = g.CallerBudget
	}
	if g.TenantBudget > 0 {
		limits.TenantPerMinute = g.TenantBudget
	}
	registry, connections := prometheus.NewRegistry(), pools{"reading": opened.Reading.Stat, "writing": opened.Writes}
	h.Metrics = measure(registry, connections, h.alarm)
	metrics := web.NewMetrics(registry)
	h.Caretaker = values.NewCaretaker(client, added.Chain, g.Clock, g.Log)
	h.Tally = statistics.NewTally(opened.Reading, opened.Writing, g.Clock, g.Log)
	resolver := &graph.Resolver{
		Reading:   reading.New(opened.Reading, g.Secret, attachments.Link, readers),
		Casework:  cases,
		Intake:    applications,
		Staff:     staff.NewDesk(client, policy, keeper, g.Clock),
		Extension: desk.New(client, contract, added.Chain, register, g.Clock),
		Values:    values.NewDesk(client, g.Clock),
		Log:       log,
		Tally:     h.Tally,
		Limits: model.Limits{
			MaxPageSize: reading.LongestPage, MaxDepth: limits.Depth, MaxCost: limits.Cost, MaxBodyBytes: int(limits.Body),
			MaxUploadBytes: fmt.Sprint(g.UploadBytes), CallerCostPerMinute: limits.CallerPerMinute, TenantCostPerMinute: limits.TenantPerMinute,
		},
	}
	resolver.Reading.ExtendedBy(graph.Added)
	resolver.Reading.SharedBy(added.Shared)
	h.Tally.ExtendedBy(func(p *authz.Principal) map[statistics.Axis]int64 {
		if held := added.For(p); held != nil {
			return graph.FieldsCounted(held.Chain, extension.ByValue)
		}
		return nil
	})
	var federal []web.Route
	if g.Seat != nil {
		h.Belonging = newBelonging(g.Seat, book.New(opened.Writing, g.Seat.Pin, g.Clock), g.Clock, g.Log)
		resolver.Belonging, federal = h.Belonging, h.Belonging.routes()
		resolver.Shelf = directory.NewShelf(opened.Reading, opened.Writing, g.Secret, g.Clock)
		h.Directory = newDirectory(resolver.Shelf, h.Belonging, opened.Reading, g.Log)
		federal = append(federal, h.Directory.routes()...)
		t, err := together(g, h, opened.Writing)
		if err != nil {
			return nil, err
		}
		resolver.Together, federal = t.told, append(federal, t.route)
	}
	if g.WatchURL != "" {
		watch, stop, err := watching(ctx, g, h.alarm)
		if err != nil {
			return nil, err
		}
		h.close = append(h.close, stop)
		resolver.Reading.WatchedBy(watch)
	}
	warmth, cool := context.WithCancel(context.WithoutCancel(ctx))
	var warming sync.WaitGroup
	h.close = append(h.close, func() { cool(); warming.Wait() })
	valid := web.NewValid(validKept, metrics)
	contracts := graph.NewContracts(contract, added.For, func(c graph.Contract[web.Engine]) web.Engine {
		e := graph.Engine(resolver, c.Schema, c.Held, g.Log)
		known := valid.Of(c.Name)
		e.SetQueryCache(known) // instead of its own, which counts nothing
		web.TraceFields(e, tracer)
		if c.Standard != nil {
			return web.Engine{Executor: e, Guard: c.Standard.Guard.Over(c.Schema).Knowing(known), Written: graph.Written}
		}
		engine := web.Engine{Executor: e, Guard: web.NewGuard(c.Schema, limits).Knowing(known), Written: graph.Written}
		warming.Go(func() { engine.Warm(warmth, register.All(), warmed) })
		return engine
	})
	behind := backstage{keeper: keeper, contracts: contracts, writes: opened.Writing, patience: limits.Operation}
	if g.TrustedOnly {
		behind.loaded = register.Text
	}
	desk, working, err := partnership(g, client, opened.Writing, behind, log, contract, blobs)
	if err != nil {
		return nil, err
	}
	h.Partners, resolver.Partners = working, desk
	resolver.Reading.ExportedBy(desk.Link)
	printed := newPrinted(added, func(held *inforce.Held) string { return schema.Print(held.Chain.Overlay(contract)) })
	h.Relay = newRelay(cases, blobs.Reader, g.Mailboxes, g.Log, g.Clock)
	h.Sweep = func(ctx context.Context) error {
		_, err := attachments.Sweep(authz.With(ctx, authz.System(authz.Sweeping)))
		_, also := once.Sweep(ctx, client, g.Clock())
		return errors.Join(err, also, desk.Sweep(ctx, cmp.Or(g.EventDays, eventDays)), forgetEvents(ctx, opened.Writing, g.EventDays))
	}
	h.Door, err = web.New(web.Options{
		Engine:      contracts.For,
		Documents:   register.Text,
		TrustedOnly: g.TrustedOnly,
		Contract:    schema.SDL(),
		ContractOf:  printed.of,
		Identify: func(ctx context.Context, token string) (context.Context, error) {
			p, err := keeper.Principal(ctx, token)
			if err != nil {
				return nil, err
			}
			return authz.With(ctx, p), nil
		},
		Renew: func(ctx context.Context, token string) error {
			p, err := keeper.Principal(ctx, token)
			if err != nil {
				return err
			}
			return authz.Renewed(ctx, p)
		},
		SignedInUntil: func(ctx context.Context) time.Time {
			p, err := authz.From(ctx)
			if err != nil {
				return time.Time{}
			}
			return p.SignedInUntil()
		},
		Caller:         callerOf,
		Strain:         connections.strain,
		Limits:         limits,
		Metrics:        metrics,
		Tracer:         tracer,
		Slow:           g.Slow,
		AllowedOrigins: g.Origins,
		Production:     !g.Development,
		Profile:        g.Profile,
		Log:            g.Log,
		Ready:          func(ctx context.Context) error { return ready(ctx, opened.Reading, keeper, register, added) },
		Routes: append([]web.Route{
			{Pattern: "POST /uploads", NeedsPrincipal: true, Cost: costOfUpload, Handler: attachments.Upload},
			{Pattern: "GET /attachments/{token}", Handler: attachments.Download},
			{Pattern: "GET /exports/{token}", Handler: desk.Download},
			{Pattern: "GET /.well-known/jwks.json", Handler: working.tellKeys},
			{Pattern: "POST /statistics.csv", NeedsPrincipal: true, Cost: CostOfFigures, Counts: true, Handler: h.Tally.ExportCSV},
			{Pattern: "POST /statistics.json", NeedsPrincipal: true, Cost: CostOfFigures, Counts: true, Handler: h.Tally.ExportJSONStat},
			{Pattern: "POST /intake/gover", NeedsPrincipal: true, Cost: costOfDelivery, Handler: applications.Gover},
		}, slices.Concat(federal, g.Routes)...),
	})
	if err != nil {
		return nil, err
	}
	h.close = append(h.close, running(ctx, log.Run))
	built = true
	return h, nil
}

// running starts what runs until its context ends. stop ends it and waits for that.
func running(ctx context.Context, run func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		run(ctx)
	}()
	return func() {
		cancel()
		<-ended
	}
}

// Caught counts what the second wall has caught that the first let through. It should be zero for ever.
func (h *House) Caught() int64 { return h.alarm.caught.Load() }

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
	return store.Scope{Lo: int64(s.Lo), Hi: int64(s.Hi), Owner: s.Owner, Version: p.Version}, nil
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

// ready tells whether the database answers and has the structure that this program wants, whether there are keys of every issuer, and whether it is known
// which documents are trusted and which extension fields are in force.
func ready(ctx context.Context, pool *pgxpool.Pool, keeper *authz.Doorkeeper, register *documents.Register, added *inforce.Register) error {
	have, want, err := migrations.Version(ctx, pool)
	if err != nil {
		return errors.Join(problem.New(problem.Busy, "notAvailable"), err)
	}
	if have != want {
		return errors.Join(problem.New(problem.Busy, "notAvailable"), fmt.Errorf("the database has version %d, not %d", have, want))
	}
	for _, err := range []error{keeper.Ready(), register.Ready(ctx), added.Ready(ctx)} {
		if err != nil {
			return errors.Join(problem.New(problem.Busy, "notAvailable"), err)
		}
	}
	return nil
}
