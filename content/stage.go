// SPDX-License-Identifier: EUPL-1.2

package content

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"github.com/ozg-cloud/platform/internal/problem"
)

// Piece is what is known of content: everything but the content.
type Piece struct {
	Name      string // as it was handed in
	MediaType string // as found in the content
	SHA256    string // in hex
	Size      int64  // in bytes
}

// Staged is content that was taken in and is not kept yet.
type Staged struct {
	Piece
	store *Store
	file  *os.File
}

// Stage takes content up to its end into a temporary file that has no name, so that nothing is left of it whatever happens to this process.
// The disk of the temporary files needs room for all that is being handed in at a time. Call Drop in the end.
//
// Refusals, all Invalid: a name that is no file name, at the path name; content that is empty (required), larger than limit bytes (tooLarge),
// of a media type that is not accepted (mediaType), or that cannot be read to its end (malformed).
// A problem that reading returns is handed on.
func (s *Store) Stage(ctx context.Context, name string, r io.Reader, limit int64) (*Staged, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	file, err := os.CreateTemp("", "ozg-content-")
	if err != nil {
		return nil, fmt.Errorf("content: making a temporary file: %w", err)
	}
	st := &Staged{Piece{Name: name}, s, file}
	if err := st.take(ctx, r, limit); err != nil {
		st.Drop()
		return nil, err
	}
	return st, nil
}

func (st *Staged) take(ctx context.Context, r io.Reader, limit int64) error {
	if err := os.Remove(st.file.Name()); err != nil {
		return fmt.Errorf("content: taking the name from a temporary file: %w", err)
	}
	hash, from := sha256.New(), &source{left: ctx.Err, r: r}
	n, err := io.Copy(io.MultiWriter(st.file, hash), io.LimitReader(from, limit+1))
	switch {
	case from.err != nil:
		return from.refusal()
	case err != nil:
		return fmt.Errorf("content: writing a temporary file: %w", err)
	case n == 0:
		return problem.New(problem.Invalid, "required")
	case n > limit:
		return problem.New(problem.Invalid, "tooLarge")
	}
	st.Size, st.SHA256 = n, hex.EncodeToString(hash.Sum(nil))
	st.MediaType, err = mediaType(st.content())
	return err
}

func (st *Staged) content() io.Reader { return io.NewSectionReader(st.file, 0, st.Size) }

// Keep puts the content into the store, and returns when it is there for good. Keeping content that was kept before on the same day
// costs one look. Whoever refers to it has to have said so by the end of the next day (UTC), or the sweeper takes it for forgotten.
func (st *Staged) Keep(ctx context.Context) error {
	key := allOf(st.SHA256) + dayOf(st.store.clock())
	there, err := st.store.bucket.Attributes(ctx, key)
	switch {
	case err == nil && there.Size == st.Size: // a machine that lost power may have left a shorter one
		return nil
	case err != nil && gcerrors.Code(err) != gcerrors.NotFound:
		return fmt.Errorf("content: looking for %s: %w", st.SHA256, err)
	}
	if err := st.store.write(ctx, key, st.content()); err != nil {
		return fmt.Errorf("content: keeping %s: %w", st.SHA256, err)
	}
	return nil
}

// Drop throws the temporary file away. It may be called at any time and again.
func (st *Staged) Drop() { _ = st.file.Close() }

func (s *Store) write(ctx context.Context, key string, r io.Reader) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w, err := s.bucket.NewWriter(ctx, key, &blob.WriterOptions{ContentType: "application/octet-stream"})
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, r); err != nil {
		cancel() // closing then gives up what was written
		_ = w.Close()
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return s.settle(key)
}

// settle waits until the disk has a file and the folders that lead to it. What is not a store of files does so by itself.
func (s *Store) settle(key string) error {
	if s.folder == "" {
		return nil
	}
	for path := filepath.Join(s.folder, key); ; path = filepath.Dir(path) {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		err = f.Sync()
		_ = f.Close() // it was only read
		if err != nil || path == s.folder {
			return err
		}
	}
}

// source remembers what was wrong with reading, which is the sender's fault; what is wrong with writing is ours.
type source struct {
	left func() error // whether the caller has
	r    io.Reader
	err  error
}

func (s *source) Read(p []byte) (int, error) {
	if err := s.left(); err != nil {
		s.err = err
		return 0, err
	}
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

func (s *source) refusal() error {
	if err := s.left(); err != nil {
		return fmt.Errorf("content: taking content: %w", err)
	}
	if p, ok := problem.Of(s.err); ok {
		return p
	}
	if _, large := errors.AsType[*http.MaxBytesError](s.err); large {
		return problem.New(problem.Invalid, "tooLarge")
	}
	return problem.New(problem.Invalid, "malformed")
}
