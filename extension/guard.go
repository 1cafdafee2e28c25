// SPDX-License-Identifier: EUPL-1.2

package extension

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/lexer"

	"github.com/ozg-cloud/platform/internal/problem"
)

// guard refuses a text that a parser should not see: too long, too many tokens, brackets too deep in each other, or none of the language.
// It takes time in proportion to the text, whatever stands in it.
func guard(sdl string) *problem.Problem {
	if len(sdl) > mostBytes {
		return problem.New(problem.Invalid, "tooLarge")
	}
	if !utf8.ValidString(sdl) || strings.ContainsRune(sdl, 0) {
		return problem.New(problem.Invalid, "notText")
	}
	depth, words := 0, lexer.New(&ast.Source{Name: "sdl", Input: sdl})
	for n := 0; ; n++ {
		word, err := words.ReadToken()
		if err != nil {
			return unreadable(err)
		}
		switch word.Kind {
		case lexer.EOF:
			return nil
		case lexer.BraceL, lexer.BracketL, lexer.ParenL:
			depth++
		case lexer.BraceR, lexer.BracketR, lexer.ParenR:
			depth--
		}
		if depth > mostNesting {
			return problem.New(problem.Invalid, "tooDeep", "line", strconv.Itoa(word.Pos.Line))
		}
		if n > mostTokens {
			return problem.New(problem.Invalid, "tooMany")
		}
	}
}

// unreadable says in which line a text stops being one of the language, and nothing of what stands there.
func unreadable(err error) *problem.Problem {
	if e := (*gqlerror.Error)(nil); errors.As(err, &e) && len(e.Locations) > 0 {
		return problem.New(problem.Invalid, "malformed", "line", strconv.Itoa(e.Locations[0].Line))
	}
	return problem.New(problem.Invalid, "malformed")
}
