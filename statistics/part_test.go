// SPDX-License-Identifier: EUPL-1.2

package statistics_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ozg-cloud/platform/statistics"
)

// asked is a question with a measure of each kind.
func asked(t interface{ Fatal(...any) }, product statistics.Product) *statistics.Plan {
	p, err := statistics.Standard().Plan(statistics.Question{
		Product:  product,
		Measures: []statistics.Measure{statistics.DecidedCases, statistics.FullyDigital, statistics.TimeToDecision},
		By:       []statistics.Axis{statistics.Service, statistics.Month}, Scope: statistics.Land, From: "2026-08", To: "2026-10", Now: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// decided is a case that was decided.
type decided struct {
	id      uint64
	at      [2]string
	digital bool
	took    time.Duration
}

// countRows counts cases into rows, in the order of a map: any.
func countRows(all []decided) []statistics.Counted {
	rows := map[[2]string]*statistics.Counted{}
	for _, d := range all {
		r, ok := rows[d.at]
		if !ok {
			r = &statistics.Counted{At: d.at[:], Figures: make([]statistics.CountedFigure, 3)}
			r.Figures[2].Bins = statistics.Bins{}
			rows[d.at] = r
		}
		c := keys.Record(record(d.id))
		r.Figures[0].Cell = r.Figures[0].Cell.Plus(c)
		r.Figures[1].Of = r.Figures[1].Of.Plus(c)
		if d.digital {
			r.Figures[1].Cell = r.Figures[1].Cell.Plus(c)
		}
		r.Figures[2].Cell = r.Figures[2].Cell.Plus(c)
		r.Figures[2].Bins.Add(statistics.BinOf(d.took), c)
	}
	var out []statistics.Counted
	for _, r := range rows {
		out = append(out, *r)
	}
	return out
}

func member(n int) statistics.Contribution {
	return statistics.Contribution{Member: fmt.Sprintf("member-%02d", n), AsOf: now.Add(-time.Duration(n) * time.Second)}
}

var cases = rapid.Custom(func(t *rapid.T) []decided {
	n := rapid.IntRange(0, 300).Draw(t, "cases")
	rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 8))
	out := make([]decided, n)
	for i := range out {
		out[i] = decided{
			uint64(i), [2]string{fmt.Sprintf("9905001210400%d", rng.IntN(4)), fmt.Sprintf("2026-%02d", 8+rng.IntN(3))},
			rng.IntN(2) == 0, time.Duration(rng.ExpFloat64() * float64(10*24*time.Hour)),
		}
	}
	return out
})

func must(t *rapid.T, p statistics.Part, err error) statistics.Part {
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func text(t interface{ Fatal(...any) }, p statistics.Part) string {
	b, err := p.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// mergeAll merges parts two by two, in a random order and shape.
func mergeAll(t *rapid.T, parts []statistics.Part) statistics.Part {
	parts = slices.Clone(parts)
	for len(parts) > 1 {
		i := rapid.IntRange(0, len(parts)-1).Draw(t, "one")
		a := parts[i]
		parts = slices.Delete(parts, i, i+1)
		j := rapid.IntRange(0, len(parts)-1).Draw(t, "other")
		m, err := statistics.Merge(a, parts[j])
		parts[j] = must(t, m, err)
	}
	return parts[0]
}

func TestPartsMergeToTheSameBytesInAnyOrderAndShape(t *testing.T) {
	t.Parallel()
	for _, product := range []statistics.Product{statistics.Exact, statistics.Protected} {
		plan := asked(t, product)
		rapid.Check(t, func(t *rapid.T) {
			all := cases.Draw(t, "cases")
			members := rapid.IntRange(1, 6).Draw(t, "members")
			var parts []statistics.Part
			for m := range members {
				var own []decided
				for _, d := range all {
					if int(d.id*2654435761>>7)%members == m {
						own = append(own, d)
					}
				}
				p, err := plan.Part(member(m), countRows(own))
				// Each is written by its member and read by another.
				read, errRead := plan.ReadPart([]byte(text(t, must(t, p, err))))
				parts = append(parts, must(t, read, errRead))
			}
			parts = append(parts, plan.Absent("member-99", "UNREACHABLE"))
			merged := mergeAll(t, parts)
			if again := mergeAll(t, parts); text(t, merged) != text(t, again) {
				t.Fatalf("%s\nand\n%s", text(t, merged), text(t, again))
			}
			if len(merged.Counted) != members || len(merged.Missing) != 1 {
				t.Fatalf("counted %v, missing %v", merged.Counted, merged.Missing)
			}
			if product == statistics.Exact {
				whole, err := plan.Part(member(0), countRows(all))
				if whole = must(t, whole, err); fmt.Sprint(whole.Rows) != fmt.Sprint(merged.Rows) {
					t.Fatalf("parts %v, all at once %v", merged.Rows, whole.Rows)
				}
			}
		})
	}
}

func TestAMergeThatCountsAMemberTwiceOrMixesQuestionsIsRefused(t *testing.T) {
	t.Parallel()
	exact, protected := asked(t, statistics.Exact), asked(t, statistics.Protected)
	part := func(p *statistics.Plan, m int) statistics.Part {
		out, err := p.Part(member(m), nil)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for name, pair := range map[string][2]statistics.Part{
		"the same member":                {part(exact, 1), part(exact, 1)},
		"a member that is missing too":   {part(exact, 1), exact.Absent("member-01", "DECLINED")},
		"exact beside protected":         {part(exact, 1), part(protected, 2)},
		"the figures of another measure": {part(exact, 1), func() statistics.Part { o := part(exact, 2); o.Measures = o.Measures[:1]; return o }()},
		"the figures of another period":  {part(exact, 1), func() statistics.Part { o := part(exact, 2); o.From = "2026-07"; return o }()},
		"the figures of another scheme":  {part(exact, 1), func() statistics.Part { o := part(exact, 2); o.Scheme = "sha256:0"; return o }()},
		"the figures of another question": {part(exact, 1), func() statistics.Part {
			o := part(exact, 2)
			o.Where = []statistics.Filter{{Axis: statistics.Service, Values: []string{"a"}}}
			return o
		}()},
	} {
		if _, err := statistics.Merge(pair[0], pair[1]); err == nil {
			t.Errorf("%s was merged", name)
		}
	}
}

func TestAPartOfAnotherMemberIsReadOnlyAsItIsWritten(t *testing.T) {
	t.Parallel()
	plan := asked(t, statistics.Protected)
	var all []decided
	for i := range uint64(200) {
		all = append(all, decided{i, [2]string{"99050012104000", "2026-10"}, i%3 > 0, time.Duration(i) * time.Hour})
	}
	p, err := plan.Part(member(1), countRows(all))
	if err != nil {
		t.Fatal(err)
	}
	good := text(t, p)
	if _, err := plan.ReadPart([]byte(good)); err != nil {
		t.Fatalf("what was written is refused: %v", err)
	}
	for _, swap := range [][2]string{
		{`{"product"`, ` {"product"`},
		{`"PROTECTED"`, `"EXACT"`},
		{`"n":`, `"k":`},
		{`"n":`, `"n":-`},
		{`"noisy":1`, `"noisy":2`},
		{`,"noisy":1`, ``},
		{`"missing":[]`, `"missing":null`},
		{`"missing":[]`, `"missing":[{"member":"member-01","reason":"DECLINED"}]`},
		{`"contributions":[{`, `"contributions":[],"x":[{`},
		{`"at":["99050012104000","2026-10"]`, `"at":["99050012104000"]`},
		{`"rows":[`, `"rows":[{"at":["a","2026-10"],"figures":[]},`},
		{`"bin":`, `"bin":9`},
		{`"n":`, `"n":9000000000000000`},
	} {
		bad := strings.Replace(good, swap[0], swap[1], 1)
		if bad == good {
			t.Fatalf("%s does not occur", swap[0])
		}
		if _, err := plan.ReadPart([]byte(bad)); !isProblem(err, "malformed") {
			t.Errorf("%s instead of %s: %v", swap[1], swap[0], err)
		}
	}
	for _, bad := range []string{"", "null", "{}", "[]", good[:len(good)/2], good + good} {
		if _, err := plan.ReadPart([]byte(bad)); !isProblem(err, "malformed") {
			t.Errorf("%.20q: %v", bad, err)
		}
	}
}

func TestWhoeverAsksGetsTheSameText(t *testing.T) {
	t.Parallel()
	written := func(by []statistics.Axis, where []statistics.Filter, at []string, asOf time.Time) string {
		p, err := statistics.Standard().Plan(statistics.Question{
			Product: statistics.Protected, Measures: []statistics.Measure{statistics.Applications}, By: by, Where: where, From: "2026-10", To: "2026-10", Now: now,
		})
		if err != nil {
			t.Fatal(err)
		}
		row := statistics.Counted{At: at, Figures: []statistics.CountedFigure{{Cell: statistics.Cell{N: 50, K: 1}}}}
		part, err := p.Part(statistics.Contribution{Member: "m", AsOf: asOf}, []statistics.Counted{row})
		if err != nil {
			t.Fatal(err)
		}
		return text(t, part)
	}
	if a, b := written(nil, nil, nil, now), written([]statistics.Axis{}, []statistics.Filter{}, []string{}, now.In(time.FixedZone("", 3600))); a != b {
		t.Errorf("%s\nand\n%s", a, b)
	}
	services := []statistics.Axis{statistics.Service}
	a := written(services, []statistics.Filter{{Axis: statistics.Service, Values: []string{"a", "b"}}}, []string{"a"}, now)
	if b := written(services, []statistics.Filter{{Axis: statistics.Service, Values: []string{"b", "a", "b"}}}, []string{"a"}, now); a != b {
		t.Errorf("%s\nand\n%s", a, b)
	}
}

// What leaves the house of a protected question must follow from what is told alone: an empty row and one in which nothing is told are the same.
func TestNothingBesideTheNumbersTellsOfSmallCells(t *testing.T) {
	t.Parallel()
	plan := asked(t, statistics.Protected)
	seen := map[bool]bool{}
	for id := range uint64(100) {
		one := []decided{{id, [2]string{"99050012104000", "2026-10"}, false, time.Hour}}
		p, err := plan.Part(member(1), countRows(one))
		if err != nil {
			t.Fatal(err)
		}
		told := statistics.Published(keys.Record(record(id))) > 0
		seen[told] = true
		if !told {
			empty, err := plan.Part(member(1), nil)
			if err != nil {
				t.Fatal(err)
			}
			if text(t, p) != text(t, empty) {
				t.Fatalf("a case of which nothing is told shows: %s", text(t, p))
			}
		}
		if strings.Contains(text(t, p), fmt.Sprint(keys.Of(record(id)))) {
			t.Fatal("the key of a record leaves the house")
		}
	}
	if len(seen) != 2 {
		t.Errorf("only one side was seen: %v", seen)
	}
	// The twin is the exact product, which hides nothing from those who own the cases.
	exact, err := asked(t, statistics.Exact).Part(member(1), countRows([]decided{{1, [2]string{"99050012104000", "2026-10"}, false, time.Hour}}))
	if err != nil || len(exact.Rows) != 1 {
		t.Errorf("an exact row of one case: %v, %v", exact.Rows, err)
	}
}

func TestAPartThatDoesNotFitItsPlanIsAnError(t *testing.T) {
	t.Parallel()
	plan := asked(t, statistics.Protected)
	row := countRows([]decided{{1, [2]string{"a", "2026-10"}, true, time.Hour}, {2, [2]string{"a", "2026-10"}, true, time.Hour}, {3, [2]string{"a", "2026-10"}, true, time.Hour}})[0]
	row.Figures[0].Cell.N = 50
	for name, rows := range map[string][]statistics.Counted{
		"a row twice, which would be a sum": {row, row},
		"an axis too few":                   {{At: row.At[:1], Figures: row.Figures}},
		"a figure too few":                  {{At: row.At, Figures: row.Figures[:1]}},
	} {
		if _, err := plan.Part(member(1), rows); err == nil {
			t.Errorf("%s was counted", name)
		}
	}
}

func TestQuantilesAreWithinTheAccuracyOfTheSortedOnes(t *testing.T) {
	t.Parallel()
	plan := asked(t, statistics.Exact)
	rapid.Check(t, func(t *rapid.T) {
		minutes := rapid.SliceOfN(rapid.Int64Range(0, 20*365*24*60), 1, 200).Draw(t, "minutes")
		var all []decided
		for i, m := range minutes {
			all = append(all, decided{uint64(i), [2]string{"a", "2026-10"}, false, time.Duration(m) * time.Minute})
		}
		p, err := plan.Part(member(1), countRows(all))
		figure := plan.Answer(must(t, p, err)).Rows[0].Figures[2]
		slices.Sort(minutes)
		for _, q := range []struct {
			told       *float64
			hundredths int
		}{{figure.Median, 50}, {figure.P90, 90}} {
			want := float64(minutes[(len(minutes)-1)*q.hundredths/100])
			if q.told == nil || math.Abs(*q.told-want) > statistics.Accuracy*want+1e-9 {
				t.Fatalf("the quantile of %d is told as %v, not %v", q.hundredths, q.told, want)
			}
		}
	})
}

func TestMarginsHoldInNineteenOfTwenty(t *testing.T) {
	t.Parallel()
	plan := asked(t, statistics.Protected)
	rng, held, all := rand.New(rand.NewPCG(9, 9)), 0, 0
	for range 300 {
		var merged statistics.Part
		truth := int64(0)
		for m := range 16 {
			c := statistics.Cell{N: 40 + rng.Int64N(100), K: rng.Int64N(statistics.KeyMask)}
			truth += c.N
			p, err := plan.Part(member(m), []statistics.Counted{{At: []string{"a", "2026-10"}, Figures: []statistics.CountedFigure{{Cell: c}, {Of: c}, {}}}})
			if err != nil {
				t.Fatal(err)
			}
			if m == 0 {
				merged = p
			} else if merged, err = statistics.Merge(merged, p); err != nil {
				t.Fatal(err)
			}
		}
		f := plan.Answer(merged).Rows[0].Figures[0]
		if want := 1.96 * math.Sqrt(32); math.Abs(f.Margin-want) > 1e-9 {
			t.Fatalf("the margin of sixteen members is %v, not %v", f.Margin, want)
		}
		all++
		if math.Abs(float64(f.Count-truth)) <= f.Margin {
			held++
		}
	}
	if held < all*92/100 {
		t.Errorf("margins held %d times of %d", held, all)
	}
}

func TestAnAnswerSaysHowItIsProtectedAndHoldsBackWhatIsMostlyNoise(t *testing.T) {
	t.Parallel()
	var all []decided
	for i := range uint64(220) {
		d := decided{i, [2]string{"large", "2026-10"}, i%2 == 0, time.Duration(i) * time.Hour}
		if i >= 200 {
			d.at[0] = "small"
		}
		all = append(all, d)
	}
	for _, product := range []statistics.Product{statistics.Exact, statistics.Protected} {
		plan := asked(t, product)
		p, err := plan.Part(member(1), countRows(all))
		if err != nil {
			t.Fatal(err)
		}
		a := plan.Answer(p)
		if len(a.Rows) != 2 || a.Rows[0].At[0] != "large" || !a.AsOf.Equal(member(1).AsOf) {
			t.Fatalf("%+v", a)
		}
		large, small := a.Rows[0].Figures, a.Rows[1].Figures
		if large[1].Share == nil || math.Abs(*large[1].Share-0.5) > 0.1 || large[2].Median == nil || len(large[2].Histogram) == 0 {
			t.Errorf("%s: what is large is not told: %+v", product, large)
		}
		d := a.Disclosure
		if product == statistics.Exact {
			if d.Method != statistics.NotProtected || d.Suppressed != 0 || small[1].Share == nil || *small[1].Share != 0.5 || small[0].Margin != 0 || small[2].P90 == nil {
				t.Errorf("exact figures are held back: %+v, %+v", d, small)
			}
			continue
		}
		if d.Method != statistics.CellKey || d.Noise != statistics.NoiseHash() || d.Smallest != 3 || math.Abs(d.Margin-2.77) > 0.01 || d.Suppressed != 2 {
			t.Errorf("the disclosure is %+v", d)
		}
		if small[1].Share != nil || !small[1].Suppressed || small[2].Median != nil || small[2].Histogram != nil || !small[2].Suppressed {
			t.Errorf("small figures are told: %+v", small)
		}
	}
}

func TestAFileSaysWhatItIs(t *testing.T) {
	t.Parallel()
	plan := asked(t, statistics.Protected)
	var all []decided
	for i := range uint64(100) {
		all = append(all, decided{i, [2]string{"=cmd()", "2026-10"}, true, time.Duration(i) * time.Hour})
	}
	own, err := plan.Part(member(1), countRows(append(all, decided{900, [2]string{"99", "2026-09"}, true, 0}, decided{901, [2]string{"99", "2026-09"}, true, 0}, decided{902, [2]string{"99", "2026-09"}, true, 0}, decided{903, [2]string{"99", "2026-09"}, true, 0})))
	if err != nil {
		t.Fatal(err)
	}
	p, err := statistics.Merge(own, plan.Absent("nordsee", "UNREACHABLE"))
	if err != nil {
		t.Fatal(err)
	}
	answer := plan.Answer(p)
	var out bytes.Buffer
	if err := plan.WriteCSV(&out, answer); err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(&out).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	head := "service,month,decided,decidedMargin,fullyDigital,fullyDigitalMargin,fullyDigitalShare,fullyDigitalShareMargin," +
		"timeToDecision,timeToDecisionMargin,timeToDecisionMedianMinutes,timeToDecisionP90Minutes,product,asOf,missing"
	if got := strings.Join(lines[0], ","); got != head {
		t.Errorf("the head is %s", got)
	}
	last := lines[len(lines)-1]
	if last[0] != "'=cmd()" || last[12] != "PROTECTED" || last[13] != "2026-11-10T11:59:59Z" || last[14] != "nordsee (UNREACHABLE)" || last[10] == "" {
		t.Errorf("a line is %q", last)
	}

	var raw bytes.Buffer
	if err := plan.WriteJSONStat(&raw, answer, func(_ statistics.Axis, v string) string { return strings.ToUpper(v) }); err != nil {
		t.Fatal(err)
	}
	var set struct {
		Version, Class string
		ID             []string
		Size           []int
		Role           map[string][]string
		Dimension      map[string]struct {
			Category struct {
				Index []string
				Label map[string]string
			}
		}
		Value     map[string]float64
		Status    map[string]string
		Extension map[string]any
	}
	if err := json.Unmarshal(raw.Bytes(), &set); err != nil {
		t.Fatal(err)
	}
	if set.Version != "2.0" || set.Class != "dataset" || !slices.Equal(set.ID, []string{"service", "month", "figure"}) || !slices.Equal(set.Role["time"], []string{"month"}) ||
		set.Extension["product"] != "PROTECTED" || set.Dimension["service"].Category.Label["=cmd()"] != "=CMD()" {
		t.Errorf("the dataset is %s", raw.Bytes())
	}
	// Every number of the table stands at its place in the cube, and nothing else does.
	values := 0
	for _, line := range lines[1:] {
		s := slices.Index(set.Dimension["service"].Category.Index, strings.TrimPrefix(line[0], "'"))
		m := slices.Index(set.Dimension["month"].Category.Index, line[1])
		for i, name := range set.Dimension["figure"].Category.Index {
			at := fmt.Sprint((s*set.Size[1]+m)*set.Size[2] + i)
			v, ok := set.Value[at]
			if ok {
				values++
			}
			if want := line[slices.Index(lines[0], name)]; ok != (want != "") || ok && fmt.Sprint(v) != want {
				t.Errorf("%s of %s in %s is %v in the dataset and %q in the table", name, line[0], line[1], v, want)
			}
			if (set.Status[at] == "suppressed") == ok {
				t.Errorf("%s of %s: status %q", name, line[0], set.Status[at])
			}
		}
	}
	if values != len(set.Value) || len(set.Status) == 0 {
		t.Errorf("%d of %d values are in the table, status %v", values, len(set.Value), set.Status)
	}
}

// Sixteen members, six hundred services in twelve months each.
func BenchmarkMerge(b *testing.B) {
	plan, err := statistics.Standard().Plan(statistics.Question{
		Product: statistics.Protected, Measures: []statistics.Measure{statistics.Applications}, By: []statistics.Axis{statistics.Service, statistics.Month},
		Scope: statistics.Land, From: "2025-11", To: "2026-10", Now: now,
	})
	if err != nil {
		b.Fatal(err)
	}
	var parts []statistics.Part
	for m := range 16 {
		var rows []statistics.Counted
		for s := range 600 {
			for month := range 12 {
				c := statistics.Cell{N: int64(s + month + m), K: keys.Of(record(uint64(m*10_000 + s*12 + month)))}
				rows = append(rows, statistics.Counted{At: []string{fmt.Sprint(s), fmt.Sprint(month)}, Figures: []statistics.CountedFigure{{Cell: c}}})
			}
		}
		p, err := plan.Part(member(m), rows)
		if err != nil {
			b.Fatal(err)
		}
		parts = append(parts, p)
	}
	for b.Loop() {
		merged := parts[0]
		for _, p := range parts[1:] {
			if merged, err = statistics.Merge(merged, p); err != nil {
				b.Fatal(err)
			}
		}
	}
}
