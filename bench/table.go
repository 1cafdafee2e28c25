// SPDX-License-Identifier: EUPL-1.2

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Results are what a run has found, as they are kept.
type Results struct {
	When        time.Time `json:"when"`
	Cases       int       `json:"cases"`
	Authorities int       `json:"authorities"`
	Rounds      int       `json:"rounds"`
	Connections int       `json:"connections"`
	IdleCPU     float64   `json:"idleCPU"` // of house and database, in CPUs
	Runs        []Run     `json:"runs"`
}

// Run is one measurement. Times are in milliseconds, CPU times for each request, memory in MiB.
type Run struct {
	Question    string  `json:"question"`
	Server      string  `json:"server"`
	PerSecond   float64 `json:"perSecond"`
	P50         float64 `json:"p50"`
	P99         float64 `json:"p99"`
	ServerCPU   float64 `json:"serverCPU"`
	DatabaseCPU float64 `json:"databaseCPU"`
	Others      float64 `json:"others"` // CPUs that were busy with something else
	Memory      float64 `json:"memory"`
	Failed      int     `json:"failed"`
	Failure     string  `json:"failure,omitempty"`
}

func (r Run) cpu() float64 { return r.ServerCPU + r.DatabaseCPU }

// goals are how many times as much CPU as the limit an answer may cost; where there is no limit, milliseconds.
var goals = map[string]float64{"q1": 1.4, "q2": 1.2, "q2land": 1.2, "q3": 0.01, "q4": 1.5, "q6a": 0.05, "q6b": 0.05, "q6c": 0.05}

// median of what the runs of a question at a server say; false where there are none.
func (r *Results) median(question, server string, of func(Run) float64) (float64, bool) {
	var all []float64
	for _, run := range r.Runs {
		if run.Question == question && run.Server == server {
			all = append(all, of(run))
		}
	}
	if len(all) == 0 {
		return 0, false
	}
	slices.Sort(all)
	return (all[(len(all)-1)/2] + all[len(all)/2]) / 2, true
}

// ratio is how many times as much the house has of something as the limit, both in the median; where there is no limit, what the house has.
func (r *Results) ratio(question string, of func(Run) float64) float64 {
	house, _ := r.median(question, "house", of)
	if limit, ok := r.median(question, "limit", of); ok {
		return house / limit
	}
	return house
}

// table writes what was found, beside the goals and what was found before (nil: nothing).
func (r *Results) table(out io.Writer, before *Results) {
	fmt.Fprintf(out, "\n%d cases at %d authorities, %d connections, medians of %d rounds; idle, house and database need %.3f CPUs\n\n", r.Cases, r.Authorities, r.Connections, r.Rounds, r.IdleCPU)
	fmt.Fprintln(out, "| question | server | requests/s | p50 ms | p99 ms | server CPU ms | database CPU ms | MiB | CPU: house / limit | goal | before | p99: house / limit | failed |")
	fmt.Fprintln(out, "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
	var told []string
	for _, run := range r.Runs {
		if slices.Contains(told, run.Question) {
			continue
		}
		told = append(told, run.Question)
		for _, server := range []string{"house", "limit"} {
			if _, ok := r.median(run.Question, server, Run.cpu); ok {
				r.row(out, run.Question, server, before)
			}
		}
	}
}

func (r *Results) row(out io.Writer, question, server string, before *Results) {
	cell := func(of func(Run) float64) float64 { v, _ := r.median(question, server, of); return v }
	failed := 0
	for _, run := range r.Runs {
		if run.Question == question && run.Server == server {
			failed += run.Failed
		}
	}
	fmt.Fprintf(out, "| %s | %s | %.0f | %.2f | %.2f | %.3f | %.3f | %.0f |", question, server, cell(func(r Run) float64 { return r.PerSecond }),
		cell(func(r Run) float64 { return r.P50 }), cell(func(r Run) float64 { return r.P99 }),
		cell(func(r Run) float64 { return r.ServerCPU }), cell(func(r Run) float64 { return r.DatabaseCPU }), cell(func(r Run) float64 { return r.Memory }))
	if server == "limit" {
		fmt.Fprintf(out, " | | | | %d |\n", failed)
		return
	}
	_, limited := r.median(question, "limit", Run.cpu)
	unit := ""
	if !limited {
		unit = " ms"
	}
	fmt.Fprintf(out, " %.3g%s |", r.ratio(question, Run.cpu), unit)
	if goal, ok := goals[question]; ok {
		fmt.Fprintf(out, " %g", goal)
	}
	fmt.Fprint(out, " |")
	if before != nil && before.ratio(question, Run.cpu) > 0 {
		fmt.Fprintf(out, " %.3g%s", before.ratio(question, Run.cpu), unit)
	}
	fmt.Fprint(out, " |")
	if limited {
		fmt.Fprintf(out, " %.2f", r.ratio(question, func(r Run) float64 { return r.P99 }))
	}
	fmt.Fprintf(out, " | %d |\n", failed)
}

// load reads results.
func load(file string) (*Results, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var r Results
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("bench: reading %s: %w", file, err)
	}
	return &r, nil
}

// save writes the results into a folder, in a file that is named after when they were found.
func (r *Results) save(folder string) error {
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return err
	}
	text, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, r.When.Format("20060102-150405")+".json"), append(text, '\n'), 0o600)
}
