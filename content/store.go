// SPDX-License-Identifier: EUPL-1.2

package content

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"gocloud.dev/blob"
	_ "gocloud.dev/blob/fileblob" // file:///folder
	_ "gocloud.dev/blob/s3blob"   // s3://bucket
)

// Store is where content lies.
type Store struct {
	bucket *blob.Bucket
	folder string // of a store of files, else empty
	clock  func() time.Time
}

// Open opens a blob store in the notation of gocloud.dev/blob: s3://bucket?region=... or file:///folder, a folder that is made
// where it is missing, for nobody but this user. Whether a bucket answers shows with the first use.
func Open(ctx context.Context, blobsURL string) (*Store, error) {
	u, err := url.Parse(blobsURL)
	if err != nil {
		return nil, errors.New("content: the address of the blob store cannot be read") // it may hold a secret
	}
	s := &Store{clock: time.Now}
	if u.Scheme == "file" {
		if u.Host != "" || u.RawQuery != "" || !filepath.IsAbs(u.Path) {
			return nil, errors.New("content: a folder for blobs is named by file:// and its absolute path, and nothing else")
		}
		s.folder = filepath.Clean(u.Path)
		if err := os.MkdirAll(s.folder, 0o700); err != nil {
			return nil, fmt.Errorf("content: making the folder for blobs: %w", err)
		}
		// Unfinished files stand beside the finished ones, as a rename does not reach across disks.
		u.RawQuery = url.Values{"no_tmp_dir": {"true"}, "metadata": {"skip"}}.Encode()
	}
	if s.bucket, err = blob.OpenBucket(ctx, u.String()); err != nil {
		return nil, fmt.Errorf("content: opening the blob store: %w", err)
	}
	return s, nil
}

// Close ends the use of the store.
func (s *Store) Close() error {
	if err := s.bucket.Close(); err != nil {
		return fmt.Errorf("content: closing the blob store: %w", err)
	}
	return nil
}

// held is content as it lies in the store, or what a killed house has left of it (unfinished).
type held struct {
	key        string
	hash       string
	day        string // 2026-03-29, in UTC
	unfinished bool
}

// keys is the form of our keys. The first three digits are a folder, so that none of them holds too many files.
var keys = regexp.MustCompile(`^[0-9a-f]{3}/([0-9a-f]{64})\.(\d{4}-\d\d-\d\d)(\.[0-9a-f]+\.tmp)?$`)

func allOf(hash string) string { return hash[:3] + "/" + hash + "." }

func dayOf(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// all goes through what lies under keys with a prefix, in their order: content of one hash together, by day. What is not ours is left out.
func (s *Store) all(ctx context.Context, prefix string) iter.Seq2[held, error] {
	return func(yield func(held, error) bool) {
		list := s.bucket.List(&blob.ListOptions{Prefix: prefix})
		for {
			o, err := list.Next(ctx)
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(held{}, fmt.Errorf("content: listing: %w", err))
				return
			}
			m := keys.FindStringSubmatch(o.Key)
			if m == nil {
				continue
			}
			if !yield(held{o.Key, m[1], m[2], m[3] != ""}, nil) {
				return
			}
		}
	}
}

// Reader opens the content that lies under a hash. Who may see it has been asked before.
func (s *Store) Reader(ctx context.Context, hash string) (io.ReadCloser, error) {
	return s.read(ctx, hash)
}

// read opens content for reading. It is an error of the house when there is none: whoever asks has seen a row that names it.
func (s *Store) read(ctx context.Context, hash string) (*blob.Reader, error) {
	newest := ""
	for h, err := range s.all(ctx, allOf(hash)) {
		if err != nil {
			return nil, err
		}
		if !h.unfinished {
			newest = h.key
		}
	}
	if newest == "" {
		return nil, fmt.Errorf("content: %s is not there", hash)
	}
	r, err := s.bucket.NewReader(ctx, newest, nil)
	if err != nil {
		return nil, fmt.Errorf("content: opening %s: %w", hash, err)
	}
	return r, nil
}
