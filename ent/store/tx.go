// SPDX-License-Identifier: EUPL-1.2

package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"entgo.io/ent/dialect"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// ErrEnded is the answer to whoever uses a transaction after its end.
var ErrEnded = errors.New("store: the transaction has ended")

// patience is how long a rollback may take whose caller has left; then the connection is closed, which rolls back as well.
const patience = 5 * time.Second

// transaction is one of ent's. Statements whose answer nobody waits for (ent's creates) are kept back and travel with the next one that is waited for, or with
// COMMIT: "select for update, any number of creates, commit" costs two round trips. So do changes of which it is said beforehand how many rows they
// change (Changing). What is wrong with a statement that was kept back therefore shows later, at the latest in Commit. The first failure ends the
// transaction: it is rolled back then and there, and everything that follows is refused with that failure.
//
// Batch.BeginTx of pgx would save the trip of BEGIN, but not the one of COMMIT, which is why both are queued here.
type transaction struct {
	driver *Driver
	ctx    context.Context // of the request that began it; Commit of ent has none
	scope  Scope

	mu     sync.Mutex
	kept   []kept
	conn   *pgxpool.Conn // nil before the first round trip and after the end
	unwind func() bool   // stops waiting for the end of ctx
	open   *result       // rows that are being read
	ended  bool
	failed error
}

type kept struct {
	query string
	args  []any
}

var _ dialect.Tx = (*transaction)(nil)

type changingKey struct{}

// Changing says how many rows each change that a transaction makes in ctx is going to change, because they are locked. None of these is waited for; where
// it is another number, the database undoes the transaction. Outside a transaction it says nothing.
func Changing(ctx context.Context, rows int64) context.Context {
	return context.WithValue(ctx, changingKey{}, rows)
}

// counted lets a change fail in the database that does not change so many rows: COMMIT may travel behind it.
func counted(change string, rows int64) string {
	return "with changed as (" + change + " returning 1) select 1 / (count(*) = " + strconv.FormatInt(rows, 10) + ")::int from changed"
}

// Exec keeps the statement back when v is nil, or where the answer is known (Changing); otherwise v is a *sql.Result and the answer is waited for.
func (t *transaction) Exec(ctx context.Context, query string, args, v any) error {
	argv, affected, err := execution(args, v)
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.usable(); err != nil {
		return err
	}
	rows, known := ctx.Value(changingKey{}).(int64)
	switch {
	case affected == nil:
		t.kept = append(t.kept, kept{query, argv})
		return nil
	case known:
		t.kept = append(t.kept, kept{counted(query, rows), argv})
		*affected = driver.RowsAffected(rows)
		return nil
	}
	answers, err := t.send(ctx, query, argv, t.scope.leaving()...)
	if err != nil {
		return err
	}
	tag, err := t.last(answers)
	if err != nil {
		return err
	}
	*affected = driver.RowsAffected(tag.RowsAffected())
	return nil
}

// Query sends the statement. Its rows have to be closed before the next one.
func (t *transaction) Query(ctx context.Context, query string, args, v any) error {
	argv, rows, err := question(args, v)
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.usable(); err != nil {
		return err
	}
	answers, err := t.send(ctx, query, argv, t.scope.leaving()...)
	if err != nil {
		return err
	}
	got, err := answers.Query()
	if err != nil {
		_ = answers.Close() // tells the same
		return t.fail(err)
	}
	t.open = &result{rows: got, end: func() error {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.open = nil
		if err := answers.Close(); err != nil {
			return t.fail(err)
		}
		if t.failed != nil { // ctx has ended while the rows were read
			t.end()
		}
		return t.failed
	}}
	rows.ColumnScanner = t.open
	return nil
}

