// SPDX-License-Identifier: EUPL-1.2

package partners

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"reflect"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/content"
	"github.com/ozg-cloud/platform/events"
	"github.com/ozg-cloud/platform/internal/problem"
)

const (
	// mostCopies is how many exports a process makes at a time.
	mostCopies = 2
	// mostBeginnings is how often an export is begun that never comes to its end, because the house falls or rights change.
	mostBeginnings = 10
	// pageTries is how often a page is asked for that the house is too busy to answer.
	pageTries = 8
)

// Copyist makes exports. Any number of copyists work on one database; each export is made by one at a time. One that is interrupted is begun again.
type Copyist struct {
	books    books
	engine   Engine
	now      func(ctx context.Context) (events.Position, error)
	contract *ast.Schema
	files    *content.Files
	patience Patience
	log      *slog.Logger
}

// NewCopyist makes a copyist over the writing driver.
func NewCopyist(on Books, engine Engine, now func(ctx context.Context) (events.Position, error), contract *ast.Schema, files *content.Files, patience Patience, log *slog.Logger) *Copyist {
	p := patience.orPatient()
	return &Copyist{books{on, p.Lease}, engine, now, contract, files, p, log}
}

// Run makes exports until ctx ends, and returns when nothing is under way any more.
func (c *Copyist) Run(ctx context.Context) {
	var under sync.WaitGroup
	defer under.Wait()
	free := make(chan struct{}, mostCopies)
	again := time.NewTicker(c.patience.Look)
	defer again.Stop()
	for ctx.Err() == nil {
		if n := cap(free) - len(free); n > 0 {
			due, err := c.books.dueExports(ctx, n)
			c.complain(ctx, err)
			for _, e := range due {
				free <- struct{}{}
				under.Go(func() { c.make(ctx, e); <-free })
			}
		}
		select {
		case <-again.C:
		case <-ctx.Done():
		}
	}
}

func (c *Copyist) complain(ctx context.Context, err error) {
	if err != nil && ctx.Err() == nil && !errors.Is(err, errLost) {
		c.log.ErrorContext(ctx, "an export failed", "error", err)
	}
}

// made is what an export has come to.
type made struct {
	at      events.Position
	held    []authz.Assignment
	objects int64
	refused int64
	size    int64
	hash    string
	blob    string
}

// make makes an export, or leaves it to be begun again.
func (c *Copyist) make(ctx context.Context, e export) {
	err := error(problem.New(problem.Conflict, "interrupted"))
	m := made{blob: e.id.String() + "." + e.lease}
	if e.beginnings <= mostBeginnings {
		err = c.files.Write(ctx, m.blob, func(w io.Writer) error { return c.copy(ctx, e, &m, w) })
	}
	aside, cancel := context.WithTimeout(context.WithoutCancel(ctx), dialWithin)
	defer cancel()
	p, refused := problem.Of(err)
	switch {
	case err == nil:
		if err = c.books.complete(aside, e, m); err != nil {
			err = errors.Join(err, c.files.Throw(aside, m.blob)) // somebody has ended it in the last moment
		}
	case ctx.Err() != nil, errors.Is(err, ErrAgain):
		err = c.books.leaveExport(aside, e)
	case errors.Is(err, errLost):
	case refused && p.Kind != problem.Busy:
		c.log.WarnContext(ctx, "an export fails", "export", e.id, "rule", p.Rule)
		err = c.books.failExport(aside, e, p.Rule)
	default:
		c.log.WarnContext(ctx, "an export was interrupted", "export", e.id, "error", err)
		err = c.books.leaveExport(aside, e)
	}
	c.complain(aside, err)
}

