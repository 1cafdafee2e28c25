// SPDX-License-Identifier: EUPL-1.2

package cmd

import (
	"context"
	"fmt"
	"sync"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent/tenant"
	"github.com/ozg-cloud/platform/extension"
	"github.com/ozg-cloud/platform/extension/inforce"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/schema"
)

// printed keeps the contracts of tenants as text, the last ones that were asked for.
type printed struct {
	added *inforce.Register
	text  func(*inforce.Held) string

	mu    sync.Mutex
	texts map[string]string // by what is added
}

// mostPrinted bounds how many are kept, of a few hundred kilobytes each.
const mostPrinted = 16

func newPrinted(added *inforce.Register, text func(*inforce.Held) string) *printed {
	return &printed{added: added, text: text, texts: map[string]string{}}
}

// of gives the contract of the principal in the context, where something is added to the standard house.
func (p *printed) of(ctx context.Context) (sdl string, ok bool) {
	who, err := authz.From(ctx)
	if err != nil {
		return "", false
	}
	held := p.added.For(who)
	if held == nil {
		return "", false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if text, known := p.texts[held.Hash]; known {
		return text, true
	}
	if len(p.texts) == mostPrinted {
		clear(p.texts)
	}
	text := p.text(held)
	p.texts[held.Hash] = text
	return text, true
}

// addedAt gives what is added to the standard house at the tenant with a slug.
func (o operator) addedAt(ctx context.Context, c console, slug string) (extension.Chain, error) {
	t, err := o.client.Tenant.Query().Where(tenant.Slug(slug)).Only(ctx)
	if err != nil {
		return nil, problem.New(problem.Missing, "notFound")
	}
	standard, err := schema.Load()
	if err != nil {
		return nil, err
	}
	added := inforce.NewRegister(o.store.Reading, standard, c.log)
	if err := added.Refresh(ctx); err != nil {
		return nil, fmt.Errorf("reading what is in force: %w", err)
	}
	held := added.At(authz.Cover(authz.TenantKind(t.Kind), authz.Place(t.Place)))
	if held == nil {
		return nil, nil
	}
	return held.Chain, nil
}