// Commit stores what was done, in the same round trip as the statements kept back. When it returns an error nothing is stored, with one exception that no
// protocol can avoid: ctx or the connection ended while COMMIT was on its way. Where rights have changed since the scope was made, it is Stale.
func (t *transaction) Commit() error {
	t.close()
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.usable(); err != nil {
		return err
	}
	if err := t.ctx.Err(); err != nil {
		return t.fail(err)
	}
	if t.conn == nil && len(t.kept) == 0 {
		t.end()
		return nil
	}
	t.kept = append(t.kept, t.scope.leaving()...) // behind COMMIT it would be too late
	answers, err := t.send(t.ctx, "commit", nil)
	if err != nil {
		return err
	}
	tag, err := t.last(answers)
	if err != nil {
		return err
	}
	if tag.String() != "COMMIT" {
		return t.fail(fmt.Errorf("commit was answered with %s", tag))
	}
	t.end()
	if t.driver.committed != nil {
		t.driver.committed()
	}
	return nil
}

// Rollback undoes everything. It may come at any time, out of a panic too. After a failure it has happened already, and there is no error.
func (t *transaction) Rollback() error {
	t.close()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended && t.failed == nil {
		return ErrEnded
	}
	t.end()
	return nil
}

// close closes rows that were left open.
func (t *transaction) close() {
	t.mu.Lock()
	open := t.open
	t.mu.Unlock()
	if open != nil {
		_ = open.Close() // a failure is kept in the transaction
	}
}

func (t *transaction) usable() error {
	switch {
	case t.failed != nil:
		return t.failed
	case t.ended:
		return ErrEnded
	case t.open != nil:
		return errors.New("store: rows of an earlier statement are still open")
	}
	return nil
}

// send sends the beginning if it has not been sent, what was kept back, the statement, and what comes then, and reads all answers before the
// statement's. What comes then is answered by Close.
func (t *transaction) send(ctx context.Context, query string, args []any, then ...kept) (pgx.BatchResults, error) {
	b := &pgx.Batch{}
	entering := t.conn == nil
	if entering {
		conn, err := t.driver.pool.Acquire(ctx)
		if err != nil {
			return nil, t.fail(err)
		}
		t.conn = conn
		t.unwind = context.AfterFunc(t.ctx, t.abandon)
		b.Queue("begin")
		t.scope.Enter(b)
	}
	for _, s := range t.kept {
		b.Queue(s.query, s.args...)
	}
	t.kept = nil
	before := b.Len()
	b.Queue(query, args...)
	for _, s := range then {
		b.Queue(s.query, s.args...)
	}
	answers := t.conn.SendBatch(ctx, b)
	for i := range before {
		var err error
		if entering && i == 1 { // behind BEGIN
			err = t.scope.entered(answers)
		} else {
			_, err = answers.Exec()
		}
		if err != nil {
			_ = answers.Close() // tells the same
			return nil, t.fail(err)
		}
	}
	return answers, nil
}

// last reads the last answer where it has no rows.
func (t *transaction) last(answers pgx.BatchResults) (pgconn.CommandTag, error) {
	tag, err := answers.Exec()
	if closing := answers.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return tag, t.fail(err)
	}
	return tag, nil
}

// abandon ends the transaction when ctx has ended between two statements. During a statement pgx notices by itself.
func (t *transaction) abandon() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return
	}
	if t.open != nil {
		t.failed = failure(context.Cause(t.ctx)) // the end of the rows is the end of the transaction
		return
	}
	_ = t.fail(context.Cause(t.ctx))
}

// fail remembers the first failure and rolls back.
func (t *transaction) fail(err error) error {
	if t.failed == nil {
		t.failed = t.driver.failure(t.ctx, err)
	}
	t.end()
	return t.failed
}

// end gives the connection back, outside any transaction and thus without a scope.
func (t *transaction) end() {
	t.ended = true
	t.kept = nil
	if t.conn == nil {
		return
	}
	t.unwind()
	if pg := t.conn.Conn().PgConn(); !pg.IsClosed() && pg.TxStatus() != 'I' {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.ctx), patience)
		defer cancel()
		_, _ = t.conn.Exec(ctx, "rollback") // where that fails, Release closes the connection
	}
	t.conn.Release()
	t.conn = nil
}
