// SPDX-License-Identifier: EUPL-1.2

// Package plan is the import test: the rooms of the house from the ground up, and which rooms each may enter.
// A new room or arrow is a change to the list below, with its reason in the commit.
package plan_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

const module = "github.com/ozg-cloud/platform/"

// room is a folder with what is below it, and the rooms that it may import: only such as stand above it in the list.
type room struct {
	name string
	may  []string
}

var rooms = []room{
	{"internal/problem", nil},
	{"internal/strictjson", []string{"internal/problem"}},
	{"internal/seal", nil},
	{"internal/fresh", nil},
	{"internal/rounds", nil},
	{"schema", nil},
	{"law", nil},
	{"extension", []string{"internal/problem"}},
	{"authz", []string{"internal/problem", "internal/strictjson"}},
	{"federation/charter", []string{"internal/strictjson"}},
	{"ent/contract", nil},
	{"ent/rule", []string{"internal/problem", "authz"}},
	{"ent/schema", []string{"ent/contract", "ent/rule"}},
	{"ent/catalog", nil},
	{"ent/migrations", nil},
	{"ent/store", nil},
	{"ent", []string{"ent/schema"}},
	{"documents", []string{"internal/fresh", "authz"}},
	{"statistics", []string{"internal/problem", "internal/strictjson", "internal/rounds", "authz", "ent/store"}},
	{"federation/ask", []string{"internal/problem", "authz", "federation/charter", "statistics"}},
	{"federation/gather", []string{"internal/problem", "federation/charter", "federation/ask", "statistics"}},
	{"extension/inforce", []string{"internal/problem", "internal/fresh", "authz", "extension"}},
	{"content", []string{"internal/problem", "authz", "ent"}},
	{"events", []string{"internal/seal", "internal/rounds", "authz"}},
	{"once", []string{"internal/problem", "authz", "ent"}},
	{"extension/desk", []string{"internal/problem", "authz", "ent", "ent/store", "once", "extension", "documents"}},
	{"extension/values", []string{"internal/problem", "internal/rounds", "schema", "authz", "ent", "ent/schema", "ent/catalog", "once", "extension"}},
	{"casework", []string{"internal/problem", "law", "authz", "ent", "ent/schema", "ent/store", "once", "extension", "extension/values"}},
	{"staff", []string{"internal/problem", "authz", "ent", "ent/store", "once"}},
	{"mailbox", []string{"internal/problem", "authz"}},
	{"intake", []string{"internal/problem", "internal/strictjson", "schema", "law", "authz", "ent", "ent/schema", "ent/catalog", "ent/store", "extension", "extension/values", "content", "casework"}},
	{"reading", []string{"internal/problem", "schema", "extension", "authz", "ent/catalog", "ent/rule", "internal/seal", "casework", "events"}},
	{"partners", []string{"internal/problem", "internal/seal", "schema", "authz", "ent", "ent/catalog", "ent/store", "content", "events", "once"}},
	{"federation/subgraph", []string{"internal/problem"}},
	{"federation/directory", []string{"internal/problem", "internal/seal", "authz", "ent/store", "federation/charter"}},
	{"federation/book", []string{"authz", "ent/store", "federation/charter", "federation/ask", "federation/gather", "statistics"}},
	{"graph", []string{"internal/problem", "schema", "authz", "ent/catalog", "ent/schema", "once", "casework", "events", "staff", "intake", "reading", "partners", "extension", "extension/desk", "extension/inforce", "extension/values", "statistics", "federation/charter", "federation/ask", "federation/gather", "federation/subgraph", "federation/directory"}},
	{"portal", nil},
	{"web", []string{"internal/problem", "internal/strictjson", "internal/rounds"}},
	{"internal/cluster", nil},
	{"internal/demo", []string{"law", "schema", "authz", "ent/schema", "extension", "extension/values", "casework"}},
	{"cmd", []string{"internal/problem", "schema", "authz", "extension", "extension/desk", "extension/inforce", "extension/values", "ent", "ent/catalog", "ent/migrations", "ent/store", "documents", "content", "once", "casework", "events", "staff", "mailbox", "intake", "reading", "partners", "graph", "portal", "web", "internal/cluster", "internal/demo", "statistics", "federation/subgraph", "federation/directory", "federation/charter", "federation/ask", "federation/gather", "federation/book"}},
	{"bench", []string{"schema", "authz", "internal/cluster"}},
	{"internal/housetest", []string{"schema", "authz", "extension", "ent/migrations", "internal/cluster", "internal/demo", "cmd"}},
	{"conformance/products", []string{"federation/subgraph"}}, // the program that Apollo's suite examines, not part of the house
	{"federation/lab", []string{"federation/charter", "federation/book", "federation/ask", "cmd", "internal/housetest"}},
	{"client", nil},
	{"internal/plan", nil},
}

