// SPDX-License-Identifier: EUPL-1.2

package main

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/ozg-cloud/platform/schema"
)

// The numbers of the types in global ids.
const (
	numberOfCase    = 7
	numberOfMessage = 9
	numberOfService = 3
)

// desk answers the questions.
type desk struct {
	pool     *pgxpool.Pool // looks up, and walks indexes until a page is full
	counting *pgxpool.Pool // goes through all that is asked for
	porter   porter
}

// question is the body of a request; the document in it is not read.
type question struct {
	Variables struct {
		ID    string `json:"id"`
		After string `json:"after"`
		From  string `json:"from"`
		To    string `json:"to"`
		In    struct {
			CaseID           string `json:"caseId"`
			ExpectedRevision int    `json:"expectedRevision"`
			Subject          string `json:"subject"`
			Body             string `json:"body"`
		} `json:"in"`
	} `json:"variables"`
}

var errQuestion = errors.New("limit: a question that nobody understands")

func (d *desk) answer(with func(context.Context, caller, question) ([]byte, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, err := d.porter.who(r)
		if err != nil {
			http.Error(w, "", http.StatusUnauthorized)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 256<<10))
		var q question
		if err == nil {
			err = json.Unmarshal(body, &q)
		}
		var out []byte
		if err == nil {
			out, err = with(r.Context(), c, q)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(out)))
		_, _ = w.Write(out) // who has gone cannot be told
	}
}

const caseByID = `
	select c.id, c.number, c.state, c.received_at, s.id, s.leika_key, s.title, m.id, m.direction, m.subject, m.body, m.sent_at
	from cases c join services s on s.id = c.service_id
	left join lateral (select * from messages where case_id = c.id order by sent_at desc, id desc limit 5) m on true
	where c.id = $1 and c.place between $2 and $3
	order by m.sent_at desc, m.id desc`

func (d *desk) caseByID(ctx context.Context, c caller, q question) ([]byte, error) {
	_, id, ok := schema.ParseID(q.Variables.ID)
	if !ok {
		return nil, errQuestion
	}
	rows, err := d.pool.Query(ctx, caseByID, id, c.Lo, c.Hi)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := append(make([]byte, 0, 4<<10), `{"data":{"case":`...)
	found := false
	for rows.Next() {
		v := rows.RawValues()
		if !found {
			out = appendID(append(out, `{"id":`...), numberOfCase, v[0])
			out = appendText(append(out, `,"number":`...), v[1])
			out = appendText(append(out, `,"state":`...), v[2])
			out = appendInstant(append(out, `,"receivedAt":`...), v[3])
			out = appendID(append(out, `,"service":{"id":`...), numberOfService, v[4])
			out = appendText(append(out, `,"leikaKey":`...), v[5])
			out = appendText(append(out, `,"title":`...), v[6])
			out = append(out, `},"messages":{"nodes":[`...)
		}
		if v[7] != nil {
			if found {
				out = append(out, ',')
			}
			out = appendID(append(out, `{"id":`...), numberOfMessage, v[7])
			out = appendInstant(append(out, `,"sentAt":`...), v[11])
			out = appendText(append(out, `,"direction":`...), v[8])
			out = appendText(append(out, `,"subject":`...), v[9])
			out = appendText(append(out, `,"body":`...), v[10])
			out = append(out, '}')
		}
		found = true
	}
	if found {
		out = append(out, `]}}}}`...)
	} else {
		out = append(out, `null}}`...)
	}
	return out, rows.Err()
}

const (
	longestPage = 50

	pageBefore = `
	select c.id, c.number, c.state, c.received_at, s.id, s.title, (select count(*) from messages m where m.case_id = c.id)
	from (select * from cases where `
	pageAfter = ` and state = 'IN_PROGRESS' and (received_at, id) < ($2, $3) order by received_at desc, id desc limit 51) c
	join services s on s.id = c.service_id order by c.received_at desc, c.id desc`
)

func (d *desk) pageOfAuthority(ctx context.Context, c caller, q question) ([]byte, error) {
	return d.page(ctx, pageBefore+"place = $1"+pageAfter, c.Lo, q)
}

func (d *desk) pageOfLand(ctx context.Context, c caller, q question) ([]byte, error) {
	return d.page(ctx, pageBefore+"land = $1"+pageAfter, c.Land, q)
}

