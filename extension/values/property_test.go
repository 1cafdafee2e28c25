// SPDX-License-Identifier: EUPL-1.2

package values_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/extension"
	"github.com/ozg-cloud/platform/internal/housetest"
)

// shape is a random field with how it is asked for and values that it takes.
type shape struct {
	sdl, selection string
	value          func(*rand.Rand) any
}

// text is one that a careless writer of SQL, JSON or GraphQL would spoil.
func text(r *rand.Rand) string {
	letters := []rune("aÄß€𝄞 \"\\'\n\t{}[]$:;--0%_<>&\u2028")
	out := make([]rune, r.IntN(12))
	for i := range out {
		out[i] = letters[r.IntN(len(letters))]
	}
	return string(out)
}

// scalars are the single values of the language, as they come back.
var scalars = map[string]func(*rand.Rand) any{
	"String":  func(r *rand.Rand) any { return text(r) },
	"Int":     func(r *rand.Rand) any { return float64(int32(r.Uint32())) },
	"Float":   func(r *rand.Rand) any { return (r.Float64() - 0.5) * []float64{1, 1e-9, 1e12}[r.IntN(3)] },
	"Boolean": func(r *rand.Rand) any { return r.IntN(2) == 0 },
	"Date":    func(r *rand.Rand) any { return time.Unix(r.Int64N(4e9), 0).UTC().Format(time.DateOnly) },
	"DateTime": func(r *rand.Rand) any {
		return time.Unix(r.Int64N(4e9), r.Int64N(1e6)*1000).UTC().Format(time.RFC3339Nano)
	},
	"Wahl": func(r *rand.Rand) any { return []string{"EINS", "ZWEI", "DREI"}[r.IntN(3)] },
}

// field is a random one; deep says whether it may be an object.
func field(r *rand.Rand, deep bool) shape {
	names := []string{"String", "Int", "Float", "Boolean", "Date", "DateTime", "Wahl"}
	if deep && r.IntN(3) == 0 {
		names = []string{"Ding", "Teil"}
	}
	typ := names[r.IntN(len(names))]
	made := shape{sdl: typ, value: scalars[typ]}
	if of, ok := objects[typ]; ok {
		made.selection, made.value = of.selection, of.value
	}
	if r.IntN(3) == 0 {
		one := made.value
		made.sdl, made.value = "["+typ+"!]", func(r *rand.Rand) any {
			list := make([]any, r.IntN(4))
			for i := range list {
				list[i] = one(r)
			}
			return list
		}
	} else if made.selection == "" && r.IntN(2) == 0 {
		made.sdl += " @filterable"
	}
	return made
}

// objects are the own types of every random definition.
var objects = map[string]shape{
	"Teil": {selection: "{ s i w }", value: func(r *rand.Rand) any {
		return map[string]any{"s": scalars["String"](r), "i": scalars["Int"](r), "w": scalars["Wahl"](r)}
	}},
	"Ding": {selection: "{ f teile { s i w } d }", value: func(r *rand.Rand) any {
		teile := []any{map[string]any{"s": text(r), "i": nil, "w": nil}, map[string]any{"s": nil, "i": scalars["Int"](r), "w": "DREI"}}
		return map[string]any{"f": scalars["Float"](r), "teile": teile, "d": scalars["DateTime"](r)}
	}},
}

// definition is a random one for all targets, with the fields of each by name. Fields of two definitions never have the same name.
func definition(r *rand.Rand, n int) (sdl string, fields map[string]map[string]shape) {
	var b strings.Builder
	b.WriteString(`"A choice." enum Wahl { "1." EINS "2." ZWEI "3." DREI }
		"A part." type Teil { "S." s: String "I." i: Int "W." w: Wahl } "A thing." type Ding { "F." f: Float "Parts." teile: [Teil!] "D." d: DateTime }
		extend type Case { "Always." immer: Ding }` + "\n")
	fields = map[string]map[string]shape{}
	for _, target := range extension.Targets {
		fields[target] = map[string]shape{}
		var inner strings.Builder
		for i := range 1 + r.IntN(6) {
			name := fmt.Sprintf("v%df%d", n, i)
			f := field(r, true)
			fields[target][name] = f
			fmt.Fprintf(&inner, "\"A field.\" %s: %s\n", name, f.sdl)
		}
		if target == "Case" {
			whole := strings.Replace(b.String(), `"Always." immer: Ding }`, `"Always." immer: Ding `+inner.String()+"}", 1)
			b.Reset()
			b.WriteString(whole)
			continue
		}
		fmt.Fprintf(&b, "extend type %s { %s }\n", target, inner.String())
	}
	return b.String(), fields
}

// TestWhateverIsDefinedAndWrittenIsReadBack writes random values of random definitions to all six types, over the whole house.
func TestWhateverIsDefinedAndWrittenIsReadBack(t *testing.T) {
	t.Parallel()
	h := open(t)
	c := h.As("kiel-applicant").Submit(parking, kiel)
	h.worker.Must("acceptCase", &c, map[string]any{"documentsComplete": true, "fileReference": "1"})
	h.worker.Must("startCase", &c, nil)
	ids := map[string]string{"messageId": h.worker.Must("sendMessage", &c, map[string]any{"subject": "M", "body": "T", "replyPolicy": "POSSIBLE"}).Text("sendMessage.message.id")}
	ids["decisionId"] = h.worker.Must("decideCase", &c, map[string]any{"outcome": "GRANTED"}).Text("decideCase.decision.id")
	ids["serviceId"], ids["serviceOfferingId"] = h.service, h.offering
	for seed := range uint64(4) {
		r := rand.New(rand.NewPCG(seed, 5))
		sdl, fields := definition(r, int(seed))
		h.Define("sh", sdl)
		for name := range fields["ServiceOffering"] {
			h.knows(h.worker, "ServiceOfferingExtension", name)
			h.knows(h.shAdmin, "ServiceOfferingExtension", name)
			break
		}
		for _, target := range extension.Targets {
			given, selection := map[string]any{}, ""
			for name, f := range fields[target] {
				given[name] = f.value(r)
				selection += " " + name + f.selection
			}
			verb, in := "set"+target+"Extension", map[string]any{"extension": given}
			if id := strings.ToLower(target[:1]) + target[1:] + "Id"; ids[id] != "" {
				in[id] = ids[id]
			}
			who := h.shAdmin
			if target == "Service" || target == "ServiceOffering" {
				if a := who.Say(verb, in).Works(); a.Problem() != nil {
					t.Fatalf("%s of %s: %s", verb, sdl, a.Raw)
				}
			} else {
				h.worker.Must(verb, &c, in)
				who = h.worker
			}
			document, at := reads(target, selection)
			a := who.Ask(document, map[string]any{"id": c.ID, "k": parking, "r": kiel}).Works()
			if got := a.At(at); !reflect.DeepEqual(got, given) {
				t.Fatalf("%s of %s:\ngot  %v\nwant %v", verb, sdl, got, given)
			}
			if spoiled := twisted(given); spoiled != nil && reflect.DeepEqual(a.At(at), spoiled) {
				t.Error("nobody would notice another value")
			}
		}
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
