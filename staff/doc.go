// SPDX-License-Identifier: EUPL-1.2

// Package staff gives and takes roles, shuts accounts out, and explains why somebody may do something or not. Each change is one
// transaction with its line in the audit log.
// What a role may do does not belong here (authz/policy.csv), nor does who is asking (authz), nor reading (reading).
package staff
