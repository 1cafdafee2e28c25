// SPDX-License-Identifier: EUPL-1.2

package cmd

// Redacted is the log of every house.
var Redacted = redacted

// Said and Searched are a text without what looks like personal data; the second one does not ask first whether there can be any.
var Said, Searched = said, searched

// LimitOf is how much memory the program fills by what the system says the container has.
var LimitOf = limitOf
