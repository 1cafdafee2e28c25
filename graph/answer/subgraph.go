// SPDX-License-Identifier: EUPL-1.2

package answer

// Subgraph is what a composer is told: the contract of who asks.
type Subgraph struct{ SDL string }
