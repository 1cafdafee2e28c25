// SPDX-License-Identifier: EUPL-1.2

package partners

import (
	"context"
	"encoding/json"

	"github.com/ozg-cloud/platform/authz"
)

// Engine carries out operations for somebody who is not there.
type Engine interface {
	// Fits refuses a document that ctx's principal could not ask at the front door: unreadable, too costly, not of the own contract, or not loaded
	// where only loaded documents are answered.
	Fits(ctx context.Context, document string, asked ...string) error
	// Who says who a subject is, with the rights that it has now.
	Who(ctx context.Context, subject string, trust authz.TrustLevel) (*authz.Principal, error)
	// Play carries out an operation under the rights that the subject has at each moment, and hands over each answer until there are none any more, each
	// fails or ctx ends. No answer is handed over that comes of rights which are lost when it is: Play then ends with ErrAgain, and whoever plays it
	// again with the same Held is told of the loss by a revocation. What the document is refused for is a problem.
	Play(ctx context.Context, q Question, each func(Answer) error) error
}

// Question is an operation of somebody's.
type Question struct {
	Subject string
	Trust   authz.TrustLevel
	// Held are the assignments by which the last answer was read that the subject was given; nil: there was none.
	Held      []authz.Assignment
	Document  string
	Variables map[string]any
	// After is the cursor behind which a subscription begins, whatever the document says; empty: the document decides.
	After string
	// Purpose stands in the access log.
	Purpose string
}

// Answer is what an operation answers at a time.
type Answer struct {
	// Body is the answer as the front door would send it.
	Body []byte
	// Data is what it says; empty or null where there are only errors.
	Data json.RawMessage
	// Cursor is that of a frame.
	Cursor string
	// Errors are what is wrong, whether with all of it or with some fields.
	Errors []Failure
	// Reader is who has read it.
	Reader *authz.Principal
}

// Frame says what an answer of a stream tells: the type of its frame and whether everything up to now was told. It is empty for everything else.
func (a Answer) Frame() (typ string, caughtUp bool) {
	var data map[string]struct {
		Typename string `json:"__typename"`
		CaughtUp bool   `json:"ozgCaughtUp"`
	}
	if json.Unmarshal(a.Data, &data) != nil {
		return "", false
	}
	for _, f := range data {
		return f.Typename, f.CaughtUp
	}
	return "", false
}

// Failure is an error in an answer, as the contract names it.
type Failure struct{ Code, Rule string }

// errAgain is ErrAgain.
type errAgain struct{}

func (errAgain) Error() string { return "partners: the rights have changed on the way" }

// ErrAgain says that rights were lost on the way, so that what was read by them is not shown any more.
var ErrAgain error = errAgain{}
