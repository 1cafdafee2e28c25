// SPDX-License-Identifier: EUPL-1.2

package reading

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent/catalog"
	"github.com/ozg-cloud/platform/events"
	"github.com/ozg-cloud/platform/extension"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/internal/seal"
	"github.com/ozg-cloud/platform/schema"
)

// Reader answers fields of the contract whose type is stored.
type Reader struct {
	pool    *pgxpool.Pool
	seal    *seal.Seal
	cursors *events.Cursors
	reads   sharedReads
	kept    shelf
	link    func(p *authz.Principal, attachment uuid.UUID) string
	export  func(p *authz.Principal, id uuid.UUID) string // nil: there are no exports
	witness Witness
	watch   *Watch // nil: nobody watches
	nodes   map[byte]*catalog.Type
	chain   func(ctx context.Context) extension.Chain                 // nil: nothing is added for anybody
	sharing func(p *authz.Principal, target string) []extension.Owned // nil: nobody shares anything
	guarded map[string]authz.Object                                   // fields with a right of their own: its object by type and field
}

// New makes a Reader on a pool that cannot write and whose transactions see one snapshot.
// secret seals cursors and is the same on every replica. link gives a viewer the address of an attachment's content.
// witness is told of personal data before they are shown.
func New(pool *pgxpool.Pool, secret []byte, link func(p *authz.Principal, attachment uuid.UUID) string, witness Witness) *Reader {
	contract, err := schema.Load()
	if err != nil {
		panic(err) // the contract is built in
	}
	return &Reader{pool: pool, seal: seal.New(secret, "cursor"), cursors: events.NewCursors(secret), link: link, witness: witness, nodes: nodes(contract), guarded: guarded(contract)}
}

// ExportedBy lets exports have links: link gives a viewer the address of an export's file. It comes before the first read.
func (r *Reader) ExportedBy(link func(p *authz.Principal, export uuid.UUID) string) { r.export = link }

// Page answers a field whose type is a connection of the type, with the field's own arguments.
func (r *Reader) Page(ctx context.Context, typ string) (Value, error) {
	t, err := typeNamed(typ)
	if err != nil {
		return nil, err
	}
	return r.one(ctx, thing{typ: t}, func(c *compiler, top *level, f graphql.CollectedField) (*object, error) {
		var w op
		if err := c.connection(&w, top, t, f, fragment{}, "", nil); err != nil {
			return nil, err
		}
		field := &object{present: -1}
		field.add(w)
		return field, nil
	})
}

// ByID answers a field whose type is the type with the thing of a global id: null where there is none, where it is of another
// type and where the caller may not see it.
func (r *Reader) ByID(ctx context.Context, typ, globalID string) (Value, error) {
	t, err := typeNamed(typ)
	if err != nil {
		return nil, err
	}
	number, id, ok := schema.ParseID(globalID)
	if !ok || number != t.Number {
		return null, nil
	}
	return r.One(ctx, typ, "id", id)
}

// One answers a field whose type is the type with the thing that has this value in a column of the catalog that is unique.
// A text that cannot be stored is nothing's value.
func (r *Reader) One(ctx context.Context, typ, column string, value any) (Value, error) {
	t, err := typeNamed(typ)
	if err != nil {
		return nil, err
	}
	if text, ok := value.(string); ok {
		if _, err := storable(text, nil); err != nil {
			return null, nil //nolint:nilerr // see above
		}
	}
	return r.whole(ctx, t, column, value)
}

// Node answers a field of the type Node.
func (r *Reader) Node(ctx context.Context, globalID string) (Value, error) {
	t, id, ok := r.node(globalID)
	if !ok {
		return null, nil
	}
	return r.whole(ctx, t, "id", id)
}

// node takes the global id of something that the contract has apart.
func (r *Reader) node(globalID string) (*catalog.Type, uuid.UUID, bool) {
	number, id, ok := schema.ParseID(globalID)
	t := r.nodes[number]
	return t, id, ok && t != nil
}

func (r *Reader) whole(ctx context.Context, t *catalog.Type, column string, value any) (Value, error) {
	return r.one(ctx, thing{t, column, given{value: value}}, func(c *compiler, _ *level, f graphql.CollectedField) (*object, error) {
		l, err := c.top(t, column+" = ?", sought{}, -1)
		if err != nil {
			return nil, err
		}
		view, err := c.object(l, t, l.alias, l.chain, f.Selections)
		if err != nil {
			return nil, err
		}
		l.views = append(l.views, view)
		return &object{present: -1, holes: 1, ops: []op{{kind: hole, hole: &gap{kind: onlyOne, level: l, key: -1}}}}, nil
	})
}

