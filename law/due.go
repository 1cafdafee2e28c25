// SPDX-License-Identifier: EUPL-1.2

package law

import "time"

// fictionMonths is how long an authority may stay silent where no other law sets a period (§ 42a(2) VwVfG).
const fictionMonths = 3

// Due gives the instant, in UTC, at which a case is due whose documents were complete at completeAt: the last second of the last day in
// Europe/Berlin. It is nil when no deadline applies, and the earlier one when both do:
//
//   - deadlineDays is what the service promises: calendar days after the day of completion, never shifted.
//   - fiction asks for the fiction of approval (Genehmigungsfiktion, § 42a VwVfG): three months from the complete documents on, to the end of
//     the next working day where they would end on a Saturday, a Sunday or a nationwide holiday (§ 31 VwVfG, §§ 187(1), 188(2)(3), 193 BGB).
//     Neither its one extension nor a period of another length is known here.
func Due(completeAt time.Time, deadlineDays *int, fiction bool) *time.Time {
	return due(completeAt, deadlineDays, fiction, Today)
}

func due(completeAt time.Time, deadlineDays *int, fiction bool, dayOf calendar) *time.Time {
	complete := dayOf(completeAt)
	var last time.Time
	if deadlineDays != nil {
		last = complete.AddDate(0, 0, *deadlineDays)
	}
	if fiction {
		if silent := workdayFrom(monthsAfter(complete, fictionMonths)); last.IsZero() || silent.Before(last) {
			last = silent
		}
	}
	if last.IsZero() {
		return nil
	}
	end := endOf(last)
	return &end
}
