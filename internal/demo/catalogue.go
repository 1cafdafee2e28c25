// SPDX-License-Identifier: EUPL-1.2

package demo

import "github.com/ozg-cloud/platform/authz"

// level says who carries out a service.
type level int

const (
	byMunicipality level = iota
	byCounty             // the Kreis for its municipalities
	byLand               // in Schleswig-Holstein an office of the Land
)

// entry is a service of the catalogue. days is the deadline that is promised, 0 for none; retention counts from closing.
type entry struct {
	key, title      string
	kind, maturity  int // LeiKa type 1-5, Reifegrad 0-7
	trust           authz.TrustLevel
	days, retention int
	fiction         bool
	part            string // the unit that works on it
	level           level
}

// The keys and titles are those of the LeiKa; the rest is chosen so that every kind occurs. The most wanted come first.
var catalogue = []entry{
	{"99108001001000", "Bewohnerparkausweis Erteilung", 3, 6, authz.Basic, 14, 730, false, "32.3", byMunicipality},
	{"99050012104000", "Gewerbe Anmeldung", 3, 5, authz.Basic, 3, 3650, false, "32.2", byMunicipality},
	{"99115005104000", "Wohnsitz Anmeldung", 3, 4, authz.High, 7, 1825, false, "32.1", byMunicipality},
	{"99027002012000", "Geburtsurkunde Ausstellung", 3, 6, authz.Basic, 10, 365, false, "32.4", byMunicipality},
	{"99102013002000", "Hundesteuer Festsetzung", 5, 4, authz.Basic, 30, 3650, false, "20.1", byMunicipality},
	{"99115004001001", "Melderegisterauskunft einfach", 3, 7, authz.Basic, 7, 180, false, "32.1", byMunicipality},
	{"99107023017001", "Wohngeld Bewilligung erstmalig", 3, 3, authz.Substantial, 60, 3650, false, "50.1", byMunicipality},
	{"99108001020000", "Bewohnerparkausweis Verlängerung", 3, 6, authz.Basic, 7, 730, false, "32.3", byMunicipality},
	{"99041006017000", "Elterngeld Bewilligung", 2, 4, authz.Substantial, 42, 3650, false, "50.3", byLand},
	{"99050012070000", "Gewerbe Abmeldung", 3, 5, authz.Basic, 3, 3650, false, "32.2", byMunicipality},
	{"99107022012000", "Wohnberechtigungsschein Ausstellung", 4, 3, authz.Substantial, 30, 1825, false, "50.1", byMunicipality},
	{"99108011153000", "Halteverbotszone Umzug Einrichtung", 3, 4, authz.Basic, 14, 365, false, "32.3", byCounty},
	{"99012008001000", "Baugenehmigung Erteilung", 4, 3, authz.Substantial, 90, 10950, false, "60.1", byCounty},
	{"99050012071000", "Gewerbe Ummeldung", 3, 5, authz.Basic, 3, 3650, false, "32.2", byMunicipality},
	{"99059001104000", "Eheschließung Anmeldung", 3, 2, authz.Substantial, 21, 1825, false, "32.4", byMunicipality},
	{"99025002056000", "Gaststättengewerbe Gestattung", 4, 4, authz.Basic, 14, 365, false, "32.2", byMunicipality},
	{"99107021017000", "Unterhaltsvorschuss Bewilligung", 3, 3, authz.Substantial, 42, 3650, false, "50.2", byCounty},
	{"99059004012000", "Eheurkunde Ausstellung", 3, 6, authz.Basic, 10, 365, false, "32.4", byMunicipality},
	{"99101004012000", "Sterbeurkunde Ausstellung", 3, 6, authz.Basic, 10, 365, false, "32.4", byMunicipality},
	{"99108012005000", "Sondernutzung von Straßen Erlaubnis", 4, 3, authz.Basic, 28, 1825, false, "32.3", byMunicipality},
	{"99102013010000", "Hundesteuer Befreiung", 5, 4, authz.Basic, 30, 3650, false, "20.1", byMunicipality},
	{"99052001055000", "Gewerberegisterauszug Übermittlung", 3, 6, authz.Basic, 7, 180, false, "32.2", byMunicipality},
	{"99093003001000", "Baumfällgenehmigung Erteilung", 5, 3, authz.Basic, 42, 1825, false, "60.2", byMunicipality},
	{"99025002005000", "Gaststättengewerbe Erlaubnis", 4, 3, authz.Basic, 0, 3650, true, "32.2", byMunicipality},
	{"99115005070000", "Wohnsitz Abmeldung", 3, 4, authz.Substantial, 7, 1825, false, "32.1", byMunicipality},
}

// carriesOut tells whether an office offers a service. Where a Land has an office for it, nobody below it does.
func (o office) carriesOut(e entry) bool {
	byOffice := e.level == byLand && o.key[:2] == "01"
	switch o.tasks {
	case ofLand:
		return byOffice
	case ofMunicipality:
		return e.level == byMunicipality
	}
	return !byOffice
}
