// SPDX-License-Identifier: EUPL-1.2

package housetest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/ozg-cloud/platform/client"
	"github.com/ozg-cloud/platform/ent/catalog"
	"github.com/ozg-cloud/platform/internal/housetest"
	"github.com/ozg-cloud/platform/schema"
)

const tortured = `subscription($after: EventCursor) { caseEvents(after: $after, heartbeatSeconds: 1) { __typename
	... on CaseEvent { caseId revision } ... on StreamCheckpoint { caughtUp } ... on StreamGap { resumeAt } ... on StreamRevocation { caseIds } } }`

// happening is an event, as receivers and the database name it.
type happening struct {
	file     string
	revision int
}

func caseID(id uuid.UUID) string { return schema.ID(catalog.Types["Case"].Number, id) }

// torture is several real programs on one database that are killed all the time, and who writes and receives meanwhile.
type torture struct {
	*testing.T
	h        *housetest.House
	mu       sync.Mutex
	replicas []string // where they answer
	writing  context.Context
	files    map[string][]uuid.UUID // the cases, by tenant
	number   atomic.Int64
}

// somewhere is one of the replicas.
func (o *torture) somewhere() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.replicas[rand.IntN(len(o.replicas))]
}

// write stores an event of a case, past all houses.
func (o *torture) write(conn *pgx.Conn, file uuid.UUID, revision int64, at string) {
	_, err := conn.Exec(o.Context(), `insert into events (id, tenant_id, place, type, case_id, sequence, revision, at, unit_id, unit_before)
		select gen_random_uuid(), tenant_id, place, 'CASE_STARTED', case_id, $2, $2, coalesce(nullif($3, '')::timestamptz, now()), unit_id, unit_id
		from events where case_id = $1 limit 1`, file, revision, at)
	if err != nil {
		o.Errorf("writing: %v", err)
	}
}

func (o *torture) past() *pgx.Conn {
	conn := o.h.Database()
	if _, err := conn.Exec(o.Context(), "set session_replication_role = replica"); err != nil {
		o.Fatal(err)
	}
	return conn
}

// press writes in transactions that last differently long, so that they end in another order than they began.
func (o *torture) press(conn *pgx.Conn, chance *rand.Rand) {
	all := slices.Concat(o.files["kiel"], o.files["luebeck"])
	do := func(statement string, args ...any) {
		if _, err := conn.Exec(o.Context(), statement, args...); err != nil {
			o.Errorf("%s: %v", statement, err)
		}
	}
	for o.writing.Err() == nil {
		do("begin")
		for range 1 + chance.IntN(3) {
			o.write(conn, all[chance.IntN(len(all))], o.number.Add(1), "")
			do("select pg_sleep($1)", chance.ExpFloat64()/100)
		}
		do("commit")
	}
}

// diary is what a receiver was told: what happened, and how often it was told of a gap before that.
type diary struct {
	mu    sync.Mutex
	told  []happening
	part  []int // which part of the log each lies in: gaps stand between parts
	has   map[happening]bool
	gaps  int
	ready chan struct{}
	begun sync.Once
	at    string // the first position
}

func (d *diary) knows(e happening) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.has[e]
}

