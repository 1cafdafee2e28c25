// SPDX-License-Identifier: EUPL-1.2

package book

// AsHouse is in whose name the book reads and writes.
var AsHouse = asHouse
