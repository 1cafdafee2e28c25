// SPDX-License-Identifier: EUPL-1.2

package cmd

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"entgo.io/ent/dialect"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/federation/ask"
	"github.com/ozg-cloud/platform/federation/book"
	"github.com/ozg-cloud/platform/federation/gather"
	"github.com/ozg-cloud/platform/graph"
	"github.com/ozg-cloud/platform/statistics"
	"github.com/ozg-cloud/platform/web"
)

// consentFile says in the folder of a seat what this house tells others.
const consentFile = "consent.csv"

// Consent is what this house tells others (see ask.Consent); nil, which is nothing, where there is no such file.
func (s *Seat) Consent() (*ask.Consent, error) {
	text, err := os.ReadFile(filepath.Join(s.folder, consentFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // a consent that agrees to nothing
	}
	if err != nil {
		return nil, fmt.Errorf("reading the consent: %w", err)
	}
	return ask.ReadConsent(string(text))
}

// Agreed writes what this house tells others.
func (s *Seat) Agreed(lines string) error {
	if _, err := ask.ReadConsent(lines); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.folder, consentFile), []byte(lines), 0o600); err != nil {
		return fmt.Errorf("writing the consent: %w", err)
	}
	return nil
}

// figuresTogether are the two sides of asking: what is told to people, and where other houses ask.
type figuresTogether struct {
	told  graph.Together
	route web.Route
}

// together has this house ask the others, and answer them.
func together(g Ground, h *House, books dialect.Driver) (out figuresTogether, err error) {
	consent, err := g.Seat.Consent()
	if err != nil {
		return out, err
	}
	roll := func() ask.Roll {
		if r := h.Belonging.Roll(); r != nil {
			return r
		}
		return nil
	}
	asked := book.NewAsked(books, g.Clock)
	editions := []ask.Edition{ask.Current()}
	desk := ask.NewDesk(ask.Options{
		Self: g.Seat.Instance, Member: g.Seat.Member, Roll: roll, Signer: g.Seat, Editions: editions, Books: asked, Consent: consent,
		Behind: h.Belonging.Behind, Clock: g.Clock, Log: g.Log,
		Count: func(ctx context.Context, p *statistics.Plan) (statistics.Part, error) {
			at, ok, err := h.Tally.At(ctx, g.Seat.Land)
			if err == nil && !ok {
				err = fmt.Errorf("the tenant %q, for which this house speaks in the federation, does not exist", g.Seat.Land)
			}
			if err != nil {
				return statistics.Part{}, err
			}
			return ask.Counting(h.Tally, at, g.Seat.Member)(ctx, p)
		},
	})
	all := gather.New(gather.Setup{
		Self: g.Seat.Instance, Member: g.Seat.Member, Roll: roll, Signer: g.Seat, Editions: editions, Own: desk.Own, Shelf: asked,
		Behind: h.Belonging.Behind, Client: g.Seat.client(), Clock: g.Clock,
	})
	h.close = append(h.close, all.Settle)
	out.told = graph.Together{Gather: all, Asked: asked, Consent: consent, Pseudonym: pseudonyms(g.Secret)}
	h.Tally.AskElsewhere(func(ctx context.Context, i statistics.Inquiry) (part statistics.Part, ok bool, err error) {
		p, err := authz.From(ctx)
		if err != nil || roll() == nil {
			return part, false, err
		}
		o := gather.Options{Purpose: graph.PurposeOfFigures, Actor: out.told.Actor(p)}
		a, err := all.Ask(ctx, ask.Vars{Measures: i.Measures, By: i.By, Where: i.Where, From: i.From, To: i.To}, o)
		return a.Part, true, err
	})
	out.route = web.Route{Pattern: "POST " + ask.Path, Handler: desk.Serve}
	return out, nil
}

// pseudonyms are what other houses read instead of subjects. Only who has the secret of this house can tell whose they are.
func pseudonyms(secret []byte) func(string) string {
	return func(subject string) string {
		m := hmac.New(sha256.New, secret)
		m.Write([]byte("who asks other houses\x00" + subject))
		return base64.RawURLEncoding.EncodeToString(m.Sum(nil)[:16])
	}
}
