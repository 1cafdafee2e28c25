// SPDX-License-Identifier: EUPL-1.2

package authz

// SystemName names who runs without a person. The names stand in this one list.
type SystemName string

// The system principals.
const (
	Doorkeeping SystemName = "system:doorkeeper" // reads role assignments before there is a principal
	Relay       SystemName = "system:relay"      // hands messages to mailboxes and records what became of them: may deliver every case
	Sweeping    SystemName = "system:sweeper"    // throws away what has expired
	Operator    SystemName = "system:operator"   // whoever has the owner's login at the console: gives and takes any role, blocks subjects
	Witness     SystemName = "system:witness"    // writes down who read personal data
	Telling     SystemName = "system:teller"     // reads which events there are, and wakes whom they concern
	Partnering  SystemName = "system:partners"   // keeps the books of webhooks and exports; what these show is read by whose they are
	Counting    SystemName = "system:tally"      // counts what happened
	Caretaking  SystemName = "system:caretaker"  // brings values of extension fields into the index, and erases them on order
	Federating  SystemName = "system:federation" // keeps the papers of the federation; it reads nothing of any tenant
)

// System is the principal of a system task: all rows everywhere that its task needs, under its own name.
func System(name SystemName) *Principal {
	all := Rows{[]Condition{{Place: Everywhere}}}
	may := map[SystemName][]Object{
		Doorkeeping: {"roleAssignment", "unit", "tenant", "blockedSubject"},
		Relay:       {"case", "message"},
		Sweeping:    {"attachment", "upload", "idempotencyKey"}, // the first to tell which content nobody refers to
		Telling:     {"event", "case"},
		Partnering:  {"webhook", "export"},
		Caretaking:  {"case", "extension"},
		Counting:    {"event", "case", "statistics"},
		Operator:    {"roleAssignment", "blockedSubject", "policy", "tenant", "unit", "service", "case", "extension"},
	}
	p := &Principal{Subject: string(name), TrustLevel: High, system: true, scope: Scope{Lo: 0, Hi: Last}, classOf: map[right]int{}, rows: []Rows{all}}
	for _, o := range may[name] {
		p.classOf[right{o, Read}] = 0
	}
	switch name {
	case Relay:
		p.classOf[right{"case", "deliver"}] = 0
	case Operator:
		p.classOf[right{"roleAssignment", "assign"}] = 0
	}
	return p
}
