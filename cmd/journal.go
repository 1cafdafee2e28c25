// SPDX-License-Identifier: EUPL-1.2

package cmd

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"
)

const (
	// lineWaits is how long a line of the log waits for others.
	lineWaits = 100 * time.Millisecond
	// fullPage is how many bytes do not wait any longer.
	fullPage = 32 << 10
)

// journal hands the lines of a log on together: a house writes one for each request, and a write of its own for each costs more than making the line.
// Warnings and errors never wait, nor what came before them. What is lost when the program is killed is at most a tenth of a second of what went well.
type journal struct {
	slog.Handler
	sheet *sheet
}

// sheet has the lines that wait.
type sheet struct {
	to io.Writer

	mu      sync.Mutex
	lines   []byte
	waiting bool // a timer will hand them on
}

// newJournal makes a journal of what a handler writes. Whoever ends the program turns the page.
func newJournal(to io.Writer, handler func(io.Writer) slog.Handler) journal {
	s := &sheet{to: to}
	return journal{handler(s), s}
}

// Handle takes in a line.
func (j journal) Handle(ctx context.Context, line slog.Record) error {
	err := j.Handler.Handle(ctx, line)
	if line.Level > slog.LevelInfo {
		j.sheet.turn()
	}
	return err
}

// WithAttrs writes into the same journal.
func (j journal) WithAttrs(attrs []slog.Attr) slog.Handler {
	return journal{j.Handler.WithAttrs(attrs), j.sheet}
}

// WithGroup writes into the same journal.
func (j journal) WithGroup(name string) slog.Handler {
	return journal{j.Handler.WithGroup(name), j.sheet}
}

// Write takes in a line that is finished.
func (s *sheet) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, line...)
	switch {
	case len(s.lines) >= fullPage:
		s.handOn()
	case !s.waiting:
		s.waiting = true
		time.AfterFunc(lineWaits, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.waiting = false
			s.handOn()
		})
	}
	return len(line), nil
}

// turn hands on what waits.
func (s *sheet) turn() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handOn()
}

func (s *sheet) handOn() {
	if len(s.lines) > 0 {
		_, _ = s.to.Write(s.lines) // nobody is left to tell that the log cannot be written
		s.lines = s.lines[:0]
	}
}
