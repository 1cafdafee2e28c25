// SPDX-License-Identifier: EUPL-1.2

package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/ozg-cloud/platform/authz"
	"github.com/ozg-cloud/platform/federation/ask"
	"github.com/ozg-cloud/platform/federation/book"
	"github.com/ozg-cloud/platform/federation/charter"
	"github.com/ozg-cloud/platform/internal/cluster"
	"github.com/ozg-cloud/platform/internal/demo"
	"github.com/ozg-cloud/platform/internal/problem"
	"github.com/ozg-cloud/platform/statistics"
)

// demoLand is one of the four Länder of the demo: a house with a cluster of its own behind an address of its own.
type demoLand struct {
	slug, name, region string
	share              float64
	cases              int
	balkon             string // the field that it adds

	seat     *Seat
	house    *House
	db       *cluster.Cluster
	listener net.Listener
	server   *http.Server
}

func demoLands() []*demoLand {
	return []*demoLand{
		{slug: "sh", name: "Schleswig-Holstein", region: "01", share: 0.0339, cases: 1500, balkon: "deichnaehe"},
		{slug: "by", name: "Bayern", region: "09", share: 0.1553, cases: 2500, balkon: "gemarkung"},
		{slug: "hh", name: "Hamburg", region: "02", share: 0.0256, cases: 600, balkon: "hafengebiet"},
		{slug: "nw", name: "Nordrhein-Westfalen", region: "05", share: 0.2114, cases: 4000, balkon: "zechengelaende"},
	}
}

// federationDemo is the four of them.
type federationDemo struct {
	console
	lands  []*demoLand
	folder string
	mint   *authz.Mint
	close  []func()
}

// demoFederation starts four Länder, each with a cluster of its own, lets them found a federation, and shows one statistic over all: then with one that is cut
// off, one that lies, and one that is suspended. Everything is gone afterwards, unless it is told to stay open.
func demoFederation(ctx context.Context, c console, args []string) error {
	f := flags("demo-federation")
	stay := f.Bool("stay", false, "keep the four houses open until the program is told to end")
	if err := f.Parse(args); err != nil || f.NArg() > 0 {
		return errUsage
	}
	folder, err := os.MkdirTemp("", "ozg-federation-")
	if err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	d := &federationDemo{console: c, lands: demoLands(), folder: folder}
	d.log = slog.New(slog.DiscardHandler) // what happens here is told on the way
	defer func() {
		for _, end := range slices.Backward(d.close) {
			end()
		}
		_ = os.RemoveAll(folder)
	}()
	if d.mint, err = authz.NewMint(developmentIssuer(), time.Now); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{d.found, d.open, d.meet, d.extend, d.show} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	if *stay {
		d.welcome()
		<-ctx.Done()
	}
	return nil
}

func (d *federationDemo) say(format string, args ...any) { fmt.Fprintf(d.out, format+"\n", args...) }

// found gives every Land its keys and has all of them sign one charter.
func (d *federationDemo) found(ctx context.Context) error {
	var seats []*Seat
	var entries []charter.Entry
	for _, l := range d.lands {
		var err error
		if l.listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
			return fmt.Errorf("listening: %w", err)
		}
		member := charter.MemberID("https://" + l.slug + ".ozg-cloud.invalid")
		l.seat, err = FoundSeat(filepath.Join(d.folder, l.slug), Seat{
			Federation: "https://foederation.ozg-cloud.invalid", Member: member, Name: l.name, Instance: charter.InstanceID(member + "/ozg"),
			Endpoint: "http://" + l.listener.Addr().String(), Land: l.slug, Region: l.region, Editions: []int{ask.CurrentEdition}, Documents: []string{"statistics"},
		}, charter.Entry{State: charter.Owner, Since: time.Now().UTC().Format(time.DateOnly), Votes: 1, Share: l.share})
		if err != nil {
			return err
		}
		if err := l.seat.keep("consent.csv", []byte(demoConsent)); err != nil {
			return err
		}
		e, err := l.seat.Entry()
		if err != nil {
			return err
		}
		seats, entries = append(seats, l.seat), append(entries, e)
	}
	document, err := Together(Found(d.lands[0].seat.Federation, entries, time.Now().Add(-time.Minute)), seats...)
	if err != nil {
		return err
	}
	first, err := charter.Read(document)
	if err != nil {
		return err
	}
	d.say("Four Länder have signed one charter, %s", first.Hash)
	for _, s := range seats {
		if err := s.Agree(first.Hash); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(d.folder, "charter.json"), document, 0o600)
}

