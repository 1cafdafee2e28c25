// SPDX-License-Identifier: EUPL-1.2

package statistics

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"net/http"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/internal/strictjson"
)

const (
	longestQuestion = 64 << 10 // bytes: a thousand values on six axes are fewer
	deepestQuestion = 8
)

// asked is a question as it is posted: the arguments of the contract's caseStatistics under their names.
type asked struct {
	Scope    string   `json:"scope"`
	Product  string   `json:"product"`
	Measures []string `json:"measures"`
	GroupBy  []string `json:"groupBy"`
	Where    []struct {
		Axis   string   `json:"axis"`
		Values []string `json:"values"`
	} `json:"where"`
	From string `json:"from"`
	To   string `json:"to"`
}

// ExportCSV answers a posted question with a table (WriteCSV); see export.
func (t *Tally) ExportCSV(w http.ResponseWriter, r *http.Request) error {
	return t.export(w, r, "text/csv; charset=utf-8; header=present", "figures.csv", func(to io.Writer, p *Plan, a Answer, _ Labels) error { return p.WriteCSV(to, a) })
}

// ExportJSONStat answers a posted question with a dataset (WriteJSONStat); see export.
func (t *Tally) ExportJSONStat(w http.ResponseWriter, r *http.Request) error {
	return t.export(w, r, "application/json; charset=utf-8", "figures.json", func(to io.Writer, p *Plan, a Answer, names Labels) error { return p.WriteJSONStat(to, a, names) })
}

// export reads a question from the body of a request, asks it as Ask does, and writes the answer row by row. Whoever may read no figures finds nothing
// here. Questions are posted, so that none is kept as an address.
func (t *Tally) export(w http.ResponseWriter, r *http.Request, media, name string, write func(io.Writer, *Plan, Answer, Labels) error) error {
	p, err := authz.From(r.Context())
	if err != nil {
		return err
	}
	if !p.MayAnywhere("statistics", authz.Read) {
		return problem.New(problem.Missing, "notFound")
	}
	q, err := read(w, r, t.added(p))
	if err != nil {
		return err
	}
	plan, answer, err := t.Ask(r.Context(), q)
	if err != nil {
		return err
	}
	names, err := t.Labels(r.Context(), answer)
	if err != nil {
		return err
	}
	label := map[Axis]map[string]string{}
	for _, l := range names {
		if label[l.Axis] == nil {
			label[l.Axis] = map[string]string{}
		}
		label[l.Axis][l.Value] = l.Name
	}
	w.Header().Set("Content-Type", media)
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	return write(w, plan, answer, func(a Axis, v string) string { return label[a][v] })
}

func read(w http.ResponseWriter, r *http.Request, fields map[Axis]int64) (Inquiry, error) {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" || r.Header.Get("Content-Encoding") != "" {
		return Inquiry{}, problem.New(problem.Invalid, "contentType")
	}
	if r.ContentLength > longestQuestion {
		return Inquiry{}, problem.New(problem.Invalid, "tooLarge")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, longestQuestion))
	if err != nil {
		if len(body) == longestQuestion {
			return Inquiry{}, problem.New(problem.Invalid, "tooLarge")
		}
		return Inquiry{}, problem.New(problem.Invalid, "malformed") // who sends half a body and goes
	}
	if _, err := strictjson.Read(body, deepestQuestion); err != nil {
		return Inquiry{}, err
	}
	var given *asked
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&given); err != nil || given == nil {
		return Inquiry{}, problem.New(problem.Invalid, "requestShape")
	}
	out := Inquiry{Scope: given.Scope, Product: Product(given.Product), From: given.From, To: given.To}
	axisOf := func(constant string) (Axis, bool) {
		a := Axis(Named(constant))
		_, _, known := levelOf(a)
		_, field := fields[a]
		return a, field || known && a != Duration && Constant(string(a)) == constant
	}
	for _, m := range given.Measures {
		measure := Measure(Named(m))
		if Constant(string(measure)) != m {
			return Inquiry{}, problem.New(problem.Invalid, "unknownValue", "measures")
		}
		out.Measures = append(out.Measures, measure)
	}
	for _, a := range given.GroupBy {
		axis, ok := axisOf(a)
		if !ok {
			return Inquiry{}, problem.New(problem.Invalid, "unknownValue", "groupBy")
		}
		out.By = append(out.By, axis)
	}
	for _, f := range given.Where {
		axis, ok := axisOf(f.Axis)
		if !ok {
			return Inquiry{}, problem.New(problem.Invalid, "unknownValue", "where")
		}
		out.Where = append(out.Where, Filter{axis, f.Values})
	}
	out.Fields = out.Told(fields)
	return out, nil
}
