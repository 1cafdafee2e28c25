// SPDX-License-Identifier: EUPL-1.2

package law_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ozg-cloud/platform/law"
)

// at reads an instant as the house stores it, in UTC.
func at(s string) time.Time {
	t, err := time.Parse("2006-01-02 15:04", s)
	if err != nil {
		panic(err)
	}
	return t
}

func known(s string) *time.Time {
	t := at(s)
	return &t
}

func portal(providedAt string) law.Facts {
	return law.Facts{Channel: law.Portal, SentAt: at(providedAt), ProvidedAt: known(providedAt)}
}
func post(sentAt string) law.Facts { return law.Facts{Channel: law.Post, SentAt: at(sentAt)} }
func electronic(sentAt string) law.Facts {
	return law.Facts{Channel: law.Electronic, SentAt: at(sentAt)}
}

// retrieval is a decision in the portal as it was counted until 23.07.2024. An empty instant is not known.
func retrieval(notifiedAt, retrievedAt string) law.Facts {
	f := portal("2024-03-01 09:00")
	if notifiedAt != "" {
		f.NotifiedAt = known(notifiedAt)
	}
	if retrievedAt != "" {
		f.FirstRetrievedAt = known(retrievedAt)
	}
	return f
}

func notified(f law.Facts, notifiedAt string) law.Facts {
	f.NotifiedAt = known(notifiedAt)
	return f
}

func only(sentAt string) law.Facts { return law.Facts{Channel: law.Portal, SentAt: at(sentAt)} }