func (d *desk) page(ctx context.Context, statement string, where any, q question) ([]byte, error) {
	at, id := time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), uuid.Max
	if q.Variables.After != "" {
		raw, err := base64.RawURLEncoding.DecodeString(q.Variables.After)
		if err != nil || len(raw) != 24 {
			return nil, errQuestion
		}
		at, id = instant(raw[:8]), uuid.UUID(raw[8:])
	}
	rows, err := d.pool.Query(ctx, statement, where, at, id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := append(make([]byte, 0, 16<<10), `{"data":{"cases":{"edges":[`...)
	var last [24]byte
	n := 0
	for ; rows.Next(); n++ {
		if n == longestPage {
			continue
		}
		v := rows.RawValues()
		copy(last[:8], v[3])
		copy(last[8:], v[0])
		if n > 0 {
			out = append(out, ',')
		}
		out = appendCursor(append(out, `{"cursor":`...), last)
		out = appendID(append(out, `,"node":{"id":`...), numberOfCase, v[0])
		out = appendText(append(out, `,"number":`...), v[1])
		out = appendText(append(out, `,"state":`...), v[2])
		out = appendInstant(append(out, `,"receivedAt":`...), v[3])
		out = appendID(append(out, `,"service":{"id":`...), numberOfService, v[4])
		out = appendText(append(out, `,"title":`...), v[5])
		out = strconv.AppendUint(append(out, `},"messages":{"totalCount":`...), binary.BigEndian.Uint64(v[6]), 10)
		out = append(out, `}}}`...)
	}
	out = strconv.AppendBool(append(out, `],"pageInfo":{"hasNextPage":`...), n > longestPage)
	out = append(out, `,"endCursor":`...)
	if n > 0 {
		out = appendCursor(out, last)
	} else {
		out = append(out, "null"...)
	}
	return append(out, `}}}}`...), rows.Err()
}

// The two counts of a Land, over its cases: there is nothing else that a hand-written statement could count. What is erased has left its history.
const (
	inMonths = `($2 || '-01')::timestamp at time zone 'Europe/Berlin' and %s < (($3 || '-01')::timestamp + interval '1 month') at time zone 'Europe/Berlin'`

	counts = `
	select s.leika_key, c.state, count(*), null::float8 from cases c join services s on s.id = c.service_id
	where c.land = $1 and c.received_at >= %s group by 1, 2 order by 1, 2`

	times = `
	select s.leika_key, null, count(*), extract(epoch from percentile_cont(0.5) within group (order by d.at - c.received_at)) / 60
	from cases c join services s on s.id = c.service_id
	join lateral (select min(at) from history_events where tenant_id = c.tenant_id and case_id = c.id and action = 'CASE_DECIDED') d(at) on true
	where c.land = $1 and c.decided_at is not null and d.at >= %s group by 1 order by 1`
)

func (d *desk) figures(ctx context.Context, c caller, q question) ([]byte, error) {
	out := append(make([]byte, 0, 32<<10), `{"data":{`...)
	for i, s := range []struct{ name, statement, at string }{{"counts", counts, "c.received_at"}, {"times", times, "d.at"}} {
		rows, err := d.counting.Query(ctx, fmt.Sprintf(s.statement, fmt.Sprintf(inMonths, s.at)), c.Land, q.Variables.From, q.Variables.To)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = fmt.Appendf(out, `"%s":{"rows":[`, s.name)
		for n := 0; rows.Next(); n++ {
			v := rows.RawValues()
			if n > 0 {
				out = append(out, ',')
			}
			out = appendText(append(out, `{"at":[`...), v[0])
			if v[1] != nil {
				out = appendText(append(out, ','), v[1])
			}
			out = strconv.AppendUint(append(out, `],"figures":[{"count":`...), binary.BigEndian.Uint64(v[2]), 10)
			if v[3] != nil {
				out = strconv.AppendFloat(append(out, `,"medianMinutes":`...), math.Float64frombits(binary.BigEndian.Uint64(v[3])), 'f', 0, 64)
			}
			out = append(out, `}]}`...)
		}
		if rows.Close(); rows.Err() != nil {
			return nil, rows.Err()
		}
		out = append(out, `]}`...)
	}
	return append(out, `}}`...), nil
}

const send = `
	with c as (
		update cases set revision = revision + 1, updated_at = $7 where id = $1 and revision = $2 and place between $3 and $4
		returning id, tenant_id, place, trust_level, owner
	)
	insert into messages (id, tenant_id, place, case_id, direction, subject, body, reply_policy, trust_level, author, sent_at, provided_at, delivery_state)
	select $5, tenant_id, place, id, 'TO_APPLICANT', $8, $9, 'POSSIBLE', trust_level, $6, $7,
		case when owner is not null then $7 end, case when owner is null then 'PENDING' else 'PROVIDED' end
	from c returning id, sent_at, body`

func (d *desk) send(ctx context.Context, c caller, q question) ([]byte, error) {
	in := q.Variables.In
	_, id, ok := schema.ParseID(in.CaseID)
	if !ok {
		return nil, errQuestion
	}
	message, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	rows, err := d.pool.Query(ctx, send, id, in.ExpectedRevision, c.Lo, c.Hi, message, c.Subject, time.Now(), in.Subject, in.Body)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	if !rows.Next() {
		return nil, errors.Join(errQuestion, rows.Err())
	}
	v := rows.RawValues()
	out := appendID(append(make([]byte, 0, 1<<10), `{"data":{"sendMessage":{"message":{"id":`...), numberOfMessage, v[0])
	out = appendInstant(append(out, `,"sentAt":`...), v[1])
	out = appendText(append(out, `,"body":`...), v[2])
	rows.Close() // it is stored now, or not
	return append(out, `},"problems":[]}}}`...), rows.Err()
}