// Nodes answers a list of Node, in the order of the ids, null where Node would be null.
func (r *Reader) Nodes(ctx context.Context, globalIDs []string) ([]Value, error) {
	if len(globalIDs) > LongestPage {
		return nil, problem.New(problem.Invalid, "tooMany", "ids")
	}
	return r.answer(ctx, thing{}, func(c *compiler, _ *level, f graphql.CollectedField) ([]*object, error) {
		var types []*catalog.Type // in the order of the ids, so that one question is one text
		wanted := map[*catalog.Type][]uuid.UUID{}
		for _, g := range globalIDs {
			if t, id, ok := r.node(g); ok {
				if wanted[t] == nil {
					types = append(types, t)
				}
				wanted[t] = append(wanted[t], id)
			}
		}
		levels := map[*catalog.Type]*level{}
		for _, t := range types {
			l, err := c.top(t, "id = any(?)", wanted[t], len(wanted[t]))
			if err != nil {
				return nil, err
			}
			l.key, l.columns = sql(l.alias+".id"), []fragment{sql(l.alias + ".id")}
			view, err := c.object(l, t, l.alias, l.chain, f.Selections)
			if err != nil {
				return nil, err
			}
			l.views = append(l.views, view)
			levels[t] = l
		}
		list := make([]*object, 0, len(globalIDs))
		for _, g := range globalIDs {
			w := op{kind: constant, text: null}
			if t, id, ok := r.node(g); ok {
				w = op{kind: hole, hole: &gap{kind: onlyOne, level: levels[t], key: -1, fixed: rowID(id)}}
			}
			o := &object{present: -1}
			o.add(w)
			list = append(list, o)
		}
		return list, nil
	})
}

// top makes the level of a thing, or of a few, that are asked for by a condition on their own columns.
func (c *compiler) top(t *catalog.Type, condition string, value any, limit int) (*level, error) {
	a := c.alias()
	seen, err := c.predicate(t, a)
	if err != nil {
		return nil, err
	}
	from := sql("(select * from " + t.Table + " " + a).then(where(sql(a+"."+condition, value), seen)).with(") " + a)
	return c.add(&level{alias: a, source: from, chain: from, limit: limit})
}

// thing is what a field asks for: one of a type by a value of a column, or without a column a page of them. Without a type it is several.
type thing struct {
	typ    *catalog.Type
	column string
	given
}

// one answers the current field with the one object that is compiled for it.
func (r *Reader) one(ctx context.Context, by thing, compile func(*compiler, *level, graphql.CollectedField) (*object, error)) (Value, error) {
	values, err := r.answer(ctx, by, func(c *compiler, top *level, f graphql.CollectedField) ([]*object, error) {
		o, err := compile(c, top, f)
		return []*object{o}, err
	})
	if err != nil {
		return nil, err
	}
	return values[0], nil
}

// answer compiles the current field into objects with one nameless field each, runs what came of them, and gives what stands in
// those fields. Where the rows are younger than the caller's rights, it does so again under those that hold now.
func (r *Reader) answer(ctx context.Context, by thing, compile func(*compiler, *level, graphql.CollectedField) ([]*object, error)) (values []Value, err error) {
	err = authz.Current(ctx, func() error {
		values, err = r.attempt(ctx, by, compile)
		return err
	})
	return values, err
}

func (r *Reader) attempt(ctx context.Context, by thing, compile func(*compiler, *level, graphql.CollectedField) ([]*object, error)) ([]Value, error) {
	p, err := authz.From(ctx)
	if err != nil {
		return nil, err
	}
	made, err := r.compiled(ctx, p, &by, compile)
	if err != nil {
		return nil, err
	}
	w := &writer{r: r, p: p}
	defer w.giveBack()
	if err := w.run(ctx, made, by.given); err != nil {
		return nil, err
	}
	size := 64
	for _, s := range w.sets {
		size += len(s.buf)
	}
	top := made.levels[len(made.levels)-1]
	values := make([]Value, 0, len(top.views))
	for i := range top.views {
		braced := w.view(make([]byte, 0, size/len(top.views)), top, w.sets[top.number], 0, i)
		values = append(values, braced[1:len(braced)-1])
	}
	if err := r.report(ctx, p, graphql.GetOperationContext(ctx), w.seen); err != nil {
		return nil, err
	}
	w.tell(ctx, top)
	return values, nil
}

// compiled is what comes of the current field, new or kept. What is to be put into its statements is added to what it is asked by.
func (r *Reader) compiled(ctx context.Context, p *authz.Principal, by *thing, compile func(*compiler, *level, graphql.CollectedField) ([]*object, error)) (*compiled, error) {
	f := graphql.GetFieldContext(ctx).Field
	oc := graphql.GetOperationContext(ctx)
	var opened bool
	fresh := func() (made *compiled, lasts bool, err error) {
		c := r.compiler(ctx, p)
		top := &level{limit: -1}
		if top.views, err = compile(c, top, f); err != nil {
			return nil, false, err
		}
		by.bounds, opened = c.at, true
		return c.done(append(c.levels, top)), !c.passing, nil
	}
	name, page, ok := named(p, f, oc.Variables, by)
	if !ok {
		made, _, err := fresh()
		return made, err
	}
	made, err := r.kept.recall(name, fresh)
	if err != nil || opened || by.column != "" {
		return made, err
	}
	if by.bounds, err = r.positions(made.order, made.signature, page); err == nil && !by.complete() {
		made, _, err = fresh()
	}
	return made, err
}

