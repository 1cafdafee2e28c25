// SPDX-License-Identifier: EUPL-1.2

// Package ent is the store: what is kept, under which rule, and how it is written. All of it is printed but for
// schema, rule, template, contract, store and migrations. Answering queries does not belong here: reading does that.
package ent
