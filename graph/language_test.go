// SPDX-License-Identifier: EUPL-1.2

package graph_test

import (
	"fmt"
	"testing"

	"github.com/ozg-cloud/platform/internal/housetest"
)

func TestProblemsSpeakTheLanguageThatIsAskedFor(t *testing.T) {
	t.Parallel()
	s := build(t)
	c := s.applicant.Submit(parking, kiel)
	s.caseworker.Must("acceptCase", &c, beside["acceptCase"])
	message := s.caseworker.Must("sendMessage", &c, map[string]any{"subject": "a", "body": "b", "replyPolicy": "FORBIDDEN"}).Text("sendMessage.message.id")
	s.Give("helper", "CASEWORKER", "luebeck", "")
	s.Give("helper", "MAIL_ROOM", "kiel", "")
	on := func(verb string, more map[string]any) func(*housetest.Caller) housetest.Answer {
		return func(who *housetest.Caller) housetest.Answer {
			return who.Do(verb, &housetest.Case{ID: c.ID, Revision: c.Revision}, more)
		}
	}
	for _, row := range []struct {
		who          string
		say          func(*housetest.Caller) housetest.Answer
		rule, de, en string
	}{
		{"kiel-caseworker", on("commentOnCase", map[string]any{"body": ""}), "required", "Dieser Wert fehlt.", "This value is missing."},
		{"kiel-caseworker", on("commentOnCase", map[string]any{"body": "a\x00"}), "notText", "Dieser Text enthält Zeichen, die nicht gespeichert werden können.", "This text has characters that cannot be stored."},
		{"kiel-caseworker", on("addFollowUp", map[string]any{"dueOn": "2020-01-01", "note": "a"}), "inThePast", "Dieses Datum liegt in der Vergangenheit.", "This date is in the past."},
		{"kiel-caseworker", on("assignCase", map[string]any{"assignee": "niemand"}), "assigneeUnknown", "Diese Person bearbeitet hier keine Vorgänge.", "This person does not work on cases here."},
		{"kiel-caseworker", on("closeCase", nil), "invalidTransition", "Dieser Schritt ist im jetzigen Zustand des Vorgangs nicht möglich.", "This step is not possible in the present state of the case."},
		{"kiel-caseworker", on("closeCase", map[string]any{"expectedRevision": 1}), "staleRevision", "Der Vorgang wurde inzwischen geändert.", "The case has been changed in the meantime."},
		{"helper", on("startCase", nil), "notAllowed", "Dazu sind Sie hier nicht berechtigt.", "You are not allowed to do this here."},
		{"luebeck-caseworker", on("startCase", nil), "notFound", "Das gibt es nicht oder es ist für Sie nicht sichtbar.", "This does not exist or is not visible to you."},
		{"kiel-applicant", func(who *housetest.Caller) housetest.Answer {
			return who.Say("replyToMessage", map[string]any{"messageId": message, "subject": "a", "body": "b"})
		}, "replyForbidden", "Auf diese Nachricht kann nicht geantwortet werden.", "This message cannot be answered."},
		{"kiel-applicant", func(who *housetest.Caller) housetest.Answer {
			return who.Say("submitApplication", housetest.Application("99999999999999", kiel, "a"))
		}, "unknownService", "Diese Verwaltungsleistung ist nicht bekannt.", "This service is not known."},
	} {
		for header, want := range map[string]string{
			"": row.en, "de": row.de, "en": row.en, "fr": row.en, "de-AT, en;q=0.5": row.de, "en-GB;q=0.4, de;q=0.6": row.de, "fr, en;q=0.2, de;q=0.1": row.en, "de;q=0": row.en, ";;,": row.en,
		} {
			who := s.As(row.who)
			who.Language = header
			if p := row.say(who).Wants(row.rule); p["title"] != want {
				t.Errorf("%s in %q: %q", row.rule, header, p["title"])
			}
		}
	}
}

func TestErrorsSpeakTheLanguageThatIsAskedFor(t *testing.T) {
	t.Parallel()
	s := build(t)
	for header, want := range map[string]string{"de": "Diese Abfrage passt nicht zum Vertrag.", "en": "This query does not fit the contract."} {
		who := s.As("kiel-caseworker")
		who.Language = header
		a := who.Say("decideCase", map[string]any{"caseId": never("Case"), "expectedRevision": 1, "outcome": "granted"})
		if len(a.Errors) != 1 || a.Errors[0].Message != want || a.Errors[0].Extensions["code"] != "VALIDATION" || fmt.Sprint(a.Errors[0].Extensions["argument"]) != "[input outcome]" {
			t.Errorf("%s", a.Raw)
		}
	}
}
