// SPDX-License-Identifier: EUPL-1.2

package reading

import (
	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/casework"
	"github.com/ozg-cloud/platform/ent/catalog"
)

// derivation says how a field that is no column and no edge comes about: as an expression of SQL, or from columns of its row.
type derivation struct {
	expression func(alias string) string
	kind       catalog.Kind

	columns []string // of the same row, handed to value in this order
	value   func(r *Reader, p *authz.Principal, dst []byte, row [][]byte) ([]byte, error)

	edge      *catalog.Edge // like this edge,
	condition string        // narrowed by a condition on the target, which must leave one row at most
}

var derivations = map[string]derivation{
	"Case.overdue": {expression: overdueCase, kind: catalog.Bool},
	"FollowUp.overdue": {expression: func(a string) string {
		return "(" + a + ".done_at is null and " + a + ".due_on < (now() at time zone 'Europe/Berlin')::date)"
	}, kind: catalog.Bool},
	"Case.currentAssignment":  {edge: &catalog.Edge{To: "Assignment", Back: "case_id"}, condition: "ended_at is null"},
	"Case.allowedTransitions": {columns: []string{"state", "place", "unit_id", "service_id", "owner", "via_point_of_contact"}, value: allowedTransitions},
	"Attachment.url":          {columns: []string{"id"}, value: downloadLink},
}

func overdueCase(a string) string {
	return "(" + a + ".decided_at is null and " + a + ".due_at is not null and " + a + ".due_at < now() and " + a + ".state not in ('DISCARDED', 'TO_BE_DELETED', 'ERASED'))"
}

// allowedTransitions lists what the state machine and the viewer's rights leave open.
func allowedTransitions(_ *Reader, p *authz.Principal, dst []byte, row [][]byte) ([]byte, error) {
	place, err := integer(row[1])
	if err != nil {
		return nil, err
	}
	target := authz.Target{Place: authz.Place(place), Owner: string(row[4]), ViaPointOfContact: len(row[5]) == 1 && row[5][0] == 1}
	if row[2] != nil {
		target.Unit = uuid.UUID(row[2])
	}
	target.Service = uuid.UUID(row[3])
	dst = append(dst, '[')
	for i, t := range casework.Allowed(p, casework.State(row[0]), target) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, '"')
		dst = append(dst, t...)
		dst = append(dst, '"')
	}
	return append(dst, ']'), nil
}

// downloadLink gives the viewer a link to the content that is good for a few minutes.
func downloadLink(r *Reader, p *authz.Principal, dst []byte, row [][]byte) ([]byte, error) {
	return appendString(dst, []byte(r.link(p, uuid.UUID(row[0])))), nil
}
