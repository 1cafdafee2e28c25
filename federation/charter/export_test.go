// SPDX-License-Identifier: EUPL-1.2

package charter

// Follows is the check of signatures alone, for the benchmark.
func (c *Charter) Follows(next *Charter) ([]MemberID, error) { return c.follows(next) }