// receive follows over a proxy of its own, until ctx ends.
func (o *torture) receive(ctx context.Context, name string, transport client.Transport, after string, proxy *housetest.Proxy, wait *sync.WaitGroup) *diary {
	d := &diary{has: map[happening]bool{}, ready: make(chan struct{})}
	c := &client.Client{
		URL: proxy.URL + "/graphql", Transport: transport, First: 10 * time.Millisecond, Longest: 300 * time.Millisecond, Silence: 5 * time.Second,
		Token: func(context.Context) (string, time.Time, error) {
			proxy.Lead(o.somewhere())
			until := time.Now().Add(4 * time.Second).Truncate(time.Second) // its half minute of grace is nearly over, again and again
			expires := until.Add(-30 * time.Second)
			return o.h.Token(name, map[string]any{"trust_level": "SUBSTANTIAL", "iat": expires.Add(-time.Hour).Unix(), "exp": expires.Unix()}, 0), until, nil
		},
	}
	to := client.Receiver{
		Event: func(_ context.Context, e client.Event) error {
			var f struct {
				CaseID   string
				Revision int
			}
			if err := json.Unmarshal(e.Frame, &f); err != nil {
				return err
			}
			d.mu.Lock()
			defer d.mu.Unlock()
			it := happening{f.CaseID, f.Revision}
			d.told, d.part, d.has[it] = append(d.told, it), append(d.part, d.gaps), true
			return nil
		},
		Gap:     func(context.Context, string) error { d.mu.Lock(); d.gaps++; d.mu.Unlock(); return nil },
		Revoked: func(context.Context, []string) error { return nil },
		Checkpoint: func(cursor string, _ bool) {
			d.begun.Do(func() { d.at = cursor; close(d.ready) })
		},
	}
	wait.Go(func() {
		for at := after; ctx.Err() == nil; {
			var err error
			if at, err = c.Follow(ctx, client.Subscription{Document: tortured, After: at}, to); !errors.Is(err, context.Canceled) {
				var no *client.Refused
				if !errors.As(err, &no) || no.Rule != "" && no.Code != "UNAUTHENTICATED" {
					o.Errorf("%s: %v", name, err)
					return
				}
			}
		}
	})
	return d
}

// logged is one line of the log.
type logged struct {
	happening
	xid, seq int64
	tenant   string
}

// log is the log behind a receiver's beginning, in its order.
func (o *torture) log(conn *pgx.Conn) (all []logged) {
	rows, err := conn.Query(o.Context(), `select e.xid::text::bigint, e.seq, e.case_id, e.revision, t.slug from events e join tenants t on t.id = e.tenant_id
		where e.type = 'CASE_STARTED' order by e.xid, e.seq`)
	if err != nil {
		o.Fatal(err)
	}
	var l logged
	var file uuid.UUID
	if _, err := pgx.ForEachRow(rows, []any{&l.xid, &l.seq, &file, &l.revision, &l.tenant}, func() error {
		l.file = caseID(file)
		all = append(all, l)
		return nil
	}); err != nil {
		o.Fatal(err)
	}
	return all
}

// missed compares what was told with what should have been: the same in the same order, but for what lies before a gap. old has been dropped from the log
// and may have been told before.
func missed(want []logged, d *diary, forgotten [2]int64, old happening) error {
	i := 0
	for n, got := range d.told {
		if got == old {
			continue
		}
		if n > 0 && d.part[n] != d.part[n-1] || n == 0 && d.part[0] > 0 {
			for i < len(want) && want[i].happening != got && (want[i].xid < forgotten[0] || want[i].xid == forgotten[0] && want[i].seq <= forgotten[1]) {
				i++
			}
		}
		if i >= len(want) {
			return fmt.Errorf("event %d of %d is one too many", n, len(d.told))
		}
		if want[i].happening != got {
			return fmt.Errorf("event %d of %d is not event %d of %d", n, len(d.told), i, len(want))
		}
		i++
	}
	if i < len(want) {
		return fmt.Errorf("the last %d of %d are missing", len(want)-i, len(want))
	}
	return nil
}

// forget lets what is too old go, and tells whether it has gone. Where somebody else is at it, or too many write, it has not.
func (o *torture) forget(conn *pgx.Conn) (gone bool) {
	var refused *pgconn.PgError
	if err := o.h.Sweep(o.Context()); err != nil && (!errors.As(err, &refused) || refused.Code != "55P03") {
		o.Fatal(err)
	}
	if err := conn.QueryRow(o.Context(), "select to_regclass('events_20200106') is null").Scan(&gone); err != nil {
		o.Fatal(err)
	}
	return gone
}