// copy writes all pages. The position is taken before the first of them is read: whatever the pages do not show yet stands behind it.
func (c *Copyist) copy(ctx context.Context, e export, m *made, w io.Writer) (err error) {
	document, err := pages(e.text, c.contract)
	if err != nil {
		return err
	}
	if m.at, err = c.now(ctx); err != nil {
		return err
	}
	hash := sha256.New()
	out := bufio.NewWriterSize(io.MultiWriter(w, hash), 1<<16)
	for after, more := any(nil), true; more; {
		q := Question{Subject: e.subject, Trust: e.trust, Document: document, Variables: map[string]any{behind: after}, Purpose: e.purpose}
		next, err := c.page(ctx, e, q, m, out)
		if err != nil {
			return err
		}
		after, more = next.EndCursor, next.HasNextPage
		if err := c.books.progress(ctx, e, *m); err != nil {
			return err
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	m.hash = hex.EncodeToString(hash.Sum(nil))
	return nil
}

type pageInfo struct {
	HasNextPage bool   `json:"hasNextPage"`
	EndCursor   string `json:"endCursor"`
}

// page writes one page, and waits where the house is busy.
func (c *Copyist) page(ctx context.Context, e export, q Question, m *made, out *bufio.Writer) (next pageInfo, err error) {
	for try := 1; ; try++ {
		var answer Answer
		err = c.engine.Play(ctx, q, func(a Answer) error { answer = a; return nil })
		if err == nil {
			next, err = c.lines(e, answer, m, out)
		}
		if !errors.Is(err, &problem.Problem{Kind: problem.Busy}) || try == pageTries {
			return next, err
		}
		wait := time.NewTimer(c.patience.pause(try))
		select {
		case <-wait.C:
		case <-ctx.Done():
		}
		wait.Stop()
		if err := ctx.Err(); err != nil {
			return next, err
		}
		if err := c.books.progress(ctx, e, *m); err != nil {
			return next, err
		}
	}
}

// lines writes the things of a page. It writes all of them or, with a problem, none.
func (c *Copyist) lines(e export, a Answer, m *made, out *bufio.Writer) (next pageInfo, err error) {
	var data map[string]*struct {
		Nodes []json.RawMessage `json:"nodes"`
		Next  pageInfo          `json:"ozgPage"`
	}
	if json.Unmarshal(a.Data, &data) != nil || len(data) != 1 {
		return next, refusal(a)
	}
	for _, f := range a.Errors {
		if f.Code != "FORBIDDEN" {
			return next, refusal(Answer{Errors: []Failure{f}})
		}
	}
	if err := mayKeep(a.Reader, "export", e.place); err != nil {
		return next, err
	}
	// All of it is read by the same rights: otherwise nobody could say later what somebody has lost of it.
	if m.held != nil && !reflect.DeepEqual(m.held, a.Reader.Assignments) {
		return next, ErrAgain
	}
	m.held = a.Reader.Assignments
	for _, list := range data {
		if list == nil {
			return next, refusal(a)
		}
		for _, line := range list.Nodes {
			line = append(bytes.ReplaceAll(line, []byte{'\n'}, nil), '\n') // a line end stands between values only, never in a text
			if _, err := out.Write(line); err != nil {
				return next, err
			}
			m.size += int64(len(line))
		}
		m.objects += int64(len(list.Nodes))
		next = list.Next
	}
	m.refused += int64(len(a.Errors))
	return next, nil
}

// export is one that somebody works on.
type export struct {
	id         uuid.UUID
	place      authz.Place
	subject    string
	trust      authz.TrustLevel
	purpose    string
	text       string
	beginnings int
	lease      string
}

// dueExports takes up to most exports.
func (b books) dueExports(ctx context.Context, most int) (all []export, err error) {
	err = b.read(ctx, "taking exports", func(row func(...any) error) error {
		var (
			e     export
			place int64
			trust string
		)
		err := row(&e.id, &place, &e.subject, &trust, &e.purpose, &e.text, &e.beginnings, &e.lease)
		e.place, e.trust = authz.Place(place), authz.TrustLevel(trust)
		all = append(all, e)
		return err
	}, `with due as (select id from bulk_operations where state in ('CREATED', 'RUNNING') and (leased_until is null or leased_until < now())
			order by created_at limit $2 for update skip locked)
		update bulk_operations o set state = 'RUNNING', lease = gen_random_uuid()::text, leased_until = now() + make_interval(secs => $1), started_at = now(),
			beginnings = o.beginnings + 1, object_count = 0, refused_fields = 0
		from due where o.id = due.id returning o.id, o.place, o.subject, o.trust_level, o.purpose, o.document, o.beginnings, o.lease`, b.lease.Seconds(), most)
	return all, err
}

// progress writes down how far an export has come, and keeps its lease.
func (b books) progress(ctx context.Context, e export, m made) error {
	return b.write(ctx, "writing down progress", `update bulk_operations set object_count = $3, refused_fields = $4, leased_until = now() + make_interval(secs => $5)
		where id = $1 and lease = $2 and state = 'RUNNING'`, e.id, e.lease, m.objects, m.refused, b.lease.Seconds())
}

// complete writes down that a file is there.
func (b books) complete(ctx context.Context, e export, m made) error {
	rights, err := assignments(m.held)
	if err != nil {
		return err
	}
	return b.write(ctx, "completing an export", `update bulk_operations set state = 'COMPLETED', size = $3, sha256 = $4, blob = $5, mark_xid = $6, mark_seq = $7, held = $8::jsonb,
		completed_at = now(), expires_at = now() + make_interval(hours => $9), lease = null, leased_until = null where id = $1 and lease = $2 and state = 'RUNNING'`,
		e.id, e.lease, m.size, m.hash, m.blob, int64(m.at.XID), m.at.Seq, rights, keptHours) //nolint:gosec // 48 bits
}

// leaveExport lets an export be begun again.
func (b books) leaveExport(ctx context.Context, e export) error {
	return b.write(ctx, "leaving an export", `update bulk_operations set lease = null, leased_until = null where id = $1 and lease = $2 and state = 'RUNNING'`, e.id, e.lease)
}

// failExport ends an export because of a rule.
func (b books) failExport(ctx context.Context, e export, rule string) error {
	return b.write(ctx, "ending an export", `update bulk_operations set state = 'FAILED', failed_because = $3, lease = null, leased_until = null where id = $1 and lease = $2 and state = 'RUNNING'`,
		e.id, e.lease, rule)
}
