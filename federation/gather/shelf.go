// SPDX-License-Identifier: EUPL-1.2

package gather

import (
	"context"
	"time"

	"github.com/ozg-cloud/platform/federation/ask"
	"github.com/ozg-cloud/platform/federation/charter"
	"github.com/ozg-cloud/platform/statistics"
)

// Kept is a statement that was received and found to be good.
type Kept struct {
	Member    charter.MemberID
	Statement ask.Statement
	// Payload is what was signed, Document the whole.
	Payload, Document []byte
	ReceivedAt        time.Time
}

// Known is what the shelf has for a question.
type Known struct {
	// Statements are those of all houses to the questions that were named.
	Statements []Kept
	// Volumes are how many cases of the measure each member has in a month, by what it said last.
	Volumes map[charter.MemberID]float64
	// Heads are how the logs of other houses looked when they last answered.
	Heads map[charter.InstanceID]ask.Head
}

// Learned is what one answer has taught.
type Learned struct {
	From charter.InstanceID
	Kept Kept
	Head ask.Head
	// Measure and Volume are how many cases of a measure the member has in a month; without a measure nothing was learned of that.
	Measure statistics.Measure
	Volume  float64
}

// Shelf keeps what was learned.
type Shelf interface {
	// Look finds statements to questions by their names, and what is known for a measure.
	Look(ctx context.Context, questions []string, m statistics.Measure) (Known, error)
	// Learn keeps what an answer has taught. Of two statements of a house to a question the first one stays; it is returned. A head that is not longer
	// than the known one changes nothing.
	Learn(ctx context.Context, l Learned) (kept Kept, err error)
	// Contradicted keeps a proof, once.
	Contradicted(ctx context.Context, c ask.Contradiction) error
}
