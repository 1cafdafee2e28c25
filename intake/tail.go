// SPDX-License-Identifier: EUPL-1.2

package intake

import (
	"bytes"
	"io"

	"github.com/ozg-cloud/platform/internal/problem"
)

// tail remembers the last bytes that were read of a delivery. mime/multipart takes a body that is cut off within the head of a part for one that
// ends there, and the parts that are missing for parts that were never sent.
type tail struct {
	io.Reader
	boundary string
	last     []byte
}

// afterEnd is how much white space may stand behind the closing boundary, in bytes.
const afterEnd = 64

func (t *tail) Read(p []byte) (int, error) {
	n, err := t.Reader.Read(p)
	t.last = append(t.last, p[:n]...)
	if longest := len(t.boundary) + 4 + afterEnd; len(t.last) > longest {
		t.last = append(t.last[:0], t.last[len(t.last)-longest:]...)
	}
	return n, err
}

// whole reads what is left and says whether the closing boundary was the last.
func (t *tail) whole() error {
	if _, err := io.Copy(io.Discard, t); err != nil {
		return broken(err)
	}
	if !bytes.HasSuffix(bytes.TrimRight(t.last, " \t\r\n"), []byte("--"+t.boundary+"--")) {
		return problem.New(problem.Invalid, "malformed")
	}
	return nil
}
