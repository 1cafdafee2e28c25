// SPDX-License-Identifier: EUPL-1.2

package content

import "time"

// SetClock lets the store keep content on another day.
func (s *Store) SetClock(clock func() time.Time) { s.clock = clock }
