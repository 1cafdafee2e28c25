// SPDX-License-Identifier: EUPL-1.2

package demo

import (
	"fmt"
	"strings"
	"time"

	"github.com/ozg-cloud/platform/ent/schema"
)

// person is somebody who applies, or a firm with somebody who speaks for it.
type person struct {
	first, last, firm string
	street, house     string
	zip, town         string
	born              time.Time
}

func somebody(c chance, o office, mayBeFirm bool) person {
	p := person{
		first: one(c, firstNames...), last: one(c, lastNames...), street: one(c, streets...), house: fmt.Sprint(1 + c.IntN(120)),
		zip: o.zip, town: o.town, born: time.Date(1945+c.IntN(60), time.Month(1+c.IntN(12)), 1+c.IntN(28), 0, 0, 0, 0, time.UTC),
	}
	if mayBeFirm && c.of(0.4) {
		p.firm = one(c, trades...) + " " + one(c, lastNames...) + one(c, " GmbH", " e. K.", " GbR", " UG (haftungsbeschränkt)")
	}
	return p
}

// name is who applies.
func (p person) name() string {
	if p.firm != "" {
		return p.firm
	}
	return p.first + " " + p.last
}

func (p person) kind() string {
	if p.firm != "" {
		return "LEGAL_PERSON"
	}
	return "NATURAL_PERSON"
}

func (p person) address() string { return p.street + " " + p.house + ", " + p.zip + " " + p.town }

var ascii = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "ß", "ss", "ı", "i", "ç", "c", "Ö", "oe", "Ç", "c")

func (p person) mail() string {
	return strings.ToLower(ascii.Replace(p.first + "." + p.last + "@example.org"))
}

// form is what a form server delivers for somebody and a service: about 24 fields in three groups.
func form(c chance, p person, s *service, receivedAt time.Time) []schema.FormItem {
	who := []schema.FormItem{
		said("vorname", "Vorname", p.first), said("nachname", "Nachname", p.last), day("geburtsdatum", "Geburtsdatum", p.born),
		said("staatsangehoerigkeit", "Staatsangehörigkeit", one(c, "deutsch", "deutsch", "deutsch", "dänisch", "polnisch", "türkisch")),
		said("strasse", "Straße", p.street), said("hausnummer", "Hausnummer", p.house), said("plz", "Postleitzahl", p.zip), said("ort", "Ort", p.town),
		said("email", "E-Mail-Adresse", p.mail()),
		// numbers that are kept free for films and the like
		said("telefon", "Telefon", fmt.Sprintf("030 23125 %03d", c.IntN(1000))),
	}
	if p.firm != "" {
		who = append(who, said("firma", "Firma", p.firm))
	} else {
		who = append(who, said("familienstand", "Familienstand", one(c, "ledig", "verheiratet", "geschieden", "keine Angabe")))
	}
	what := append([]schema.FormItem{said("leistung", "Leistung", s.title)}, topics[s.part](c, receivedAt)...)
	end := []schema.FormItem{
		yes("richtigkeit", "Ich versichere, dass meine Angaben richtig sind.", true),
		yes("datenschutz", "Die Hinweise zum Datenschutz habe ich gelesen.", true),
		yes("elektronisch", "Ich möchte den Bescheid elektronisch erhalten.", c.of(0.85)),
		said("zahlungsart", "Zahlungsart", one(c, "Überweisung", "Lastschrift", "Online-Bezahlung")),
		said("bemerkung", "Bemerkung", one(c, "", "", "Bitte um schnelle Bearbeitung.", "Rückfragen gern per Nachricht.")),
	}
	return []schema.FormItem{
		{Name: "antragsteller", Label: "Angaben zur Person", Items: who},
		{Name: "anliegen", Label: "Angaben zum Anliegen", Items: what},
		{Name: "abschluss", Label: "Abschluss", Items: end},
	}
}

