// SPDX-License-Identifier: EUPL-1.2

package values_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/extension"
	"github.com/ozg-cloud/platform/internal/housetest"
)

// shape is a random field with how it is asked for and values that it takes.
type shape struct {
	sdl, selection string
	value          func(*rapid.T) any
}

// text is one that a careless writer of SQL, JSON or GraphQL would spoil.
var text = rapid.StringOfN(rapid.RuneFrom([]rune("aÄß€𝄞 \"\\'\n\t{}[]$:;--0%_<>&\u2028")), 0, 12, -1)

// scalars are the single values of the language, as they come back.
var scalars = map[string]func(*rapid.T) any{
	"String":  func(t *rapid.T) any { return text.Draw(t, "text") },
	"Int":     func(t *rapid.T) any { return float64(rapid.Int32().Draw(t, "whole number")) },
	"Float":   func(t *rapid.T) any { return rapid.Float64Range(-1e12, 1e12).Draw(t, "number") + 0 }, // not -0, which is kept as 0
	"Boolean": func(t *rapid.T) any { return rapid.Bool().Draw(t, "statement") },
	"Date": func(t *rapid.T) any {
		return time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "day"), 0).UTC().Format(time.DateOnly)
	},
	"DateTime": func(t *rapid.T) any {
		return time.UnixMicro(rapid.Int64Range(0, 4e15).Draw(t, "time")).UTC().Format(time.RFC3339Nano)
	},
	"Wahl": func(t *rapid.T) any { return rapid.SampledFrom([]string{"EINS", "ZWEI", "DREI"}).Draw(t, "choice") },
}

// objects are the own types of every random definition.
var objects = map[string]shape{
	"Teil": {selection: "{ s i w }", value: func(t *rapid.T) any {
		return map[string]any{"s": scalars["String"](t), "i": scalars["Int"](t), "w": scalars["Wahl"](t)}
	}},
	"Ding": {selection: "{ f teile { s i w } d }", value: func(t *rapid.T) any {
		teile := []any{map[string]any{"s": scalars["String"](t), "i": nil, "w": nil}, map[string]any{"s": nil, "i": scalars["Int"](t), "w": "DREI"}}
		return map[string]any{"f": scalars["Float"](t), "teile": teile, "d": scalars["DateTime"](t)}
	}},
}

// field is a random one of a target, of an owner whose names begin with space.
func field(t *rapid.T, space, target string) shape {
	typ := rapid.SampledFrom([]string{"String", "Int", "Float", "Boolean", "Date", "DateTime", "Wahl", "Ding", "Teil"}).Draw(t, "type")
	made := shape{sdl: typ, value: scalars[typ]}
	if of, ok := objects[typ]; ok {
		made.selection, made.value = of.selection, of.value
	}
	if made.selection != "" || typ == "Wahl" {
		made.sdl = space + typ
	}
	if rapid.IntRange(0, 2).Draw(t, "list") == 0 {
		one := made.value
		made.sdl, made.value = "["+made.sdl+"!]", func(t *rapid.T) any {
			list := make([]any, rapid.IntRange(0, 3).Draw(t, "entries"))
			for i := range list {
				list[i] = one(t)
			}
			return list
		}
	} else if made.selection == "" && target != "Applicant" && target != "Decision" && rapid.Bool().Draw(t, "filterable") {
		made.sdl += " @filterable"
	}
	return made
}

// definition is a random one for all targets, with the fields of each by name. Fields of the definitions with two numbers never have the same name.
func definition(t *rapid.T, space string, n int) (sdl string, fields map[string]map[string]shape) {
	var b strings.Builder
	b.WriteString(strings.ReplaceAll(`"A choice." enum S_Wahl { "1." EINS "2." ZWEI "3." DREI }
		"A part." type S_Teil { "S." s: String "I." i: Int "W." w: S_Wahl } "A thing." type S_Ding { "F." f: Float "Parts." teile: [S_Teil!] "D." d: DateTime }`, "S_", space))
	fields = map[string]map[string]shape{}
	for _, target := range extension.Targets {
		fields[target] = map[string]shape{}
		fmt.Fprintf(&b, "\nextend type %s {", target)
		if target == "Case" {
			fmt.Fprintf(&b, ` "Always." %simmer: %[1]sDing`, space)
		}
		for i := range rapid.IntRange(1, 6).Draw(t, target) {
			name := fmt.Sprintf("%sv%df%d", space, n, i)
			f := field(t, space, target)
			fields[target][name] = f
			fmt.Fprintf(&b, ` "A field." %s: %s`, name, f.sdl)
		}
		b.WriteString(" }")
	}
	return b.String(), fields
}

