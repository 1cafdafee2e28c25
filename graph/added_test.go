// SPDX-License-Identifier: EUPL-1.2

package graph_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"
	"pgregory.net/rapid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/extension"
	"github.com/ozg-cloud/platform/extension/inforce"
	"github.com/ozg-cloud/platform/graph"
	"github.com/ozg-cloud/platform/schema"
)

// extendable is the contract, with what the tests need of extensions where it has not got it.
var extendable = sync.OnceValue(func() *ast.Schema {
	if whole.Types["CaseExtension"] != nil {
		return whole
	}
	return must(gqlparser.LoadSchema(append(schema.Sources(), &ast.Source{Name: "more", Input: `
		scalar CaseExtension
		scalar CaseExtensionFilter
		extend type Case { "Added." extension: CaseExtension }
		extend input CaseFilter { "Added." extension: CaseExtensionFilter }`})...))
})

// owner makes an owner of a kind at a place.
func owner(kind authz.TenantKind, region string, n int, slug string) extension.Owner {
	return extension.Owner{ID: uuid.New(), Kind: string(kind), Slug: slug, Place: int64(must(authz.PlaceOf(region, n)))}
}

// adds is what a definition adds, alone.
func adds(t testing.TB, o extension.Owner, sdl string) *inforce.Held {
	t.Helper()
	d, problems := extension.Read(sdl, o, extendable())
	if len(problems) == 0 {
		problems = d.Follow(nil)
	}
	if len(problems) > 0 {
		t.Fatal(problems[0])
	}
	chain := extension.Chain{d}
	return &inforce.Held{Chain: chain, Hash: chain.Hash()}
}

// byLand gives everybody what their Land adds.
func byLand(held map[int64]*inforce.Held) func(*authz.Principal) *inforce.Held {
	return func(p *authz.Principal) *inforce.Held {
		if home, ok := p.Home(); ok {
			return held[home.Lo.Land()]
		}
		return nil
	}
}

// in is the context of somebody who has these roles in an authority of a Land.
func in(land string, roles ...authz.Role) context.Context {
	var all []authz.Assignment
	for _, r := range roles {
		at := authz.TenantRef{ID: uuid.New(), Slug: "somewhere", Kind: authz.Authority, Place: must(authz.PlaceOf(land+"0020000000", 1))}
		all = append(all, authz.Assignment{Role: r, Tenant: at, Services: []uuid.UUID{uuid.New()}})
	}
	return authz.With(context.Background(), policy.Principal("user:dev:somebody", authz.High, all))
}

const (
	sh = `"How it is built." enum Bauart { "New." NEUBAU "Changed." UMBAU }
		extend type Case { "Parcel." flurstueck: String @filterable "How it is built." bauart: Bauart @filterable }`
	by = `extend type Case { "Parcel." flurstueck: Int @filterable }`
)

func TestEverybodyHasWhatIsAddedAtHomeAndWhatTheirRolesHide(t *testing.T) {
	held := map[int64]*inforce.Held{1: adds(t, owner(authz.Land, "010000000000", 0, "sh"), sh), 9: adds(t, owner(authz.Land, "090000000000", 0, "by"), by)}
	c := graph.NewContracts(extendable(), byLand(held), func(c graph.Contract[*ast.Schema]) *ast.Schema { return c.Schema })
	has := func(ctx context.Context, name string) bool { return everything(c.For(ctx))[name] }
	for name, who := range map[string]struct {
		ctx            context.Context
		bauart, parcel bool
	}{
		"SH":           {in("01", "CASEWORKER"), true, true},
		"Bavaria":      {in("09", "CASEWORKER"), false, true},
		"Hamburg":      {in("02", "CASEWORKER"), false, false},
		"an applicant": {in("01", authz.Applicant), false, false},
		"both Länder": {authz.With(context.Background(), policy.Principal("user:dev:somebody", authz.High,
			append(must(authz.From(in("01", "CASEWORKER"))).Assignments, must(authz.From(in("09", "CASEWORKER"))).Assignments...))), false, false},
		"nobody": {context.Background(), false, false},
	} {
		if has(who.ctx, "CaseExtension.bauart") != who.bauart || has(who.ctx, "Bauart") != who.bauart || has(who.ctx, "CaseExtension.flurstueck") != who.parcel {
			t.Errorf("%s: bauart %t, flurstueck %t", name, has(who.ctx, "CaseExtension.bauart"), has(who.ctx, "CaseExtension.flurstueck"))
		}
	}
	// Rights hide the same, whatever is added; what is added is there, whatever is hidden.
	all := policy.Roles()
	rapid.Check(t, func(t *rapid.T) {
		roles := rapid.SliceOfNDistinct(rapid.SampledFrom(all), 1, 4, rapid.ID[authz.Role]).Draw(t, "roles")
		here, there := c.For(in("01", roles...)), c.For(in("02", roles...))
		_, home := must(authz.From(in("01", roles...))).Home()
		if home && here == there {
			t.Fatal("nothing is added")
		}
		for name, def := range there.Types {
			if def.Kind != ast.Scalar && here.Types[name] != def {
				t.Fatalf("%s is not shared", name)
			}
		}
		if list := printed(here); len(list) > 0 {
			if _, err := gqlparser.LoadSchema(&ast.Source{Input: list}); err != nil {
				t.Fatalf("it is no contract: %v", err)
			}
		}
	})
}

