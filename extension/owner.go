// SPDX-License-Identifier: EUPL-1.2

package extension

import (
	"strings"

	"github.com/google/uuid"
)

// Owner is a tenant that adds fields. They hold in the tenant itself and in all below it.
type Owner struct {
	ID    uuid.UUID
	Place int64  // in the tree of tenants, see authz.Place
	Kind  string // LAND, DISTRICT or AUTHORITY
	Slug  string
}

// Space is what the names of an owner begin with: nothing for a Land, whose names carry no underscore, and the slug of a district or an
// authority with an underscore behind it. The last underscore of a name parts the owner from the rest, so that what is inherited and
// what is owned never have the same name, whoever is the first to define it.
func (o Owner) Space() string {
	if o.Kind == "LAND" {
		return ""
	}
	return strings.ReplaceAll(o.Slug, "-", "_") + "_"
}
