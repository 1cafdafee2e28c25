// SPDX-License-Identifier: EUPL-1.2

package cmd

import (
	"io"
	"log/slog"
)

// Redacted is the log of every house.
var Redacted = redacted

// Said and Searched are a text without what looks like personal data; the second one does not ask first whether there can be any.
var Said, Searched = said, searched

// LimitOf is how much memory the program fills by what the system says the container has.
var LimitOf = limitOf

// Journal is where every program writes its log; turn ends it.
func Journal(to io.Writer) (log *slog.Logger, turn func()) {
	j := newJournal(to, func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, nil) })
	return slog.New(j), j.sheet.turn
}
