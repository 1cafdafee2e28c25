-- SPDX-License-Identifier: EUPL-1.2
-- The first values by which an owner has cases filtered stand beside each case a second time, so that it is found by them as by a column of the standard house: off an index
-- in the order in which lists run, without a look at the entries and from them at each case. See docs/decisions/0020.

-- +goose Up
-- 1 to 6 are a Land's, 7 and 8 a district's, 9 and 10 an authority's: above no case stand two owners of one kind. A value is written as ozg_found does.
alter table cases add column extension_1 text, add column extension_2 text, add column extension_3 text, add column extension_4 text, add column extension_5 text,
  add column extension_6 text, add column extension_7 text, add column extension_8 text, add column extension_9 text, add column extension_10 text;
-- +goose StatementBegin
do $$
begin
    for n in 1..10 loop
        execute format('create index cases_extension_%1$s on cases (place, extension_%1$s, received_at desc, id desc) where extension_%1$s is not null', n);
        execute format('grant update (extension_%s) on cases to ozg_serving', n);
    end loop;
    for n in 1..6 loop
        execute format('create index cases_land_extension_%1$s on cases (land, extension_%1$s, received_at desc, id desc) where extension_%1$s is not null', n);
    end loop;
end $$;
-- +goose StatementEnd

-- Which fields stand in which column: those of the versions in force. Serving is told of one whose key it knows, and cannot list them.
create table extension_columns (
  field  bigint primary key,
  beside smallint not null check (beside between 1 and 10)
);
revoke all on extension_columns from public;
-- +goose StatementBegin
create function ozg_column(key bigint) returns smallint
    language plpgsql stable security definer
    set search_path = public, pg_temp
as $$
begin
    return (select beside from extension_columns where field = key);
end $$;
-- +goose StatementEnd

-- +goose StatementBegin
-- A field's key and its value; of a number and of a time the bytes in which they are sent, as these have one form alone.
create function ozg_found(field bigint, text text, number double precision, moment timestamptz) returns text
    language sql immutable parallel safe
as $$
    select field::text || '=' || coalesce(text, encode(float8send(number + 0), 'hex'), encode(timestamptz_send(moment), 'hex'))
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- Notes the columns of a version that comes into force, in place of those of the version before.
create function ozg_in_force() returns trigger
    language plpgsql volatile security definer
    set search_path = public, pg_temp
as $$
begin
    delete from extension_columns where field between new.place * 8192 and new.place * 8192 + 8191;
    insert into extension_columns select new.place * 8192 + key::bigint, value::smallint from jsonb_each_text(new.numbers -> 'columns');
    return null;
end $$;
-- +goose StatementEnd
create trigger in_force after insert or update of state on extension_definitions for each row when (new.state = 'ACTIVE') execute function ozg_in_force();

-- +goose StatementBegin
-- A value beside a case, or null where it is of one of these fields.
create function ozg_but(value text, fields bigint[]) returns text
    language sql immutable parallel safe
as $$
    select case when split_part(value, '=', 1) <> all (fields::text[]) then value end
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- What is entered for a case stands beside it, too, and nowhere but in its column. One case after the other: how many rows of a statement are of how many cases is nothing that the planner
-- could know.
create function ozg_entered() returns trigger
    language plpgsql volatile
    set search_path = public, pg_temp
as $$
declare
    e record;
begin
    for e in
        select case_id, jsonb_object_agg(beside, value) v, array_agg(field) fields
        from (select case_id, field, ozg_column(field) beside, ozg_found(field, text, number, time) as value from entered where case_id = target_id offset 0) each
        where beside is not null group by case_id
    loop
        update cases set
            extension_1 = coalesce(e.v ->> '1', ozg_but(extension_1, e.fields)), extension_2 = coalesce(e.v ->> '2', ozg_but(extension_2, e.fields)),
            extension_3 = coalesce(e.v ->> '3', ozg_but(extension_3, e.fields)), extension_4 = coalesce(e.v ->> '4', ozg_but(extension_4, e.fields)),
            extension_5 = coalesce(e.v ->> '5', ozg_but(extension_5, e.fields)), extension_6 = coalesce(e.v ->> '6', ozg_but(extension_6, e.fields)),
            extension_7 = coalesce(e.v ->> '7', ozg_but(extension_7, e.fields)), extension_8 = coalesce(e.v ->> '8', ozg_but(extension_8, e.fields)),
            extension_9 = coalesce(e.v ->> '9', ozg_but(extension_9, e.fields)), extension_10 = coalesce(e.v ->> '10', ozg_but(extension_10, e.fields))
        where id = e.case_id and not jsonb_build_object('1', extension_1, '2', extension_2, '3', extension_3, '4', extension_4, '5', extension_5,
            '6', extension_6, '7', extension_7, '8', extension_8, '9', extension_9, '10', extension_10) @> e.v;
    end loop;
    return null;
end $$;
-- +goose StatementEnd
create trigger entered after insert on extension_entries referencing new table as entered for each statement execute function ozg_entered();

-- +goose StatementBegin
-- ... and what is thrown away of a case does not stand beside it any more. It is looked at last of all in a transaction: whoever changes one value enters all of them anew, and the row of the
-- case is written for what has changed alone.
create function ozg_thrown_away() returns trigger
    language plpgsql volatile
    set search_path = public, pg_temp
as $$
declare
    gone constant bigint[] := array[old.field];
begin
    if ozg_column(old.field) is null or not exists (select from extension_entries e where e.target_id = old.target_id and e.field = old.field) then
        update cases set
            extension_1 = ozg_but(extension_1, gone), extension_2 = ozg_but(extension_2, gone), extension_3 = ozg_but(extension_3, gone),
            extension_4 = ozg_but(extension_4, gone), extension_5 = ozg_but(extension_5, gone), extension_6 = ozg_but(extension_6, gone),
            extension_7 = ozg_but(extension_7, gone), extension_8 = ozg_but(extension_8, gone), extension_9 = ozg_but(extension_9, gone),
            extension_10 = ozg_but(extension_10, gone)
        where id = old.case_id and old.field::text in (split_part(extension_1, '=', 1), split_part(extension_2, '=', 1), split_part(extension_3, '=', 1), split_part(extension_4, '=', 1), split_part(extension_5, '=', 1),
            split_part(extension_6, '=', 1), split_part(extension_7, '=', 1), split_part(extension_8, '=', 1), split_part(extension_9, '=', 1), split_part(extension_10, '=', 1));
    end if;
    return null;
end $$;
-- +goose StatementEnd
revoke all on function ozg_column(bigint), ozg_found(bigint, text, double precision, timestamptz), ozg_but(text, bigint[]), ozg_in_force(), ozg_entered(), ozg_thrown_away() from public;
grant execute on function ozg_column(bigint), ozg_found(bigint, text, double precision, timestamptz), ozg_but(text, bigint[]), ozg_entered(), ozg_thrown_away() to ozg_serving;
create constraint trigger thrown_away after delete on extension_entries deferrable initially deferred for each row when (old.case_id = old.target_id) execute function ozg_thrown_away();

-- That the caretaker is through with a version is news now: from then on it is looked for in the columns.
create or replace trigger extensions_changed after insert or update of state, indexed_at or delete on extension_definitions for each statement execute function ozg_extensions_changed();