// lastNumber is the twin: who remembers the last number that was seen.
func (o *torture) lastNumber(ctx context.Context, conn *pgx.Conn) map[int64]bool {
	seen, last := map[int64]bool{}, int64(0)
	for ctx.Err() == nil {
		rows, err := conn.Query(o.Context(), "select seq from events where type = 'CASE_STARTED' and seq > $1 order by seq", last)
		if err != nil {
			o.Error(err)
			return seen
		}
		if _, err := pgx.ForEachRow(rows, []any{&last}, func() error { seen[last] = true; return nil }); err != nil {
			o.Error(err)
			return seen
		}
	}
	return seen
}

// span is a time in which Wanda had her role: from one event that she was told to another.
type span struct{ from, to happening }

// flip gives Wanda a role and takes it away, again and again.
func (o *torture) flip(conn *pgx.Conn, d *diary) (spans []span) {
	file := o.files["kiel"][0]
	do := func(statement string) {
		if _, err := conn.Exec(o.Context(), statement); err != nil {
			o.Errorf("%s: %v", statement, err)
		}
	}
	// one writes events until one is told, which it gives back.
	one := func() (happening, bool) {
		for o.writing.Err() == nil {
			it := happening{caseID(file), int(o.number.Add(1))}
			o.write(conn, file, int64(it.revision), "")
			for end := time.Now().Add(2 * time.Second); time.Now().Before(end); <-time.After(5 * time.Millisecond) {
				if d.knows(it) {
					return it, true
				}
			}
		}
		return happening{}, false
	}
	for o.writing.Err() == nil {
		do(`insert into role_assignments (id, tenant_id, place, subject, role, assigned_by, assigned_at)
			select gen_random_uuid(), id, place, '` + wanda + `', 'CASEWORKER', 'test', now() from tenants where slug = 'kiel'`)
		do("update rights_version set version = version + 1")
		d.mu.Lock()
		gaps := d.gaps
		d.mu.Unlock()
		from, told := one()
		<-time.After(time.Duration(rand.IntN(300)) * time.Millisecond)
		to, also := one()
		d.mu.Lock()
		if told && also && d.gaps == gaps {
			spans = append(spans, span{from, to})
		}
		d.mu.Unlock()
		do("delete from role_assignments where subject = '" + wanda + "'")
		do("update rights_version set version = version + 1")
		<-time.After(time.Duration(rand.IntN(200)) * time.Millisecond)
	}
	return spans
}

