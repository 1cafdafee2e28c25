// SPDX-License-Identifier: EUPL-1.2

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"time"
)

// Questions of the field, which have no limit beside them: what counts is that none grows with what other tenants hold.
const (
	newest   = `{ cases(first: 100) { totalCount nodes { id number state receivedAt service { title } } } }`
	polled   = `query($since: DateTime!) { cases(first: 50, where: {updatedAt: {gt: $since}}) { nodes { id revision } } }`
	feed     = `{ caseEvents(first: 100, where: {types: [CASE_DISCARDED, CASE_ERASED]}) { nodes { type caseId at } next } }`
	searched = `query($text: String!) { cases(first: 20, where: {search: $text}) { nodes { id number fileReference } } }`
	balkon   = `{ cases(first: 50, where: {extension: {bauart: {eq: NEUBAU}}}) { nodes { id number state receivedAt extension { flurstueck bauart } } } }`
	turned   = `query($after: Cursor) { cases(first: 100, after: $after) { nodes { id number state receivedAt } pageInfo { endCursor hasNextPage } } }`
	applied  = `mutation($in: SubmitApplicationInput!) { submitApplication(input: $in) { case { id number } problems { __typename } } }`
)

// deep is how many pages of 100 lie before the deep one.
const deep = 100

// shapes are the questions of the field.
func (g *ground) shapes(ctx context.Context) ([]question, error) {
	large, small, err := g.largest(ctx)
	if err != nil {
		return nil, err
	}
	var all []question
	ask := func(name, who, document string, variables map[string]any, most int) {
		if err != nil {
			return
		}
		var token string
		if token, _, err = g.tokens(who, caller{}); err != nil {
			return
		}
		request := post(g.house.address, "/graphql", token, body(document, variables))
		var got []byte
		if got, err = once(ctx, g.house, request); err == nil && !bytes.HasPrefix(got, data) {
			err = fmt.Errorf("bench: %s is answered with %.300s", name, got)
		}
		all = append(all, question{name: name, sides: []side{fixed(g.house, [][]byte{request}, answered)}, most: most})
	}
	const few = 2 // where each answer is made of all cases of the authority: more at once are refused where it has very many
	for _, q := range []struct {
		name, who, document string
		variables           map[string]any
		most                int
	}{
		{"f-newest", large + "-caseworker", newest, nil, few},
		{"f-newest-tiny", small + "-caseworker", newest, nil, 0},
		{"f-polled", large + "-caseworker", polled, map[string]any{"since": time.Now().Add(time.Hour).UTC().Format(time.RFC3339)}, 0},
		{"f-feed", large + "-caseworker", feed, nil, 0},
		{"f-balkon", "kiel-caseworker", balkon, nil, 0},
		{"f-search", large + "-caseworker", searched, map[string]any{"text": "2026-0001"}, few},
		{"f-search-tiny", small + "-caseworker", searched, map[string]any{"text": "2026-0001"}, 0},
	} {
		ask(q.name, q.who, q.document, q.variables, q.most)
	}
	if err != nil {
		return nil, err
	}
	after, err := g.turn(ctx, large+"-caseworker", deep)
	if err != nil {
		return nil, err
	}
	ask("f-deep", large+"-caseworker", turned, map[string]any{"after": after}, 0)
	for _, n := range []int{10, 20, 40} {
		all = append(all, g.applications(n))
	}
	return all, err
}

// largest finds the authorities with the most and the fewest cases.
func (g *ground) largest(ctx context.Context) (large, small string, err error) {
	err = g.db.QueryRow(ctx, `
		with n as (select t.slug, count(*) from cases c join tenants t on t.id = c.tenant_id group by t.slug)
		select (select slug from n order by count desc, slug limit 1), (select slug from n order by count, slug limit 1)`).Scan(&large, &small)
	return large, small, err
}

// turn turns pages, as far as there are some, and gives the cursor behind the last one.
func (g *ground) turn(ctx context.Context, who string, pages int) (after any, err error) {
	token, _, err := g.tokens(who, caller{})
	for range pages {
		if err != nil {
			return nil, err
		}
		var got struct {
			Data struct {
				Cases struct {
					PageInfo struct {
						EndCursor   *string
						HasNextPage bool
					}
				}
			}
		}
		var text []byte
		if text, err = once(ctx, g.house, post(g.house.address, "/graphql", token, body(turned, map[string]any{"after": after}))); err == nil {
			err = json.Unmarshal(text, &got)
		}
		page := got.Data.Cases.PageInfo
		if err != nil || !page.HasNextPage {
			break
		}
		after = *page.EndCursor
	}
	return after, err
}

// applications are made by so many at once, whatever else is asked by how many.
func (g *ground) applications(atOnce int) question {
	var number atomic.Int64
	run := time.Now().UnixNano()
	made := []byte(`"problems":[]`)
	token, _, failed := g.tokens("kiel-applicant", caller{})
	return question{name: fmt.Sprintf("f-apply-%d", atOnce), sides: []side{{
		server: g.house,
		fresh:  func(context.Context) error { return failed },
		asking: func(int) []asking {
			all := make([]asking, atOnce)
			for w := range all {
				all[w] = asking{func(int) []byte {
					return post(g.house.address, "/graphql", token, body(applied, map[string]any{"in": map[string]any{
						"serviceKey": "99108001001000", "regionalKey": "010020000000", "transactionId": fmt.Sprintf("bench-%d-%d", run, number.Add(1)),
						"applicant": map[string]any{"name": "Erika Beispiel"},
						"formData":  []any{map[string]any{"name": "kennzeichen", "label": "Kennzeichen", "stringValue": "KI-XX 123"}},
					}}))
				}, func(status int, body []byte) bool { return answered(status, body) && bytes.Contains(body, made) }}
			}
			return all
		},
	}}}
}

// figures asks for those of a Land in the last twelve months that are over: how many cases of each service are in each state, and how long deciding took.
func (g *ground) figures() (question, error) {
	const asked = `query($from: String!, $to: String!) {
		counts: caseStatistics(scope: "sh", product: EXACT, measures: [APPLICATIONS], groupBy: [SERVICE, STATE], from: $from, to: $to) { rows { at figures { count } } }
		times: caseStatistics(scope: "sh", product: EXACT, measures: [TIME_TO_DECISION], groupBy: [SERVICE], from: $from, to: $to) { rows { at figures { count medianMinutes } } } }`
	now := time.Now().UTC()
	month := func(ago int) string {
		return time.Date(now.Year(), now.Month()-time.Month(ago), 1, 0, 0, 0, 0, time.UTC).Format("2006-01")
	}
	house, limit, err := g.tokens("sh-admin", caller{Land: 1})
	q := question{name: "q3", own: []string{"medianMinutes"}, keys: 1, most: 4} // a median out of bins is as wide as its bin
	for _, s := range []struct {
		server      *server
		path, token string
	}{{g.house, "/graphql", house}, {g.limit, "/q3", limit}} {
		q.sides = append(q.sides, fixed(s.server, [][]byte{post(s.server.address, s.path, s.token, body(asked, map[string]any{"from": month(12), "to": month(1)}))}, answered))
	}
	return q, err
}
