// SPDX-License-Identifier: EUPL-1.2

package casework_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ozg-cloud/platform/casework"
	"github.com/ozg-cloud/platform/internal/housetest"
	"github.com/ozg-cloud/platform/law"
)

func TestAnAcceptedCaseHasItsReferenceAndItsDeadline(t *testing.T) {
	t.Parallel()
	s := play(t)
	c := s.in(casework.New)
	s.mailroom.Must("acceptCase", c, map[string]any{"documentsComplete": true, "fileReference": "32.3-BP-2026/7"})
	days := 14 // promised for the service
	due := law.Due(one[time.Time](s, "select complete_at from cases where id = $1", key(c.ID)), &days, false)
	is(t, s.look(s.caseworker, c, "state fileReference dueAt completeAt allowedTransitions"), map[string]any{
		"case.state": "ACCEPTED", "case.fileReference": "32.3-BP-2026/7", "case.allowedTransitions": "[START]",
		"case.dueAt": due.UTC().Format(time.RFC3339Nano),
	})
}

func TestADeadlineDoesNotBeginBeforeTheDocumentsAreComplete(t *testing.T) {
	t.Parallel()
	s := play(t)
	c := s.in(casework.New)
	s.mailroom.Must("acceptCase", c, map[string]any{"documentsComplete": false})
	is(t, s.look(s.caseworker, c, "state dueAt completeAt fileReference"), map[string]any{
		"case.state": "ACCEPTED", "case.dueAt": nil, "case.completeAt": nil, "case.fileReference": nil,
	})
}

func TestADiscardedCaseCanBeRestoredAndItsHistoryTellsWhy(t *testing.T) {
	t.Parallel()
	s := play(t)
	c := s.in(casework.New)
	s.mailroom.Must("discardCase", c, map[string]any{"reason": "Werbung"})
	s.mailroom.Must("restoreCase", c, map[string]any{"reason": "Doch ein Antrag"})
	is(t, s.look(s.caseworker, c, "state history(first: 10) { nodes { action fromState toState reason actor } }"), map[string]any{
		"case.state":                     "NEW",
		"case.history.nodes.1.action":    "CASE_DISCARDED",
		"case.history.nodes.1.reason":    "Werbung",
		"case.history.nodes.2.action":    "CASE_RESTORED",
		"case.history.nodes.2.fromState": "DISCARDED",
		"case.history.nodes.2.toState":   "NEW",
		"case.history.nodes.2.reason":    "Doch ein Antrag",
		"case.history.nodes.2.actor":     "user:dev:kiel-mailroom",
	})
}

func TestAReasonIsNeeded(t *testing.T) {
	t.Parallel()
	s := play(t)
	for verb, state := range map[string]casework.State{"discardCase": casework.New, "restoreCase": casework.Discarded, "reopenCase": casework.Closed} {
		c := s.in(state)
		for reason, rule := range map[string]string{"": "required", " \n\u00a0": "required", "a\u0000b": "notText", strings.Repeat("ä", 1001): "maxLength"} {
			p := s.caseworker.Do(verb, c, map[string]any{"reason": reason}).Wants(rule)
			if p["__typename"] != "ValidationProblem" || fmt.Sprint(p["path"]) != "[input reason]" {
				t.Errorf("%s: %v", verb, p)
			}
		}
		s.caseworker.Must(verb, c, map[string]any{"reason": strings.Repeat("ä", 1000)})
	}
}

func TestACaseHandedToAnotherUnitIsWorkedOnThere(t *testing.T) {
	t.Parallel()
	s := play(t)
	order := s.Give("ordnungsamt", "CASEWORKER", "kiel", "32")
	building := s.Give("bauamt", "CASEWORKER", "kiel", "60")
	c := s.in(casework.New)
	unit := one[string](s, "select id::text from organisational_units u where external_id = '60.1' and tenant_id = (select id from tenants where slug = 'kiel')")
	global := schemaID("OrganisationalUnit", unit)
	s.mailroom.Must("assignCase", c, map[string]any{"assignee": "user:dev:bauamt", "unitId": global})
	is(t, s.look(building, c, "unit { id } currentAssignment { assignee assignedBy }"), map[string]any{
		"case.unit.id": global, "case.currentAssignment.assignee": "user:dev:bauamt", "case.currentAssignment.assignedBy": "user:dev:kiel-mailroom",
	})
	is(t, s.look(order, c, "id"), map[string]any{"case": nil})
	building.Must("acceptCase", c, nil)
	order.Do("startCase", c, nil).Wants("notFound")
}

