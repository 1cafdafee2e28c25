// SPDX-License-Identifier: EUPL-1.2

package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/web"
)

// contract is a small contract with everything that the door has to do with.
const contract = `
directive @cost(weight: Int!) on FIELD_DEFINITION | OBJECT
directive @listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION

interface Node { id: ID! }
type Case implements Node {
  id: ID!
  title: String!
  next: Case
  messages(first: Int, last: Int): MessageConnection! @listSize(slicingArguments: ["first", "last"], sizedFields: ["nodes"])
  steps: [Step!]! @listSize(assumedSize: 16)
  words: [String!]!
}
type Step { name: String! }
type Message { subject: String! url: String! @cost(weight: 2) }
type MessageConnection { nodes: [Message!]! totalCount: Int! @cost(weight: 5) }
type CaseConnection { nodes: [Case!]! edges: [CaseEdge!]! totalCount: Int! @cost(weight: 5) }
type CaseEdge { cursor: String! node: Case! }
type Query {
  hello(to: String): String!
  case(id: ID!): Case
  cases(first: Int, last: Int): CaseConnection! @listSize(slicingArguments: ["first", "last"], sizedFields: ["nodes", "edges"])
  these(ids: [ID!]!): [Case]! @listSize(slicingArguments: ["ids"])
  slow: String
  broken: String
  refused: String
  many: [String]
  panics: String
}
input CloseInput { id: ID! reason: String! }
type Mutation { close(input: CloseInput!): Case @cost(weight: 10) }
type Subscription { countdown(from: Int!): Int! endless: Int! }
`

var theSchema = gqlparser.MustLoadSchema(&ast.Source{Name: "contract", Input: contract})

// toy is an executable schema that resolves fields by name.
type toy map[string]func(ctx context.Context, args map[string]any) (any, error)

func (toy) Schema() *ast.Schema { return theSchema }

func (toy) Complexity(context.Context, string, string, int, map[string]any) (int, bool) {
	return 0, false
}

func (t toy) Exec(ctx context.Context) graphql.ResponseHandler {
	op := graphql.GetOperationContext(ctx).Operation
	root := map[ast.Operation]string{ast.Query: "Query", ast.Mutation: "Mutation", ast.Subscription: "Subscription"}[op.Operation]
	if op.Operation != ast.Subscription {
		return graphql.OneShot(&graphql.Response{Data: t.object(ctx, op.SelectionSet, root, nil)})
	}
	field := graphql.CollectFields(graphql.GetOperationContext(ctx), op.SelectionSet, []string{root})[0]
	out, err := t[field.Name](ctx, field.ArgumentMap(graphql.GetOperationContext(ctx).Variables))
	if err != nil {
		graphql.AddError(ctx, err)
		return nil
	}
	return func(ctx context.Context) *graphql.Response {
		select {
		case v, ok := <-out.(chan any):
			if !ok {
				return nil
			}
			data, _ := json.Marshal(map[string]any{field.Alias: v})
			return &graphql.Response{Data: data}
		case <-ctx.Done():
			return nil
		}
	}
}

func (t toy) object(ctx context.Context, s ast.SelectionSet, typ string, of map[string]any) []byte {
	oc := graphql.GetOperationContext(ctx)
	out := []byte{'{'}
	for i, f := range graphql.CollectFields(oc, s, []string{typ, "Node"}) {
		if i > 0 {
			out = append(out, ',')
		}
		name, _ := json.Marshal(f.Alias)
		out = append(append(out, name...), ':')
		v, known := of[f.Name]
		switch resolve := t[f.Name]; {
		case f.Name == "__typename":
			v = typ
		case !known && resolve != nil:
			var err error
			if v, err = resolve(ctx, f.ArgumentMap(oc.Variables)); err != nil {
				graphql.AddError(ctx, err)
				v = nil
			}
		}
		out = append(out, t.value(ctx, f.Selections, theSchema.Types[f.ObjectDefinition.Name].Fields.ForName(f.Name), v)...)
	}
	return append(out, '}')
}

func (t toy) value(ctx context.Context, s ast.SelectionSet, def *ast.FieldDefinition, v any) []byte {
	switch v := v.(type) {
	case map[string]any:
		return t.object(ctx, s, def.Type.Name(), v)
	case []any:
		out := []byte{'['}
		for i, item := range v {
			if i > 0 {
				out = append(out, ',')
			}
			out = append(out, t.value(ctx, s, def, item)...)
		}
		return append(out, ']')
	}
	b, _ := json.Marshal(v)
	return b
}

