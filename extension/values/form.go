// SPDX-License-Identifier: EUPL-1.2

package values

import (
	"github.com/ozg-cloud/platform/ent/schema"
	"github.com/ozg-cloud/platform/extension"
)

// Items are those of a form as definitions look at them, each with the one value that it has.
func Items(form []schema.FormItem) []extension.Item {
	out := make([]extension.Item, len(form))
	for i, f := range form {
		out[i] = extension.Item{Name: f.Name, Items: Items(f.Items)}
		switch {
		case f.String != nil:
			out[i].Value = *f.String
		case f.Number != nil:
			out[i].Value = *f.Number
		case f.Date != nil:
			out[i].Value = *f.Date
		case f.Boolean != nil:
			out[i].Value = *f.Boolean
		}
	}
	return out
}
