// SPDX-License-Identifier: EUPL-1.2

package portal_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/ozg-cloud/platform/portal"
)

// pages are the folders that they are printed to, by their names.
var pages = map[string]string{"explorer": "dist", "statistics": "statistics/dist"}

func of(target string) http.Handler {
	if strings.HasPrefix(target, "/statistics/") {
		return portal.Statistics()
	}
	return portal.Explorer()
}

func get(t *testing.T, target string) (*http.Response, string) {
	t.Helper()
	w := httptest.NewRecorder()
	of(target).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, http.NoBody))
	body, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Result(), string(body)
}

var linked = regexp.MustCompile(`(?:src|href)="([^"]+)"`)

// assets are what the page links to, but for its empty icon.
func assets(page string) []string {
	var out []string
	for _, m := range linked.FindAllStringSubmatch(page, -1) {
		if m[1] != "data:," {
			out = append(out, m[1])
		}
	}
	return out
}

func TestThePageHasItsScriptAndItsStyleSheetAndNothingFromElsewhere(t *testing.T) {
	for name := range pages {
		whole(t, name)
	}
}

func whole(t *testing.T, name string) {
	t.Helper()
	answer, page := get(t, "/"+name+"/")
	if answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("the page %s: %s, %s", name, answer.Status, answer.Header.Get("Content-Type"))
	}
	if c := answer.Header.Get("Cache-Control"); c != "no-cache" {
		t.Errorf("the page may be kept: %q", c)
	}
	links := assets(page)
	if len(links) != 2 {
		t.Fatalf("the page links to %q", links)
	}
	for _, link := range links {
		if !regexp.MustCompile(`^` + name + `-[0-9A-Z]{8}\.(js|css)$`).MatchString(link) {
			t.Errorf("%s is not a file of our own with a hash in its name", link)
		}
		answer, _ := get(t, "/"+name+"/"+link)
		if answer.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", link, answer.Status)
		}
		if c := answer.Header.Get("Cache-Control"); c != "public, max-age=31536000, immutable" {
			t.Errorf("%s is asked for each time: %q", link, c)
		}
		if c := answer.Header.Get("Content-Type"); !strings.Contains(c, "javascript") && !strings.Contains(c, "css") {
			t.Errorf("%s would be refused as %q", link, c)
		}
	}
}

func TestEveryAnswerOfThePortalIsUnderTheContentPolicy(t *testing.T) {
	var targets []string
	for name := range pages {
		_, page := get(t, "/"+name+"/")
		for _, asset := range append(assets(page), "", "NOTICE", "gone-00000000.js", "../portal.go") {
			targets = append(targets, "/"+name+"/"+asset)
		}
	}
	for _, name := range targets {
		answer, _ := get(t, name)
		for header, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
				"frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
			"X-Content-Type-Options": "nosniff",
			"Referrer-Policy":        "no-referrer",
		} {
			if got := answer.Header.Get(header); got != want {
				t.Errorf("%q is under %s %q", name, header, got)
			}
		}
	}
}

func TestWhatIsNotThereIsNotKept(t *testing.T) {
	answer, _ := get(t, "/explorer/gone-00000000.js")
	if answer.StatusCode != http.StatusNotFound || strings.Contains(answer.Header.Get("Cache-Control"), "immutable") {
		t.Errorf("%s, %q", answer.Status, answer.Header.Get("Cache-Control"))
	}
}

func TestThePortalIsOnlyRead(t *testing.T) {
	w := httptest.NewRecorder()
	portal.Explorer().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/explorer/", http.NoBody))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST is answered with %d", w.Code)
	}
}

// The browser enforces the policy; this finds in the printed files what it would refuse, before anybody opens the page.
func TestThePrintedPageKeepsToItsPolicy(t *testing.T) {
	for _, f := range append(files(t, "dist"), files(t, "statistics/dist")...) {
		if !strings.Contains(firstLine(f.text), "do not edit") {
			t.Errorf("%s does not say that it is printed", f.name)
		}
		if ext := path.Ext(f.name); ext != ".html" && ext != ".css" {
			continue
		}
		for _, v := range violations(f.text) {
			t.Errorf("%s %s", f.name, v)
		}
	}
}

func TestTheCheckOfThePrintedPageFindsWhatItShould(t *testing.T) {
	for _, seeded := range []string{
		`<script>alert(1)</script>`, `<p style="color: red">`, `<style>p{}</style>`, `<button onclick="alert(1)">`,
		`<script src="https://elsewhere.example/a.js">`, `<link rel="stylesheet" href="//elsewhere.example/a.css">`,
		`@font-face{src:url(data:font/woff2;base64,AAAA)}`, `@import "https://elsewhere.example/a.css"`, `url(//elsewhere.example/a.png)`,
	} {
		if len(violations(seeded)) == 0 {
			t.Errorf("%s was not found", seeded)
		}
	}
}

// refused are the traces of what the policy refuses.
var refused = map[string]*regexp.Regexp{
	"has a script or style inside":   regexp.MustCompile(`<script(?: type="module")?>|<style`),
	"has a style or script in a tag": regexp.MustCompile(`<[a-z]+(?: [^<>]*)? (?:style|on[a-z]+)="`),
	"loads from elsewhere":           regexp.MustCompile(`(?:<(?:script|link|img)[^>]*(?:src|href)="|@import "|url\(["']?)(?:https?:)?//`),
	"brings fonts":                   regexp.MustCompile(`@font-face`),
}

func violations(text string) []string {
	var out []string
	for what, trace := range refused {
		if found := trace.FindString(text); found != "" {
			out = append(out, what+": "+found)
		}
	}
	return out
}

func TestTheNoticeNamesTheLicenceOfWhatIsInside(t *testing.T) {
	for page, names := range map[string][]string{
		"explorer":   {"graphiql 4", "@graphiql/react 0", "graphql 16", "react 19", "codemirror 5", "MIT License", "EUPL-1.2"},
		"statistics": {"@observablehq/plot 0", "d3-scale 4", "(ISC)", "Mike Bostock", "EUPL-1.2"},
	} {
		answer, notice := get(t, "/"+page+"/NOTICE")
		if answer.StatusCode != http.StatusOK {
			t.Fatal(answer.Status)
		}
		for _, name := range names {
			if !strings.Contains(notice, name) {
				t.Errorf("the notice of %s does not name %s", page, name)
			}
		}
	}
}

func TestTheLockFileNamesNoRegistry(t *testing.T) {
	for name := range pages {
		lock, err := os.ReadFile(name + "/package-lock.json")
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(lock), `"resolved"`) {
			t.Errorf("the lock file of %s says where packages were fetched; npm install --omit-lockfile-registry-resolved leaves that out", name)
		}
	}
}

type file struct{ name, text string }

func files(t *testing.T, dir string) []file {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []file
	for _, e := range entries {
		text, err := os.ReadFile(dir + "/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, file{e.Name(), string(text)})
	}
	return out
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
