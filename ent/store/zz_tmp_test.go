package store_test

import (
	"testing"
	"time"
	"context"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

func BenchmarkEnter(b *testing.B) {
	r := newRoom(b)
	ctx := in(context.Background(), 1, 1, "")
	p, _ := pgxpool.New(ctx, shared.URL("ozg", r.name))
	defer p.Close()
	mk := func(name, opts string) {
	_, err := r.owner.Exec(ctx, `create function `+name+`(lo bigint, hi bigint, owner text) returns void
    language plpgsql volatile `+opts+`
as $$
declare done text;
begin
    if pg_catalog.current_setting('app.lo', true) operator(pg_catalog.<>) '' then
        raise exception 'this transaction has entered its scope before' using errcode = 'OZG01';
    end if;
    if lo is null or hi is null or owner is null or lo operator(pg_catalog.<) 0 or hi operator(pg_catalog.<) lo then
        raise exception 'a scope needs an interval of places and an owner, be it an empty one' using errcode = 'OZG02';
    end if;
    done := pg_catalog.set_config('app.lo', lo::pg_catalog.text, true);
    done := pg_catalog.set_config('app.hi', hi::pg_catalog.text, true);
    done := pg_catalog.set_config('app.owner', owner, true);
end $$`)
	must(b, err)
	}
	mk("e2", "security definer set search_path=pg_catalog,pg_temp")
	mk("e3", "security definer")
	mk("e4", "")
	pipe := func(first string, args ...any) {
		bt := &pgx.Batch{}
		bt.Queue(first, args...)
		bt.Queue("select place from parcel")
		must(b, p.SendBatch(ctx, bt).Close())
	}
	runs := map[string]func(){
		"enter": func() { pipe("select ozg_enter($1,$2,$3)", int64(1), int64(1), "") },
		"e2pinned": func() { pipe("select e2($1,$2,$3)", int64(1), int64(1), "") },
		"e3qual": func() { pipe("select e3($1,$2,$3)", int64(1), int64(1), "") },
		"e4invoker": func() { pipe("select e4($1,$2,$3)", int64(1), int64(1), "") },
		"raw3": func() { pipe("select set_config('app.lo',$1,true), set_config('app.hi',$2,true), set_config('app.owner',$3,true)", "1", "1", "") },
		"one": func() { pipe("select $1::bigint", int64(1)) },
	}
	took := map[string]time.Duration{}
	for b.Loop() {
		for n, f := range runs { t := time.Now(); f(); took[n] += time.Since(t) }
	}
	for n, d := range took { b.ReportMetric(float64(d.Microseconds())/float64(b.N), n) }
}