// TestWhateverIsDefinedAndWrittenIsReadBack writes random values of random definitions of a Land and a city to all six types, over the whole house; looks
// whether each of three tenants has in its contract what it inherits and owns; and asks for each field for all three at once over one connection.
func TestWhateverIsDefinedAndWrittenIsReadBack(t *testing.T) {
	t.Parallel()
	h := open(t)
	c := h.As("kiel-applicant").Submit(parking, kiel)
	h.worker.Must("acceptCase", &c, map[string]any{"documentsComplete": true, "fileReference": "1"})
	h.worker.Must("startCase", &c, nil)
	ids := map[string]string{"messageId": h.worker.Must("sendMessage", &c, map[string]any{"subject": "M", "body": "T", "replyPolicy": "POSSIBLE"}).Text("sendMessage.message.id")}
	ids["decisionId"] = h.worker.Must("decideCase", &c, map[string]any{"outcome": "GRANTED"}).Text("decideCase.decision.id")
	ids["serviceId"], ids["serviceOfferingId"] = h.service, h.offering
	var tokens []string
	for _, name := range viewers {
		tokens = append(tokens, h.Token(name, map[string]any{"trust_level": string(authz.Substantial)}, time.Hour))
	}
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		land, inherited := definition(t, "", n)
		city, owned := definition(t, "kiel_", n)
		h.Define("sh", land)
		h.Define("kiel", city)
		for _, who := range []*housetest.Caller{h.worker, h.kielAdmin} {
			h.knows(who, "ServiceOfferingExtension", fmt.Sprintf("kiel_v%df0", n))
		}
		for _, who := range []*housetest.Caller{h.worker, h.kielAdmin, h.shAdmin, h.As("luebeck-caseworker")} {
			h.knows(who, "ServiceOfferingExtension", fmt.Sprintf("v%df0", n))
		}
		for _, target := range extension.Targets {
			if fault := astray(h, target, inherited[target], owned[target]); fault != "" {
				t.Fatalf("%s\n%s\n%s", fault, land, city)
			}
			selection := ""
			all := map[string]any{}
			for _, fields := range []map[string]shape{inherited[target], owned[target]} {
				for _, name := range slices.Sorted(maps.Keys(fields)) {
					all[name] = fields[name].value(t)
					selection += " " + name + fields[name].selection
				}
			}
			h.writes(t, &c, target, ids, all)
			if wrong := h.counts(misplaced); wrong != 0 {
				t.Fatalf("%d values do not stand where they belong beside the case\n%s\n%s", wrong, land, city)
			}
			document, at := reads(target, selection)
			a := h.worker.Ask(document, map[string]any{"id": c.ID, "k": parking, "r": kiel}).Works()
			if got := a.At(at); !reflect.DeepEqual(got, all) {
				t.Fatalf("%s of %s\n%s:\ngot  %v\nwant %v", target, land, city, got, all)
			}
			if spoiled := twisted(all); spoiled != nil && reflect.DeepEqual(a.At(at), spoiled) {
				t.Fatal("nobody would notice another value")
			}
			for _, name := range []string{rapid.SampledFrom(slices.Sorted(maps.Keys(inherited[target]))).Draw(t, "inherited"), rapid.SampledFrom(slices.Sorted(maps.Keys(owned[target]))).Draw(t, "owned")} {
				valid := [3]bool{true, !strings.HasPrefix(name, "kiel_"), false}
				document, _ := reads(target, " "+name+inherited[target][name].selection+owned[target][name].selection)
				document = strings.NewReplacer("$id: ID!", fmt.Sprintf("$id: ID! = %q", c.ID), "$k: LeikaKey!", fmt.Sprintf("$k: LeikaKey! = %q", parking),
					"$r: RegionalKey!", fmt.Sprintf("$r: RegionalKey! = %q", kiel)).Replace(document)
				answers, err := piped(h.House, tokens, document)
				if err != nil {
					t.Fatal(err)
				}
				for i, a := range answers {
					if strings.Contains(a, `"errors"`) == valid[i] {
						t.Fatalf("%s by %s: %s", document, viewers[i], a)
					}
				}
			}
		}
	})
	// The twin: what a neighbour is taken to own is missed, and what it has beyond that is found.
	none := map[string]shape{"kiel_nichts": {}}
	if astray(h, "Case", nil, nil) == "" || astray(h, "Case", none, none) == "" {
		t.Error("nobody would notice a field too few or too many")
	}
}

