// SPDX-License-Identifier: EUPL-1.2

package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/ozg-cloud/platform/schema"
)

// question is what is asked of the house, and of the limit where that has an answer.
type question struct {
	name  string
	sides []side
	own   []string // members of the answers that need not be equal, because each server has its own
	most  int      // how many ask at once at most; zero: as many as ever
	keys  int      // how many answers are compared; zero: none, because asking changes something, or there is no limit
}

// side is a question to one server.
type side struct {
	server *server
	fresh  func(context.Context) error    // before each run
	asking func(connections int) []asking // those who ask at once
	sample func(n int) []byte             // one of the requests
}

// The documents. The limit is sent them, too, and does not read them.
const (
	caseByID = `query($id: ID!) { case(id: $id) { id number state receivedAt service { id leikaKey title } messages(first: 5, orderBy: {field: SENT_AT, direction: DESC}) { nodes { id sentAt direction subject body } } } }`
	page     = `query($after: Cursor) { cases(first: 50, after: $after, where: {state: [IN_PROGRESS]}) { edges { cursor node { id number state receivedAt service { id title } messages(first: 0) { totalCount } } } pageInfo { hasNextPage endCursor } } }`
	send     = `mutation($in: SendMessageInput!) { sendMessage(input: $in) { message { id sentAt body } problems { __typename } } }`
)

const (
	numberOfCase  = 7 // in global ids
	keysOfCases   = 5000
	tokensAreGood = 6 * time.Hour
)

// authority is one that has a second page of cases that are worked on.
type authority struct {
	slug  string
	place int64
}

func questions(ctx context.Context, g *ground) ([]question, error) {
	authorities, err := g.authorities(ctx)
	if err != nil {
		return nil, err
	}
	q1, err := g.cases(ctx, "q1", "true")
	if err != nil {
		return nil, err
	}
	q2, err := g.pages(ctx, "q2", authorities, func(a authority) (string, caller) {
		return a.slug + "-caseworker", caller{Lo: a.place, Hi: a.place}
	})
	if err != nil {
		return nil, err
	}
	q2land, err := g.pages(ctx, "q2land", []authority{{slug: "sh", place: 1}, {slug: "by", place: 9}}, func(a authority) (string, caller) {
		return a.slug + "-admin", caller{Land: int16(a.place), Hi: 1 << 62} //nolint:gosec // of sixteen
	})
	if err != nil {
		return nil, err
	}
	q3, err := g.figures()
	if err != nil {
		return nil, err
	}
	shapes, err := g.shapes(ctx)
	return slices.Concat([]question{q1, q2, q2land, q3, g.messages()}, g.strangers(), shapes), err
}

// caller is what a token of the limit says.
type caller struct {
	Lo      int64  `json:"lo"`
	Hi      int64  `json:"hi"`
	Land    int16  `json:"land"`
	Subject string `json:"sub"`
	Until   int64  `json:"exp"`
}

// tokens are those of somebody for both.
func (g *ground) tokens(name string, c caller) (house, limit string, err error) {
	if house, err = g.mint.Token(name, map[string]any{"trust_level": "SUBSTANTIAL"}, tokensAreGood); err != nil {
		return "", "", err
	}
	c.Subject, c.Until = "user:dev:"+name, time.Now().Add(tokensAreGood).Unix()
	claims, err := json.Marshal(c)
	if err != nil {
		return "", "", err
	}
	said := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + base64.RawURLEncoding.EncodeToString(claims)
	sum := hmac.New(sha256.New, g.key)
	sum.Write([]byte(said))
	return house, said + "." + base64.RawURLEncoding.EncodeToString(sum.Sum(nil)), nil
}

func (g *ground) authorities(ctx context.Context) ([]authority, error) {
	rows, err := g.db.Query(ctx, `
		select t.slug, t.place from tenants t join cases c on c.place = t.place
		where t.kind = 'AUTHORITY' and c.state = 'IN_PROGRESS' group by t.slug, t.place having count(*) > 100 order by t.slug`)
	if err != nil {
		return nil, err
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (a authority, err error) {
		return a, row.Scan(&a.slug, &a.place)
	})
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("bench: no authority has a second page: more cases are needed")
	}
	return all, err
}