func TestACaseIsAssignedToWhoWorksThereOnly(t *testing.T) {
	t.Parallel()
	s := play(t)
	s.exec("update organisational_units set retired_at = now() where external_id = '20.1'")
	unit := func(tenant, number string) string {
		return schemaID("OrganisationalUnit", one[string](s, "select u.id::text from organisational_units u join tenants t on t.id = tenant_id where slug = $1 and external_id = $2", tenant, number))
	}
	c := s.in(casework.New)
	for name, try := range map[string]struct {
		input map[string]any
		rule  string
	}{
		"a caseworker of Lübeck":       {map[string]any{"assignee": "user:dev:luebeck-caseworker"}, "assigneeUnknown"},
		"the mail room":                {map[string]any{"assignee": "user:dev:kiel-mailroom"}, "assigneeUnknown"},
		"the applicant":                {map[string]any{"assignee": "user:dev:kiel-applicant"}, "assigneeUnknown"},
		"a subject that cannot be one": {map[string]any{"assignee": "user:dev:\u0000"}, "notText"},
		"a unit of Lübeck":             {map[string]any{"unitId": unit("luebeck", "32")}, "unitElsewhere"},
		"a unit that is retired":       {map[string]any{"unitId": unit("kiel", "20.1")}, "unitElsewhere"},
		"a unit that never was":        {map[string]any{"unitId": schemaID("OrganisationalUnit", "00000000-0000-7000-8000-000000000000")}, "unitElsewhere"},
		"a case as a unit":             {map[string]any{"unitId": c.ID}, "notFound"},
	} {
		if a := s.caseworker.Do("assignCase", c, try.input).Works(); a.Rule() != try.rule {
			t.Errorf("%s: %s", name, a.Raw)
		}
	}
	if n := one[int](s, "select count(*) from assignments"); n != 0 {
		t.Errorf("%d assignments", n)
	}
}

func TestAFollowUpIsDoneOnce(t *testing.T) {
	t.Parallel()
	s := play(t)
	c, other := s.in(casework.New), s.in(casework.New)
	today := law.Today(s.Clock.Now())
	s.caseworker.Do("addFollowUp", c, map[string]any{"dueOn": today.AddDate(0, 0, -1).Format(time.DateOnly), "note": "Gestern"}).Wants("inThePast")
	id := s.caseworker.Must("addFollowUp", c, map[string]any{"dueOn": today.Format(time.DateOnly), "note": "Heute"}).Text("addFollowUp.followUp.id")
	is(t, s.look(s.caseworker, c, "followUps(first: 5) { nodes { dueOn note author doneAt overdue } }"), map[string]any{
		"case.followUps.nodes.0.dueOn": today.Format(time.DateOnly), "case.followUps.nodes.0.doneAt": nil,
		"case.followUps.nodes.0.overdue": false, "case.followUps.nodes.0.author": "user:dev:kiel-caseworker",
	})
	s.caseworker.Do("completeFollowUp", other, map[string]any{"followUpId": id}).Wants("notFound")
	s.caseworker.Must("completeFollowUp", c, map[string]any{"followUpId": id})
	s.caseworker.Do("completeFollowUp", c, map[string]any{"followUpId": id}).Wants("alreadyDone")
	is(t, s.look(s.caseworker, c, "followUps(first: 5) { totalCount }"), map[string]any{"case.followUps.totalCount": 1})
}

