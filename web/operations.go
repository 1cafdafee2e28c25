// SPDX-License-Identifier: EUPL-1.2

package web

import (
	"context"
	"encoding/json"
	"errors"
	"sync"

	"github.com/ozg-cloud/platform/internal/problem"
)

// frame is what an operation tells the other side of a connection.
type frame struct {
	kind    string // next, error or complete
	id      []byte // of the operation, as JSON
	payload []byte // of next: an answer; of error: a list of errors
	cursor  string // where in the stream of events the answer stands, if it does
}

// append appends the frame as JSON, with its kind where the protocol has no other place for it.
func (f frame) append(out []byte, kind string) []byte {
	out = append(out, '{')
	if kind != "" {
		out = append(append(append(out, `"type":"`...), kind...), `",`...)
	}
	out = append(append(out, `"id":`...), f.id...)
	if f.payload != nil {
		out = append(append(out, `,"payload":`...), f.payload...)
	}
	return append(out, '}')
}

// sheets are where messages are laid out: one that is the same for many is copied once for each, with what stands around it.
var sheets = sync.Pool{New: func() any { return new([]byte) }}

// longestSheet is in bytes. What is longer comes too seldom to be kept.
const longestSheet = 64 << 10

// laid lays a message out and sends it. Nobody may keep it.
func laid(out func([]byte) ([]byte, error), send func([]byte) error) (err error) {
	sheet, ok := sheets.Get().(*[]byte)
	if !ok {
		panic("web: there is nothing else in the pool")
	}
	if *sheet, err = out((*sheet)[:0]); err == nil {
		err = send(*sheet)
	}
	if cap(*sheet) <= longestSheet {
		sheets.Put(sheet)
	}
	return err
}

// errUnwanted ends an operation whose answers nobody takes any more.
var errUnwanted = errors.New("web: the operation was completed by the other side")

// operations are those under way on one connection, by the ids that the other side gave them.
// When an id is completed, nothing more is sent for it: the next operation may have the same.
type operations struct {
	door     *Door
	language string
	send     func(frame) error // sends one frame, in its time; never called by two at once

	mu      sync.Mutex
	running map[string]*running
	over    bool // no more are begun
	wait    sync.WaitGroup
}

type running struct {
	id     string
	quoted []byte // the id as JSON
	stop   context.CancelFunc
	over   bool // nothing more is sent for it
}

func (d *Door) newOperations(language string, send func(frame) error) *operations {
	return &operations{door: d, language: language, send: send, running: map[string]*running{}}
}

// start carries out an operation under an id until it is complete, ctx ends or stop is called for it. An id that is in use is a
// conflict; one operation too many is busy; after finish nothing is there to start it on.
func (o *operations) start(ctx context.Context, id string, prepare func(context.Context) (operation, error)) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.over:
		return problem.New(problem.Missing, "notFound")
	case o.running[id] != nil:
		return problem.New(problem.Conflict, "idTaken")
	case len(o.running) >= o.door.o.Limits.Running:
		return problem.New(problem.Busy, "quotaExceeded")
	}
	ctx, stop := context.WithCancel(context.WithValue(ctx, lineKey{}, nil)) // the line in the log is that of the connection
	quoted, err := json.Marshal(id)
	if err != nil {
		panic("web: a string cannot be written as JSON")
	}
	r := &running{id: id, quoted: quoted, stop: stop}
	o.running[id] = r
	o.wait.Go(func() {
		defer stop()
		o.end(ctx, r, o.carryOut(ctx, r, prepare))
	})
	return nil
}

func (o *operations) carryOut(ctx context.Context, r *running, prepare func(context.Context) (operation, error)) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicked(p)
		}
	}()
	var op operation
	aside(func() { op, err = prepare(ctx) })
	if err != nil {
		return err
	}
	return o.door.play(ctx, op, nil, func(answer []byte, cursor string) error { return o.next(r, answer, cursor) })
}

// stop ends the operation with an id, if there is one.
func (o *operations) stop(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if r := o.running[id]; r != nil {
		r.over = true
		r.stop()
		delete(o.running, id)
	}
}

// finish begins no more and waits for those under way, whose context must have ended.
func (o *operations) finish() {
	o.mu.Lock()
	o.over = true
	o.mu.Unlock()
	o.wait.Wait()
}

// next tells an answer.
func (o *operations) next(r *running, answer []byte, cursor string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if r.over || o.send(frame{"next", r.quoted, answer, cursor}) != nil {
		return errUnwanted
	}
	return nil
}

// end tells that an operation is complete, or why it never will be.
func (o *operations) end(ctx context.Context, r *running, err error) {
	f := frame{kind: "complete", id: r.quoted}
	if err != nil && !errors.Is(err, errUnwanted) {
		response, _ := o.door.refusedOperation(ctx, o.language, err)
		f.kind = "error"
		if f.payload, err = json.Marshal(response.Errors); err != nil {
			panic("web: errors of our own cannot be written as JSON")
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.running[r.id] == r {
		delete(o.running, r.id)
		if ctx.Err() == nil {
			_ = o.send(f) // who has gone cannot be told
		}
	}
}