// viewers are at home at a city, at another city of the same Land, and in another Land.
var viewers = [3]string{"kiel-caseworker", "luebeck-caseworker", "muenchen-caseworker"}

// astray tells who has other fields of a target in the contract than what is inherited and, in Kiel, owned; empty where all is right.
func astray(h *house, target string, inherited, owned map[string]shape) string {
	want := [3][]string{slices.Collect(maps.Keys(inherited)), slices.Collect(maps.Keys(inherited)), nil}
	want[0] = append(want[0], slices.Collect(maps.Keys(owned))...)
	if target == "Case" { // stand in every definition
		want[0], want[1] = append(want[0], "immer", "kiel_immer"), append(want[1], "immer")
	}
	for i, name := range viewers {
		var has []string
		fields, _ := h.As(name).Ask(`query($t: String!) { __type(name: $t) { fields { name } } }`, map[string]any{"t": target + "Extension"}).Works().At("__type.fields").([]any)
		for _, f := range fields {
			has = append(has, fmt.Sprint(f.(map[string]any)["name"]))
		}
		slices.Sort(has)
		slices.Sort(want[i])
		if !slices.Equal(has, want[i]) {
			return fmt.Sprintf("%s of %s: %v, not %v", target, name, has, want[i])
		}
	}
	return ""
}

// writes sets all values of a target: of a service each owner its own, of an offering the authority, of everything else the caseworker.
func (h *house) writes(t *rapid.T, c *housetest.Case, target string, ids map[string]string, all map[string]any) {
	verb, key := "set"+target+"Extension", strings.ToLower(target[:1])+target[1:]+"Id"
	says := func(who *housetest.Caller, given map[string]any) {
		if a := who.Say(verb, map[string]any{"extension": given, key: ids[key]}).Works(); a.Problem() != nil {
			t.Fatalf("%s of %v: %s", verb, given, a.Raw)
		}
	}
	switch target {
	case "Service":
		lands, citys := map[string]any{}, map[string]any{}
		for name, v := range all {
			if strings.HasPrefix(name, "kiel_") {
				citys[name] = v
			} else {
				lands[name] = v
			}
		}
		says(h.shAdmin, lands)
		says(h.kielAdmin, citys)
	case "ServiceOffering":
		says(h.kielAdmin, all)
	default:
		in := map[string]any{"extension": all}
		if ids[key] != "" {
			in[key] = ids[key]
		}
		h.worker.Must(verb, c, in)
	}
}

// reads is how the extension of a target is asked for, and where it stands in the answer.
func reads(target, selection string) (document, at string) {
	of := "extension {" + selection + " }"
	switch target {
	case "Service":
		return "query($k: LeikaKey!) { service(leikaKey: $k) { " + of + " } }", "service.extension"
	case "ServiceOffering":
		return "query($k: LeikaKey!, $r: RegionalKey!) { responsibleOffering(serviceKey: $k, regionalKey: $r) { " + of + " } }", "responsibleOffering.extension"
	case "Case":
		return "query($id: ID!) { case(id: $id) { " + of + " } }", "case.extension"
	case "Applicant":
		return "query($id: ID!) { case(id: $id) { applicant { " + of + " } } }", "case.applicant.extension"
	case "Message":
		return "query($id: ID!) { case(id: $id) { messages(first: 1) { nodes { " + of + " } } } }", "case.messages.nodes.0.extension"
	}
	return "query($id: ID!) { case(id: $id) { decisions(first: 1) { nodes { " + of + " } } } }", "case.decisions.nodes.0.extension"
}

