// SPDX-License-Identifier: EUPL-1.2

package cmd

// Redacted is the log of every house.
var Redacted = redacted