// topics are the questions that a unit's forms ask.
var topics = map[string]func(chance, time.Time) []schema.FormItem{
	"20.1": func(c chance, at time.Time) []schema.FormItem {
		return []schema.FormItem{
			said("rasse", "Rasse", one(c, breeds...)), number("hunde", "Anzahl der Hunde im Haushalt", 1+c.IntN(2)),
			day("gehaltenSeit", "Gehalten seit", before(c, at, 60)), day("wurfdatum", "Wurfdatum", before(c, at, 3000)),
			said("chip", "Nummer des Chips", "27600"+digits(c, 10)), yes("ersthund", "Ist es der erste Hund?", c.of(0.8)),
			yes("assistenzhund", "Ist es ein Assistenzhund?", c.of(0.05)),
		}
	},
	"32.1": func(c chance, at time.Time) []schema.FormItem {
		return []schema.FormItem{
			day("einzug", "Tag des Einzugs oder Auszugs", before(c, at, 14)), number("personen", "Anzahl der Personen", 1+c.IntN(5)),
			said("wohnungsgeber", "Wohnungsgeber", one(c, lastNames...)), said("bisher", "Bisherige Anschrift", one(c, streets...)+" "+digits(c, 2)),
			yes("hauptwohnung", "Ist es die Hauptwohnung?", c.of(0.9)), yes("ausland", "Zuzug aus dem Ausland?", c.of(0.1)),
			said("zweck", "Zweck", one(c, "privat", "gewerblich")),
		}
	},
	"32.2": func(c chance, at time.Time) []schema.FormItem {
		return []schema.FormItem{
			said("taetigkeit", "Tätigkeit", one(c, trades...)), day("beginn", "Beginn oder Ende", after(c, at, 60)),
			number("beschaeftigte", "Zahl der Beschäftigten", c.IntN(25)), said("betriebsstaette", "Betriebsstätte", one(c, streets...)+" "+digits(c, 2)),
			yes("nebenerwerb", "Nebenerwerb?", c.of(0.4)), yes("handwerk", "Eintragung in die Handwerksrolle?", c.of(0.2)),
			said("rechtsform", "Rechtsform", one(c, "Einzelunternehmen", "GbR", "GmbH", "UG")),
		}
	},
	"32.3": func(c chance, at time.Time) []schema.FormItem {
		return []schema.FormItem{
			said("kennzeichen", "Amtliches Kennzeichen", "XX "+one(c, "A", "K", "L", "M", "T")+" "+digits(c, 4)),
			said("fahrzeugart", "Fahrzeugart", one(c, "Pkw", "Pkw", "Pkw", "Motorrad", "Wohnmobil", "Lkw")),
			said("gebiet", "Gebiet", one(c, quarters...)), day("gueltigAb", "Gültig ab", after(c, at, 30)),
			number("dauer", "Dauer in Monaten", 6+c.IntN(19)), yes("halter", "Sind Sie Halterin oder Halter?", c.of(0.85)),
			yes("elektrisch", "Fährt das Fahrzeug elektrisch?", c.of(0.25)),
		}
	},
	"32.4": func(c chance, at time.Time) []schema.FormItem {
		return []schema.FormItem{
			said("ereignis", "Ereignis", one(c, "Geburt", "Eheschließung", "Sterbefall")), day("ereignisAm", "Tag des Ereignisses", before(c, at, 9000)),
			number("exemplare", "Anzahl der Urkunden", 1+c.IntN(3)), said("verwendung", "Verwendung", one(c, "Rente", "Eheschließung", "Behörde", "privat")),
			yes("international", "Mehrsprachig?", c.of(0.2)), said("beziehung", "Beziehung zur Person", one(c, "selbst", "Kind", "Elternteil", "Ehegatte")),
			yes("abholung", "Abholung vor Ort?", c.of(0.3)),
		}
	},
	"50.1": func(c chance, at time.Time) []schema.FormItem {
		return []schema.FormItem{
			number("personen", "Personen im Haushalt", 1+c.IntN(6)), number("miete", "Miete im Monat in Euro", 380+c.IntN(900)),
			number("flaeche", "Wohnfläche in Quadratmetern", 30+c.IntN(90)), number("einkommen", "Einkommen im Monat in Euro", 900+c.IntN(1800)),
			day("mietbeginn", "Beginn des Mietverhältnisses", before(c, at, 4000)), yes("schwerbehinderung", "Schwerbehinderung im Haushalt?", c.of(0.1)),
			yes("erstantrag", "Erstantrag?", c.of(0.7)),
		}
	},
	"50.2": family, "50.3": family,
	"60.1": func(c chance, at time.Time) []schema.FormItem {
		return []schema.FormItem{
			said("vorhaben", "Vorhaben", one(c, "Einfamilienhaus", "Anbau", "Garage", "Umnutzung", "Photovoltaik auf Freifläche")),
			said("flurstueck", "Flurstück", digits(c, 3)+"/"+digits(c, 2)), number("flaeche", "Grundfläche in Quadratmetern", 20+c.IntN(400)),
			number("geschosse", "Zahl der Geschosse", 1+c.IntN(4)), day("baubeginn", "Geplanter Baubeginn", after(c, at, 300)),
			yes("denkmal", "Liegt ein Denkmal vor?", c.of(0.05)), yes("vereinfacht", "Vereinfachtes Verfahren?", c.of(0.7)),
		}
	},
	"60.2": func(c chance, at time.Time) []schema.FormItem {
		return []schema.FormItem{
			said("baumart", "Baumart", one(c, trees...)), number("umfang", "Stammumfang in Zentimetern", 60+c.IntN(200)),
			number("baeume", "Anzahl der Bäume", 1+c.IntN(4)), said("grund", "Grund", one(c, "Krankheit", "Standsicherheit", "Bauvorhaben")),
			day("wunsch", "Gewünschter Termin", after(c, at, 120)), yes("ersatz", "Ersatzpflanzung?", c.of(0.6)), yes("eigentum", "Eigenes Grundstück?", c.of(0.9)),
		}
	},
}

