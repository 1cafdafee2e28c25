// SPDX-License-Identifier: EUPL-1.2

package web

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/99designs/gqlgen/graphql"

	"github.com/ozg-cloud/platform/internal/problem"
)

// request is what a client asks: a document, or the hash of one that was loaded before.
type request struct {
	graphql.RawParams
	hash string
}

// hashIn finds the hash of the document that is asked for: documentId (GraphQL over HTTP), extensions.persistedQuery (Apollo), doc_id (Relay), id
// (graphql-codegen's example). Where there is a document, nobody looks for a hash: none is learnt on the way (no automatic persisted queries).
func hashIn(given, extensions map[string]any) string {
	persisted, _ := extensions["persistedQuery"].(map[string]any)
	for _, v := range []any{given["documentId"], persisted["sha256Hash"], given["doc_id"], given["id"]} {
		if hash, ok := v.(string); ok {
			return hash
		}
	}
	return ""
}

// find puts the document into a request that names one, and refuses one that nobody has loaded. A document is trusted by what it says, however it came.
func (d *Door) find(q *request) error {
	switch {
	case q.hash != "":
		text, known := d.trusted(q.hash)
		if !known {
			return problem.New(problem.Invalid, "unknownDocument")
		}
		q.Query = text
	case d.o.TrustedOnly:
		sum := sha256.Sum256([]byte(q.Query))
		if _, known := d.trusted(hex.EncodeToString(sum[:])); !known {
			return problem.New(problem.Invalid, "untrustedDocument")
		}
	}
	return nil
}

func (d *Door) trusted(hash string) (string, bool) {
	if d.o.Documents == nil {
		return "", false
	}
	return d.o.Documents(hash)
}
