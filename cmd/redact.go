// SPDX-License-Identifier: EUPL-1.2

package cmd

import (
	"context"
	"log/slog"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/schema"
)

// redactor writes down only what is known to be no personal data: attributes whose names stand in a list, and of their texts nothing that
// looks like a token, an address of somebody, the global id of a thing, or a value in quotation marks. What is left out is seen to be.
type redactor struct{ to slog.Handler }

// redacted makes a log careful. One that already is stays as it is.
func redacted(log *slog.Logger) *slog.Logger {
	if _, ok := log.Handler().(redactor); ok {
		return log
	}
	return slog.New(redactor{log.Handler()})
}

// spoken are the attributes that may be written down.
var spoken = []string{
	"reference", "error", "stack", "reason", // of failures
	"method", "route", "status", "duration", "operation", "path", // of requests
	"document", "kind", "class", "cost", "waited", // of operations
	"url", "for", "lines", "field", "failed", "caught", "message", // of tasks; a message is an id that the house alone knows
}

// leftOut stands where something was.
const leftOut = "[left out]"

var (
	bearer  = regexp.MustCompile(`eyJ[\w-]{8,}(\.[\w-]*)*|(?i:bearer) \S+`)
	mail    = regexp.MustCompile(`[^\s@"'<>()]+@[^\s@"'<>()]+`)
	quoted  = regexp.MustCompile(`"[^"]*"?`)
	ourName = regexp.MustCompile(`^"[a-z]+(_[a-z0-9]+)+"$`) // of a constraint or a column; a value seldom looks like that
	perhaps = regexp.MustCompile(`[\w-]{23,}`)
)

// plain tells of most texts of a request's line (its method, its route, the name of its operation) that none of the expressions above can find anything
// in them: they are too short for an id, have no quotation mark, no @ and no space, and do not begin a token.
func plain(text string) bool {
	if len(text) >= 23 || strings.Contains(text, "eyJ") {
		return false
	}
	for _, c := range []byte(text) {
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '/' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

// said is a text without what looks like personal data.
func said(text string) string {
	if plain(text) {
		return text
	}
	return searched(text)
}

func searched(text string) string {
	text = bearer.ReplaceAllLiteralString(text, leftOut)
	text = mail.ReplaceAllLiteralString(text, leftOut)
	text = quoted.ReplaceAllStringFunc(text, func(q string) string {
		if ourName.MatchString(q) {
			return q
		}
		return leftOut
	})
	return perhaps.ReplaceAllStringFunc(text, func(word string) string {
		if _, id, ok := schema.ParseID(word); ok && id.Variant() == uuid.RFC4122 {
			return leftOut
		}
		return word
	})
}

func careful(a slog.Attr) slog.Attr {
	v := a.Value.Resolve()
	if v.Kind() == slog.KindGroup {
		inner := make([]slog.Attr, 0, len(v.Group()))
		for _, g := range v.Group() {
			inner = append(inner, careful(g))
		}
		return slog.Attr{Key: a.Key, Value: slog.GroupValue(inner...)}
	}
	if !slices.Contains(spoken, a.Key) {
		return slog.String(a.Key, leftOut)
	}
	switch v.Kind() {
	case slog.KindString:
		return slog.String(a.Key, said(v.String()))
	case slog.KindAny:
		switch v := v.Any().(type) {
		case error:
			return slog.String(a.Key, said(v.Error()))
		case uuid.UUID:
			return slog.String(a.Key, v.String())
		}
		return slog.String(a.Key, leftOut)
	}
	return slog.Attr{Key: a.Key, Value: v}
}

// Enabled asks what stands behind.
func (r redactor) Enabled(ctx context.Context, l slog.Level) bool { return r.to.Enabled(ctx, l) }

// Handle writes a line down.
func (r redactor) Handle(ctx context.Context, line slog.Record) error {
	out := slog.NewRecord(line.Time, line.Level, line.Message, line.PC)
	line.Attrs(func(a slog.Attr) bool { out.AddAttrs(careful(a)); return true })
	return r.to.Handle(ctx, out)
}

// WithAttrs is careful with these, too.
func (r redactor) WithAttrs(attrs []slog.Attr) slog.Handler {
	out := make([]slog.Attr, 0, len(attrs))
	for _, a := range attrs {
		out = append(out, careful(a))
	}
	return redactor{r.to.WithAttrs(out)}
}

// WithGroup keeps the care.
func (r redactor) WithGroup(name string) slog.Handler { return redactor{r.to.WithGroup(name)} }
