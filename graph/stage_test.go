// SPDX-License-Identifier: EUPL-1.2

package graph_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/ozg-cloud/platform/cmd"
	"github.com/ozg-cloud/platform/ent/catalog"
	"github.com/ozg-cloud/platform/extension"
	"github.com/ozg-cloud/platform/internal/housetest"
	"github.com/ozg-cloud/platform/schema"
)

// Bewohnerparkausweis, and where it is asked for.
const (
	parking = "99108001001000"
	kiel    = "010020000000"
	luebeck = "010030000000"
)

// stage is a house as it is in production, with a case of Kiel on which every verb can be tried.
type stage struct {
	*housetest.House
	applicant, caseworker *housetest.Caller
	submitted             int
	changing              []string // the tables that verbs change
	kiel                  string   // the global id of the tenant
}

func build(t testing.TB) *stage {
	t.Helper()
	h := housetest.New(t, func(g *cmd.Ground) { g.Development = false })
	s := &stage{House: h, applicant: h.As("kiel-applicant"), caseworker: h.As("kiel-caseworker"), changing: []string{"bulk_operations", "cases", "extension_definitions", "idempotency_keys", "role_assignments", "uploads", "webhook_deliveries", "webhooks"}}
	conn := h.Database()
	var kiel uuid.UUID
	if err := conn.QueryRow(t.Context(), "select id from tenants where slug = 'kiel'").Scan(&kiel); err != nil {
		t.Fatal(err)
	}
	s.kiel = idOf("Tenant", kiel)
	rows, err := conn.Query(t.Context(), "select table_name from information_schema.columns where table_schema = 'public' and column_name = 'case_id'")
	if err != nil {
		t.Fatal(err)
	}
	var table string
	if _, err := pgx.ForEachRow(rows, []any{&table}, func() error { s.changing = append(s.changing, table); return nil }); err != nil {
		t.Fatal(err)
	}
	return s
}

// toward is how a case comes to where a verb works.
var toward = map[string][]string{
	"startCase": {"acceptCase"}, "askApplicant": {"acceptCase", "startCase"}, "decideCase": {"acceptCase", "startCase"},
	"closeCase": {"acceptCase", "startCase", "decideCase"}, "reopenCase": {"acceptCase", "startCase", "decideCase"}, "restoreCase": {"discardCase"},
}

// beside is what a verb on a case needs beside the case.
var beside = map[string]map[string]any{
	"acceptCase":    {"documentsComplete": true, "fileReference": "32-1"},
	"discardCase":   {"reason": "Doppelt"},
	"assignCase":    {"assignee": "user:dev:kiel-caseworker", "unitId": nil},
	"commentOnCase": {"body": "Notiz"},
	"addFollowUp":   {"dueOn": "9000-01-01", "note": "Notiz"},
	"askApplicant":  {"subject": "Frage", "body": "Text", "uploadIds": []any{}},
	"sendMessage":   {"subject": "Mitteilung", "body": "Text", "uploadIds": []any{}, "replyPolicy": "POSSIBLE"},
	"decideCase":    {"outcome": "GRANTED", "reason": "Gründe", "documentUploadId": nil, "channel": "PORTAL"},
	"reopenCase":    {"reason": "Widerspruch"},
	"restoreCase":   {"reason": "Doch ein Antrag"},
}

// works is an input with which a verb works now, and who says it. It makes a case for it.
func (s *stage) works(verb string) (*housetest.Caller, map[string]any) {
	s.Helper()
	s.submitted++
	if verb == "submitApplication" {
		in := housetest.Application(parking, kiel, fmt.Sprintf("works-%d", s.submitted))
		in["applicant"] = map[string]any{"kind": "NATURAL_PERSON", "name": "Erika Beispiel", "postalAddress": "Kiel"}
		in["uploadIds"] = []any{}
		return s.applicant, in
	}
	if verb == "assignRole" || verb == "removeRole" {
		in := map[string]any{"tenantId": s.kiel, "subject": fmt.Sprintf("user:dev:new-%d", s.submitted), "role": "CASEWORKER", "unitId": nil, "serviceIds": []any{}}
		admin := s.As("kiel-admin")
		if verb == "removeRole" {
			in = map[string]any{"roleAssignmentId": admin.Say("assignRole", in).Works().Text("assignRole.roleAssignment.id")}
		}
		return admin, in
	}
	if target, ok := strings.CutPrefix(strings.TrimSuffix(verb, "Extension"), "set"); ok {
		return s.extended(verb, target)
	}
	if strings.HasSuffix(verb, "Extension") || verb == "eraseExtensionValues" {
		return s.As("kiel-admin"), s.extension(verb)
	}
	if verb == "startBulkExport" || strings.Contains(verb, "Webhook") || verb == "cancelBulkExport" {
		admin := s.As("kiel-admin")
		return admin, s.forPartners(admin, verb)
	}
	c := s.applicant.Submit(parking, kiel)
	for _, step := range toward[verb] {
		s.caseworker.Must(step, &c, beside[step])
	}
	if verb == "replyToMessage" || verb == "openMessage" {
		in := map[string]any{"messageId": s.caseworker.Must("sendMessage", &c, beside["sendMessage"]).Text("sendMessage.message.id")}
		if verb == "replyToMessage" {
			maps.Copy(in, map[string]any{"subject": "Antwort", "body": "Text", "uploadIds": []any{}})
		}
		return s.applicant, in
	}
	in := maps.Clone(beside[verb])
	if in == nil {
		in = map[string]any{}
	}
	if verb == "completeFollowUp" {
		in["followUpId"] = s.caseworker.Must("addFollowUp", &c, beside["addFollowUp"]).Text("addFollowUp.followUp.id")
	}
	in["caseId"], in["expectedRevision"] = c.ID, c.Revision
	return s.caseworker, in
}

