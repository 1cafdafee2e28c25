// SPDX-License-Identifier: EUPL-1.2

package ask

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/ozg-cloud/platform/federation/charter"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/statistics"
)

// Final is the status of a statement about a period that is over. There is no other one yet.
const Final = "FINAL"

// Protection says how what a statement tells is protected.
type Protection struct {
	Method statistics.Method `json:"method"`
	Table  string            `json:"table"`
}

// Statement (Aussage) is what a house says to a question. It does not depend on who asks, nor on when: equal questions get equal bytes, also after a restart.
// So it can be passed on and kept for ever, and two different ones prove that the house has contradicted itself.
type Statement struct {
	Issuer   charter.InstanceID `json:"iss"`
	Question string             `json:"q"`
	Edition  int                `json:"edition"`
	AsOf     time.Time          `json:"as_of"`
	Revision int                `json:"rev"`
	Status   string             `json:"status"`
	// Cells are a part of statistics, as its Bytes.
	Cells      json.RawMessage `json:"cells"`
	Protection Protection      `json:"sdc"`
}

// StatementOf makes the payload of the statement of a house.
func StatementOf(by charter.InstanceID, e Edition, v Vars, part statistics.Part) ([]byte, error) {
	name, err := e.Name(v)
	if err != nil {
		return nil, err
	}
	cells, err := part.Bytes()
	if err != nil {
		return nil, err
	}
	return written(Statement{
		Issuer: by, Question: name, Edition: e.Number, AsOf: EndOf(v), Status: Final, Cells: cells,
		Protection: Protection{Method: statistics.CellKey, Table: statistics.NoiseHash()},
	})
}

// OpenStatement reads a statement and gives its payload with it. at is when it was received: keys that were put away later still count.
// Errors: those of charter, and problems of the kind invalid.
func OpenStatement(document []byte, roll Roll, at time.Time) (s Statement, payload []byte, err error) {
	payload, err = charter.Open(document, StatementType, func(kid string, unchecked []byte) (charter.Key, error) {
		if err := read(unchecked, &s); err != nil {
			return nil, err
		}
		return roll.Key(s.Issuer, kid, at)
	})
	return s, payload, err
}

// Contradiction (Widerspruch) is a proof against a house: two statements of one question, both signed by it, that say different things.
type Contradiction struct {
	Member   charter.MemberID
	Question string
	// First and Second are the signed statements, the one that was kept first.
	First, Second []byte
	FoundAt       time.Time
}

// Contradict tells whether two statements, both of them read, prove a contradiction: the same house, question, instant and revision, and another content.
func Contradict(a, b Statement, first, second []byte) bool {
	return a.Issuer == b.Issuer && a.Question == b.Question && a.AsOf.Equal(b.AsOf) && a.Revision == b.Revision && !bytes.Equal(first, second)
}

// Part reads what a statement says for a plan. It speaks for one member alone, about itself, up to the end of the period.
// Everything else is malformed.
func (s Statement) Part(p *statistics.Plan, member charter.MemberID) (statistics.Part, error) {
	malformed := problem.New(problem.Invalid, "malformed")
	part, err := p.ReadPart(s.Cells)
	if err != nil {
		return statistics.Part{}, err
	}
	if len(part.Counted) != 1 || len(part.Missing) != 0 || part.Counted[0] != (statistics.Contribution{Member: string(member), AsOf: s.AsOf}) {
		return statistics.Part{}, malformed
	}
	for i, a := range p.Axes {
		if a != statistics.Land {
			continue
		}
		for _, r := range part.Rows {
			if r.At[i] != string(member) {
				return statistics.Part{}, malformed
			}
		}
	}
	return part, nil
}
