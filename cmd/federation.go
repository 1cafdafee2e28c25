// SPDX-License-Identifier: EUPL-1.2

package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/ozg-cloud/platform/federation/book"
	"github.com/ozg-cloud/platform/federation/charter"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/web"
)

// Belonging keeps this house in the federation: it renews what stands for it, and learns from the others who belongs and who is suspended.
type Belonging struct {
	*book.Book
	seat   *Seat
	client *http.Client
	clock  func() time.Time
	log    *slog.Logger
	again  chan struct{}

	mu     sync.Mutex
	forked bool                                    // the log has a line of it
	last   map[charter.InstanceID]charter.Instance // where each house was when somebody vouched for it
}

// How often others are asked what they know, and the database what other processes of this house have learnt. A suspension is known everywhere after two rounds.
const (
	pullEvery    = 5 * time.Minute
	refreshEvery = 10 * time.Second
	pullLimit    = 10 * time.Second
	pullAtOnce   = 8
)

func newBelonging(seat *Seat, b *book.Book, clock func() time.Time, log *slog.Logger) *Belonging {
	client := seat.client()
	client.Timeout = pullLimit
	return &Belonging{Book: b, seat: seat, clock: clock, log: log, again: make(chan struct{}, 1), client: client, last: map[charter.InstanceID]charter.Instance{}}
}

// Self is this house and its member.
func (b *Belonging) Self() (charter.InstanceID, charter.MemberID) {
	return b.seat.Instance, b.seat.Member
}

// Behind says that another house knows something newer. The next round comes at once.
func (b *Belonging) Behind() {
	select {
	case b.again <- struct{}{}:
	default: // one is due
	}
}

// Run keeps the house in the federation until ctx ends.
func (b *Belonging) Run(ctx context.Context) {
	pull, refresh := time.NewTicker(pullEvery), time.NewTicker(refreshEvery)
	defer pull.Stop()
	defer refresh.Stop()
	b.try(ctx, "reading", b.Refresh)
	b.try(ctx, "renewing", func(ctx context.Context) error { return b.Renew(ctx, true) })
	b.try(ctx, "learning", b.Pull)
	for {
		select {
		case <-ctx.Done():
			return
		case <-refresh.C:
			b.try(ctx, "reading", b.Refresh)
			b.try(ctx, "taking up keys", b.Turn)
		case <-pull.C:
			b.round(ctx)
		case <-b.again:
			b.round(ctx)
		}
	}
}

func (b *Belonging) round(ctx context.Context) {
	b.try(ctx, "renewing", func(ctx context.Context) error { return b.Renew(ctx, false) })
	b.try(ctx, "learning", b.Pull)
	b.try(ctx, "sweeping", b.Sweep)
}

func (b *Belonging) try(ctx context.Context, what string, do func(context.Context) error) {
	if err := do(ctx); err != nil && ctx.Err() == nil {
		b.log.ErrorContext(ctx, "the papers of the federation are not kept up", "while", what, "error", err)
	}
	b.alarm(ctx)
}

// alarm says once that the charter is forked: nothing new is believed until the members have agreed on one.
func (b *Belonging) alarm(ctx context.Context) {
	chain := b.Chain()
	b.mu.Lock()
	defer b.mu.Unlock()
	if chain == nil || chain.Fork() == nil || b.forked {
		return
	}
	b.forked = true
	b.log.ErrorContext(ctx, "there are two charters of one version, and neither is believed", "version", chain.Fork().Version, "signed by both", chain.Fork().Both)
}

// Renew signs anew what stands for this house, once half of its time is over; always does so at once. Before the first charter there is nothing to renew.
func (b *Belonging) Renew(ctx context.Context, always bool) error {
	chain := b.Chain()
	if chain == nil {
		return nil
	}
	now, ttl := b.clock(), chain.At(b.clock()).Limits.StatementTTL
	self, known := b.Roll().Instance(b.seat.Instance)
	if known && !always && self.VouchedUntil.Sub(now) > time.Duration(ttl/2)*time.Second {
		return nil
	}
	v, err := b.vouchedBy(now.Unix(), ttl)
	if err != nil {
		return err
	}
	c, err := b.seat.configuration(now.Unix(), ttl)
	if err != nil {
		return err
	}
	configuration, err := c.Sign(b.seat.own)
	if err != nil {
		return err
	}
	_, refused, err := b.Learn(ctx, book.Bundle{Houses: []book.Papers{{Voucher: string(v), Configuration: string(configuration)}}})
	return errors.Join(err, errors.Join(refused...))
}

