// SPDX-License-Identifier: EUPL-1.2

package migrations

// ApplyFrom is Apply with other files, for a test of what a later migration may do.
var ApplyFrom = apply
