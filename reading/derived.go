// SPDX-License-Identifier: EUPL-1.2

package reading

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/casework"
	"github.com/ozg-cloud/platform/ent/catalog"
)

// derivation says how a field that is no column and no edge comes about: as an expression of SQL, or from columns of its row.
type derivation struct {
	expression func(alias string) string
	kind       catalog.Kind

	text []byte // the same in each row of a view

	columns []string // of the same row, handed on in this order
	value   derive
	member  func(name string) derive // for an object: how each of its fields comes about

	personal bool // it names the viewer, so that no two are shown the same

	edge      *catalog.Edge // like this edge,
	condition string        // narrowed by a condition on the target, which must leave one row at most
}

// derive appends what comes of a row's columns.
type derive func(r *Reader, p *authz.Principal, dst []byte, row [][]byte) ([]byte, error)

// ofTarget are the columns of a case that rights depend on, in the order in which targetOf reads them.
var ofTarget = []string{"place", "unit_id", "service_id", "owner", "via_point_of_contact"}

var derivations = map[string]derivation{
	"Case.overdue": {expression: overdueCase, kind: catalog.Bool},
	"FollowUp.overdue": {expression: func(a string) string {
		return "(" + a + ".done_at is null and " + a + ".due_on < (now() at time zone 'Europe/Berlin')::date)"
	}, kind: catalog.Bool},
	"Case.currentAssignment":    {edge: &catalog.Edge{To: "Assignment", Back: "case_id"}, condition: "ended_at is null"},
	"Case.allowedTransitions":   {columns: append(ofTarget, "state"), value: allowedTransitions},
	"Case.viewerCan":            {columns: ofTarget, member: may},
	"RoleAssignment.serviceIds": {columns: []string{"service_ids"}, value: idsOf("Service")},
	"AuditEntry.serviceIds":     {columns: []string{"service_ids"}, value: idsOf("Service")},
	"AccessEntry.caseId":        {columns: []string{"case_id"}, value: idOfCase},
	"Attachment.url":            {columns: []string{"id"}, value: downloadLink, personal: true},
	"CaseEvent.caseId":          {columns: []string{"case_id"}, value: idOfCase},
	"CaseEvent.cursor":          {columns: []string{"xid", "seq"}, value: cursorOfEvent},
	"MessageEvent.cursor":       {columns: []string{"xid", "seq"}, value: cursorOfEvent},
	"Webhook.deadLetters": {expression: func(a string) string {
		return "(select count(*)::int from webhook_deliveries d where d.tenant_id = " + a + ".tenant_id and d.webhook_id = " + a + ".id and d.state = 'DEAD')"
	}, kind: catalog.Int},
	"WebhookDelivery.eventCursor":  {columns: []string{"xid", "seq", "frame"}, value: cursorOfDelivery},
	"BulkOperation.snapshotCursor": {columns: []string{"mark_xid", "mark_seq"}, value: cursorOfSnapshot},
	"BulkOperation.url":            {columns: []string{"id", "subject", "state"}, value: exportLink, personal: true},
	"WorkListChange.caseId":        {columns: []string{"case_id"}, value: idOfCase},
	"WorkListChange.cursor":        {columns: []string{"xid", "seq"}, value: cursorOfEvent},
	"WorkListChange.move":          {text: moves[entered]},
}

func overdueCase(a string) string {
	return "(" + a + ".decided_at is null and " + a + ".due_at is not null and " + a + ".due_at < now() and " + a + ".state not in ('DISCARDED', 'TO_BE_DELETED', 'ERASED'))"
}

// allowedTransitions lists what the state machine and the viewer's rights leave open.
func allowedTransitions(_ *Reader, p *authz.Principal, dst []byte, row [][]byte) ([]byte, error) {
	target, err := targetOf(row)
	if err != nil {
		return nil, err
	}
	dst = append(dst, '[')
	for i, t := range casework.Allowed(p, casework.State(row[len(ofTarget)]), target) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, '"')
		dst = append(dst, t...)
		dst = append(dst, '"')
	}
	return append(dst, ']'), nil
}

// may tells whether the viewer has the right to do something to the case: the fields of CasePermissions have the names of actions.
func may(action string) derive {
	return func(_ *Reader, p *authz.Principal, dst []byte, row [][]byte) ([]byte, error) {
		target, err := targetOf(row)
		return strconv.AppendBool(dst, p.May("case", authz.Action(action), target)), err
	}
}

func targetOf(row [][]byte) (authz.Target, error) {
	place, err := integer(row[0])
	t := authz.Target{Place: authz.Place(place), Service: uuid.UUID(row[2]), Owner: string(row[3]), ViaPointOfContact: len(row[4]) == 1 && row[4][0] == 1}
	if row[1] != nil {
		t.Unit = uuid.UUID(row[1])
	}
	return t, err
}

// idOfCase gives the global id of a case that may not itself be visible.
func idOfCase(_ *Reader, _ *authz.Principal, dst []byte, row [][]byte) ([]byte, error) {
	return appendGlobalID(dst, catalog.Types["Case"].Number, row[0]), nil
}

// idsOf gives the global ids of things of a type out of a JSON column of ids; a missing column has none.
func idsOf(typ string) derive {
	return func(_ *Reader, _ *authz.Principal, dst []byte, row [][]byte) ([]byte, error) {
		var ids []uuid.UUID
		if len(row[0]) > 0 {
			if err := json.Unmarshal(jsonOf(row[0]), &ids); err != nil {
				return nil, fmt.Errorf("reading a JSON column of ids: %w", err)
			}
		}
		dst = append(dst, '[')
		for i, id := range ids {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendGlobalID(dst, catalog.Types[typ].Number, id[:])
		}
		return append(dst, ']'), nil
	}
}

// downloadLink gives the viewer a link to the content that is good for a few minutes.
func downloadLink(r *Reader, p *authz.Principal, dst []byte, row [][]byte) ([]byte, error) {
	return appendString(dst, []byte(r.link(p, uuid.UUID(row[0])))), nil
}

// exportLink gives the subject of an export a link to the file, once there is one.
func exportLink(r *Reader, p *authz.Principal, dst []byte, row [][]byte) ([]byte, error) {
	if r.export == nil || string(row[1]) != p.Subject || string(row[2]) != "COMPLETED" {
		return append(dst, null...), nil
	}
	return appendString(dst, []byte(r.export(p, uuid.UUID(row[0])))), nil
}