// press is the mark of a program that only go generate runs.
var press = regexp.MustCompile(`(?m)^//go:build ignore$`)

// violations reads the files of the tree and says what does not fit the plan. Tests outside their package may enter any room.
func violations(tree fs.FS, rooms []room) []string {
	var out []string
	standing := map[string]int{}
	for i, r := range rooms {
		for _, m := range r.may {
			if _, ok := standing[m]; !ok {
				out = append(out, fmt.Sprintf("%s may enter %s, which does not stand above it in the list", r.name, m))
			}
		}
		standing[r.name] = i
	}
	used := map[string]map[string]bool{}
	err := fs.WalkDir(tree, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); p != "." && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "testdata" || p == "tools") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(p, ".go") {
			return nil
		}
		text, err := fs.ReadFile(tree, p)
		if err != nil {
			return err
		}
		if press.Match(text) {
			return nil // a printing press
		}
		from, ok := roomOf(path.Dir(p), rooms)
		if !ok {
			out = append(out, p+" lies in no room of the plan")
			return nil
		}
		if used[from] == nil {
			used[from] = map[string]bool{}
		}
		if strings.HasSuffix(p, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), p, text, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, i := range f.Imports {
			imported, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			inside, ok := strings.CutPrefix(imported, module)
			if !ok {
				continue
			}
			to, ok := roomOf(inside, rooms)
			switch {
			case !ok:
				out = append(out, p+" enters "+inside+", which is no room of the plan")
			case to == from:
			case !slices.Contains(rooms[standing[from]].may, to):
				out = append(out, p+" enters "+to+", which the plan does not allow to "+from)
			}
			used[from][to] = true
		}
		return nil
	})
	if err != nil {
		out = append(out, err.Error())
	}
	for _, r := range rooms {
		if used[r.name] == nil {
			out = append(out, "the plan has a room "+r.name+" that does not exist")
			continue
		}
		for _, m := range r.may {
			if !used[r.name][m] {
				out = append(out, "the plan lets "+r.name+" enter "+m+", which it never does")
			}
		}
	}
	sort.Strings(out)
	return out
}

// roomOf finds the room of a folder: the longest name that the folder is or lies under.
func roomOf(dir string, rooms []room) (string, bool) {
	best := ""
	for _, r := range rooms {
		if (dir == r.name || strings.HasPrefix(dir, r.name+"/")) && len(r.name) > len(best) {
			best = r.name
		}
	}
	return best, best != ""
}

func TestEveryRoomEntersOnlyRoomsBelowIt(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range violations(os.DirFS(root), rooms) {
		t.Error(v)
	}
}

func TestTheImportTestFindsWhatItShould(t *testing.T) {
	file := func(imports ...string) *fstest.MapFile {
		text := "package x\n"
		for _, i := range imports {
			text += "import _ " + strconv.Quote(module+i) + "\n"
		}
		return &fstest.MapFile{Data: []byte(text)}
	}
	plan := []room{{"low", nil}, {"high", []string{"low"}}}
	for name, seeded := range map[string]struct {
		tree fstest.MapFS
		plan []room
		want string
	}{
		"an arrow upwards":     {fstest.MapFS{"low/a.go": file("high"), "high/a.go": file("low")}, plan, "low/a.go enters high, which the plan does not allow to low"},
		"an unknown room":      {fstest.MapFS{"low/a.go": file(), "high/a.go": file("low"), "shed/a.go": file()}, plan, "shed/a.go lies in no room of the plan"},
		"a room that is gone":  {fstest.MapFS{"low/a.go": file()}, []room{{"low", nil}, {"high", nil}}, "the plan has a room high that does not exist"},
		"an arrow nobody uses": {fstest.MapFS{"low/a.go": file(), "high/a.go": file()}, plan, "the plan lets high enter low, which it never does"},
		"a circle in the plan": {fstest.MapFS{"low/a.go": file("high"), "high/a.go": file("low")}, []room{{"low", []string{"high"}}, {"high", []string{"low"}}}, "low may enter high, which does not stand above it in the list"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := violations(seeded.tree, seeded.plan); !slices.Contains(got, seeded.want) {
				t.Errorf("found %q, not %q", got, seeded.want)
			}
		})
	}
	if got := violations(fstest.MapFS{"low/a.go": file(), "high/a.go": file("low")}, plan); len(got) > 0 {
		t.Errorf("a tree that keeps to its plan is accused: %q", got)
	}
}