// known is a case, and whose token opens it.
type known struct {
	id           uuid.UUID
	revision     int
	house, limit string
}

// known picks cases of all authorities by a condition, the same in each run.
func (g *ground) known(ctx context.Context, condition string) ([]known, error) {
	rows, err := g.db.Query(ctx, `
		select c.id, c.revision, t.slug, t.place from cases c join tenants t on t.id = c.tenant_id
		where `+condition+` order by hashtextextended(c.id::text, 1) limit `+strconv.Itoa(keysOfCases))
	if err != nil {
		return nil, err
	}
	var all []known
	tokens := map[string][2]string{}
	var k known
	var a authority
	_, err = pgx.ForEachRow(rows, []any{&k.id, &k.revision, &a.slug, &a.place}, func() (err error) {
		have, ok := tokens[a.slug]
		if !ok {
			have[0], have[1], err = g.tokens(a.slug+"-caseworker", caller{Lo: a.place, Hi: a.place})
			tokens[a.slug] = have
		}
		k.house, k.limit = have[0], have[1]
		all = append(all, k)
		return err
	})
	return all, err
}

// body is that of a request.
func body(document string, variables map[string]any) []byte {
	text, err := json.Marshal(map[string]any{"query": document, "variables": variables})
	if err != nil {
		panic(err) // of texts and numbers alone
	}
	return text
}

// fixed asks requests that are the same whenever they are asked.
func fixed(s *server, requests [][]byte, good func(int, []byte) bool) side {
	return side{
		server: s,
		asking: func(connections int) []asking {
			all := make([]asking, connections)
			for w := range all {
				all[w] = asking{func(n int) []byte { return requests[(n*connections+w)%len(requests)] }, good}
			}
			return all
		},
		sample: func(n int) []byte { return requests[n%len(requests)] },
	}
}

var data = []byte(`{"data":`)

func answered(status int, body []byte) bool { return status == 200 && bytes.HasPrefix(body, data) }

func (g *ground) cases(ctx context.Context, name, condition string) (question, error) {
	all, err := g.known(ctx, condition)
	if err != nil {
		return question{}, err
	}
	var house, limit [][]byte
	for _, k := range all {
		b := body(caseByID, map[string]any{"id": schema.ID(numberOfCase, k.id)})
		house, limit = append(house, post(g.house.address, "/graphql", k.house, b)), append(limit, post(g.limit.address, "/q1", k.limit, b))
	}
	return question{name: name, sides: []side{fixed(g.house, house, answered), fixed(g.limit, limit, answered)}, keys: 200}, nil
}

// pages asks for second pages. The cursors are those of the first ones, each server's own.
func (g *ground) pages(ctx context.Context, name string, of []authority, who func(authority) (string, caller)) (question, error) {
	var house, limit [][]byte
	for _, a := range of {
		as, c := who(a)
		forHouse, forLimit, err := g.tokens(as, c)
		if err != nil {
			return question{}, err
		}
		for _, s := range []struct {
			server      *server
			path, token string
			into        *[][]byte
		}{{g.house, "/graphql", forHouse, &house}, {g.limit, "/" + name, forLimit, &limit}} {
			second := func(after any) []byte {
				return post(s.server.address, s.path, s.token, body(page, map[string]any{"after": after}))
			}
			var first struct {
				Data struct {
					Cases struct{ PageInfo struct{ EndCursor string } }
				}
			}
			text, err := once(ctx, s.server, second(nil))
			if err == nil {
				err = json.Unmarshal(text, &first)
			}
			if err != nil || first.Data.Cases.PageInfo.EndCursor == "" {
				return question{}, fmt.Errorf("bench: %s gives %s no first page: %.300s: %w", s.server.name, as, text, err)
			}
			*s.into = append(*s.into, second(first.Data.Cases.PageInfo.EndCursor))
		}
	}
	return question{name: name, sides: []side{fixed(g.house, house, answered), fixed(g.limit, limit, answered)}, own: []string{"cursor", "endCursor"}, keys: len(house)}, nil
}