func TestWhoHasTheSameAddedSharesAContractAndWhoHasNotDoesNot(t *testing.T) {
	o := owner(authz.Land, "010000000000", 0, "sh")
	first, again, other := adds(t, o, sh), adds(t, o, sh), adds(t, o, strings.Replace(sh, "UMBAU", "ANBAU", 1))
	now := first
	var mu sync.Mutex
	made := map[string]int{}
	c := graph.NewContracts(extendable(), func(p *authz.Principal) *inforce.Held {
		if _, ok := p.Home(); ok {
			return now
		}
		return nil
	}, func(c graph.Contract[string]) string {
		mu.Lock()
		defer mu.Unlock()
		made[c.Name]++
		if (c.Held == nil) != (c.Standard == nil) {
			t.Error("what is added stands on nothing")
		}
		return c.Name
	})
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() { c.For(in("01", "CASEWORKER")) })
	}
	group.Wait()
	one := c.For(in("01", "CASEWORKER"))
	now = again // read anew, and the same
	if c.For(in("01", "CASEWORKER")) != one {
		t.Error("the same has two contracts")
	}
	if now = other; c.For(in("01", "CASEWORKER")) == one {
		t.Error("what has changed has the same contract")
	}
	if c.For(in("01", "MAIL_ROOM")) == c.For(in("01", "CASEWORKER")) {
		t.Error("two who may do different things have the same contract")
	}
}

// names that random definitions take.
var names = []string{"flurstueck", "bauart", "geschosse", "denkmal", "gruen"}

// definition is a random one, with the types of its fields.
func definition(t *rapid.T) (sdl string, types map[string]string) {
	types = map[string]string{}
	var b strings.Builder
	b.WriteString(`extend type Case {`)
	for _, n := range rapid.SliceOfNDistinct(rapid.SampledFrom(names), 1, len(names), rapid.ID[string]).Draw(t, "fields") {
		types[n] = rapid.SampledFrom([]string{"String", "Int", "Date"}).Draw(t, n)
		fmt.Fprintf(&b, ` "A field." %s: %s @filterable`, n, types[n])
	}
	return b.String() + "}", types
}

func TestAQueryIsValidWhereItsFieldsAreDefinedAndNowhereElse(t *testing.T) {
	values := map[string]string{"String": `"x"`, "Int": "1", "Date": `"2026-11-25"`}
	variables := map[string]string{"String": "StringFilter", "Int": "IntFilter", "Date": "DateFilter"}
	rapid.Check(t, func(t *rapid.T) {
		held, defined := map[int64]*inforce.Held{}, map[int64]map[string]string{}
		for land := int64(1); land <= 3; land++ {
			sdl, types := definition(t)
			o := owner(authz.Land, fmt.Sprintf("%02d0000000000", land), 0, fmt.Sprintf("land%d", land))
			d, problems := extension.Read(sdl, o, extendable())
			if len(problems) > 0 || len(d.Follow(nil)) > 0 {
				t.Fatal(problems)
			}
			chain := extension.Chain{d}
			held[land], defined[land] = &inforce.Held{Chain: chain, Hash: chain.Hash()}, types
		}
		c := graph.NewContracts(extendable(), byLand(held), func(c graph.Contract[*ast.Schema]) *ast.Schema { return c.Schema })
		name := rapid.SampledFrom(names).Draw(t, "name")
		typ := rapid.SampledFrom([]string{"String", "Int", "Date"}).Draw(t, "type")
		queries := map[string]bool{ // whether the type matters
			fmt.Sprintf(`{ cases(first: 1) { nodes { extension { %s } } } }`, name):                                                    false,
			fmt.Sprintf(`{ cases(first: 1) { nodes { ...F } } } fragment F on Case { extension { __typename x: %s } }`, name):          false,
			fmt.Sprintf(`{ cases(first: 1, where: {extension: {%s: {eq: %s}}}) { totalCount } }`, name, values[typ]):                   true,
			fmt.Sprintf(`query($f: %s) { cases(first: 1, where: {not: {extension: {%s: $f}}}) { totalCount } }`, variables[typ], name): true,
		}
		var group sync.WaitGroup // at the same time
		for query, typed := range queries {
			for land := range held {
				group.Go(func() {
					s := c.For(in(fmt.Sprintf("%02d", land), "CASEWORKER"))
					_, err := gqlparser.LoadQueryWithRules(s, query, rules.NewDefaultRules())
					is, there := defined[land][name]
					if typed && there && is != typ && (is == "Date" || typ == "Date") { // a literal of a scalar may be anything until it is read
						return
					}
					fits := there && (!typed || is == typ)
					if (len(err) == 0) != fits {
						t.Errorf("Land %d, %v: %s: %v", land, defined[land], query, err)
					}
				})
			}
		}
		group.Wait()
	})
}

