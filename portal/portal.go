// SPDX-License-Identifier: EUPL-1.2

// Package portal serves the pages that people open in a browser: the explorer, for developers, and the page of figures.
// Neither data nor tokens pass through here; the pages ask the house for them like any other client.
package portal

import (
	"embed"
	"io/fs"
	"net/http"
	"path"
)

//go:embed dist statistics/dist
var dist embed.FS

// policy is the content policy of the pages (CSP Level 3): nothing but their own script and style sheet, and answers of their own
// origin. They need no inline style: what GraphiQL and Plot bring of it is taken out when a page is printed. The data: images are the
// empty icon of a page and the arrows of GraphiQL's style sheet.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
	"frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

// Explorer serves GraphiQL under /explorer/, for development. The page sends operations to /graphql on its own origin, with the token
// that was picked or pasted there, and asks /dev/principals and /dev/token for demo tokens; where those answer 404 one can only paste.
// Scripts and style sheets carry a hash of their content in their names, so they may be kept for ever; the page that names them is
// asked for each time.
func Explorer() http.Handler { return page("dist", "/explorer") }

// Statistics serves the page of figures under /statistics/: charts and a map of the Länder, each with its table. It asks as the explorer does, and
// /statistics.csv for files.
func Statistics() http.Handler { return page("statistics/dist", "/statistics") }

// page serves the printed files of a folder.
func page(folder, at string) http.Handler {
	files, err := fs.Sub(dist, folder)
	if err != nil {
		panic(err) // the name is a constant
	}
	shelf := http.NewServeMux()
	shelf.Handle("GET "+at+"/", http.StripPrefix(at, http.FileServerFS(files)))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		switch path.Ext(r.URL.Path) {
		case ".js", ".css":
			h.Set("Cache-Control", "public, max-age=31536000, immutable") // which the file server takes back where there is no such file
		default:
			h.Set("Cache-Control", "no-cache")
		}
		shelf.ServeHTTP(w, r)
	})
}
