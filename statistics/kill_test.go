// SPDX-License-Identifier: EUPL-1.2

package statistics_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ozg-cloud/platform/statistics"
)

// kills is how many processes that count are killed.
var kills = flag.Int("kills", 6, "how many processes that count are killed")

// counting is the variable of the environment that makes a process of this program one that counts: address, seconds of the present and what it does.
const counting = "OZG_TEST_COUNTING"

const (
	folding    = "folding"
	rebuilding = "rebuilding"
	apart      = "apart" // the seeded fault: the position is stored by itself, before what it stands for is counted
)

// countUntilKilled is the other process. It says a line when it begins.
func countUntilKilled(what string) {
	given := strings.Fields(what)
	seconds, err := strconv.ParseInt(given[1], 10, 64)
	if err != nil {
		panic(err)
	}
	ctx, present := context.Background(), time.Unix(seconds, 0)
	books, err := openBooks(ctx, given[0])
	if err != nil {
		panic(err)
	}
	var writing statistics.Books = books.Writing
	if given[2] == apart {
		writing = positionApart{writing}
	}
	tally := statistics.NewTally(books.Reading, writing, func() time.Time { return present }, slog.New(slog.DiscardHandler)).Keeping(500)
	fmt.Println("begun") // what the other process waits for
	for {
		if given[2] == rebuilding {
			err = tally.Rebuild(ctx, func(int) {})
		} else {
			_, err = tally.Fold(ctx)
		}
		if err != nil && os.Getppid() == 1 {
			os.Exit(1) // nobody is left who would kill it
		}
	}
}

// positionApart stores the position in a transaction of its own, as a fold would that is at most once.
type positionApart struct{ statistics.Books }

func (p positionApart) Query(ctx context.Context, statement string, args, rows any) error {
	given, ok := args.([]any)
	if !ok || !strings.Contains(statement, "ozg_fold(") {
		return p.Books.Query(ctx, statement, args, rows)
	}
	nothing := append([]any(nil), given...)
	nothing[5], nothing[6] = []string{}, []string{}
	if err := p.Books.Exec(ctx, statement, nothing, nil); err != nil {
		return err
	}
	counted := append([]any(nil), given...)
	counted[1], counted[2] = given[3], given[4]
	return p.Books.Query(ctx, statement, counted, rows)
}

// killed lets a process count, changes cases meanwhile, and kills it at some moment, at times together with its connections.
func (l *ledger) killed(what string) {
	l.Helper()
	own, err := os.Executable()
	if err != nil {
		l.Fatal(err)
	}
	all := l.cases()
	l.change(all[l.chance.IntN(len(all))]) // time goes on between two processes only: clocks agree
	l.pace = time.Nanosecond
	defer func() { l.pace = 20 * time.Hour }()
	l.now = l.now.Truncate(time.Second)
	child := exec.CommandContext(l.Context(), own)
	child.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %s", counting, l.at, l.now.Unix(), what))
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		l.Fatal(err)
	}
	if err := child.Start(); err != nil {
		l.Fatal(err)
	}
	if said, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		l.Fatalf("it said %q: %v", said, err)
	}
	moment := time.NewTimer(time.Duration(l.chance.IntN(120)) * time.Millisecond)
	defer moment.Stop()
	for alive := true; alive; {
		select {
		case <-moment.C:
			alive = false
		default:
			l.change(all[l.chance.IntN(len(all))])
		}
	}
	if err := child.Process.Kill(); err != nil {
		l.Fatal(err)
	}
	_ = child.Wait() // it was killed
	if l.chance.IntN(2) == 0 {
		l.exec("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and query like '%ozg\\_%' and state <> 'idle'")
	}
}

func TestNothingIsLostOrCountedTwiceWhateverIsKilled(t *testing.T) {
	t.Parallel()
	l := newLedger(t, 31, 60)
	l.folds()
	for kill := range *kills {
		what := folding
		if l.chance.IntN(4) == 0 {
			what = rebuilding
		}
		l.killed(what)
		if kill%5 == 4 || kill == *kills-1 {
			l.folds()
			if !l.agrees(fmt.Sprintf("after %d were killed", kill+1)) {
				return
			}
		}
	}
	if err := l.tally(l.books.Writing).Rebuild(t.Context(), func(int) {}); err != nil {
		t.Fatal(err)
	}
	l.agrees("counted anew")
	var left, parts int
	if err := l.db.QueryRow(t.Context(), `select (select count(*) from statistics_cells where generation not in (select generation from statistics_offset))
		+ (select count(*) from statistics_facts where generation not in (select generation from statistics_offset)),
		(select count(*) from pg_inherits where inhparent in ('statistics_cells'::regclass, 'statistics_facts'::regclass))`).Scan(&left, &parts); err != nil {
		t.Fatal(err)
	}
	if left > 0 || parts != 2 {
		t.Errorf("%d rows of what was killed are left, and %d parts", left, parts)
	}
}

func TestAFoldThatStoresItsPositionApartIsCaughtByKillingIt(t *testing.T) {
	t.Parallel()
	l := newLedger(t, 32, 60)
	l.folds()
	for kill := range 200 {
		l.killed(apart)
		l.folds()
		if len(differences(l.cells(), l.counted())) > 0 {
			t.Logf("caught after %d were killed", kill+1)
			return
		}
	}
	t.Error("200 were killed, and nothing is missed")
}