// twisted is the same with one text, number or boolean changed: what the comparison has to notice. It is nil where there is none.
func twisted(given map[string]any) map[string]any {
	out := map[string]any{}
	changed := false
	for name, v := range given {
		out[name] = v
		if changed {
			continue
		}
		switch v := v.(type) {
		case string:
			out[name], changed = v+" ", true
		case float64:
			out[name], changed = v+1, true
		case bool:
			out[name], changed = !v, true
		}
	}
	if !changed {
		return nil
	}
	return out
}

// piped sends operations at once over one connection, each with a token of its own, and gives the answers in their order.
func piped(h *housetest.House, tokens []string, document string) ([]string, error) {
	address, err := url.Parse(h.URL)
	if err != nil {
		return nil, err
	}
	conn, err := net.Dial("tcp", address.Host)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	body, err := json.Marshal(map[string]any{"query": document})
	if err != nil {
		return nil, err
	}
	var all strings.Builder
	for _, token := range tokens {
		fmt.Fprintf(&all, "POST /graphql HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", address.Host, token, len(body), body)
	}
	if _, err := io.WriteString(conn, all.String()); err != nil {
		return nil, err
	}
	in := bufio.NewReader(conn)
	out := make([]string, len(tokens))
	for i := range tokens {
		answer, err := http.ReadResponse(in, nil)
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			return nil, err
		}
		out[i] = string(text)
	}
	return out, nil
}

// TestAQueryOfOneTenantIsRefusedInAnothersSchemaAlsoAtTheSameTimeOverTheSameConnection sends the same document for two tenants, turn by turn and side by
// side, while one of them changes its definition.
func TestAQueryOfOneTenantIsRefusedInAnothersSchemaAlsoAtTheSameTimeOverTheSameConnection(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.Define("by", `extend type Service { "Group." gruppe: Int @filterable } extend type Case { "Other." anderes: String }`)
	h.knows(h.As("muenchen-caseworker"), "ServiceExtension", "gruppe")
	trust := map[string]any{"trust_level": string(authz.Substantial)}
	sh, by := h.Token("kiel-caseworker", trust, time.Hour), h.Token("muenchen-caseworker", trust, time.Hour)
	var tokens []string
	for i := range 12 {
		tokens = append(tokens, []string{sh, by}[i%2])
	}
	var running sync.WaitGroup
	for _, document := range []string{
		`{ services(first: 1) { nodes { extension { gruppe schritte } } } }`,
		`{ services(first: 1, where: {extension: {gruppe: {startsWith: "x"}}}) { totalCount } }`,
		`{ services(first: 1, orderBy: [{extension: {gruppe: ASC}}]) { totalCount } }`,
		`{ cases(first: 1) { nodes { messages(first: 1, where: {extension: {rang: {gt: 1}}}) { totalCount } } } }`,
		`{ cases(first: 1) { nodes { decisions(first: 1) { nodes { ... on Decision { extension { gebuehr } } } } } } }`,
	} {
		for range 2 {
			running.Go(func() {
				for range 4 {
					answers, err := piped(h.House, tokens, document)
					if err != nil {
						t.Error(err)
						return
					}
					for i, a := range answers {
						if refused := strings.Contains(a, `"errors"`); refused != (i%2 == 1) {
							t.Errorf("%s as number %d: %s", document, i, a)
							return
						}
					}
				}
			})
		}
	}
	h.Define("by", `extend type Service { "Group." gruppe: Int @filterable "More." mehr: Int } extend type Case { "Other." anderes: String }`)
	running.Wait()

	// The twin: once Bavaria adds the same, the same document is no longer refused, and the test would see it.
	h.Define("by", `extend type Service { "Group." gruppe: String "Steps." schritte: [String!] }`)
	h.knows(h.As("muenchen-caseworker"), "ServiceExtension", "schritte")
	answers, err := piped(h.House, tokens[:2], `{ services(first: 1) { nodes { extension { gruppe schritte } } } }`)
	if err != nil || strings.Contains(answers[1], `"errors"`) {
		t.Errorf("nobody would notice a schema that is another's: %v: %v", answers, err)
	}
}
