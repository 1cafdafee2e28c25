// SPDX-License-Identifier: EUPL-1.2

package graph

import (
	"context"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/extension/desk"
	"github.com/ozg-cloud/platform/graph/answer"
	"github.com/ozg-cloud/platform/graph/model"
	"github.com/ozg-cloud/platform/reading"
)

func (r query) ExtensionDefinitions(ctx context.Context, _ *int, _ *string, _ *int, _ *string, _ map[string]any) (reading.Value, error) {
	return r.Reading.Page(ctx, "ExtensionDefinition")
}

// defined makes the payload of a verb on a definition.
func (r *Resolver) defined(o desk.Outcome, err error) (*answer.Payload, error) {
	if err != nil {
		return refused(err)
	}
	p := answer.Done(r.Reading, map[string]uuid.UUID{"ExtensionDefinition": o.Definition})
	p.Changes = make([]model.ExtensionChange, len(o.Changes))
	for i, c := range o.Changes {
		p.Changes[i] = model.ExtensionChange{Class: model.ExtensionChangeClass(c.Class), Kind: c.Kind, Coordinate: c.Coordinate, Lost: c.Lost}
	}
	p.Documents = append([]string{}, o.Documents...)
	return p, nil
}

// onDefinition reads the id of a version and hands it to the verb.
func (r *Resolver) onDefinition(ctx context.Context, globalID string, breaking bool, verb func(context.Context, desk.Step) (desk.Outcome, error)) (*answer.Payload, error) {
	id, err := idOf("ExtensionDefinition", globalID, "input", "extensionDefinitionId")
	if err != nil {
		return r.defined(desk.Outcome{}, err)
	}
	return r.defined(verb(ctx, desk.Step{Definition: id, Breaking: breaking}))
}