// demoConsent is what each Land tells the others.
const demoConsent = `p, role:member, figures.applications.land, ask, federation
p, role:member, figures.decided.land, ask, federation
p, role:member, figures.timeToDecision.land, ask, federation
`

// open starts a cluster and a house for every Land, with cases of its own.
func (d *federationDemo) open(ctx context.Context) error {
	for i, l := range d.lands {
		begun := time.Now()
		db, err := cluster.Start(ctx, cluster.Options{})
		if err != nil {
			return err
		}
		l.db = db
		d.close = append(d.close, func() {
			ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
			defer cancel()
			_ = db.Stop(ending)
		})
		if err := ensure(ctx, db); err != nil {
			return err
		}
		address := db.URL(cluster.Superuser, developmentDatabase)
		if err := d.lay(ctx, address, l, i); err != nil {
			return err
		}
		blobs := filepath.Join(d.folder, l.slug+"-blobs")
		if err := os.Mkdir(blobs, 0o700); err != nil {
			return fmt.Errorf("making a folder: %w", err)
		}
		l.house, err = Build(ctx, Ground{
			DatabaseURL: address, Role: "ozg_serving", BlobsURL: "file://" + filepath.ToSlash(blobs), Secret: bytes.Repeat([]byte{byte(i + 1)}, 32),
			Issuers: []authz.Issuer{d.mint.Issuer()}, UploadBytes: 1 << 20, Development: true, Seat: l.seat, Log: d.log, Clock: time.Now,
		})
		if err != nil {
			return err
		}
		d.close = append(d.close, l.house.Close)
		if err := l.house.Tally.Rebuild(ctx, func(int) {}); err != nil {
			return err
		}
		d.listen(l)
		d.say("%-20s is open at %s with %d cases (%s)", l.name, l.seat.Endpoint, l.cases, time.Since(begun).Round(100*time.Millisecond))
	}
	return nil
}

// lay migrates, and lays the furniture, the cases, and an administrator of the Land.
func (d *federationDemo) lay(ctx context.Context, address string, l *demoLand, i int) error {
	conn, err := furnished(ctx, address, 0)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if err := demo.CasesIn(ctx, conn, l.region, l.cases, uint64(i+1), time.Now().UTC().Truncate(time.Hour), func(int) {}); err != nil { //nolint:gosec // of four
		return err
	}
	_, err = conn.Exec(ctx, `insert into role_assignments (id, tenant_id, place, subject, role, assigned_by, assigned_at)
		select gen_random_uuid(), id, place, 'user:dev:land-admin', 'TENANT_ADMIN', 'system:demo', now() from tenants where slug = $1`, l.slug)
	if err != nil {
		return fmt.Errorf("giving the role of an administrator: %w", err)
	}
	return nil
}

func (d *federationDemo) listen(l *demoLand) {
	l.server = &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: l.house}
	go func() { _ = l.server.Serve(l.listener) }() // it ends with Close
	d.close = append(d.close, func() { _ = l.server.Close() })
}

// lie changes what a Land has counted and forgets what it said, as whoever runs its database can: it signs the other figures by its real key, and its log fits.
func (l *demoLand) lie(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, l.db.URL(cluster.Superuser, developmentDatabase))
	if err != nil {
		return fmt.Errorf("connecting to the database: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, statement); err != nil {
		return fmt.Errorf("changing what was counted: %w", err)
	}
	return nil
}

// meet lets the houses learn of each other, as they do by themselves once they run.
func (d *federationDemo) meet(ctx context.Context) error {
	document, err := os.ReadFile(filepath.Join(d.folder, "charter.json"))
	if err != nil {
		return fmt.Errorf("reading the charter: %w", err)
	}
	for _, l := range d.lands {
		if _, _, err := l.house.Belonging.Learn(ctx, book.Bundle{Charters: []string{string(document)}}); err != nil {
			return err
		}
		if err := l.house.Belonging.Renew(ctx, true); err != nil {
			return err
		}
		for _, other := range d.lands {
			if other != l {
				l.seat.Peers = append(l.seat.Peers, other.seat.Endpoint)
			}
		}
	}
	for _, l := range d.lands {
		if err := l.house.Belonging.Pull(ctx); err != nil {
			return err
		}
	}
	return nil
}