// TestReceiversLoseNothingWhateverHappens plays against real programs that are killed. make events-torture does so for minutes.
func TestReceiversLoseNothingWhateverHappens(t *testing.T) {
	h := housetest.New(t)
	o := &torture{T: t, h: h, files: map[string][]uuid.UUID{}}
	for range 4 {
		for tenant, place := range map[string]string{"kiel": "010020000000", "luebeck": "010030000000"} {
			c := h.As(tenant+"-applicant").Submit("99108001001000", place)
			_, id, _ := schema.ParseID(c.ID)
			o.files[tenant] = append(o.files[tenant], id)
		}
	}
	db := o.past()
	lasts, count, writers := 4*time.Second, 2, 8
	if *long > 0 {
		lasts, count, writers = *long, 3, 32
	}
	binary, environ := built(t), append(h.Environ(), "OZG_DRAIN_SECONDS=0", "OZG_CALLER_BUDGET=1000000000", "OZG_TENANT_BUDGET=1000000000")
	var running []*replica
	for range count {
		p := start(t, binary, environ)
		running, o.replicas = append(running, p), append(o.replicas, p.url)
	}
	receiving, stop := context.WithCancel(t.Context())
	defer stop()
	var receivers, writing, twins sync.WaitGroup
	who := []string{"kiel-caseworker", "luebeck-caseworker", "sh-admin", "kiel-applicant", "kiel-mailroom", "wanda"}
	if *long > 0 {
		who = slices.Concat(who[:5], who[:5], who)
	}
	proxies, diaries := make([]*housetest.Proxy, len(who)), make([]*diary, len(who))
	for i, name := range who {
		proxies[i] = housetest.NewProxy(t, o.replicas[0])
		diaries[i] = o.receive(receiving, name, []client.Transport{client.Socket, client.EventStream}[i%2], "", proxies[i], &receivers)
		select {
		case <-diaries[i].ready:
		case <-time.After(30 * time.Second):
			t.Fatal("a receiver does not begin")
		}
	}
	var end context.CancelFunc
	o.writing, end = context.WithCancel(t.Context())
	naive, enough := context.WithCancel(t.Context())
	var seen map[int64]bool
	twin := o.past()
	twins.Go(func() { seen = o.lastNumber(naive, twin) })
	for w := range writers {
		conn := o.past()
		writing.Go(func() { o.press(conn, rand.New(rand.NewPCG(11, uint64(w)))) })
	}
	var spans []span
	flipper := o.past()
	writing.Go(func() { spans = o.flip(flipper, diaries[len(who)-1]) })

	kills, cuts, forgotten, old := 0, 0, [2]int64{}, happening{}
	for begun := time.Now(); time.Since(begun) < lasts; {
		<-time.After(time.Duration(50+rand.IntN(250)) * time.Millisecond)
		cuts += proxies[rand.IntN(len(proxies))].Cut()
		if rand.IntN(4) == 0 {
			i := rand.IntN(count)
			_ = running[i].run.Process.Kill()
			_ = running[i].run.Wait()
			kills++
			p := start(t, binary, environ)
			o.mu.Lock()
			running[i], o.replicas[i] = p, p.url
			o.mu.Unlock()
		}
		if forgotten[0] == 0 && time.Since(begun) > lasts/2 {
			// What is told in the meantime is older by position than something that has passed its time.
			revision := o.number.Add(1)
			old = happening{caseID(o.files["kiel"][0]), int(revision)}
			do := func(statement string) {
				if _, err := db.Exec(t.Context(), statement); err != nil {
					t.Fatal(err)
				}
			}
			do("begin")
			do(`set local role ozg_owner; create table events_20200106 partition of events for values from ('2020-01-06 00:00Z') to ('2020-01-13 00:00Z'); reset role`)
			o.write(db, o.files["kiel"][0], revision, "2020-01-07")
			if err := db.QueryRow(t.Context(), "select xid::text::bigint, seq from events where revision = $1 and at < '2021-01-01'", revision).Scan(&forgotten[0], &forgotten[1]); err != nil {
				t.Fatal(err)
			}
			do("commit")
		}
		if forgotten[0] != 0 {
			o.forget(db)
		}
	}
	end()
	writing.Wait()
	for !o.forget(db) {
		<-time.After(10 * time.Millisecond)
	}
	all := o.log(db)
	sees := func(name string, l logged) bool {
		switch name {
		case "luebeck-caseworker":
			return l.tenant == "luebeck"
		case "sh-admin":
			return true
		}
		return l.tenant == "kiel"
	}
	// Who comes late is told of the gap, and of all that lies behind it.
	proxy := housetest.NewProxy(t, o.replicas[0])
	late := o.receive(receiving, "kiel-caseworker", client.Socket, diaries[0].at, proxy, &receivers)
	who, diaries = append(who, "kiel-caseworker"), append(diaries, late) //nolint:makezero // whoever comes late comes behind the others
	expected := func(i int) (want []logged) {
		for _, l := range all {
			if sees(who[i], l) {
				want = append(want, l)
			}
		}
		return want
	}
	told := 0
	for i, d := range diaries {
		if who[i] == "wanda" {
			continue
		}
		want := expected(i)
		var err error
		for deadline := time.Now().Add(time.Minute); ; <-time.After(20 * time.Millisecond) {
			d.mu.Lock()
			err = missed(want, d, forgotten, old)
			d.mu.Unlock()
			if err == nil || time.Now().After(deadline) {
				break
			}
		}
		if err != nil {
			t.Errorf("receiver %d (%s), with %d gaps: %v", i, who[i], d.gaps, err)
		}
		told += len(d.told)
	}
	stop()
	receivers.Wait()
	if late.gaps != 1 {
		t.Errorf("who came late was told of %d gaps", late.gaps)
	}
	for n := range spans {
		if err := unbroken(expected(slices.Index(who, "wanda")), diaries[slices.Index(who, "wanda")], spans[n], old); err != nil {
			t.Errorf("while Wanda had her role: %v", err)
		}
	}
	<-time.After(time.Second) // for the twin, which has nothing to wait for
	enough()
	twins.Wait()
	if len(seen) >= len(all) {
		t.Errorf("who remembers the last number has seen all %d: the test is of no use", len(all))
	}
	if kills == 0 || cuts == 0 || len(spans) == 0 {
		t.Errorf("%d kills, %d cuts, %d times Wanda had her role: nobody was tortured", kills, cuts, len(spans))
	}
	t.Logf("%d events, %d told to %d receivers, 0 lost; %d kills, %d connections cut, %d times a role was given and taken; who remembers the last number lost %d",
		len(all), told, len(who), kills, cuts, len(spans), len(all)-len(seen))
}

