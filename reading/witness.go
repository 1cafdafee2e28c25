// SPDX-License-Identifier: EUPL-1.2

package reading

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/ent/catalog"
)

// Access is that somebody is shown personal data of a case.
type Access struct {
	Case, Tenant uuid.UUID
	Place        int64
	Reader       string   // subject
	Purpose      string   // in the words of the reader's front end; empty where it said nothing
	Fields       []string // each as type and field of the contract, in order
	Request      any      // the same for all that one request is shown, as long as that lasts
}

// Witness takes note of accesses before they happen: what it refuses is not shown.
type Witness interface {
	Witness(ctx context.Context, seen []Access) error
}

// longestPurpose is in characters.
const longestPurpose = 200

// Purpose reads what a front end says of why it reads (header X-Purpose): its first 200 characters, what cannot be read left out.
func Purpose(header string) string {
	text := strings.Map(func(c rune) rune {
		if c == unicode.ReplacementChar || !unicode.IsPrint(c) {
			return -1
		}
		return c
	}, header)
	if characters := []rune(text); len(characters) > longestPurpose {
		text = string(characters[:longestPurpose])
	}
	return strings.TrimSpace(text)
}

// trace says where in a row stands whose personal data it shows.
type trace struct {
	tenant, place, file int // columns; file is the case
	fields              []tracedField
}

type tracedField struct {
	name   string
	column int // null where nothing is shown
}

// watch makes the object leave a trace of a field that the contract calls personal (@dataClass), where the caller's reads are written down.
func (c *compiler) watch(o *object, l *level, t *catalog.Type, alias string, f graphql.CollectedField, w *op) error {
	class := f.Definition.Directives.ForName("dataClass")
	if class == nil || !c.p.Watched() {
		return nil
	}
	if name := class.Arguments.ForName("class").Value.Raw; name != "PERSONAL" && name != "SENSITIVE" {
		return nil
	}
	if w.kind != scalar && w.kind != document || !t.OfCase && t.Name != "Case" {
		return fmt.Errorf("reading: %s.%s is no column of a case's, and that it is read would not be written down", t.Name, f.Name)
	}
	c.traced(o, l, t, alias)
	o.trace.fields = append(o.trace.fields, tracedField{t.Name + "." + f.Name, w.column})
	return nil
}

// traced makes sure that the object says which case it belongs to.
func (c *compiler) traced(o *object, l *level, t *catalog.Type, alias string) {
	file := "case_id"
	if t.Name == "Case" {
		file = "id"
	}
	if o.trace == nil {
		o.trace = &trace{tenant: l.column(sql(alias + ".tenant_id")), place: l.column(sql(alias + ".place")), file: l.column(sql(alias + "." + file))}
	}
}

// note remembers what a row shows of its case.
func (w *writer) note(t *trace, values [][]byte) error {
	var seen *sighting
	for _, f := range t.fields {
		if values[f.column] == nil {
			continue
		}
		if seen == nil {
			file := rowID(values[t.file])
			if seen = w.seen[file]; seen == nil {
				place, err := integer(values[t.place])
				if err != nil {
					return err
				}
				if w.seen == nil {
					w.seen = map[rowID]*sighting{}
				}
				seen = &sighting{uuid.UUID(values[t.tenant]), place, map[string]bool{}}
				w.seen[file] = seen
			}
		}
		seen.fields[f.name] = true
	}
	return nil
}

// sighting is what an answer shows of one case.
type sighting struct {
	tenant uuid.UUID
	place  int64
	fields map[string]bool
}

// report hands the witness what an answer is about to show to somebody.
func (r *Reader) report(ctx context.Context, p *authz.Principal, oc *graphql.OperationContext, seen map[rowID]*sighting) error {
	if len(seen) == 0 {
		return nil
	}
	purpose := Purpose(oc.Headers.Get("X-Purpose"))
	accesses := make([]Access, 0, len(seen))
	for file, s := range seen {
		accesses = append(accesses, Access{
			Case: uuid.UUID(file), Tenant: s.tenant, Place: s.place, Reader: p.Subject, Purpose: purpose,
			Fields: slices.Sorted(maps.Keys(s.fields)), Request: oc,
		})
	}
	return r.witness.Witness(ctx, accesses)
}
