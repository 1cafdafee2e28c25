// SPDX-License-Identifier: EUPL-1.2

package asktest

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/ozg-cloud/platform/federation/ask"
	"github.com/ozg-cloud/platform/federation/charter"
	"github.com/ozg-cloud/platform/statistics"
)

// Now is the present of all houses: October 2026 is over.
var Now = time.Date(2026, time.November, 25, 12, 0, 0, 0, time.UTC)

// Case is a case as far as it counts.
type Case struct {
	ID      uint64
	Service string
	Month   string // of receipt and of the decision
	Digital bool
	Took    time.Duration
}

// History draws n cases of the months from August to October 2026.
func History(seed uint64, n int) []Case {
	rng := rand.New(rand.NewPCG(seed, 8)) //nolint:gosec // the same seed draws the same cases
	out := make([]Case, n)
	for i := range out {
		out[i] = Case{
			ID: rng.Uint64(), Service: fmt.Sprintf("9905001210400%d", rng.IntN(4)), Month: fmt.Sprintf("2026-%02d", 8+rng.IntN(3)),
			Digital: rng.IntN(2) == 0, Took: time.Duration(rng.ExpFloat64() * float64(10*24*time.Hour)),
		}
	}
	return out
}

// Cells counts cases as the tally of a house does: measures of cases received and decided, by any of Land, service, service group and month.
func Cells(p *statistics.Plan, land string, secret []byte, cases []Case) []statistics.Counted {
	keys := statistics.NewKeys(secret)
	rows := map[string]*statistics.Counted{}
	for _, c := range cases {
		value := map[statistics.Axis]string{
			statistics.Land: land, statistics.Month: c.Month, statistics.Service: c.Service, statistics.ServiceGroup: statistics.Group(c.Service),
		}
		if c.Month < p.From || c.Month > p.To || slices.ContainsFunc(p.Where, func(f statistics.Filter) bool { return !slices.Contains(f.Values, value[f.Axis]) }) {
			continue
		}
		at, key := make([]string, len(p.Axes)), ""
		for i, a := range p.Axes {
			at[i] = value[a]
			key += at[i] + "\x00"
		}
		r, ok := rows[key]
		if !ok {
			r = &statistics.Counted{At: at, Figures: make([]statistics.CountedFigure, len(p.Measured))}
			rows[key] = r
		}
		var id [16]byte
		binary.BigEndian.PutUint64(id[:], c.ID)
		cell := keys.Record(id)
		for i, m := range p.Measured {
			f := &r.Figures[i]
			switch m.Kind {
			case statistics.Number:
				f.Cell = f.Cell.Plus(cell)
			case statistics.Share:
				f.Of = f.Of.Plus(cell)
				if c.Digital {
					f.Cell = f.Cell.Plus(cell)
				}
			case statistics.Durations:
				f.Cell = f.Cell.Plus(cell)
				if f.Bins == nil {
					f.Bins = statistics.Bins{}
				}
				f.Bins.Add(statistics.BinOf(c.Took), cell)
			}
		}
	}
	out := make([]statistics.Counted, 0, len(rows))
	for _, r := range rows {
		out = append(out, *r)
	}
	return out
}

// Secret is the secret of a house's record keys.
func Secret(n int) []byte { return fmt.Appendf(nil, "the secret of record keys in house %02d", n) }

// Counting counts cases as ask.Counting counts with the tally of a house.
func Counting(n int, cases func() []Case) func(context.Context, *statistics.Plan) (statistics.Part, error) {
	return func(_ context.Context, p *statistics.Plan) (statistics.Part, error) {
		part, err := p.Part(statistics.Contribution{Member: "slug", AsOf: Now}, Cells(p, "slug", Secret(n), cases()))
		if err != nil {
			return statistics.Part{}, err
		}
		return ask.Spoken(p, part, Land(n))
	}
}

// Consent agrees to tell everybody everything.
func Consent() *ask.Consent {
	var text strings.Builder
	for _, c := range ask.Current().Catalogue.Cubes() {
		for _, m := range c.Measures {
			for _, l := range ask.Levels() {
				fmt.Fprintf(&text, "p, role:member, figures.%s.%s, ask, federation\n", m.Measure, l)
			}
		}
	}
	c, err := ask.ReadConsent(text.String())
	if err != nil {
		panic(err) // these lines are right
	}
	return c
}

// Desk is the desk of a house that tells everybody everything.
func Desk(n int, roll ask.Roll, signer *charter.Signer, books ask.Books, cases func() []Case) *ask.Desk {
	return ask.NewDesk(ask.Options{
		Self: House(n), Member: Land(n), Roll: func() ask.Roll { return roll }, Signer: signer, Editions: []ask.Edition{ask.Current()},
		Count: Counting(n, cases), Books: books, Consent: Consent(), Clock: func() time.Time { return Now },
	})
}

// Ask makes a question of one house to another.
func Ask(from, to int, v ask.Vars, now time.Time) ask.Question {
	return ask.Question{
		Issuer: House(from), Audience: House(to), IssuedAt: now.Unix(), Expires: now.Add(ask.Life).Unix(), ID: ask.NewID(), Edition: ask.CurrentEdition,
		Document: ask.Current().Document, Vars: v, Purpose: "PLANUNG", Actor: ask.Actor{Role: "LAND_ANALYST", Ref: "pseudonym"}, Budget: 2000, Charter: 1,
	}
}

// Asked are variables in their one form.
func Asked(measures []statistics.Measure, by ...statistics.Axis) ask.Vars {
	_, v, err := ask.Current().Plan(ask.Vars{Measures: measures, By: by, From: "2026-08", To: "2026-10"}, Now)
	if err != nil {
		panic(err) // the tests ask for published tables
	}
	return v
}
