// SPDX-License-Identifier: EUPL-1.2

package content

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"
)

// Files are what another room keeps in the store under names of its own, apart from content by hash: the sweeper of that does not see them, and whoever
// keeps them throws them away.
type Files struct {
	store  *Store
	folder string
}

// Files gives a folder of the store. Its name has letters only and more than three of them, so that no content lies there.
func (s *Store) Files(folder string) *Files { return &Files{s, folder + "/"} }

// Write puts a file there, as write writes it. It is there as a whole or not at all: where write fails, ctx ends or the process is killed, there is
// nothing under the name.
func (f *Files) Write(ctx context.Context, name string, write func(io.Writer) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w, err := f.store.bucket.NewWriter(ctx, f.folder+name, &blob.WriterOptions{ContentType: "application/octet-stream"})
	if err != nil {
		return fmt.Errorf("content: making a file: %w", err)
	}
	if err := write(w); err != nil {
		cancel() // closing then gives up what was written
		_ = w.Close()
		return err
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("content: keeping a file: %w", err)
	}
	if err := f.store.settle(f.folder + name); err != nil {
		return fmt.Errorf("content: keeping a file: %w", err)
	}
	return nil
}

// Open opens a file for reading from any place in it.
func (f *Files) Open(ctx context.Context, name string) (io.ReadSeekCloser, error) {
	r, err := f.store.bucket.NewReader(ctx, f.folder+name, nil)
	if err != nil {
		return nil, fmt.Errorf("content: opening a file: %w", err)
	}
	return r, nil
}

// Throw throws a file away. One that is not there is no error.
func (f *Files) Throw(ctx context.Context, name string) error {
	if err := f.store.bucket.Delete(ctx, f.folder+name); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
		return fmt.Errorf("content: throwing a file away: %w", err)
	}
	return nil
}

// Names goes through the files, also those that a killed process has left unfinished, which have names of their own.
func (f *Files) Names(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		list := f.store.bucket.List(&blob.ListOptions{Prefix: f.folder})
		for {
			o, err := list.Next(ctx)
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield("", fmt.Errorf("content: listing files: %w", err))
				return
			}
			if !yield(strings.TrimPrefix(o.Key, f.folder), nil) {
				return
			}
		}
	}
}
