// SPDX-License-Identifier: EUPL-1.2

package ask

import (
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/ozg-cloud/platform/federation/charter"
	"github.com/ozg-cloud/platform/internal/problem"
)

// Outcome is what a house has made of a question.
type Outcome string

// The outcomes.
const (
	Answered    Outcome = "ANSWERED"
	Declined    Outcome = "DECLINED"    // its Land has not agreed to tell this, or not to so many questions
	Unsupported Outcome = "UNSUPPORTED" // its edition does not know the document, the measure or the table
)

// Receipt (Quittung) is for the one who asked: what became of the question, and where it stands in the log of the house that was asked.
type Receipt struct {
	Issuer   charter.InstanceID `json:"iss"`
	Audience charter.InstanceID `json:"aud"`
	IssuedAt int64              `json:"iat"`
	// Request and Statement are hashes of the question and the statement as they were sent; Statement is empty where there is none.
	Request   string  `json:"req"`
	Statement string  `json:"st"`
	Outcome   Outcome `json:"outcome"`
	Reason    string  `json:"reason"`
	Log       Spot    `json:"log"`
	Charter   int     `json:"charter"`
	// Suspensions is the number of the newest suspension list that the answering house knows.
	Suspensions int `json:"susp_seq"`
}

// Spot is where a line stands in a log.
type Spot struct {
	Size  int64     `json:"size"`
	Root  tlog.Hash `json:"root"`
	Index int64     `json:"index"`
	// Proof shows that the line is in the log, Since that the log has only grown since the asking house saw it last.
	Proof tlog.RecordProof `json:"proof"`
	Since tlog.TreeProof   `json:"since"`
}

// Head is how a log looked.
type Head struct {
	Size int64
	Root tlog.Hash
}

// Answer is what comes back over the wire.
type Answer struct {
	Statement string `json:"statement,omitempty"`
	Receipt   string `json:"receipt"`
}

// ReadAnswer reads what came back.
func ReadAnswer(text []byte) (Answer, error) {
	var a Answer
	err := read(text, &a)
	return a, err
}

// Bytes are the answer as it is sent.
func (a Answer) Bytes() ([]byte, error) { return written(a) }

// record is the line of a question in the log, as both sides know it.
func record(asker charter.InstanceID, request string, o Outcome, statement string, at int64) []byte {
	return fmt.Appendf(nil, "%s\n%s\n%s\n%s\n%d\n", asker, request, o, statement, at)
}

// OpenReceipt reads the receipt of an answer to a question that was sent to a house. seen is how its log looked when it last answered. Whatever is not the
// answer of this house to this question of ours at this time is refused, and so is a log from which something was taken away.
// Errors: those of charter, and problems: otherAudience, questionExpired, otherAnswer, logChanged, malformed.
func OpenReceipt(a Answer, q Question, sent []byte, roll Roll, now time.Time, seen Head) (Receipt, error) {
	var r Receipt
	_, err := charter.Open([]byte(a.Receipt), ReceiptType, func(kid string, unchecked []byte) (charter.Key, error) {
		if err := read(unchecked, &r); err != nil {
			return nil, err
		}
		at := time.Unix(r.IssuedAt, 0)
		switch {
		case r.Issuer != q.Audience || r.Audience != q.Issuer:
			return nil, problem.New(problem.Unauthenticated, "otherAudience")
		case now.Sub(at).Abs() > Life+Skew:
			return nil, problem.New(problem.Unauthenticated, "questionExpired")
		}
		return roll.Key(r.Issuer, kid, now)
	})
	if err != nil {
		return Receipt{}, err
	}
	statement := ""
	if a.Statement != "" {
		statement = Hash([]byte(a.Statement))
	}
	known := r.Outcome == Answered || r.Outcome == Declined || r.Outcome == Unsupported
	if r.Request != Hash(sent) || r.Statement != statement || !known || (r.Outcome == Answered) != (statement != "") {
		return Receipt{}, problem.New(problem.Invalid, "otherAnswer")
	}
	line := tlog.RecordHash(record(q.Issuer, r.Request, r.Outcome, r.Statement, r.IssuedAt))
	if r.Log.Index < 0 || r.Log.Index >= r.Log.Size || tlog.CheckRecord(r.Log.Proof, r.Log.Size, r.Log.Root, r.Log.Index, line) != nil {
		return Receipt{}, problem.New(problem.Invalid, "logChanged")
	}
	if seen.Size > 0 && q.Seen == seen.Size {
		if r.Log.Size < seen.Size || tlog.CheckTree(r.Log.Since, r.Log.Size, r.Log.Root, seen.Size, seen.Root) != nil {
			return Receipt{}, problem.New(problem.Invalid, "logChanged")
		}
	}
	return r, nil
}