// done puts the statements of levels into words.
func (c *compiler) done(levels []*level) *compiled {
	class := c.p.Scope().Class()
	made := &compiled{levels: levels, order: c.order, signature: c.signature}
	for i, l := range levels {
		l.number = i
		var s fragment
		if len(l.columns) > 0 || l.source.text != "" {
			s = l.statement(class).finished()
		}
		made.statements = append(made.statements, s)
	}
	return made
}

// entrance is the entry into the scope, by whether what follows has one plan.
var entrance = map[bool]string{false: "select ozg_enter($1, $2, $3), null", true: "select ozg_enter($1, $2, $3), ozg_one_plan(true)"}

// begins tells whether the first statement has one plan.
func (c *compiled) begins() bool {
	i := slices.IndexFunc(c.statements, func(s fragment) bool { return s.text != "" })
	return i >= 0 && c.statements[i].fixed
}

// run sends the statements of all levels in one pipeline, behind the entry into the scope of the second wall.
func (w *writer) run(ctx context.Context, made *compiled, g given) error {
	w.sets = make([]*rowset, len(made.levels))
	scope := w.p.Scope()
	batch := &pgx.Batch{}
	fixed := made.begins()
	batch.Queue(entrance[fixed], int64(scope.Lo), int64(scope.Hi), scope.Owner)
	var asked []fragment
	for _, s := range made.statements {
		if s.text == "" {
			continue
		}
		if s.fixed != fixed {
			fixed = s.fixed
			batch.Queue("select ozg_one_plan($1)", fixed)
		}
		s = g.into(s)
		s.queue(batch)
		asked = append(asked, s)
	}
	if len(asked) > 0 {
		results := w.r.pool.SendBatch(ctx, batch)
		if err := w.receive(results, made); err != nil {
			_ = results.Close() // the first error tells more
			return failed(ctx, err)
		}
		if err := results.Close(); err != nil {
			return failed(ctx, err)
		}
		w.r.watch.see(ctx, scope, asked)
	}
	for _, l := range made.levels {
		if w.sets[l.number] == nil { // nothing to ask: one row without columns
			if err := w.row(l, w.lay(l), nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// giveBack ends what was read: the answer is made.
func (w *writer) giveBack() {
	for _, set := range w.sets {
		if set != nil {
			set.giveBack()
		}
	}
	w.sets = nil
}

func (w *writer) receive(results pgx.BatchResults, made *compiled) error {
	if err := results.QueryRow().Scan(&w.version, nil); err != nil {
		return fmt.Errorf("entering the scope: %w", err)
	}
	if err := w.p.Knows(w.version); err != nil {
		return err
	}
	fixed := made.begins()
	for i, l := range made.levels {
		s := made.statements[i]
		if s.text == "" {
			continue
		}
		if s.fixed != fixed {
			fixed = s.fixed
			if _, err := results.Exec(); err != nil {
				return fmt.Errorf("having one plan: %w", err)
			}
		}
		rows, err := results.Query()
		if err != nil {
			return err
		}
		if err := w.read(l, rows); err != nil {
			return err
		}
	}
	return nil
}

// failed says what a statement's error means for the caller.
func failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return problem.New(problem.Busy, "timeout")
	}
	return fmt.Errorf("reading: %w", err)
}

func typeNamed(name string) (*catalog.Type, error) {
	t, ok := catalog.Types[name]
	if !ok {
		return nil, fmt.Errorf("reading: %s is not stored", strconv.Quote(name))
	}
	return t, nil
}

// nodes are the stored types that the contract knows, by the number of their ids. What else is stored is nobody's business.
func nodes(contract *ast.Schema) map[byte]*catalog.Type {
	out := map[byte]*catalog.Type{}
	for _, def := range contract.PossibleTypes["Node"] {
		if t := catalog.Types[def.Name]; t != nil {
			out[t.Number] = t
		}
	}
	return out
}

// guarded are the fields and values that have a right of their own, as type and name, with its object.
func guarded(contract *ast.Schema) map[string]authz.Object {
	out := map[string]authz.Object{}
	for name := range catalog.Types {
		def := contract.Types[name]
		if def == nil {
			continue // stored, but not in the contract
		}
		for _, f := range def.Fields {
			if d := f.Directives.ForName("policy"); d != nil {
				out[name+"."+f.Name] = authz.Object(d.Arguments.ForName("object").Value.Raw)
			}
		}
	}
	for name, def := range contract.Types {
		for _, v := range def.EnumValues {
			if d := v.Directives.ForName("policy"); d != nil {
				out[name+"."+v.Name] = authz.Object(d.Arguments.ForName("object").Value.Raw)
			}
		}
	}
	return out
}
