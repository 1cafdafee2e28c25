// SPDX-License-Identifier: EUPL-1.2

package law

import "time"

// AnnounceBy and DueBy count by another calendar: the seam through which the twins bring in a fault.
func AnnounceBy(dayOf func(time.Time) time.Time, land string, f Facts) Announcement {
	return announce(land, f, dayOf)
}

func DueBy(dayOf func(time.Time) time.Time, completeAt time.Time, deadlineDays *int, fiction bool) *time.Time {
	return due(completeAt, deadlineDays, fiction, dayOf)
}

// Holding names the rules that hold, of which there must be one.
func Holding(land string, c Channel, on time.Time) []string {
	var ids []string
	for _, r := range rules {
		if r.holds(land, c, on) {
			ids = append(ids, r.id)
		}
	}
	return ids
}

// Easter is asked directly, because few of its days are the end of a period.
var Easter = easter