// extend adds a field of its own (Balkon) in each Land.
func (d *federationDemo) extend(ctx context.Context) error {
	for _, l := range d.lands {
		var tenant struct {
			Tenant struct{ ID string }
		}
		if err := d.ask(ctx, l, "land-admin", `query($slug: String!) { tenant(slug: $slug) { id } }`, map[string]any{"slug": l.slug}, &tenant); err != nil {
			return err
		}
		var defined struct {
			DefineExtension struct {
				ExtensionDefinition *struct{ ID string }
			}
		}
		sdl := "extend type Case {\n  \"" + l.balkon + ", a field of " + l.name + " alone.\"\n  " + l.balkon + ": String @length(max: 100)\n}"
		err := d.ask(ctx, l, "land-admin", `mutation($in: DefineExtensionInput!) { defineExtension(input: $in) { extensionDefinition { id } } }`,
			map[string]any{"in": map[string]any{"tenantId": tenant.Tenant.ID, "sdl": sdl, "expectedVersion": 0}}, &defined)
		if err != nil {
			return err
		}
		if defined.DefineExtension.ExtensionDefinition == nil {
			return fmt.Errorf("the extension field of %s was refused", l.name)
		}
		err = d.ask(ctx, l, "land-admin", `mutation($in: ActivateExtensionInput!) { activateExtension(input: $in) { extensionDefinition { id } } }`,
			map[string]any{"in": map[string]any{"extensionDefinitionId": defined.DefineExtension.ExtensionDefinition.ID}}, nil)
		if err != nil {
			return err
		}
		d.say("%-20s has a field of its own: Case.extension.%s", l.name, l.balkon)
	}
	return nil
}

