// SPDX-License-Identifier: EUPL-1.2

package ask

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the documents
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/statistics"
)

// Figures asks for figures of months that are over. The scope is no variable: a house speaks for its Land.
//
//go:embed documents/figures.graphql
var Figures string

// Documents are all that can be asked of another house, by their hash. There is no other way across the border of a Land.
func Documents() map[string]string { return map[string]string{Hash([]byte(Figures)): Figures} }

// Edition is what houses of an edition can be asked.
type Edition struct {
	Number    int
	Catalogue *statistics.Catalogue
	// Document is the hash of the document by which this edition asks for figures.
	Document string
}

// CurrentEdition is the number of the edition that this house is built of.
const CurrentEdition = 1

// Current is the edition that this house is built of.
func Current() Edition {
	return Edition{Number: CurrentEdition, Catalogue: statistics.Standard(), Document: Hash([]byte(Figures))}
}

// Hash is the name of a text: sha256: and its SHA-256 in lower-case hex.
func Hash(text []byte) string {
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Vars are the variables of Figures, in one form only, so that equal questions are equal bytes: measures in the order of their names, the rest as a
// plan has it.
type Vars struct {
	Measures []statistics.Measure `json:"measures"`
	By       []statistics.Axis    `json:"by"`
	Where    []statistics.Filter  `json:"where"`
	From     string               `json:"from"`
	To       string               `json:"to"`
}

// tenants are the axes whose values only a house itself knows.
var tenants = []statistics.Axis{statistics.Land, statistics.District, statistics.Authority}

// Plan says how a house answers, and puts the variables into their one form. Refusals are problems of the kind invalid: those of the catalogue, and what
// could not be kept apart between houses: districts and authorities without their Land (required at groupBy), and conditions on either (axisNotMeasured).
func (e Edition) Plan(v Vars, now time.Time) (*statistics.Plan, Vars, error) {
	for _, f := range v.Where {
		if slices.Contains(tenants, f.Axis) {
			return nil, Vars{}, problem.New(problem.Invalid, "axisNotMeasured", "where")
		}
	}
	if !slices.Contains(v.By, statistics.Land) && (slices.Contains(v.By, statistics.District) || slices.Contains(v.By, statistics.Authority)) {
		return nil, Vars{}, problem.New(problem.Invalid, "required", "groupBy")
	}
	measures := slices.Clone(v.Measures)
	slices.Sort(measures)
	p, err := e.Catalogue.Plan(statistics.Question{
		Product: statistics.Protected, Measures: measures, By: v.By, Where: v.Where, Scope: statistics.Land, From: v.From, To: v.To, Now: now,
	})
	if err != nil {
		return nil, Vars{}, err
	}
	return p, Vars{Measures: measures, By: p.Axes, Where: p.Where, From: p.From, To: p.To}, nil
}

// Name is what a question is called wherever it is asked: a hash over the edition, the document and the variables in their one form.
func (e Edition) Name(v Vars) (string, error) {
	text, err := written(v)
	if err != nil {
		return "", err
	}
	return Hash([]byte(strconv.Itoa(e.Number) + "\n" + e.Document + "\n" + string(text))), nil
}

// EndOf is the instant up to which an answer counts: the end of its period.
func EndOf(v Vars) time.Time {
	end, _ := statistics.EndOf(v.To) // a plan has read it
	return end.UTC()
}

// written is the one text of a value.
func written(v any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("ask: writing: %w", err)
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// read reads a value that written wrote. Every other text is malformed: with a name twice, in another order, with more in it, or in another spelling.
func read(text []byte, into any) error {
	malformed := problem.New(problem.Invalid, "malformed")
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if dec.Decode(into) != nil {
		return malformed
	}
	again, err := written(into)
	if err != nil || !bytes.Equal(again, text) {
		return malformed
	}
	return nil
}