func family(c chance, at time.Time) []schema.FormItem {
	return []schema.FormItem{
		day("kindGeborenAm", "Geburtstag des Kindes", before(c, at, 300)), number("kinder", "Anzahl der Kinder im Haushalt", 1+c.IntN(4)),
		number("einkommen", "Einkommen im Monat in Euro", 900+c.IntN(3500)), number("monate", "Beantragte Monate", 2+c.IntN(13)),
		yes("alleinerziehend", "Alleinerziehend?", c.of(0.3)), yes("erwerbstaetig", "Erwerbstätig?", c.of(0.6)),
		said("bank", "Bankverbindung liegt bei", one(c, "ja", "wird nachgereicht")),
	}
}

func said(name, label, value string) schema.FormItem {
	return schema.FormItem{Name: name, Label: label, String: &value}
}

func yes(name, label string, value bool) schema.FormItem {
	return schema.FormItem{Name: name, Label: label, Boolean: &value}
}

func number(name, label string, value int) schema.FormItem {
	v := float64(value)
	return schema.FormItem{Name: name, Label: label, Number: &v}
}

func day(name, label string, value time.Time) schema.FormItem {
	v := value.Format(time.DateOnly)
	return schema.FormItem{Name: name, Label: label, Date: &v}
}

func before(c chance, at time.Time, days int) time.Time { return at.AddDate(0, 0, -c.IntN(days)) }
func after(c chance, at time.Time, days int) time.Time  { return at.AddDate(0, 0, c.IntN(days)) }

func digits(c chance, n int) string {
	out := make([]byte, n)
	for i := range out {
		out[i] = "0123456789"[c.IntN(10)]
	}
	return string(out)
}