var theToy = toy{
	"hello": func(_ context.Context, args map[string]any) (any, error) {
		to, _ := args["to"].(string)
		return "hello " + to, nil
	},
	"case": func(_ context.Context, args map[string]any) (any, error) {
		return map[string]any{"id": args["id"], "title": "Hundesteuer"}, nil
	},
	"close": func(context.Context, map[string]any) (any, error) {
		return map[string]any{"id": "1", "title": "Hundesteuer"}, nil
	},
	"cases": func(_ context.Context, args map[string]any) (any, error) {
		return map[string]any{"nodes": []any{map[string]any{"id": "1", "title": "a"}}, "totalCount": 1}, nil
	},
	"slow": func(ctx context.Context, _ map[string]any) (any, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	},
	"broken": func(context.Context, map[string]any) (any, error) { return nil, errors.New("pq: broken") },
	"refused": func(context.Context, map[string]any) (any, error) {
		return nil, problem.New(problem.Forbidden, "notAllowed")
	},
	"panics": func(context.Context, map[string]any) (any, error) { panic("at the disco") },
	"__schema": func(context.Context, map[string]any) (any, error) {
		return map[string]any{"description": "the contract"}, nil
	},
	"__type": func(context.Context, map[string]any) (any, error) { return nil, nil },
	"many": func(ctx context.Context, _ map[string]any) (any, error) {
		for range 20 {
			graphql.AddError(ctx, errors.New("again"))
		}
		return []any{}, nil
	},
	"countdown": func(ctx context.Context, args map[string]any) (any, error) {
		out := make(chan any)
		from, _ := args["from"].(int64)
		go func() {
			defer close(out)
			for i := from; i >= 0; i-- {
				select {
				case out <- i:
				case <-ctx.Done():
					return
				}
			}
		}()
		return out, nil
	},
	"endless": func(context.Context, map[string]any) (any, error) { return make(chan any), nil },
}

type who struct{}

// house is a door on a toy, with what was logged.
type house struct {
	*web.Door
	log *lines
}

// lines is a log that tests may read while it is written.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// options are those of a house in development whose only valid token is "kiel".
func options(log io.Writer) web.Options {
	limits := web.DefaultLimits()
	engine := web.Engine{Executor: executor.New(theToy), Guard: web.NewGuard(theSchema, limits)}
	return web.Options{
		Engine: func(context.Context) web.Engine { return engine },
		Identify: func(ctx context.Context, token string) (context.Context, error) {
			if token != "kiel" {
				return nil, problem.New(problem.Unauthenticated, "badToken")
			}
			return context.WithValue(ctx, who{}, token), nil
		},
		Ready:    func(context.Context) error { return nil },
		Contract: contract,
		Limits:   limits,
		Log:      slog.New(slog.NewTextHandler(log, nil)),
	}
}

// open makes a house; change alters its options.
func open(t testing.TB, change func(*web.Options)) *house {
	t.Helper()
	h := &house{log: &lines{}}
	o := options(h.log)
	if change != nil {
		change(&o)
	}
	d, err := web.New(o)
	if err != nil {
		t.Fatal(err)
	}
	h.Door = d
	return h
}

// ask sends a request; headers are given as name and value in turn.
func (h *house) ask(method, target, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

const (
	responseJSON = "application/graphql-response+json"
	plainJSON    = "application/json"
)

// post sends a GraphQL request with a valid token as current clients do.
func (h *house) post(body string, headers ...string) *httptest.ResponseRecorder {
	return h.ask(http.MethodPost, "/graphql", body, append([]string{"Content-Type", plainJSON, "Accept", responseJSON, "Authorization", "Bearer kiel"}, headers...)...)
}

// query is the body of a request for a document.
func query(document string) string {
	b, _ := json.Marshal(map[string]string{"query": document})
	return string(b)
}

// told is an answer of GraphQL as a client reads it.
type told struct {
	Data   json.RawMessage `json:"data"`
	Errors []struct {
		Message    string           `json:"message"`
		Locations  []map[string]int `json:"locations"`
		Extensions map[string]any   `json:"extensions"`
	} `json:"errors"`
	Extensions map[string]any `json:"extensions"`
}

func read(t testing.TB, w *httptest.ResponseRecorder) told {
	t.Helper()
	var out told
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		t.Fatalf("no answer of GraphQL: %v", err)
	}
	return out
}

// rule is the rule of the first error.
func (a told) rule() string {
	if len(a.Errors) == 0 {
		return ""
	}
	r, _ := a.Errors[0].Extensions["rule"].(string)
	return r
}