// messages sends messages: each of those who ask has cases of its own, and knows their revisions.
func (g *ground) messages() question {
	sent := []byte(`"problems":[]`)
	good := func(status int, body []byte) bool { return answered(status, body) && bytes.Contains(body, sent) }
	q := question{name: "q4"}
	for _, s := range []struct {
		server *server
		path   string
		token  func(known) string
	}{{g.house, "/graphql", func(k known) string { return k.house }}, {g.limit, "/q4", func(k known) string { return k.limit }}} {
		var all []known
		q.sides = append(q.sides, side{
			server: s.server,
			fresh: func(ctx context.Context) (err error) {
				all, err = g.known(ctx, `c.state = 'IN_PROGRESS' and (c.owner is not null or exists (
					select from applicants a where a.tenant_id = c.tenant_id and a.case_id = c.id and a.mailbox_kind is not null and a.mailbox_address is not null))`)
				return err
			},
			asking: func(connections int) []asking {
				askers := make([]asking, connections)
				for w := range askers {
					at := w
					askers[w] = asking{func(int) []byte {
						k := &all[at%len(all)]
						b := body(send, map[string]any{"in": map[string]any{
							"caseId": schema.ID(numberOfCase, k.id), "expectedRevision": k.revision,
							"subject": "Unterlagen", "body": "Bitte reichen Sie den Lageplan nach.",
						}})
						k.revision++
						if at += connections; at >= len(all) {
							at = w // never one of somebody else's
						}
						return post(s.server.address, s.path, s.token(*k), b)
					}, good}
				}
				return askers
			},
		})
	}
	return q
}

// strangers ask without a token what must cost nothing.
func (g *ground) strangers() []question {
	ask := func(document func(n int) string) side {
		s := side{server: g.house}
		s.asking = func(connections int) []asking {
			all := make([]asking, connections)
			for w := range all {
				all[w] = asking{
					func(n int) []byte { return post(g.house.address, "/graphql", "", body(document(n*connections+w), nil)) },
					func(status int, body []byte) bool { return status < 500 && !bytes.HasPrefix(body, data) },
				}
			}
			return all
		}
		return s
	}
	aliases := strings.Builder{}
	for i := range 2000 {
		fmt.Fprintf(&aliases, "a%d: __typename ", i)
	}
	return []question{
		{name: "q6a", sides: []side{ask(func(int) string { return introspection })}},
		{name: "q6b", sides: []side{ask(func(n int) string {
			var b strings.Builder
			for i := range 50 {
				fmt.Fprintf(&b, "unknown%d_%d ", n, i)
			}
			return "{ " + b.String() + "}"
		})}},
		{name: "q6c", sides: []side{ask(func(int) string { return "{ " + aliases.String() + "}" })}},
	}
}

// introspection asks for the whole contract, as tools do.
const introspection = `query IntrospectionQuery { __schema { queryType { name } mutationType { name } subscriptionType { name }
	types { ...FullType } directives { name description locations args { ...InputValue } } } }
	fragment FullType on __Type { kind name description fields(includeDeprecated: true) { name description args { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason }
	inputFields { ...InputValue } interfaces { ...TypeRef } enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason } possibleTypes { ...TypeRef } }
	fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue }
	fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } }`

// once asks once.
func once(ctx context.Context, s *server, request []byte) ([]byte, error) {
	l, err := dial(ctx, s.address)
	if err != nil {
		return nil, err
	}
	defer l.to.Close()
	_, text, err := l.ask(request)
	return text, err
}

// agree compares what both answer: a limit that answers something else would be none.
func (q question) agree(ctx context.Context) error {
	for n := range q.keys {
		var answers [2]any
		for i, s := range q.sides {
			text, err := once(ctx, s.server, s.sample(n))
			if err != nil {
				return err
			}
			if err := json.Unmarshal(text, &answers[i]); err != nil {
				return fmt.Errorf("bench: %s answers %s with no JSON: %.300s", s.server.name, q.name, text)
			}
			q.forget(answers[i])
		}
		if !reflect.DeepEqual(answers[0], answers[1]) {
			return fmt.Errorf("bench: the two answer %s differently:\n%.1000s\n%.1000s", q.name, fmt.Sprint(answers[0]), fmt.Sprint(answers[1]))
		}
	}
	return nil
}

// forget leaves out of an answer what need not be equal.
func (q question) forget(v any) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			q.forget(e)
		}
	case map[string]any:
		for _, name := range q.own {
			delete(v, name)
		}
		for e := range maps.Values(v) {
			q.forget(e)
		}
	}
}
