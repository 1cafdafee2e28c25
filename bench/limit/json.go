// SPDX-License-Identifier: EUPL-1.2

package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/ozg-cloud/platform/schema"
)

func appendID(dst []byte, number byte, raw []byte) []byte {
	dst = schema.AppendID(append(dst, '"'), number, [16]byte(raw))
	return append(dst, '"')
}

func appendCursor(dst []byte, at [24]byte) []byte {
	dst = base64.RawURLEncoding.AppendEncode(append(dst, '"'), at[:])
	return append(dst, '"')
}

// sinceThen are the microseconds from 1970 to 2000, where PostgreSQL begins to count.
const sinceThen = 946684800000000

func instant(raw []byte) time.Time {
	return time.UnixMicro(int64(binary.BigEndian.Uint64(raw)) + sinceThen).UTC() //nolint:gosec // the database's own int64
}

func appendInstant(dst, raw []byte) []byte {
	dst = instant(raw).AppendFormat(append(dst, '"'), time.RFC3339Nano)
	return append(dst, '"')
}

func appendText(dst, text []byte) []byte {
	dst = append(dst, '"')
	done := 0
	for i, c := range text {
		if c != '"' && c != '\\' && c >= ' ' {
			continue
		}
		dst = append(dst, text[done:i]...)
		if c < ' ' {
			dst = fmt.Appendf(dst, `\u%04x`, c)
		} else {
			dst = append(dst, '\\', c)
		}
		done = i + 1
	}
	return append(append(dst, text[done:]...), '"')
}
