// SPDX-License-Identifier: EUPL-1.2

package ask

import (
	"errors"
	"io"
	"net/http"

	"github.com/ozg-cloud/platform/internal/problem"
)

// Path is where a house answers questions, below its endpoint.
const Path = "/federation/v1/ask"

// MediaType is that of a question (RFC 7515, section 9.2.1).
const MediaType = "application/jose"

// Serve answers a question that came over HTTP: its body is the signed question, and nothing else of the request is looked at.
func (d *Desk) Serve(w http.ResponseWriter, r *http.Request) error {
	if r.Header.Get("Content-Type") != MediaType {
		return problem.New(problem.Invalid, "mediaType")
	}
	question, err := io.ReadAll(http.MaxBytesReader(w, r.Body, LongestQuestion))
	if err != nil {
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			return problem.New(problem.Invalid, "tooLarge")
		}
		return problem.New(problem.Invalid, "malformed") // whoever broke off hears nothing anyway
	}
	a, err := d.Answer(r.Context(), question)
	if err != nil {
		return err
	}
	body, err := a.Bytes()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body) // who has gone cannot be told
	return nil
}