// ask plays an operation at a Land, as somebody.
func (d *federationDemo) ask(ctx context.Context, l *demoLand, who, document string, variables map[string]any, into any) error {
	token, err := d.mint.Token(who, map[string]any{"trust_level": string(authz.High)}, tokenLife)
	if err != nil {
		return err
	}
	body, err := json.Marshal(map[string]any{"query": document, "variables": variables})
	if err != nil {
		return fmt.Errorf("writing an operation: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, l.seat.Endpoint+"/graphql", bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("asking %s: %w", l.name, err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("asking %s: %w", l.name, err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return fmt.Errorf("asking %s: %w", l.name, err)
	}
	var told struct {
		Data   json.RawMessage
		Errors []struct{ Message string }
	}
	if err := json.Unmarshal(text, &told); err != nil || len(told.Errors) > 0 {
		return fmt.Errorf("asking %s: %w", l.name, errors.Join(err, fmt.Errorf("%v", told.Errors)))
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(told.Data, into)
}

const demoQuestion = `query($measure: StatisticsMeasure!, $from: String!, $to: String!) { federation { statistics(measures: [$measure], groupBy: [LAND], from: $from, to: $to,
  options: {maxAgeSeconds: 1, deadlineMillis: 3000, purpose: "demo"}) {
    meta { complete expected answered coverage members { state reason tookMillis member { id name } } }
    rows { at figures { count margin } } } } }`

type demoAnswer struct {
	Federation struct {
		Statistics *struct {
			Meta struct {
				Complete           bool
				Expected, Answered int
				Coverage           *float64
				Members            []struct {
					State, Reason string
					TookMillis    int
					Member        struct{ ID, Name string }
				}
			}
			Rows []struct {
				At      []string
				Figures []struct {
					Count  int
					Margin float64
				}
			}
		}
	}
}

// tell asks in the first Land for a figure of all and prints who has answered what.
func (d *federationDemo) tell(ctx context.Context, measure string) error {
	over := statistics.MonthBefore(time.Now(), 1)
	var a demoAnswer
	err := d.ask(ctx, d.lands[0], "federation-analyst", demoQuestion, map[string]any{
		"measure": measure, "from": over, "to": over,
	}, &a)
	if err != nil {
		return err
	}
	s := a.Federation.Statistics
	if s == nil {
		return problem.New(problem.Busy, "notAvailable")
	}
	counts, sum := map[string]string{}, 0
	for _, row := range s.Rows {
		counts[row.At[0]] = fmt.Sprintf("%6d ± %.0f", row.Figures[0].Count, row.Figures[0].Margin)
		sum += row.Figures[0].Count
	}
	t := tabwriter.NewWriter(d.out, 0, 0, 2, ' ', 0)
	for _, m := range s.Meta.Members {
		fmt.Fprintf(t, "  %s\t%s\t%s\t%d ms\t%s\n", m.Member.Name, m.State, counts[m.Member.ID], m.TookMillis, m.Reason)
	}
	_ = t.Flush() // the same writer
	coverage := "unknown"
	if s.Meta.Coverage != nil {
		coverage = fmt.Sprintf("%.0f %%", 100**s.Meta.Coverage)
	}
	d.say("  %s in the month that is over: %d, from %d of %d members, complete: %t, coverage: %s\n", measure, sum, s.Meta.Answered, s.Meta.Expected, s.Meta.Complete, coverage)
	return nil
}

// show asks again and again while something is wrong with one of them.
func (d *federationDemo) show(ctx context.Context) error {
	d.say("\nAll answer:")
	if err := d.tell(ctx, "APPLICATIONS"); err != nil {
		return err
	}
	hh, by, nw := d.lands[2], d.lands[1], d.lands[3]
	d.say("%s is cut off:", hh.name)
	_ = hh.server.Close() // the cut
	if err := d.tell(ctx, "DECIDED"); err != nil {
		return err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", hh.listener.Addr().String())
	if err != nil {
		return fmt.Errorf("listening again: %w", err)
	}
	hh.listener = l
	d.listen(hh)
	d.say("%s is back, and %s answers ten times what it said before:", hh.name, by.name)
	if err := by.lie(ctx, "update statistics_cells set n = n * 10; delete from federation_statements where document is null"); err != nil {
		return err
	}
	select {
	case <-time.After(2 * time.Second): // what was said a second ago is asked for again
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := d.tell(ctx, "APPLICATIONS"); err != nil {
		return err
	}
	if err := by.lie(ctx, "update statistics_cells set n = n / 10; delete from federation_statements where document is null"); err != nil {
		return err
	}
	d.say("%s is suspended by the three others; one house was told, the next round tells the rest:", nw.name)
	if err := d.suspend(ctx, nw); err != nil {
		return err
	}
	return d.tell(ctx, "TIME_TO_DECISION")
}

// suspend has the others sign a list; the second Land adopts it, and the others learn of it.
func (d *federationDemo) suspend(ctx context.Context, whom *demoLand) error {
	now := time.Now().Unix()
	list := charter.List{Issuer: whom.seat.Federation, Seq: 1, IssuedAt: now, Suspended: []charter.Suspension{{ID: string(whom.seat.Member), At: now, Reason: charter.OutOfOrder}}}
	var document []byte
	for _, l := range d.lands {
		var err error
		switch {
		case l == whom:
		case document == nil:
			document, err = charter.SuspendMembers(list, l.seat.Voting())
		default:
			document, err = charter.Countersign(document, l.seat.Voting())
		}
		if err != nil {
			return err
		}
	}
	_, refused, err := d.lands[1].house.Belonging.Learn(ctx, book.Bundle{Suspensions: []string{string(document)}})
	if err != nil || len(refused) > 0 {
		return errors.Join(append(refused, err)...)
	}
	return d.lands[0].house.Belonging.Pull(ctx)
}

func (d *federationDemo) welcome() {
	d.say("The houses stay open. A token for the analyst of all Länder, good at each of them:\n")
	for _, l := range d.lands {
		d.say("  %-20s %s/graphql", l.name, l.seat.Endpoint)
	}
	if token, err := d.mint.Token("federation-analyst", map[string]any{"trust_level": string(authz.High)}, tokenLife); err == nil {
		d.say("\n%s", token)
	}
}