func TestAQuestionIsAnsweredWithAnUploadAndTheCaseGoesOn(t *testing.T) {
	t.Parallel()
	s := play(t)
	c := s.in(casework.InProgress)
	form := s.caseworker.Upload("Vordruck.txt", []byte("Bitte ausfüllen."))
	question := s.caseworker.Must("askApplicant", c, with("askApplicant", map[string]any{"uploadIds": []string{form}})).Text("askApplicant.message.id")
	s.caseworker.Do("sendMessage", c, with("sendMessage", map[string]any{"uploadIds": []string{form}})).Wants("notFound") // taken before
	is(t, s.look(s.applicant, c, "state messages(first: 5) { nodes { id replyPolicy deliveryState attachments(first: 5) { nodes { name } } } }"), map[string]any{
		"case.state": "WAITING_FOR_APPLICANT", "case.messages.nodes.0.replyPolicy": "MANDATORY", "case.messages.nodes.0.deliveryState": "PROVIDED",
		"case.messages.nodes.0.attachments.nodes.0.name": "Vordruck.txt",
	})
	mine := s.applicant.Upload("Ausgefüllt.txt", []byte("Erledigt."))
	s.caseworker.Do("sendMessage", c, with("sendMessage", map[string]any{"uploadIds": []string{mine}})).Wants("notFound") // somebody else's
	said := map[string]any{"messageId": question, "subject": "Antwort", "body": "Anbei.", "uploadIds": []string{mine, mine}}
	s.applicant.Say("replyToMessage", said).Wants("notFound") // named twice
	said["uploadIds"] = []string{mine}
	is(t, s.applicant.Say("replyToMessage", said).Works(), map[string]any{
		"replyToMessage.case.state": "IN_PROGRESS", "replyToMessage.case.revision": c.Revision + 1, "replyToMessage.problems": "[]",
	})
	is(t, s.look(s.caseworker, c, "state messages(last: 1) { nodes { direction replyPolicy inReplyTo { id } attachments(first: 5) { nodes { name } } } }"), map[string]any{
		"case.state": "IN_PROGRESS", "case.messages.nodes.0.direction": "FROM_APPLICANT", "case.messages.nodes.0.replyPolicy": "FORBIDDEN",
		"case.messages.nodes.0.inReplyTo.id": question, "case.messages.nodes.0.attachments.nodes.0.name": "Ausgefüllt.txt",
	})
}

func TestAMessageIsOpenedOnceAndByTheApplicantAlone(t *testing.T) {
	t.Parallel()
	s := play(t)
	c := s.in(casework.New)
	m := s.message(c, "POSSIBLE")
	if a := s.caseworker.Say("openMessage", map[string]any{"messageId": m}); !a.Unknown() {
		t.Errorf("a caseworker knows how to open a message: %s", a.Raw)
	}
	first := s.open(m).Works().Text("openMessage.message.openedAt")
	s.Clock.Forward(time.Hour)
	if again := s.open(m).Works().Text("openMessage.message.openedAt"); first == "" || again != first {
		t.Errorf("opened at %q, then %q", first, again)
	}
	is(t, s.look(s.caseworker, c, "revision history(last: 1) { nodes { action sequence } }"), map[string]any{
		"case.revision": c.Revision + 1, "case.history.nodes.0.action": "MESSAGE_OPENED", "case.history.nodes.0.sequence": c.Revision + 1,
	})
	mine := s.reply(m).Works().Text("replyToMessage.message.id")
	before := s.Stored()
	if opened := s.open(mine).Works(); opened.At("openMessage.message.openedAt") != nil {
		t.Errorf("one's own message is opened: %s", opened.Raw)
	}
	same(t, before, s.Stored())
}

func TestWhoHasNoMailboxIsWrittenToByPostOnly(t *testing.T) {
	t.Parallel()
	s := play(t)
	c := s.As("gover").Deliver([]byte(`{"control": {"transactionId": "ohne-konto", "zustaendigeStelle": "010020000000", "leikaIds": ["99108001001000"]},
		"formData": [{"name": "nachname", "stringValue": "Beispiel"}]}`))
	s.into(casework.InProgress, &c)
	before := s.Stored()
	s.caseworker.Do("askApplicant", &c, input["askApplicant"]).Wants("noMailbox")
	s.caseworker.Do("sendMessage", &c, input["sendMessage"]).Wants("noMailbox")
	if p := s.caseworker.Do("decideCase", &c, input["decideCase"]).Wants("noMailbox"); p["__typename"] != "ConflictProblem" || p["currentRevision"] != nil {
		t.Errorf("%v", p)
	}
	same(t, before, s.Stored())
	s.caseworker.Must("decideCase", &c, with("decideCase", map[string]any{"channel": "POST"}))
	is(t, s.look(s.caseworker, &c, "state messages(first: 5) { nodes { deliveryState providedAt } } decisions(first: 5) { nodes { announcement { channel announcedOn } } }"), map[string]any{
		"case.state": "DECIDED", "case.messages.nodes.0.deliveryState": "ELSEWHERE", "case.messages.nodes.0.providedAt": nil,
		"case.decisions.nodes.0.announcement.channel": "POST",
	})
}

