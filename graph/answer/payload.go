// SPDX-License-Identifier: EUPL-1.2

// Package answer holds what mutations answer: one payload for all verbs, and the problems as data.
// Errors that are no problem of the caller's do not belong here, see graph/failure.go.
package answer

import (
	"context"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/ent/catalog"
	"github.com/ozg-cloud/platform/graph/model"
	"github.com/ozg-cloud/platform/reading"
	"github.com/ozg-cloud/platform/schema"
)

// Payload is what came of a verb: either what was made and changed, or why nothing was.
// The things themselves are read when they are asked for, under the rights that the caller has then.
type Payload struct {
	Problems  []Problem
	RemovedID *string // global id of what a verb took away
	Changes   []model.ExtensionChange
	Documents []string // hashes

	reader *reading.Reader
	made   map[string]uuid.UUID // by the name of the type
	// revision is that of the case after the change.
	revision int
}

// Done is the payload of a verb that worked. made names what it made or changed, by type; the zero id stands for nothing.
func Done(r *reading.Reader, made map[string]uuid.UUID) *Payload {
	return &Payload{Problems: []Problem{}, reader: r, made: made}
}

// Revised is Done for a verb that has given a case a revision.
func (p *Payload) Revised(revision int) *Payload {
	p.revision = revision
	return p
}

// Cursor is where the change stands in the log, for those who may know of events.
func (p *Payload) Cursor(ctx context.Context) (*string, error) {
	id := p.made["Case"]
	if id == uuid.Nil || p.revision == 0 {
		return nil, nil
	}
	return p.reader.CursorOf(ctx, id, p.revision)
}

// Removed is the payload of a verb that took away what had this global id.
func Removed(globalID string) *Payload { return &Payload{Problems: []Problem{}, RemovedID: &globalID} }

func (p *Payload) read(ctx context.Context, typ string) (reading.Value, error) {
	id, ok := p.made[typ]
	if !ok || id == uuid.Nil {
		return nil, nil
	}
	return p.reader.ByID(ctx, typ, schema.ID(catalog.Types[typ].Number, id))
}

// Case reads the case that was made or changed.
func (p *Payload) Case(ctx context.Context) (reading.Value, error) { return p.read(ctx, "Case") }

// Applicant reads who applies.
func (p *Payload) Applicant(ctx context.Context) (reading.Value, error) {
	return p.read(ctx, "Applicant")
}

// Service reads the service.
func (p *Payload) Service(ctx context.Context) (reading.Value, error) { return p.read(ctx, "Service") }

// ServiceOffering reads the offering.
func (p *Payload) ServiceOffering(ctx context.Context) (reading.Value, error) {
	return p.read(ctx, "ServiceOffering")
}

// Message reads the message.
func (p *Payload) Message(ctx context.Context) (reading.Value, error) { return p.read(ctx, "Message") }

// Decision reads the decision.
func (p *Payload) Decision(ctx context.Context) (reading.Value, error) {
	return p.read(ctx, "Decision")
}

// Comment reads the comment.
func (p *Payload) Comment(ctx context.Context) (reading.Value, error) { return p.read(ctx, "Comment") }

// FollowUp reads the follow-up.
func (p *Payload) FollowUp(ctx context.Context) (reading.Value, error) {
	return p.read(ctx, "FollowUp")
}

// RoleAssignment reads the assignment of a role.
func (p *Payload) RoleAssignment(ctx context.Context) (reading.Value, error) {
	return p.read(ctx, "RoleAssignment")
}

// ExtensionDefinition reads the version of a definition of extension fields.
func (p *Payload) ExtensionDefinition(ctx context.Context) (reading.Value, error) {
	return p.read(ctx, "ExtensionDefinition")
}

// Webhook reads the webhook.
func (p *Payload) Webhook(ctx context.Context) (reading.Value, error) { return p.read(ctx, "Webhook") }

// WebhookDelivery reads the delivery.
func (p *Payload) WebhookDelivery(ctx context.Context) (reading.Value, error) {
	return p.read(ctx, "WebhookDelivery")
}

// BulkOperation reads the export.
func (p *Payload) BulkOperation(ctx context.Context) (reading.Value, error) {
	return p.read(ctx, "BulkOperation")
}