// announced was counted by hand on the calendar. Instants are UTC; want is empty where nothing is announced.
var announced = []struct {
	name  string
	land  string
	facts law.Facts
	rule  string
	want  string
}{
	{"provided on a Monday", "01", portal("2026-03-02 10:00"), "ozg-9-1", "2026-03-05"},
	{"the third day is a Sunday and counts", "05", portal("2026-03-05 10:00"), "ozg-9-1", "2026-03-08"},
	{"the third day is New Year and counts", "02", portal("2025-12-29 10:00"), "ozg-9-1", "2026-01-01"},
	{"a retrieval before the third day changes nothing", "01",
		law.Facts{Channel: law.Portal, SentAt: at("2026-03-02 10:00"), ProvidedAt: known("2026-03-02 10:00"), FirstRetrievedAt: known("2026-03-02 11:00")},
		"ozg-9-1", "2026-03-05"},
	{"over a leap day", "01", portal("2028-02-27 12:00"), "ozg-9-1", "2028-03-01"},
	{"over the end of a February without one", "01", portal("2026-02-27 12:00"), "ozg-9-1", "2026-03-02"},
	{"provided on a leap day", "16", portal("2028-02-29 12:00"), "ozg-9-1", "2028-03-03"},
	{"in winter 22:59 UTC is still the same day", "01", portal("2026-01-14 22:59"), "ozg-9-1", "2026-01-17"},
	{"in winter 23:30 UTC is the next day", "01", portal("2026-01-14 23:30"), "ozg-9-1", "2026-01-18"},
	{"in summer 22:30 UTC is the next day", "01", portal("2026-07-14 22:30"), "ozg-9-1", "2026-07-18"},
	{"over the change to summer time", "01", portal("2026-03-27 22:59"), "ozg-9-1", "2026-03-30"},
	{"late on the last winter evening", "01", portal("2026-03-28 23:30"), "ozg-9-1", "2026-04-01"},
	{"late on the first summer evening", "01", portal("2026-03-29 22:30"), "ozg-9-1", "2026-04-02"},
	{"over the change to winter time", "01", portal("2026-10-23 22:30"), "ozg-9-1", "2026-10-27"},
	{"late on the last summer evening", "01", portal("2026-10-24 22:30"), "ozg-9-1", "2026-10-28"},
	{"late on the first winter evening", "01", portal("2026-10-25 22:30"), "ozg-9-1", "2026-10-28"},
	{"at the turn of the year", "14", portal("2025-12-31 23:30"), "ozg-9-1", "2026-01-04"},
	{"the federation", "00", portal("2026-03-02 10:00"), "ozg-9-1", "2026-03-05"},
	{"not provided yet", "01", only("2026-03-02 10:00"), "ozg-9-1", ""},
	{"first minute of the amended OZG", "01", portal("2024-07-23 22:00"), "ozg-9-1", "2024-07-27"},
	{"last minute before the amended OZG", "01", portal("2024-07-23 21:59"), "vwvfg-41-2a", ""},

	{"the day after the retrieval", "01", retrieval("2024-03-01 09:00", "2024-03-04 10:00"), "vwvfg-41-2a", "2024-03-05"},
	{"retrieved on a Saturday", "01", retrieval("2024-03-01 09:00", "2024-03-02 10:00"), "vwvfg-41-2a", "2024-03-03"},
	{"retrieved on the tenth day", "01", retrieval("2024-03-01 09:00", "2024-03-11 22:59"), "vwvfg-41-2a", "2024-03-12"},
	{"retrieved on the eleventh day", "01", retrieval("2024-03-01 09:00", "2024-03-11 23:00"), "vwvfg-41-2a", ""},
	{"the tenth day is a Sunday, so Monday will do", "01", retrieval("2024-02-29 09:00", "2024-03-11 10:00"), "vwvfg-41-2a", "2024-03-12"},
	{"the tenth day is Easter Monday, so Tuesday will do", "01", retrieval("2024-03-22 09:00", "2024-04-02 10:00"), "vwvfg-41-2a", "2024-04-03"},
	{"without a notification the ten days never begin", "01", retrieval("", "2024-05-02 10:00"), "vwvfg-41-2a", "2024-05-03"},
	{"not retrieved yet", "01", retrieval("2024-03-01 09:00", ""), "vwvfg-41-2a", ""},

	{"Bavaria counts from the notification", "09", notified(portal("2026-03-02 10:00"), "2026-03-03 10:00"), "baydig-24", "2026-03-06"},
	{"Bavaria, notified before it was provided", "09", notified(portal("2026-03-04 10:00"), "2026-03-02 10:00"), "baydig-24", "2026-03-07"},
	{"Bavaria, notified at night", "09", notified(portal("2026-03-02 10:00"), "2026-03-02 23:30"), "baydig-24", "2026-03-06"},
	{"Bavaria, before the amended OZG", "09", notified(portal("2023-05-03 10:00"), "2023-05-03 10:00"), "baydig-24", "2023-05-06"},
	{"Bavaria, not notified", "09", portal("2026-03-02 10:00"), "baydig-24", ""},
	{"Bavaria, not provided", "09", notified(only("2026-03-02 10:00"), "2026-03-02 10:00"), "baydig-24", ""},

	{"a letter", "05", post("2025-03-03 10:00"), "vwvfg-41-2", "2025-03-07"},
	{"a letter whose fourth day is a Sunday", "05", post("2025-03-05 10:00"), "vwvfg-41-2", "2025-03-09"},
	{"a letter before Christmas", "11", post("2025-12-22 10:00"), "vwvfg-41-2", "2025-12-26"},
	{"a letter over the year's end", "11", post("2025-12-29 10:00"), "vwvfg-41-2", "2026-01-02"},
	{"a letter in Bavaria", "09", post("2025-03-03 10:00"), "vwvfg-41-2", "2025-03-07"},
	{"a letter at the end of the old law", "05", post("2024-12-31 22:59"), "vwvfg-41-2-until-2024", "2025-01-03"},
	{"a letter at the start of the new law", "05", post("2024-12-31 23:00"), "vwvfg-41-2", "2025-01-05"},
	{"a letter over the leap day of 2024", "05", post("2024-02-28 10:00"), "vwvfg-41-2-until-2024", "2024-03-02"},
	{"electronic", "07", electronic("2025-03-03 10:00"), "vwvfg-41-2", "2025-03-07"},
	{"electronic under the old law", "07", electronic("2024-12-30 10:00"), "vwvfg-41-2-until-2024", "2025-01-02"},
	{"a letter in Schleswig-Holstein", "01", post("2026-03-02 10:00"), "lvwg-sh-110", "2026-03-06"},
	{"electronic in Schleswig-Holstein", "01", electronic("2028-02-25 10:00"), "lvwg-sh-110", "2028-02-29"},
	{"a letter in Schleswig-Holstein under the old law", "01", post("2024-12-31 10:00"), "lvwg-sh-110-until-2024", "2025-01-03"},
}