// thousand are tenants with different additions of ten fields each.
func thousand(t testing.TB) []*inforce.Held {
	out := make([]*inforce.Held, 1000)
	for i := range out {
		var b strings.Builder
		fmt.Fprintf(&b, `"A choice." enum amt%d_Wahl { "Yes." JA "No." NEIN } extend type Case {`, i)
		for k := range 9 {
			fmt.Fprintf(&b, ` "Field %d." amt%d_feld%d: String @filterable @sortable`, k, i, k)
		}
		fmt.Fprintf(&b, ` "A choice." amt%d_wahl: amt%d_Wahl @filterable }`, i, i)
		out[i] = adds(t, owner(authz.Authority, fmt.Sprintf("01%010d", i), 1, fmt.Sprintf("amt%d", i)), b.String())
	}
	return out
}

func BenchmarkAThousandTenantsWithContractsOfTheirOwn(b *testing.B) {
	held := thousand(b)
	now := held[0]
	ctx := in("01", "CASEWORKER")
	contract, r := extendable(), &graph.Resolver{}
	var before, after runtime.MemStats
	for b.Loop() {
		kept := make([]any, 0, len(held))
		c := graph.NewContracts(contract, func(*authz.Principal) *inforce.Held { return now }, func(c graph.Contract[any]) any {
			return [2]any{c.Schema, graph.Engine(r, c.Schema, c.Held, nil)}
		})
		c.For(ctx)
		runtime.GC()
		runtime.ReadMemStats(&before)
		for _, h := range held {
			now = h
			kept = append(kept, c.For(ctx))
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(kept)
		runtime.KeepAlive(c)
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(len(held))/1024, "KiB/tenant")
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(len(held)), "µs/tenant")
}

// BenchmarkARequestAmongTenants shows that no request pays for the number of tenants: a contract is found, and a document that is known to be valid in it, as
// soon among a thousand as where there is one. Each tenant asks for its own fields.
func BenchmarkARequestAmongTenants(b *testing.B) {
	all := thousand(b)
	for _, n := range []int{1, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			held := all[:n]
			now := held[0]
			ctx := in("01", "CASEWORKER")
			r := &graph.Resolver{}
			c := graph.NewContracts(extendable(), func(*authz.Principal) *inforce.Held { return now }, func(c graph.Contract[*executor.Executor]) *executor.Executor {
				return graph.Engine(r, c.Schema, c.Held, nil)
			})
			ask := func(i int) {
				now = held[i]
				params := &graphql.RawParams{Query: fmt.Sprintf("{ cases(first: 1) { nodes { extension { amt%d_feld0 amt%d_wahl } } } }", i, i)}
				if _, errs := c.For(ctx).CreateOperationContext(graphql.StartOperationTrace(ctx), params); len(errs) > 0 {
					b.Fatal(errs)
				}
			}
			for i := range held {
				ask(i)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				ask(i % n)
			}
		})
	}
}

func BenchmarkAskingForAContractAmongAThousand(b *testing.B) {
	held := thousand(b)
	now := held[0]
	ctx := in("01", "CASEWORKER")
	c := graph.NewContracts(extendable(), func(*authz.Principal) *inforce.Held { return now }, func(c graph.Contract[*ast.Schema]) *ast.Schema { return c.Schema })
	for _, h := range held {
		now = h
		c.For(ctx)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		now = held[i%len(held)]
		c.For(ctx)
	}
}
