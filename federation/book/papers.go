// SPDX-License-Identifier: EUPL-1.2

package book

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"entgo.io/ent/dialect"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent/store"
	"github.com/ozg-cloud/platform/federation/charter"
)

// Book knows who belongs. What it knows is in memory, so that asking never waits; Refresh and Learn renew it.
type Book struct {
	on    dialect.ExecQuerier
	pin   string
	clock func() time.Time

	one   sync.Mutex // of those who read and write at a time
	known atomic.Pointer[known]
}

// known is what was read at a moment. It does not change.
type known struct {
	chain  *charter.Chain
	lists  map[string]*charter.Suspensions
	papers map[charter.InstanceID]Papers
	roll   *charter.Roll
	bundle Bundle
	at     time.Time // when the roll was put together
}

// rollLife is for how long a roll is the present one: charters come into force, and suspensions begin, at moments of their own.
const rollLife = time.Second

// New makes a book that knows nothing yet. pin is the hash of the first charter, as it was agreed on outside the system; empty before there is one.
func New(on dialect.ExecQuerier, pin string, clock func() time.Time) *Book {
	b := &Book{on: on, pin: pin, clock: clock}
	b.known.Store(&known{})
	return b
}

func asHouse(ctx context.Context) context.Context {
	return authz.With(ctx, authz.System(authz.Federating))
}

// Roll is who belongs at present; nil before the first charter is known.
func (b *Book) Roll() *charter.Roll {
	k := b.known.Load()
	now := b.clock()
	if age := now.Sub(k.at); k.chain == nil || age >= 0 && age < rollLife {
		return k.roll
	}
	again := k.put(now)
	b.known.CompareAndSwap(k, again) // or somebody knows more by now
	return again.roll
}

// Chain is the charters that are known; nil before the first.
func (b *Book) Chain() *charter.Chain { return b.known.Load().chain }

// Known is everything that is known, to be handed on.
func (b *Book) Known() Bundle { return b.known.Load().bundle }

// Papers are what stands for a house.
func (b *Book) Papers(of charter.InstanceID) (Papers, bool) {
	p, ok := b.known.Load().papers[of]
	return p, ok
}

// Lists are the lists of who is suspended, by issuer.
func (b *Book) Lists() map[string]*charter.Suspensions { return maps.Clone(b.known.Load().lists) }

// put makes the roll of a moment.
func (k *known) put(now time.Time) *known {
	out := *k
	out.at = now
	if k.chain == nil {
		return &out
	}
	var papers []charter.Vouched
	for _, p := range k.papers {
		papers = append(papers, p.signed())
	}
	// A paper that was in order once and is no longer, because its member has got other keys, falls out of the roll until there is another one.
	out.roll, _ = charter.NewRoll(k.chain, papers, slices.Collect(maps.Values(k.lists)), now)
	return &out
}

// Refresh reads everything afresh: another process of this house may have learnt something.
func (b *Book) Refresh(ctx context.Context) error {
	b.one.Lock()
	defer b.one.Unlock()
	return b.refresh(ctx)
}

func (b *Book) refresh(ctx context.Context) error {
	if b.pin == "" {
		return nil
	}
	k := &known{lists: map[string]*charter.Suspensions{}, papers: map[charter.InstanceID]Papers{}, bundle: Bundle{Charters: []string{}, Suspensions: []string{}, Houses: []Papers{}}}
	err := b.each(ctx, "charters", func(document string, _ time.Time) error {
		if k.chain == nil {
			first, err := charter.Begin([]byte(document), b.pin)
			if err != nil {
				return nil // of another federation
			}
			k.chain = first
		} else {
			next, err := k.chain.Accept([]byte(document))
			if err != nil && !errors.Is(err, charter.ErrForked) {
				return fmt.Errorf("book: a charter that was kept is not good: %w", err)
			}
			k.chain = next // both forms of a fork are handed on: whoever reads them stops as well
		}
		k.bundle.Charters = append(k.bundle.Charters, document)
		return nil
	}, "select document, came_at from federation_papers where kind = 'CHARTER' order by number, came_at, hash")
	if err != nil {
		return err
	}
	if k.chain == nil {
		b.known.Store(&known{})
		return nil
	}
	err = b.each(ctx, "suspensions", func(document string, came time.Time) error {
		l, err := k.chain.Suspensions([]byte(document), came)
		if err != nil || l.Supersedes(k.lists[l.Issuer]) != nil {
			return nil // the charter by which it came is no longer believed
		}
		k.lists[l.Issuer] = l
		return nil
	}, "select document, came_at from federation_papers where kind = 'SUSPENSIONS' order by issuer, number, came_at, hash")
	if err != nil {
		return err
	}
	for _, issuer := range slices.Sorted(maps.Keys(k.lists)) {
		k.bundle.Suspensions = append(k.bundle.Suspensions, string(k.lists[issuer].Document))
	}
	err = store.Each(asHouse(ctx), b.on, func(row func(...any) error) error {
		var id string
		var p Papers
		if err := row(&id, &p.Voucher, &p.Configuration); err != nil {
			return err
		}
		k.papers[charter.InstanceID(id)] = p
		k.bundle.Houses = append(k.bundle.Houses, p)
		return nil
	}, "select distinct on (instance) instance, voucher, configuration from federation_vouchers order by instance, number desc")
	if err != nil {
		return fmt.Errorf("book: reading vouchers: %w", err)
	}
	b.known.Store(k.put(b.clock()))
	return nil
}

