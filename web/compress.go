// SPDX-License-Identifier: EUPL-1.2

package web

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// worthwhile is the length from which on an answer is compressed: a shorter one travels in one packet anyway.
const worthwhile = 1 << 10

// presses are writers of gzip; each has some hundred kilobytes of memory, which is not thrown away.
var presses = sync.Pool{New: func() any {
	z, err := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	if err != nil {
		panic(err) // the level is a constant
	}
	return z
}}

// send answers with a body that is known whole, compressed where the caller takes that and it pays. Streams are never compressed: an event
// would wait for others.
//
// That the length of a compressed answer tells something of its content (BREACH) needs somebody who can make the victim's browser ask
// again and again with words of the attacker's: here no cookie signs anybody in, a page of another origin cannot send the token, and
// nothing that was sent is repeated beside a secret. Cursors are of no use without rights, and links are others in each answer.
func send(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	h := w.Header()
	if len(body) >= worthwhile {
		h.Add("Vary", "Accept-Encoding")
		if takesGzip(r) {
			var b bytes.Buffer
			b.Grow(len(body) / 4)
			if press(&b, body); b.Len() < len(body) {
				body = b.Bytes()
				h.Set("Content-Encoding", "gzip")
			}
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // who has gone cannot be told
}

func press(to *bytes.Buffer, body []byte) {
	z, ok := presses.Get().(*gzip.Writer)
	if !ok {
		panic("web: there is nothing else in the pool")
	}
	defer presses.Put(z)
	z.Reset(to)
	_, _ = z.Write(body) // a buffer takes everything
	_ = z.Close()
}

// takesGzip tells whether gzip is named among the codings that a caller takes, and not liked less than none
// (RFC 9110, section 12.5.3).
func takesGzip(r *http.Request) bool {
	header := strings.Join(r.Header.Values("Accept-Encoding"), ",")
	zipped, _ := quality(header, "gzip")
	plain, _ := quality(header, "identity")
	return zipped > 0 && zipped >= plain
}
