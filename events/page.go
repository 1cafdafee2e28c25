// SPDX-License-Identifier: EUPL-1.2

package events

import (
	"context"

	"github.com/ozg-cloud/platform/authz"
)

// Page is a part of a story, for who polls.
type Page struct {
	Told []Told
	// Next is where to go on.
	Next Position
	// More tells that there may be more by now.
	More bool
	// Oldest is before what nothing is left, Newest how far the log could be read.
	Oldest, Newest Position
}

// mostPages bounds how much of the log is gone through for one page of a story.
const mostPages = 50

// Page gives up to so many events of a story behind a position. What a receiver of Follow is told of is what it gives.
// It may give fewer although there are more: then it has gone through much that is not part of the story.
func (l *Log) Page(ctx context.Context, after Position, first int, s Story) (Page, error) {
	out, most := Page{Next: after}, few
	for range mostPages {
		var found []Entry
		var r reach
		err := authz.Current(ctx, func() error {
			p, err := authz.From(ctx)
			if err != nil {
				return err
			}
			if found, r, err = l.scan(ctx, p.Scope(), span{out.Next, s.Types, most}); err != nil {
				return err
			}
			return p.Knows(r.version)
		})
		if err != nil {
			return out, err
		}
		p, err := authz.From(ctx)
		if err != nil {
			return out, err
		}
		if r.to.Compare(out.Next) < 0 {
			r.to = out.Next // another process has read further
		}
		if out.Oldest, out.Newest, out.More = r.oldest, r.to, r.more; out.More {
			out.Newest = r.newest
		}
		if first == 0 {
			return out, nil
		}
		var at []Position
		end := r.to
		for i := range found {
			if !s.tells(p, &found[i]) {
				continue
			}
			if at = append(at, found[i].At); len(at) == first-len(out.Told) && i+1 < len(found) {
				end, out.More = found[i].At, true
				break
			}
		}
		if len(at) > 0 {
			told, err := s.Read(ctx, at, r.newest)
			if err != nil {
				return out, err
			}
			out.Told = append(out.Told, told...)
		}
		if out.Next = end; !out.More || len(out.Told) == first {
			return out, nil
		}
		most = page
	}
	return out, nil
}