func TestADecisionCarriesItsDocumentAndNeedsAReasonUnlessAllIsGranted(t *testing.T) {
	t.Parallel()
	s := play(t)
	c := s.in(casework.InProgress)
	for _, outcome := range []string{"PARTLY_GRANTED", "REJECTED", "OTHER"} {
		p := s.caseworker.Do("decideCase", c, map[string]any{"outcome": outcome}).Wants("required")
		if fmt.Sprint(p["path"]) != "[input reason]" {
			t.Errorf("%v", p)
		}
	}
	s.caseworker.Do("decideCase", c, with("decideCase", map[string]any{"documentUploadId": "00000000-0000-7000-8000-000000000000"})).Wants("notFound")
	document := s.caseworker.Upload("Bescheid.txt", []byte("Bescheid"))
	s.caseworker.Must("decideCase", c, map[string]any{"outcome": "REJECTED", "reason": "Keine Wohnung in der Zone.", "documentUploadId": document})
	for _, who := range []*housetest.Caller{s.caseworker, s.applicant} {
		is(t, s.look(who, c, "state decidedAt decisions(first: 5) { nodes { outcome reason document { name purpose } } } messages(first: 5) { nodes { replyPolicy body } }"), map[string]any{
			"case.state": "DECIDED", "case.decisions.nodes.0.outcome": "REJECTED", "case.decisions.nodes.0.document.name": "Bescheid.txt",
			"case.decisions.nodes.0.document.purpose": "DOCUMENT", "case.messages.nodes.0.replyPolicy": "FORBIDDEN",
			"case.messages.nodes.0.body": "Ihr Antrag wurde abgelehnt.\n\nBegründung:\nKeine Wohnung in der Zone.\n\nDen Bescheid finden Sie im Anhang.",
		})
	}
}

func TestAReopenedCaseKeepsItsDecisionAndIsNotClosed(t *testing.T) {
	t.Parallel()
	s := play(t)
	c := s.in(casework.Closed)
	is(t, s.look(s.caseworker, c, "closedAt"), map[string]any{"case.closedAt": one[time.Time](s, "select closed_at from cases where id = $1", key(c.ID)).UTC().Format(time.RFC3339Nano)})
	s.caseworker.Must("reopenCase", c, map[string]any{"reason": "Widerspruch"})
	is(t, s.look(s.caseworker, c, "state closedAt decisions(first: 5) { totalCount } allowedTransitions"), map[string]any{
		"case.state": "IN_PROGRESS", "case.closedAt": nil, "case.decisions.totalCount": 1, "case.allowedTransitions": "[ASK_APPLICANT DECIDE]",
	})
}

func TestAnApplicationIsACaseOfTheResponsibleAuthority(t *testing.T) {
	t.Parallel()
	s := play(t)
	submit := func(who *housetest.Caller, service, region string) housetest.Answer {
		return who.Say("submitApplication", housetest.Application(service, region, "t-"+who.Name+service+region))
	}
	is(t, submit(s.applicant, parking, kiel).Works(), map[string]any{"submitApplication.case.state": "NEW", "submitApplication.case.revision": 1})
	is(t, submit(s.applicant, parking, luebeck).Works(), map[string]any{"submitApplication.case.state": "NEW"})
	if n := one[int](s, "select count(*) from cases c join tenants t on t.id = c.tenant_id where t.slug in ('kiel', 'luebeck')"); n != 2 {
		t.Errorf("%d cases", n)
	}
	submit(s.applicant, "99999999999999", kiel).Wants("unknownService")
	submit(s.applicant, parking, "999999999999").Wants("notResponsible")
	submit(s.With("basic", "BASIC"), housing, kiel).Wants("trustLevel")
	submit(s.As("gover"), parking, kiel).Wants("notAllowed")
	for _, who := range []string{"kiel-caseworker", "kiel-mailroom", "kiel-admin", "partner", "sh-analyst"} {
		if a := submit(s.As(who), parking, kiel); !a.Unknown() {
			t.Errorf("%s knows how to submit: %s", who, a.Raw)
		}
	}
	if n := one[int](s, "select count(*) from cases"); n != 2 {
		t.Errorf("%d cases", n)
	}
}
