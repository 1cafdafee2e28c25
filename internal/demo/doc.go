// SPDX-License-Identifier: EUPL-1.2

// Package demo furnishes a house for development and measurement: tenants, services and people, and as many cases as somebody wants.
// What a real house is set up with does not belong here, nor do changes of the database's structure (ent/migrations).
//
// Regions, districts, services and their keys are real and public; persons, firms, addresses and everything that is said in a case
// are invented. The same call gives the same rows, ids included.
package demo