// extended is an input of a verb that writes extension fields, with which it works now, and who says it.
func (s *stage) extended(verb, target string) (*housetest.Caller, map[string]any) {
	s.Helper()
	sdl := ""
	for _, t := range extension.Targets {
		sdl += "extend type " + t + " { \"A word.\" kiel_wort: String }\n"
	}
	s.Define("kiel", sdl)
	in := map[string]any{"extension": map[string]any{"kiel_wort": "Wort"}}
	if target == "Service" || target == "ServiceOffering" {
		var id uuid.UUID
		of := map[string]string{
			"Service":         "select id from services where leika_key = $1",
			"ServiceOffering": "select o.id from service_offerings o join services s on s.id = o.service_id join tenants t on t.id = o.tenant_id where s.leika_key = $1 and t.slug = 'kiel'",
		}[target]
		if err := s.Database().QueryRow(s.Context(), of, parking).Scan(&id); err != nil {
			s.Fatal(err)
		}
		in[strings.ToLower(target[:1])+target[1:]+"Id"] = idOf(target, id)
		return s.As("kiel-admin"), in
	}
	c := s.applicant.Submit(parking, kiel)
	switch target {
	case "Message":
		in["messageId"] = s.caseworker.Must("sendMessage", &c, beside["sendMessage"]).Text("sendMessage.message.id")
	case "Decision":
		s.caseworker.Must("acceptCase", &c, beside["acceptCase"])
		s.caseworker.Must("startCase", &c, nil)
		in["decisionId"] = s.caseworker.Must("decideCase", &c, beside["decideCase"]).Text("decideCase.decision.id")
	}
	in["caseId"], in["expectedRevision"] = c.ID, c.Revision
	return s.caseworker, in
}

// extension is an input of a verb on definitions of extension fields, with which it works now.
func (s *stage) extension(verb string) map[string]any {
	s.Helper()
	var newest int
	if err := s.Database().QueryRow(s.Context(), "select coalesce(max(version), 0) from extension_definitions").Scan(&newest); err != nil {
		s.Fatal(err)
	}
	in := map[string]any{
		"tenantId": s.kiel, "expectedVersion": newest, "dryRun": false,
		"sdl": fmt.Sprintf("extend type Case { \"A word.\" kiel_wort: String @filterable @length(max: %d) }", 100+newest),
	}
	if verb == "defineExtension" {
		return in
	}
	admin := s.As("kiel-admin")
	id := admin.Say("defineExtension", in).Works().Text("defineExtension.extensionDefinition.id")
	if verb != "activateExtension" {
		admin.Say("activateExtension", map[string]any{"extensionDefinitionId": id, "acceptBreaking": true}).Works()
	}
	out := map[string]any{"extensionDefinitionId": id}
	if verb == "eraseExtensionValues" {
		admin.Say("retireExtension", map[string]any{"extensionDefinitionId": id, "acceptBreaking": true}).Works()
		return out
	}
	if verb != "deprecateExtension" {
		out["acceptBreaking"] = true
	}
	return out
}

// forPartners is an input with which a verb on webhooks or exports works now. What was made for others before is put away.
func (s *stage) forPartners(admin *housetest.Caller, verb string) map[string]any {
	s.Helper()
	exec := func(statement string) {
		if _, err := s.Database().Exec(s.Context(), statement); err != nil {
			s.Fatal(err)
		}
	}
	export := map[string]any{"tenantId": s.kiel, "document": "{ cases { nodes { id } } }", "format": "JSONL"}
	hook := map[string]any{
		"tenantId": s.kiel, "name": "Fachverfahren", "url": "https://partner.example/in", "after": nil,
		"document": "subscription { caseEvents { __typename ... on CaseEvent { caseId } } }",
	}
	switch verb {
	case "startBulkExport":
		exec("update bulk_operations set state = 'CANCELED'")
		return export
	case "createWebhook":
		exec("delete from webhooks")
		return hook
	case "cancelBulkExport":
		exec("update bulk_operations set state = 'CANCELED'")
		return map[string]any{"bulkOperationId": admin.Say("startBulkExport", export).Works().Text("startBulkExport.bulkOperation.id")}
	}
	exec("delete from webhooks")
	id := admin.Say("createWebhook", hook).Works().Text("createWebhook.webhook.id")
	switch verb {
	case "resumeWebhook":
		exec("update webhooks set state = 'PAUSED'")
	case "replayWebhookDelivery":
		delivery := uuid.Must(uuid.NewV7())
		if _, err := s.Database().Exec(s.Context(), `insert into webhook_deliveries (id, tenant_id, place, subject, trust_level, webhook_id, frame, xid, seq, state, attempts, created_at)
			select $1, tenant_id, place, subject, trust_level, id, 'EVENT', 1, 1, 'DEAD', 1, now() from webhooks`, delivery); err != nil {
			s.Fatal(err)
		}
		return map[string]any{"webhookDeliveryId": idOf("WebhookDelivery", delivery)}
	}
	return map[string]any{"webhookId": id}
}

// mutations are the names of all verbs of the contract.
func mutations(t testing.TB) []string {
	t.Helper()
	contract, err := schema.Load()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range contract.Mutation.Fields {
		out = append(out, f.Name)
	}
	return out
}

// idOf is the global id of a thing of a type.
func idOf(typ string, id uuid.UUID) string { return schema.ID(catalog.Types[typ].Number, id) }

// never is the id of a thing that never was.
func never(typ string) string {
	return idOf(typ, uuid.MustParse("01980000-0000-7000-8000-000000000000"))
}

// raw is JSON as it is.
func raw(v any) json.RawMessage {
	out, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return out
}