// vouchedBy is what the member says of this house: signed here where its key lies here, otherwise what somebody has put into the folder.
func (b *Belonging) vouchedBy(now, ttl int64) ([]byte, error) {
	if b.seat.Voting() == nil {
		return os.ReadFile(filepath.Join(b.seat.folder, voucherFile))
	}
	v, err := b.seat.voucher(now, ttl)
	if err != nil {
		return nil, err
	}
	return v.Sign(b.seat.Voting())
}

// Pull asks every house that is known, and those of the configuration, what they know, and learns what is new. Whoever does not answer is left out: the
// others know the same.
func (b *Belonging) Pull(ctx context.Context) error {
	endpoints := append(slices.Clone(b.seat.Peers), b.endpoints()...)
	slices.Sort(endpoints)
	endpoints = slices.DeleteFunc(slices.Compact(endpoints), func(e string) bool { return e == b.seat.Endpoint })
	var failed []error
	var mu sync.Mutex
	var all sync.WaitGroup
	free := make(chan struct{}, pullAtOnce)
	for _, e := range endpoints {
		free <- struct{}{}
		all.Go(func() {
			defer func() { <-free }()
			got, err := book.Fetch(ctx, b.client, e)
			if err != nil {
				b.log.InfoContext(ctx, "a house does not hand on its papers", "endpoint", e, "error", err)
				return
			}
			_, refused, err := b.Learn(ctx, got)
			for _, why := range refused {
				b.log.WarnContext(ctx, "a paper is refused", "endpoint", e, "error", why)
			}
			mu.Lock()
			defer mu.Unlock()
			failed = append(failed, err)
		})
	}
	all.Wait()
	return errors.Join(failed...)
}

// endpoints are those of all houses of the members. A charter that changes the key of a member leaves its houses without a voucher: what they say of themselves since then
// is found where they were before.
func (b *Belonging) endpoints() (out []string) {
	roll := b.Roll()
	if roll == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range roll.Members() {
		for _, i := range roll.Instances(m.ID) {
			b.last[i.ID] = i
		}
	}
	for id, i := range b.last {
		if _, belongs := roll.Charter().Member(i.Member); !belongs {
			delete(b.last, id)
			continue
		}
		out = append(out, i.Endpoint)
	}
	return out
}

// routes are where other houses learn from this one. Everybody may ask: there is nothing in it that is not signed for everybody.
func (b *Belonging) routes() []web.Route {
	return []web.Route{
		{Pattern: "GET " + book.Path, Handler: func(w http.ResponseWriter, _ *http.Request) error {
			w.Header().Set("Content-Type", "application/json")
			return json.NewEncoder(w).Encode(b.Known())
		}},
		{Pattern: "GET /.well-known/openid-federation", Handler: func(w http.ResponseWriter, _ *http.Request) error {
			p, ok := b.Papers(b.seat.Instance)
			return entity(w, p.Configuration, ok)
		}},
		{Pattern: "GET /federation/v1/fetch", Handler: func(w http.ResponseWriter, r *http.Request) error {
			p, ok := b.Papers(charter.InstanceID(r.URL.Query().Get("sub")))
			return entity(w, p.Voucher, ok)
		}},
	}
}

// entity answers with an entity statement (OpenID Federation 1.0, section 8.1.2).
func entity(w http.ResponseWriter, document string, ok bool) error {
	if !ok {
		return problem.New(problem.Missing, "notFound", "sub")
	}
	w.Header().Set("Content-Type", "application/entity-statement+jwt")
	_, err := w.Write([]byte(document))
	return err
}