// unbroken tells what of a span is missing or in another order.
func unbroken(want []logged, d *diary, s span, old happening) error {
	var should, told []happening
	cut := func(all []happening) []happening {
		from, to := slices.Index(all, s.from), slices.Index(all, s.to)
		if from < 0 || to < from {
			return nil
		}
		return all[from : to+1]
	}
	for _, l := range want {
		should = append(should, l.happening)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	should = cut(should)
	told = slices.DeleteFunc(slices.Clone(cut(d.told)), func(e happening) bool { return e == old })
	if len(told) == 0 || !slices.Equal(told, should) {
		return fmt.Errorf("%d events instead of %d", len(told), len(should))
	}
	return nil
}

func TestTheSearchForMissedEventsFindsThem(t *testing.T) {
	var want []logged
	for i := range 6 {
		want = append(want, logged{happening: happening{"a", i}, xid: int64(i)})
	}
	for name, c := range map[string]struct {
		told  []int
		part  []int
		wrong bool
	}{
		"all":                           {[]int{0, 1, 2, 3, 4, 5}, []int{0, 0, 0, 0, 0, 0}, false},
		"a hole":                        {[]int{0, 1, 3, 4, 5}, []int{0, 0, 0, 0, 0}, true},
		"no end":                        {[]int{0, 1, 2, 3, 4}, []int{0, 0, 0, 0, 0}, true},
		"twice":                         {[]int{0, 1, 1, 2, 3, 4, 5}, []int{0, 0, 0, 0, 0, 0, 0}, true},
		"another order":                 {[]int{0, 2, 1, 3, 4, 5}, []int{0, 0, 0, 0, 0, 0}, true},
		"a gap":                         {[]int{0, 3, 4, 5}, []int{0, 1, 1, 1}, false},
		"a gap first":                   {[]int{3, 4, 5}, []int{1, 1, 1}, false},
		"more than the gap is missing":  {[]int{0, 4, 5}, []int{0, 1, 1}, true},
		"something nobody should see":   {[]int{0, 1, 2, 3, 4, 5, 6}, []int{0, 0, 0, 0, 0, 0, 0}, true},
		"nothing":                       {nil, nil, true},
		"what is missing before no gap": {[]int{3, 4, 5}, []int{0, 0, 0}, true},
	} {
		d := &diary{part: c.part}
		for _, n := range c.told {
			d.told = append(d.told, happening{"a", n})
		}
		if err := missed(want, d, [2]int64{2, 0}, happening{}); (err != nil) != c.wrong {
			t.Errorf("%s: %v", name, err)
		}
	}
}
