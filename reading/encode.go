// SPDX-License-Identifier: EUPL-1.2

package reading

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/ozg-cloud/platform/ent/catalog"
)

// epoch is 2000-01-01, from which PostgreSQL counts.
const (
	epochMicros = 946684800000000
	epochDays   = 10957
)

// appendValue appends a value in the database's binary format as JSON; nil is null.
func appendValue(dst []byte, kind catalog.Kind, raw []byte) ([]byte, error) {
	if raw == nil {
		return append(dst, "null"...), nil
	}
	switch kind {
	case catalog.Text, catalog.Enum:
		return appendString(dst, raw), nil
	case catalog.Instant:
		t, err := instant(raw)
		if err != nil {
			return nil, err
		}
		dst = append(dst, '"')
		dst = appendInstant(dst, t)
		return append(dst, '"'), nil
	case catalog.Date:
		if len(raw) != 4 {
			return nil, fmt.Errorf("reading: a date of %d bytes", len(raw))
		}
		t := time.Unix(0, 0).UTC().AddDate(0, 0, epochDays+int(int32(binary.BigEndian.Uint32(raw)))) //nolint:gosec // the database's own int32
		dst = append(dst, '"')
		dst = t.AppendFormat(dst, time.DateOnly)
		return append(dst, '"'), nil
	case catalog.Int:
		n, err := integer(raw)
		return strconv.AppendInt(dst, n, 10), err
	case catalog.BigInt:
		n, err := integer(raw)
		dst = append(dst, '"')
		dst = strconv.AppendInt(dst, n, 10)
		return append(dst, '"'), err
	case catalog.Bool:
		return strconv.AppendBool(dst, len(raw) == 1 && raw[0] == 1), nil
	}
	return nil, fmt.Errorf("reading: a column of kind %d is no scalar", kind)
}

func instant(raw []byte) (time.Time, error) {
	if len(raw) != 8 {
		return time.Time{}, fmt.Errorf("reading: an instant of %d bytes", len(raw))
	}
	return time.UnixMicro(int64(binary.BigEndian.Uint64(raw)) + epochMicros).UTC(), nil //nolint:gosec // the database's own int64
}

func integer(raw []byte) (int64, error) {
	switch len(raw) {
	case 2:
		return int64(int16(binary.BigEndian.Uint16(raw))), nil //nolint:gosec // the database's own int16
	case 4:
		return int64(int32(binary.BigEndian.Uint32(raw))), nil //nolint:gosec // the database's own int32
	case 8:
		return int64(binary.BigEndian.Uint64(raw)), nil //nolint:gosec // the database's own int64
	}
	return 0, fmt.Errorf("reading: a number of %d bytes", len(raw))
}

// appendInstant appends an instant of UTC as RFC 3339 has it, with as many of the six digits behind the second as it needs: what Time.AppendFormat makes of
// "2006-01-02T15:04:05.999999Z07:00", in a fifth of the time. Lists have one in each row.
func appendInstant(dst []byte, t time.Time) []byte {
	year, month, day := t.Date()
	if year < 0 || year > 9999 {
		return t.AppendFormat(dst, "2006-01-02T15:04:05.999999Z07:00")
	}
	hour, minute, second := t.Clock()
	dst = append(two(append(two(append(two(two(dst, year/100), year%100), '-'), int(month)), '-'), day), 'T')
	dst = two(append(two(append(two(dst, hour), ':'), minute), ':'), second)
	if micros := t.Nanosecond() / 1000; micros != 0 {
		dst = two(two(two(append(dst, '.'), micros/10000), micros/100%100), micros%100)
		for dst[len(dst)-1] == '0' {
			dst = dst[:len(dst)-1]
		}
	}
	return append(dst, 'Z')
}

// two appends two digits.
func two(dst []byte, n int) []byte { return append(dst, hexDigits[n/10], hexDigits[n%10]) }

const hexDigits = "0123456789abcdef"

// appendString appends UTF-8 text as a JSON string. The database holds valid UTF-8 only.
func appendString(dst, text []byte) []byte {
	dst = append(dst, '"')
	from := 0
	for i, c := range text {
		if c >= utf8.RuneSelf || c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, text[from:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		from = i + 1
	}
	dst = append(dst, text[from:]...)
	return append(dst, '"')
}
