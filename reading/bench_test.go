// SPDX-License-Identifier: EUPL-1.2

package reading_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/schema"
)

const page = `{ cases(first: 50) { nodes {
	id number state receivedAt dueAt revision fileReference service { title }
	messages(first: 5) { nodes { id direction subject body sentAt } } } } }`

// handCase and handMessage are what somebody would write by hand for exactly this page.
type handCase struct {
	ID            string       `json:"id"`
	Number        string       `json:"number"`
	State         string       `json:"state"`
	ReceivedAt    time.Time    `json:"receivedAt"`
	DueAt         *time.Time   `json:"dueAt"`
	Revision      int          `json:"revision"`
	FileReference *string      `json:"fileReference"`
	Service       handService  `json:"service"`
	Messages      handMessages `json:"messages"`
}

type handService struct {
	Title string `json:"title"`
}

type handMessages struct {
	Nodes []handMessage `json:"nodes"`
}

type handMessage struct {
	ID        string    `json:"id"`
	Direction string    `json:"direction"`
	Subject   string    `json:"subject"`
	Body      string    `json:"body"`
	SentAt    time.Time `json:"sentAt"`
}

// byHand answers the page with SQL and structs written for it, as serving, behind the second wall, in one pipeline.
func byHand(ctx context.Context, conn *pgx.Conn, place authz.Place) ([]byte, error) {
	b := &pgx.Batch{}
	b.Queue("select ozg_enter($1, $1, '')", int64(place))
	b.Queue(`select c.id, c.number, c.state, c.received_at, c.due_at, c.revision, c.file_reference, s.title
		from cases c join services s on s.id = c.service_id where c.place = $1 order by c.received_at desc, c.id desc limit 50`, int64(place))
	b.Queue(`select c.id, m.id, m.direction, m.subject, m.body, m.sent_at
		from (select id from cases where place = $1 order by received_at desc, id desc limit 50) c
		cross join lateral (select * from messages m where m.case_id = c.id order by m.sent_at, m.id limit 5) m order by m.sent_at, m.id`, int64(place))
	results := conn.SendBatch(ctx, b)
	defer results.Close()
	if _, err := results.Exec(); err != nil {
		return nil, err
	}
	rows, err := results.Query()
	if err != nil {
		return nil, err
	}
	var cases []*handCase
	byID := map[uuid.UUID]*handCase{}
	for rows.Next() {
		var id uuid.UUID
		c := &handCase{Messages: handMessages{Nodes: []handMessage{}}}
		if err := rows.Scan(&id, &c.Number, &c.State, &c.ReceivedAt, &c.DueAt, &c.Revision, &c.FileReference, &c.Service.Title); err != nil {
			return nil, err
		}
		c.ID = schema.ID(7, id)
		cases = append(cases, c)
		byID[id] = c
	}
	if rows, err = results.Query(); err != nil {
		return nil, err
	}
	for rows.Next() {
		var of, id uuid.UUID
		var m handMessage
		if err := rows.Scan(&of, &id, &m.Direction, &m.Subject, &m.Body, &m.SentAt); err != nil {
			return nil, err
		}
		m.ID = schema.ID(9, id)
		byID[of].Messages.Nodes = append(byID[of].Messages.Nodes, m)
	}
	if rows.Err() != nil {
		return nil, rows.Err()
	}
	return json.Marshal(map[string]any{"data": map[string]any{"cases": map[string]any{"nodes": cases}}})
}

// BenchmarkPage asks for 50 cases with 8 fields and 5 messages each through the whole handler, and for the same by hand in the same run.
// ratio is how many times as long the handler takes.
func BenchmarkPage(b *testing.B) {
	w := shared()
	v := w.viewer("kiel-caseworker", authz.Substantial)
	conn, err := pgx.Connect(b.Context(), w.Serving().Config().ConnString())
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close(context.Background())
	place := w.place("kiel")
	body, err := json.Marshal(map[string]string{"query": page})
	if err != nil {
		b.Fatal(err)
	}
	token := w.Token(v.as.Name, map[string]any{"trust_level": "SUBSTANTIAL"}, time.Hour)
	ask := func() []byte {
		r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/graphql", bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+token)
		to := httptest.NewRecorder()
		w.House.House.ServeHTTP(to, r)
		answer, err := io.ReadAll(to.Body)
		if err != nil {
			b.Fatal(err)
		}
		return answer
	}
	hand := func() []byte {
		answer, err := byHand(b.Context(), conn, place)
		if err != nil {
			b.Fatal(err)
		}
		return answer
	}
	var got, want any
	if json.Unmarshal(ask(), &got) != nil || json.Unmarshal(hand(), &want) != nil || !same(got, want) {
		b.Fatalf("the two do not answer alike: %.600s\n%.600s", ask(), hand())
	}
	var reading, byHand time.Duration
	b.ReportAllocs()
	for b.Loop() { // in turns, so that whatever else the machine does hits both
		start := time.Now()
		ask()
		middle := time.Now()
		hand()
		reading, byHand = reading+middle.Sub(start), byHand+time.Since(middle)
	}
	b.ReportMetric(float64(reading.Microseconds())/float64(b.N), "µs/page")
	b.ReportMetric(float64(byHand.Microseconds())/float64(b.N), "µs/by-hand")
	b.ReportMetric(float64(reading)/float64(byHand), "ratio")
}