// wrong names the rows of the table that a way of announcing gets wrong.
func wrong(announce func(string, law.Facts) law.Announcement) []string {
	var names []string
	for _, row := range announced {
		a, on := announce(row.land, row.facts), ""
		if a.On != nil {
			on = a.On.Format(time.DateOnly)
		}
		if a.Rule != row.rule || on != row.want || a.On != nil && !a.On.Equal(a.On.UTC().Truncate(24*time.Hour)) {
			names = append(names, fmt.Sprintf("%s: %s by %s, not %s by %s", row.name, on, a.Rule, row.want, row.rule))
		}
	}
	return names
}

func TestEveryDateIsTheOneCountedByHand(t *testing.T) {
	for _, w := range wrong(law.Announce) {
		t.Error(w)
	}
}

// The faults that counting in Germany invites. Each is another calendar for the same rules.
var faults = map[string]func(time.Time) time.Time{
	"days in UTC":                      func(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) },
	"days in winter time all the year": func(t time.Time) time.Time { return t.Add(time.Hour).UTC().Truncate(24 * time.Hour) },
	"days in summer time all the year": func(t time.Time) time.Time { return t.Add(2 * time.Hour).UTC().Truncate(24 * time.Hour) },
	"the day itself counts":            func(t time.Time) time.Time { return law.Today(t).AddDate(0, 0, -1) },
}

func TestATwinThatCountsWronglyIsCaughtByTheTable(t *testing.T) {
	for name, dayOf := range faults {
		if len(wrong(func(land string, f law.Facts) law.Announcement { return law.AnnounceBy(dayOf, land, f) })) == 0 {
			t.Errorf("%s: every row of the table is right", name)
		}
	}
}

var lands = []string{"00", "01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12", "13", "14", "15", "16"}

func TestEveryLandAndChannelHasExactlyOneRuleOnEveryDay(t *testing.T) {
	for day := at("2017-01-01 00:00"); day.Year() < 2030; day = day.AddDate(0, 0, 1) {
		for _, land := range append(lands, "", "17") {
			for _, c := range []law.Channel{law.Portal, law.Post, law.Electronic} {
				if held := law.Holding(land, c, day); len(held) != 1 {
					t.Fatalf("%s by %s on %s: %q", land, c, day.Format(time.DateOnly), held)
				}
			}
		}
	}
}

func TestTodayTheLawOfEachLandAndChannelIsThis(t *testing.T) {
	for _, land := range lands {
		want := map[law.Channel]string{law.Portal: "ozg-9-1", law.Post: "vwvfg-41-2", law.Electronic: "vwvfg-41-2"}
		switch land {
		case "01":
			want[law.Post], want[law.Electronic] = "lvwg-sh-110", "lvwg-sh-110"
		case "09":
			want[law.Portal] = "baydig-24"
		}
		for c, rule := range want {
			if got := law.Announce(land, law.Facts{Channel: c, SentAt: at("2026-01-15 12:00")}).Rule; got != rule {
				t.Errorf("%s by %s: %s, not %s", land, c, got, rule)
			}
		}
	}
}

func TestAnUnknownChannelPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a decision was announced through a channel that does not exist")
		}
	}()
	law.Announce("01", law.Facts{Channel: "PIGEON"})
}

func TestAnExplanationGoesFromFactsToTheResult(t *testing.T) {
	for name, scene := range map[string]struct {
		land  string
		facts law.Facts
		want  []law.Step
	}{
		"announced": {"01", portal("2026-03-02 23:30"), []law.Step{
			{"Der Bescheid wurde am 03.03.2026 zum Abruf bereitgestellt.", "The decision was made available for retrieval on 3 March 2026."},
			{
				"Nach § 9 Abs. 1 OZG gilt der Bescheid am dritten Tag nach der Bereitstellung zum Abruf als bekannt gegeben; " +
					"die Einwilligung gilt als erteilt, sofern die Bekanntgabe über das Postfach nicht ausgeschlossen wurde.",
				"Under § 9(1) OZG the decision counts as announced on the third day after it was made available for retrieval; " +
					"consent is deemed given unless announcement through the mailbox was excluded.",
			},
			{
				"Der 03.03.2026 selbst zählt nicht mit; der dritte Tag danach ist der 06.03.2026, ob Werktag oder nicht.",
				"Counting starts after 3 March 2026; the third day after it is 6 March 2026, whether a working day or not.",
			},
			{"Der Bescheid gilt am 06.03.2026 als bekannt gegeben.", "The decision counts as announced on 6 March 2026."},
		}},
		"a fact is missing": {"09", portal("2026-03-02 10:00"), []law.Step{
			{"Noch offen ist, wann die Benachrichtigung über die Bereitstellung abgesandt wurde.", "Not known yet: when the notification that the decision is available was sent."},
			{"Der Bescheid wurde am 02.03.2026 zum Abruf bereitgestellt.", "The decision was made available for retrieval on 2 March 2026."},
			{
				"Nach Art. 24 Abs. 2 BayDiG gilt der Bescheid am dritten Tag nach der Absendung der Benachrichtigung als bekannt gegeben.",
				"Under Art. 24(2) BayDiG the decision counts as announced on the third day after the notification was sent.",
			},
			{"Der Tag der Bekanntgabe steht deshalb noch nicht fest.", "The day of announcement is therefore not known yet."},
		}},
		"retrieved too late": {"01", retrieval("2024-03-01 09:00", "2024-03-12 10:00"), []law.Step{
			{"Der Bescheid wurde am 12.03.2024 erstmals abgerufen.", "The decision was first retrieved on 12 March 2024."},
			{"Die Benachrichtigung über die Bereitstellung wurde am 01.03.2024 abgesandt.", "The notification that it is available was sent on 1 March 2024."},
			{
				"Nach § 41 Abs. 2a VwVfG gilt der Bescheid am ersten Tag nach dem Abruf als bekannt gegeben; " +
					"wird er nicht innerhalb von zehn Tagen nach der Benachrichtigung abgerufen, ist er nicht bekannt gegeben.",
				"Under § 41(2a) VwVfG the decision counts as announced on the first day after it was retrieved; " +
					"where it is not retrieved within ten days of the notification, it is not announced.",
			},
			{"Der letzte Tag für den Abruf ist der 11.03.2024.", "The last day for retrieving it is 11 March 2024."},
			{
				"Der Bescheid ist deshalb nicht bekannt gegeben; er ist erneut bereitzustellen oder auf andere Weise bekannt zu geben.",
				"The decision is therefore not announced; it has to be provided again or announced in another way.",
			},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := law.Announce(scene.land, scene.facts).Steps; !slices.Equal(got, scene.want) {
				t.Errorf("explained as\n%s", join(got))
			}
		})
	}
}

func join(steps []law.Step) string {
	var lines []string
	for _, s := range steps {
		lines = append(lines, s.De, s.En)
	}
	return strings.Join(lines, "\n")
}
