// SPDX-License-Identifier: EUPL-1.2

package law

import "time"

// fact is one thing that rules count from.
type fact struct {
	at      func(Facts) *time.Time
	known   Step // the sentence when it is known, with its day
	missing Step // the sentence when it is not
	event   Step // its name, as it follows "nach" and "after"
}

var (
	posted = fact{
		at:    func(f Facts) *time.Time { return &f.SentAt },
		known: Step{"Der Bescheid wurde am %s zur Post gegeben.", "The decision was posted on %s."},
		event: Step{"der Aufgabe zur Post", "it was posted"},
	}
	sent = fact{
		at:    func(f Facts) *time.Time { return &f.SentAt },
		known: Step{"Der Bescheid wurde am %s elektronisch abgesandt.", "The decision was sent electronically on %s."},
		event: Step{"der Absendung", "it was sent"},
	}
	provided = fact{
		at:    func(f Facts) *time.Time { return f.ProvidedAt },
		known: Step{"Der Bescheid wurde am %s zum Abruf bereitgestellt.", "The decision was made available for retrieval on %s."},
		missing: Step{
			"Noch offen ist, wann der Bescheid zum Abruf bereitgestellt wurde.",
			"Not known yet: when the decision was made available for retrieval.",
		},
		event: Step{"der Bereitstellung zum Abruf", "it was made available for retrieval"},
	}
	notified = fact{
		at:    func(f Facts) *time.Time { return f.NotifiedAt },
		known: Step{"Die Benachrichtigung über die Bereitstellung wurde am %s abgesandt.", "The notification that it is available was sent on %s."},
		missing: Step{
			"Noch offen ist, wann die Benachrichtigung über die Bereitstellung abgesandt wurde.",
			"Not known yet: when the notification that the decision is available was sent.",
		},
		event: Step{"der Absendung der Benachrichtigung", "the notification was sent"},
	}
	retrieved = fact{
		at:      func(f Facts) *time.Time { return f.FirstRetrievedAt },
		known:   Step{"Der Bescheid wurde am %s erstmals abgerufen.", "The decision was first retrieved on %s."},
		missing: Step{"Noch offen ist, wann der Bescheid erstmals abgerufen wurde.", "Not known yet: when the decision was first retrieved."},
		event:   Step{"dem Abruf", "it was retrieved"},
	}
)
