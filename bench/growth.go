// SPDX-License-Identifier: EUPL-1.2

package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// grow measures the same questions at several sizes, and tells for each how many times as much an answer costs as at the first. Each size has a table and a file
// of results as well.
func grow(ctx context.Context, p plan, sizes, results string, out, progress io.Writer) error {
	var all []*Results
	for size := range strings.SplitSeq(sizes, ",") {
		at := p
		cases, authorities, _ := strings.Cut(size, "/")
		var err error
		if at.Cases, err = strconv.Atoi(cases); err != nil {
			return fmt.Errorf("bench: %q is no size", size)
		}
		if authorities != "" {
			if at.Authorities, err = strconv.Atoi(authorities); err != nil {
				return fmt.Errorf("bench: %q is no size", size)
			}
		}
		if p.Folder != "" {
			at.Folder = filepath.Join(p.Folder, strings.ReplaceAll(size, "/", "-"))
		}
		found, err := stand(ctx, at, progress)
		if err != nil {
			return err
		}
		found.table(out, nil)
		if err := found.save(results); err != nil {
			return err
		}
		all = append(all, found)
	}
	slope(out, all)
	return nil
}

// slope writes the CPU time of the house for each answer in milliseconds, and how many times as much that is as at the first size.
func slope(out io.Writer, all []*Results) {
	fmt.Fprint(out, "\n| CPU ms for each answer of the house |")
	for _, r := range all {
		fmt.Fprintf(out, " %d cases, %d authorities |", r.Cases, r.Authorities)
	}
	fmt.Fprint(out, "\n|---|"+strings.Repeat("--:|", len(all))+"\n")
	var told []string
	for _, run := range all[0].Runs {
		if slices.Contains(told, run.Question) {
			continue
		}
		told = append(told, run.Question)
		fmt.Fprintf(out, "| %s |", run.Question)
		first, _ := all[0].median(run.Question, "house", Run.cpu)
		for i, r := range all {
			now, _ := r.median(run.Question, "house", Run.cpu)
			fmt.Fprintf(out, " %.3f", now)
			if i > 0 && first > 0 {
				fmt.Fprintf(out, " (%.2f)", now/first)
			}
			fmt.Fprint(out, " |")
		}
		fmt.Fprintln(out)
	}
}
