// SPDX-License-Identifier: EUPL-1.2

// Package rule limits every query and every mutation of the store to what the principal may see.
// Whether a person may carry out a verb does not belong here: the desks ask that.
//
// The predicate is made in one place, Where, and serves the ent client and the reading plan alike.
// Row level security in the database stands behind it and knows only the interval of the tenant tree and the applicant.
package rule
