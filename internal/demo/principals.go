// SPDX-License-Identifier: EUPL-1.2

package demo

import "github.com/ozg-cloud/platform/authz"

// Principal is somebody to play: a person or a machine for whom development's own issuer makes tokens.
type Principal struct {
	Name        string
	Description string // German, one sentence
	Subject     string
	Trust       authz.TrustLevel
	Roles       []Role // none: somebody who applies
}

// Role is given at a tenant. Units are never narrowed here.
type Role struct {
	Role     authz.Role
	Tenant   string   // slug
	Services []string // LeiKa keys that it is narrowed to
}

// Principals are those to play, in the order in which one would introduce them. World writes their roles.
func Principals() []Principal {
	return []Principal{
		staff("kiel-caseworker", "Sachbearbeitung der Landeshauptstadt Kiel, alle Organisationseinheiten", "CASEWORKER", "kiel"),
		staff("kiel-mailroom", "Poststelle der Landeshauptstadt Kiel", "MAIL_ROOM", "kiel"),
		staff("kiel-admin", "Administration des Mandanten Kiel", "TENANT_ADMIN", "kiel"),
		{
			Name: "kiel-applicant", Description: "Antragstellende Person mit eigenen Vorgängen in Kiel",
			Subject: subjectOf("kiel-applicant"), Trust: authz.Substantial,
		},
		staff("luebeck-caseworker", "Sachbearbeitung der Hansestadt Lübeck", "CASEWORKER", "luebeck"),
		staff("sh-admin", "Administration des Landes Schleswig-Holstein", "TENANT_ADMIN", "sh"),
		staff("sh-analyst", "Statistik des Landes Schleswig-Holstein, ohne Einblick in Vorgänge", "LAND_ANALYST", "sh"),
		staff("muenchen-caseworker", "Sachbearbeitung der Landeshauptstadt München", "CASEWORKER", "muenchen"),
		staff("by-admin", "Administration des Freistaats Bayern", "TENANT_ADMIN", "by"),
		staff("by-analyst", "Statistik des Freistaats Bayern, ohne Einblick in Vorgänge", "LAND_ANALYST", "by"),
		staff("federation-analyst", "Statistik über alle Länder, ohne Einblick in Vorgänge", "LAND_ANALYST", "federation"),
		{
			Name: "partner", Description: "Verfahren eines Partners, liest Vorgänge zum Bewohnerparkausweis in Kiel",
			Subject: subjectOf("partner"), Trust: authz.Substantial,
			Roles: []Role{{"PARTNER", "kiel", []string{"99108001001000", "99108001020000"}}},
		},
		staff("gover", "Formularserver, liefert Anträge in Schleswig-Holstein ein", "FORM_SERVER", "sh"),
	}
}

func staff(name, description string, role authz.Role, tenant string) Principal {
	return Principal{name, description, subjectOf(name), authz.Substantial, []Role{{role, tenant, nil}}}
}

// subjectOf is the subject that development's issuer, whose name is dev, gives to a name.
func subjectOf(name string) string { return "user:dev:" + name }
