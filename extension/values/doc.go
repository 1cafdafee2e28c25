// SPDX-License-Identifier: EUPL-1.2

// Package values keeps what the extension fields (Balkone) of rows hold, with the entries by which rows are found.
// Which fields there are does not belong here (extension, extension/desk), nor does who may see what they hold (reading), nor the history of cases (casework).
package values