func (b *Book) each(ctx context.Context, what string, take func(document string, came time.Time) error, statement string) error {
	err := store.Each(asHouse(ctx), b.on, func(row func(...any) error) error {
		var document string
		var came time.Time
		if err := row(&document, &came); err != nil {
			return err
		}
		return take(document, came)
	}, statement)
	if err != nil {
		return fmt.Errorf("book: reading %s: %w", what, err)
	}
	return nil
}

// Learn checks papers and keeps what is new and good; the rest is refused, one by one: a bad paper does not keep a good one out. news tells whether anything was
// kept. refused has the reasons, as far as somebody might care: what is known already, or was once, is none. A fork is kept, and is among them.
func (b *Book) Learn(ctx context.Context, from Bundle) (news bool, refused []error, err error) {
	b.one.Lock()
	defer b.one.Unlock()
	if b.pin == "" {
		return false, nil, nil
	}
	if b.known.Load().chain == nil {
		if err := b.refresh(ctx); err != nil {
			return false, nil, err
		}
	}
	l := learning{Book: b, ctx: ctx, now: b.clock(), chain: b.known.Load().chain}
	for _, step := range []func(Bundle) error{l.charters, l.suspensions, l.houses} {
		if err := step(from); err != nil {
			return l.news, l.refused, err
		}
	}
	if l.news {
		err = b.refresh(ctx)
	}
	return l.news, l.refused, err
}

// learning is one pass over a bundle.
type learning struct {
	*Book
	ctx     context.Context //nolint:containedctx // it lives as long as the call
	now     time.Time
	chain   *charter.Chain
	news    bool
	refused []error
}

func (l *learning) keep(statement string, args ...any) error {
	if err := l.on.Exec(asHouse(l.ctx), statement, args, nil); err != nil {
		return fmt.Errorf("book: keeping a paper: %w", err)
	}
	l.news = true
	return nil
}

const keepPaper = "insert into federation_papers (kind, issuer, number, hash, document, came_at) values ($1, $2, $3, $4, $5, $6) on conflict do nothing"

func (l *learning) charters(from Bundle) error {
	for _, document := range from.Charters {
		before := l.chain
		if before == nil {
			first, err := charter.Begin([]byte(document), l.pin)
			if err != nil {
				l.refused = append(l.refused, err)
				continue
			}
			l.chain = first
		} else {
			next, err := before.Accept([]byte(document))
			forked := errors.Is(err, charter.ErrForked) && next != before
			if err != nil {
				if !errors.Is(err, charter.ErrRollback) && (forked || !errors.Is(err, charter.ErrForked)) {
					l.refused = append(l.refused, err)
				}
				if !forked {
					continue
				}
			} else if next == before {
				continue
			}
			l.chain = next
		}
		c, err := charter.Read([]byte(document))
		if err != nil {
			return err // it was read a moment ago
		}
		if err := l.keep(keepPaper, "CHARTER", c.Federation, c.Version, c.Hash, document, l.now); err != nil {
			return err
		}
	}
	return nil
}

func (l *learning) suspensions(from Bundle) error {
	if l.chain == nil {
		return nil
	}
	lists := l.Lists()
	if lists == nil {
		lists = map[string]*charter.Suspensions{}
	}
	for _, document := range from.Suspensions {
		list, err := l.chain.Suspensions([]byte(document), l.now)
		if err != nil {
			l.refused = append(l.refused, err)
			continue
		}
		known := lists[list.Issuer]
		switch err := list.Supersedes(known); {
		case errors.Is(err, charter.ErrRollback), err == nil && known != nil && known.Seq == list.Seq:
			continue
		case err != nil:
			l.refused = append(l.refused, err)
			continue
		}
		if err := l.keep(keepPaper, "SUSPENSIONS", list.Issuer, list.Seq, list.Hash, document, l.now); err != nil {
			return err
		}
		lists[list.Issuer] = list
	}
	return nil
}

func (l *learning) houses(from Bundle) error {
	if l.chain == nil {
		return nil
	}
	var before *charter.Roll
	if k := l.known.Load(); k.roll != nil {
		before = k.roll
	}
	for _, p := range from.Houses {
		alone, refused := charter.NewRoll(l.chain, []charter.Vouched{p.signed()}, nil, l.now)
		for _, err := range refused {
			l.refused = append(l.refused, err)
		}
		for _, m := range alone.Members() {
			for _, i := range alone.Instances(m.ID) {
				if before != nil {
					if known, ok := before.Instance(i.ID); ok && known.Number >= i.Number {
						continue
					}
				}
				err := l.keep("insert into federation_vouchers (instance, number, voucher, configuration, came_at) values ($1, $2, $3, $4, $5) on conflict do nothing",
					string(i.ID), i.Number, p.Voucher, p.Configuration, l.now)
				if err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// Sweep throws away what stood for houses before, once it has been replaced for a day.
func (b *Book) Sweep(ctx context.Context) error {
	err := b.on.Exec(asHouse(ctx), `delete from federation_vouchers v where came_at < $1
		and exists (select from federation_vouchers y where y.instance = v.instance and y.number > v.number)`, []any{b.clock().Add(-24 * time.Hour)}, nil)
	if err != nil {
		return fmt.Errorf("book: sweeping: %w", err)
	}
	return nil
}
