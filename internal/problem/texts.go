// SPDX-License-Identifier: EUPL-1.2

package problem

import "sort"

type text struct{ de, en string }

// Rules lists every rule that has its sentences, in order. The list of docs/problems.md is printed from it.
func Rules() []string {
	out := make([]string, 0, len(texts))
	for r := range texts {
		out = append(out, r)
	}
	sort.Strings(out)
	return out
}

// texts has the sentences of every rule. They address the person at the screen and never repeat what was sent.
var texts = map[string]text{
	"other": {"Das ging nicht.", "This did not work."},

	// input
	"required":      {"Dieser Wert fehlt.", "This value is missing."},
	"maxLength":     {"Dieser Text ist zu lang.", "This text is too long."},
	"pattern":       {"Dieser Wert hat nicht die erwartete Form.", "This value does not have the expected form."},
	"range":         {"Dieser Wert liegt außerhalb des erlaubten Bereichs.", "This value is out of range."},
	"notText":       {"Dieser Text enthält Zeichen, die nicht gespeichert werden können.", "This text has characters that cannot be stored."},
	"unknownValue":  {"Dieser Wert ist nicht bekannt.", "This value is not known."},
	"badId":         {"Das ist keine gültige Kennung dieser Art.", "This is not a valid id of this type."},
	"badCursor":     {"Diese Blätterposition gehört nicht zu dieser Liste.", "This cursor does not belong to this list."},
	"firstOrLast":   {"Genau eine der Angaben first und last wird gebraucht, von 0 bis 100.", "Exactly one of first and last is needed, from 0 to 100."},
	"tooMany":       {"Das sind zu viele auf einmal.", "These are too many at once."},
	"tooDeep":       {"Das ist zu tief geschachtelt.", "This is nested too deeply."},
	"badEntity":     {"Diese Angabe nennt keinen bekannten Typ oder nicht seinen ganzen Schlüssel.", "This does not name a known type, or not its whole key."},
	"exactlyOne":    {"Genau eine dieser Angaben wird gebraucht.", "Exactly one of these values is needed."},
	"inThePast":     {"Dieses Datum liegt in der Vergangenheit.", "This date is in the past."},
	"tooLarge":      {"Das ist zu groß.", "This is too large."},
	"malformed":     {"Das konnte nicht gelesen werden.", "This could not be read."},
	"mediaType":     {"Diese Art von Datei wird hier nicht angenommen.", "This type of file is not accepted here."},
	"unknownPart":   {"Dieser Teil gehört nicht in eine Lieferung.", "This part does not belong in a delivery."},
	"duplicatePart": {"Dieser Teil darf nur einmal vorkommen.", "This part may occur only once."},

	// who is asking
	"noPrincipal":  {"Bitte melden Sie sich an.", "Please sign in."},
	"badToken":     {"Ihre Anmeldung ist nicht gültig oder abgelaufen.", "Your sign-in is not valid or has expired."},
	"notAllowed":   {"Dazu sind Sie hier nicht berechtigt.", "You are not allowed to do this here."},
	"trustLevel":   {"Dafür ist ein höheres Vertrauensniveau der Anmeldung nötig.", "This needs a sign-in with a higher trust level."},
	"blocked":      {"Dieses Konto ist gesperrt.", "This account is blocked."},
	"notFound":     {"Das gibt es nicht oder es ist für Sie nicht sichtbar.", "This does not exist or is not visible to you."},
	"linkExpired":  {"Dieser Verweis ist abgelaufen.", "This link has expired."},
	"notAvailable": {"Das steht hier nicht zur Verfügung.", "This is not available here."},

	// responsibility (Zuständigkeit)
	"unknownService":  {"Diese Verwaltungsleistung ist nicht bekannt.", "This service is not known."},
	"notResponsible":  {"Für diese Leistung ist in dieser Region keine Behörde zuständig.", "No authority is responsible for this service in this region."},
	"unitElsewhere":   {"Diese Organisationseinheit gehört nicht zur Behörde des Vorgangs.", "This organisational unit does not belong to the authority of the case."},
	"issuerElsewhere": {"Konten dieser Art zählen bei diesem Mandanten nicht.", "Accounts of this kind do not count at this tenant."},
	"assigneeUnknown": {"Diese Person bearbeitet hier keine Vorgänge.", "This person does not work on cases here."},

	// who may do what
	"ownRights":   {"Die eigenen Rechte kann niemand selbst ändern.", "Nobody can change their own rights."},
	"roleLevel":   {"Auf dieser Ebene gibt es diese Rolle nicht.", "This role does not exist at this level."},
	"roleHeld":    {"Diese Rolle ist hier schon vergeben, mit anderen Leistungen.", "This role is already given here, with other services."},
	"notNarrowed": {"Diese Rolle lässt sich so nicht einschränken.", "This role cannot be narrowed in this way."},

	// webhooks and exports
	"badAddress":     {"Das ist keine Adresse, an die gesendet werden kann: https://host/pfad.", "This is no address that can be sent to: https://host/path."},
	"closedAddress":  {"An diese Adresse wird nichts gesendet.", "Nothing is sent to this address."},
	"unfitDocument":  {"Diese Abfrage hat nicht die Form, die hier gebraucht wird.", "This query does not have the form that is needed here."},
	"typeNameNeeded": {"Diese Abfrage muss __typename auswählen.", "This query has to select __typename."},
	"notReplayable":  {"Nur ein Ereignis kann noch einmal zugestellt werden.", "Only an event can be delivered once more."},
	"receiverFails":  {"Der Empfänger nimmt seit längerem nichts an.", "The receiver has taken nothing for some time."},
	"interrupted":    {"Das wurde zu oft unterbrochen.", "This was interrupted too often."},
	"rightsLost":     {"Dafür fehlt inzwischen ein Recht.", "A right that is needed for this has been lost in the meantime."},

	// what holds for a case
	"staleRevision":      {"Der Vorgang wurde inzwischen geändert.", "The case has been changed in the meantime."},
	"invalidTransition":  {"Dieser Schritt ist im jetzigen Zustand des Vorgangs nicht möglich.", "This step is not possible in the present state of the case."},
	"caseClosed":         {"Ein abgeschlossener Vorgang kann nicht mehr geändert werden.", "A closed case cannot be changed any more."},
	"noMailbox":          {"Diese Person hat kein Postfach, an das geschrieben werden kann.", "This person has no mailbox that could be written to."},
	"mailboxRefused":     {"Das Postfach hat diese Nachricht endgültig abgelehnt.", "The mailbox has refused this message for good."},
	"replyForbidden":     {"Auf diese Nachricht kann nicht geantwortet werden.", "This message cannot be answered."},
	"keyReused":          {"Derselbe Schlüssel wurde schon mit anderem Inhalt verwendet.", "The same key was already used with other content."},
	"transactionReused":  {"Diese Transaktion wurde schon mit anderem Inhalt geliefert.", "This transaction was already delivered with other content."},
	"alreadyDone":        {"Das ist schon geschehen.", "This has already been done."},
	"attachmentUsed":     {"Diese Anlage gehört schon zu etwas anderem.", "This attachment already belongs to something else."},
	"attachmentInfected": {"In dieser Anlage wurde Schadsoftware gefunden.", "Malware was found in this attachment."},

	// figures (Statistik)
	"axisNotMeasured":   {"Diese Kennzahl gibt es nicht nach diesem Merkmal.", "This measure does not exist by this characteristic."},
	"askedTwice":        {"Das wurde zweimal gefragt.", "This was asked for twice."},
	"tableNotPublished": {"Diese Kombination von Merkmalen wird über Mandanten hinweg nicht veröffentlicht.", "This combination of characteristics is not published across tenants."},
	"freeUnion":         {"Über Mandanten hinweg gibt es nur einzelne Werte, keine frei gewählten Summen.", "Across tenants there are single values only, no sums of one's own choice."},
	"openPeriod":        {"Über Mandanten hinweg gibt es nur Zahlen abgeschlossener Monate.", "Across tenants there are figures of months that are over only."},

	// between the houses of the federation
	"otherAudience":   {"Diese Frage oder Antwort ist für eine andere Instanz bestimmt.", "This question or answer is meant for another house."},
	"questionExpired": {"Diese Frage oder Antwort ist nicht mehr oder noch nicht gültig.", "This question or answer is not valid any more, or not yet."},
	"askedBefore":     {"Diese Frage wurde schon einmal gestellt.", "This question was asked before."},
	"strangerHouse":   {"Für diese Instanz bürgt kein Mitglied der Föderation.", "No member of the federation vouches for this house."},
	"suspendedHouse":  {"Diese Instanz ist derzeit ausgesetzt.", "This house is suspended at present."},
	"badSignature":    {"Diese Unterschrift stimmt nicht.", "This signature does not hold."},
	"otherAnswer":     {"Diese Antwort gehört nicht zu der gestellten Frage.", "This answer does not belong to the question that was asked."},
	"logChanged":      {"Das Protokoll der Gegenseite wurde verändert.", "The log of the other side was changed."},
	"notCountedYet":   {"Dieser Zeitraum ist noch nicht zu Ende gezählt.", "This period has not been counted to its end yet."},
	"notComplete":     {"Nicht alle Mitglieder haben geantwortet.", "Not all members have answered."},
	"noFederation":    {"Diese Instanz gehört zu keiner Föderation.", "This house belongs to no federation."},

	// how it is asked
	"requestShape":       {"Diese Anfrage hat nicht die erwartete Form.", "This request does not have the expected form."},
	"contentType":        {"Diese Art von Inhalt wird hier nicht gelesen.", "This type of content is not read here."},
	"notAcceptable":      {"In keiner der gewünschten Formen kann geantwortet werden.", "None of the accepted types of answer is available."},
	"method":             {"Diese Methode ist hier nicht möglich.", "This method is not possible here."},
	"streamOnly":         {"Abonnements gibt es nur als Strom: über WebSocket oder als text/event-stream.", "Subscriptions are streams: over WebSocket or as text/event-stream."},
	"idTaken":            {"Unter dieser Kennung ist schon etwas in Arbeit.", "Something is already under way with this id."},
	"unreadableDocument": {"Diese Abfrage kann nicht gelesen werden.", "This query cannot be read."},
	"unknownDocument":    {"Eine Abfrage mit dieser Kennung ist nicht hinterlegt.", "No query with this id has been loaded."},
	"untrustedDocument":  {"Hier werden nur hinterlegte Abfragen beantwortet.", "Only queries that have been loaded are answered here."},
	"invalidDocument":    {"Diese Abfrage passt nicht zum Vertrag.", "This query does not fit the contract."},

	// how much is asked
	"tooCostly":     {"Diese Abfrage ist zu aufwendig.", "This query is too costly."},
	"tooComplex":    {"Diese Abfrage ist zu groß oder zu tief.", "This query is too large or too deep."},
	"quotaExceeded": {"Das Kontingent ist für den Augenblick aufgebraucht.", "The quota is used up for the moment."},
	"overloaded":    {"Das System ist gerade ausgelastet.", "The system is busy at the moment."},
	"stillCounting": {"Das ist noch nicht gezählt.", "This has not been counted yet."},
	"timeout":       {"Die Bearbeitung hat zu lange gedauert.", "Processing took too long."},
	"shuttingDown":  {"Das System wird gerade neu gestartet.", "The system is being restarted."},
	"notReady":      {"Das System ist noch nicht bereit.", "The system is not ready yet."},
	"internal":      {"Ein interner Fehler ist aufgetreten. Bitte nennen Sie die Nummer.", "An internal error occurred. Please quote the number."},

	// extension fields
	"unknownField": {"Dieses Feld gibt es hier nicht.", "There is no such field here."},
	"wrongType":    {"Dieser Wert ist von einer anderen Art.", "This value is of another type."},
	"minLength":    {"Dieser Text ist zu kurz.", "This text is too short."},
	"tooFew":       {"Das sind zu wenige.", "These are too few."},
	"badName": {"Dieser Name hat nicht die erwartete Form: Buchstaben von a bis z und Ziffern; Felder beginnen klein, Typen groß, Werte sind ganz groß geschrieben.",
		"This name does not have the expected form: letters from a to z and digits; fields begin with a small letter, types with a capital, values are all capitals."},
	"foreignName":        {"Dieser Name muss mit dem Namensraum des Mandanten beginnen.", "This name has to begin with the name space of the tenant."},
	"reservedName":       {"Dieser Name ist vorbehalten.", "This name is reserved."},
	"nameTaken":          {"Dieser Name ist schon vergeben.", "This name is taken."},
	"unknownFormerName":  {"Ein Feld mit diesem früheren Namen gab es nicht.", "There was no field with this former name."},
	"unknownTarget":      {"Dieser Typ kann nicht erweitert werden.", "This type cannot be extended."},
	"unknownType":        {"Diesen Typ gibt es hier nicht.", "There is no such type here."},
	"unknownDirective":   {"Diese Direktive gibt es hier nicht.", "There is no such directive here."},
	"notRetired":         {"Diese Fassung ist noch nicht außer Kraft.", "This version has not gone out of force yet."},
	"misplacedDirective": {"Diese Direktive passt hier nicht oder hat nicht die erwarteten Angaben.", "This directive does not fit here, or does not have the arguments expected."},
	"notExtensible":      {"Das gehört nicht in eine Definition von Erweiterungsfeldern.", "This does not belong in a definition of extension fields."},
	"nonNull":            {"Erweiterungsfelder sind immer optional; was angegeben werden muss, sagt @required.", "Extension fields are always optional; what has to be given is said by @required."},
	"listShape":          {"Eine Liste hat genau eine Ebene, und keiner ihrer Einträge ist leer: [Typ!].", "A list has exactly one level, and none of its entries is null: [Type!]."},
	"undescribed":        {"Hier fehlt eine Beschreibung.", "A description is missing here."},
	"typeCycle":          {"Dieser Typ enthält sich selbst.", "This type contains itself."},
	"unused":             {"Zu diesem Typ führt kein Feld.", "No field leads to this type."},
	"ownerLevel":         {"Auf dieser Ebene werden keine Erweiterungsfelder definiert.", "No extension fields are defined at this level."},
	"staleVersion":       {"Inzwischen gibt es eine andere Version.", "There is another version by now."},
	"breakingChange":     {"Das nimmt anderen etwas weg, worauf sie bauen; es muss ausdrücklich gewollt sein.", "This takes away what others rely on; it has to be asked for explicitly."},
	"notInForce":         {"Diese Version ist nicht in Kraft.", "This version is not in force."},
}
