// SPDX-License-Identifier: EUPL-1.2

package values

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"github.com/ozg-cloud/platform/ent"
	"github.com/ozg-cloud/platform/ent/catalog"
	"github.com/ozg-cloud/platform/ent/extensionrecord"
	"github.com/ozg-cloud/platform/extension"
	"github.com/ozg-cloud/platform/schema"
)

// Line is what a definition's fields hold of one row.
type Line struct {
	Type   string      `json:"type"`
	ID     string      `json:"id"` // global
	Tenant uuid.UUID   `json:"tenantId"`
	Values []LineValue `json:"values"`
}

// LineValue is a single value, see extension.Told.
type LineValue struct {
	Name  string   `json:"name"`
	Path  []string `json:"path"`
	Type  string   `json:"type"`
	Value any      `json:"value"`
}

// exported is how many records are read at a time.
const exported = 500

// Export tells line by line what the fields of a definition hold, whether or not it is in force, in the order of the records. Rows of which they hold
// nothing are left out. It reads page by page, so that rows that are written meanwhile may be in it.
func Export(ctx context.Context, client *ent.Client, d *extension.Definition, tell func(Line) error) error {
	var behind uuid.UUID
	for {
		page, err := client.ExtensionRecord.Query().Where(extensionrecord.Owner(d.Owner.Place), extensionrecord.IDGT(behind)).
			Order(ent.Asc(extensionrecord.FieldID)).Limit(exported).All(ctx)
		if err != nil {
			return fmt.Errorf("values: reading records: %w", err)
		}
		for _, r := range page {
			line, err := lineOf(d, r)
			if err != nil {
				return err
			}
			if len(line.Values) == 0 {
				continue
			}
			if err := tell(line); err != nil {
				return err
			}
		}
		if len(page) < exported {
			return nil
		}
		behind = page[len(page)-1].ID
	}
}

func lineOf(d *extension.Definition, r *ent.ExtensionRecord) (Line, error) {
	row := rowOf(r)
	line := Line{Type: row.Target, ID: schema.ID(catalog.Types[row.Target].Number, row.ID), Tenant: r.TenantID}
	values := map[string]any{}
	in := json.NewDecoder(bytes.NewReader(r.Document))
	in.UseNumber()
	if err := in.Decode(&values); err != nil {
		return line, fmt.Errorf("values: reading a record: %w", err)
	}
	for _, f := range (extension.Chain{d}).Fields(row.Target) {
		for _, t := range f.Tell(nil, values) {
			line.Values = append(line.Values, LineValue{t.Name, append([]string{}, t.Path...), t.Type, t.Value})
		}
	}
	return line, nil
}
