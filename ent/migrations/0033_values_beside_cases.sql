-- SPDX-License-Identifier: EUPL-1.2
-- The first values by which an owner has cases filtered stand beside each case a second time, so that it is found by them as by a column of the standard house: off an index
-- in the order in which lists run, without a look at the entries and from them at each case. See docs/decisions/0020.

-- +goose Up
-- 1 to 3 a Land's, 4 a district's, 5 and 6 an authority's: of no case can two owners of one kind be meant. A value is written as ozg_found does.
alter table cases add column extension_1 text, add column extension_2 text, add column extension_3 text, add column extension_4 text, add column extension_5 text, add column extension_6 text;
create index cases_extension_1      on cases (place, extension_1, received_at desc, id desc) where extension_1 is not null;
create index cases_extension_2      on cases (place, extension_2, received_at desc, id desc) where extension_2 is not null;
create index cases_extension_3      on cases (place, extension_3, received_at desc, id desc) where extension_3 is not null;
create index cases_extension_4      on cases (place, extension_4, received_at desc, id desc) where extension_4 is not null;
create index cases_extension_5      on cases (place, extension_5, received_at desc, id desc) where extension_5 is not null;
create index cases_extension_6      on cases (place, extension_6, received_at desc, id desc) where extension_6 is not null;
create index cases_land_extension_1 on cases (land, extension_1, received_at desc, id desc) where extension_1 is not null;
create index cases_land_extension_2 on cases (land, extension_2, received_at desc, id desc) where extension_2 is not null;
create index cases_land_extension_3 on cases (land, extension_3, received_at desc, id desc) where extension_3 is not null;

-- Which fields stand in which column: those of the versions in force.
create table extension_columns (
  field bigint primary key,
  beside smallint not null check (beside between 1 and 6)
);
revoke all on extension_columns from public;
grant select on extension_columns to ozg_serving;
grant update (extension_1, extension_2, extension_3, extension_4, extension_5, extension_6) on cases to ozg_serving;

-- +goose StatementBegin
-- A field's key and its value; of a number and of a time the bytes in which they are sent, as these have one form alone.
create function ozg_found(field bigint, text text, number double precision, moment timestamptz) returns text
    language sql immutable parallel safe
as $$
    select field || '=' || coalesce(text, encode(float8send(number + 0), 'hex'), encode(timestamptz_send(moment), 'hex'))
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
-- What is entered for a case stands beside it, too.
create function ozg_entered() returns trigger
    language plpgsql volatile
    set search_path = public, pg_temp
as $$
begin
    update cases c set
        extension_1 = coalesce(v.s1, extension_1), extension_2 = coalesce(v.s2, extension_2), extension_3 = coalesce(v.s3, extension_3),
        extension_4 = coalesce(v.s4, extension_4), extension_5 = coalesce(v.s5, extension_5), extension_6 = coalesce(v.s6, extension_6)
    from (select case_id, max(value) filter (where beside = 1) s1, max(value) filter (where beside = 2) s2, max(value) filter (where beside = 3) s3,
              max(value) filter (where beside = 4) s4, max(value) filter (where beside = 5) s5, max(value) filter (where beside = 6) s6
          from (select e.case_id, k.beside, ozg_found(e.field, e.text, e.number, e.time) as value from entered e join extension_columns k using (field) where e.case_id = e.target_id) each
          group by case_id) v
    where c.id = v.case_id and (s1 <> coalesce(extension_1, '') or s2 <> coalesce(extension_2, '') or s3 <> coalesce(extension_3, '')
        or s4 <> coalesce(extension_4, '') or s5 <> coalesce(extension_5, '') or s6 <> coalesce(extension_6, ''));
    return null;
end $$;
-- +goose StatementEnd
create trigger entered after insert on extension_entries referencing new table as entered for each statement execute function ozg_entered();

-- +goose StatementBegin
-- A value beside a case, or null where it is of one of these fields.
create function ozg_but(value text, fields text[]) returns text
    language sql immutable parallel safe
as $$
    select case when split_part(value, '=', 1) <> all (fields) then value end
$$;
-- +goose StatementEnd

-- +goose StatementBegin
-- ... and what is thrown away of a case does not stand beside it any more.
create function ozg_thrown_away() returns trigger
    language plpgsql volatile
    set search_path = public, pg_temp
as $$
begin
    update cases c set
        extension_1 = ozg_but(extension_1, v.fields), extension_2 = ozg_but(extension_2, v.fields), extension_3 = ozg_but(extension_3, v.fields),
        extension_4 = ozg_but(extension_4, v.fields), extension_5 = ozg_but(extension_5, v.fields), extension_6 = ozg_but(extension_6, v.fields)
    from (select case_id, array_agg(field::text) fields from thrown where case_id = target_id group by case_id) v
    where c.id = v.case_id and array[split_part(extension_1, '=', 1), split_part(extension_2, '=', 1), split_part(extension_3, '=', 1),
        split_part(extension_4, '=', 1), split_part(extension_5, '=', 1), split_part(extension_6, '=', 1)] && v.fields;
    return null;
end $$;
-- +goose StatementEnd
revoke all on function ozg_found(bigint, text, double precision, timestamptz), ozg_but(text, text[]), ozg_in_force(), ozg_entered(), ozg_thrown_away() from public;
grant execute on function ozg_found(bigint, text, double precision, timestamptz), ozg_but(text, text[]), ozg_entered(), ozg_thrown_away() to ozg_serving;
create trigger thrown_away after delete on extension_entries referencing old table as thrown for each statement execute function ozg_thrown_away();

-- +goose StatementBegin
-- What was in force before: the first fields that cases have values of.
do $$
begin
    perform set_config('app.lo', '0', true), set_config('app.hi', '999999999999999', true), set_config('app.owner', '', true);
    insert into extension_columns
        select field, k.before + n from (
            select e.field, d.kind, row_number() over (partition by d.place order by e.field) n
            from (select distinct field from extension_entries where case_id = target_id) e
            join (select t.place, t.kind, v.numbers from extension_definitions v join tenants t on t.id = v.tenant_id where v.state in ('ACTIVE', 'DEPRECATED')) d
                on d.place = e.field / 8192 and exists (select from jsonb_each_text(d.numbers -> 'of') of where of.value::bigint = e.field % 8192)) had
        join (values ('LAND', 0, 3), ('DISTRICT', 3, 1), ('AUTHORITY', 4, 2)) k (kind, before, most) on k.kind = had.kind and n <= k.most;
    update extension_definitions d set numbers = numbers || jsonb_build_object('columns', c.columns)
        from (select field / 8192 as place, jsonb_object_agg(field % 8192, beside) columns from extension_columns group by 1) c
        where c.place = d.place and d.state in ('ACTIVE', 'DEPRECATED');
    update cases c set extension_1 = v.s1, extension_2 = v.s2, extension_3 = v.s3, extension_4 = v.s4, extension_5 = v.s5, extension_6 = v.s6
        from (select case_id, max(value) filter (where beside = 1) s1, max(value) filter (where beside = 2) s2, max(value) filter (where beside = 3) s3,
                  max(value) filter (where beside = 4) s4, max(value) filter (where beside = 5) s5, max(value) filter (where beside = 6) s6
              from (select e.case_id, k.beside, ozg_found(e.field, e.text, e.number, e.time) as value from extension_entries e join extension_columns k using (field) where e.case_id = e.target_id) each
              group by case_id) v
        where c.id = v.case_id;
end $$;
-- +goose StatementEnd
