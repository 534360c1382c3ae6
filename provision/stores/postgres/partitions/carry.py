"""What hangs on a table beside its rows, as statements that make it anew on the table that takes its name.

Definitions are read while the table has its name, and run once another has it: their text names it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from provision.stores.postgres.server import Connection

# Each query is of one table, %(table)s, and yields statements; a format() is quoted by the server. What both tables
# have can be made on another one: %(onto)s.
_TAKEN = """
select format('alter table %%s drop constraint %%I', conrelid::regclass, conname) from pg_constraint
where confrelid = %(table)s::regclass and contype = 'f' and conparentid = 0
union all
select format('drop trigger %%I on %%s', tgname, tgrelid::regclass) from pg_trigger
where tgrelid = %(table)s::regclass and not tgisinternal
union all
select format('alter table %%s alter column %%I drop identity', attrelid::regclass, attname) from pg_attribute
where attrelid = %(table)s::regclass and attidentity <> ''
"""
_IDENTITY = """
select format('alter table %%s alter column %%I add generated %%s as identity (start %%s increment %%s minvalue %%s'
    ' maxvalue %%s cache %%s %%s)', a.attrelid::regclass, a.attname,
    case a.attidentity when 'a' then 'always' else 'by default' end,
    coalesce(pg_sequence_last_value(s.seqrelid) + s.seqincrement, s.seqstart), s.seqincrement, s.seqmin, s.seqmax,
    s.seqcache, case when s.seqcycle then 'cycle' else 'no cycle' end)
from pg_attribute a join pg_sequence s
    on s.seqrelid = pg_get_serial_sequence(a.attrelid::regclass::text, a.attname)::regclass
where a.attrelid = %(table)s::regclass and a.attidentity <> ''
"""
_SEQUENCES = """
select format('alter sequence %%s owned by %%s.%%I', d.objid::regclass, d.refobjid::regclass, a.attname)
from pg_depend d join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
where d.refobjid = %(table)s::regclass and d.classid = 'pg_class'::regclass and d.deptype = 'a'
    and d.objid in (select oid from pg_class where relkind = 'S')
"""
_TRIGGERS = """
select pg_get_triggerdef(oid) from pg_trigger where tgrelid = %(table)s::regclass and not tgisinternal
union all
select format('alter table %%s %%s trigger %%I', tgrelid::regclass,
    case tgenabled when 'D' then 'disable' when 'R' then 'enable replica' else 'enable always' end, tgname)
from pg_trigger where tgrelid = %(table)s::regclass and not tgisinternal and tgenabled <> 'O'
"""
_REFERENCES = """
select format('alter table %%s add constraint %%I %%s not valid', conrelid::regclass, conname,
    replace(pg_get_constraintdef(oid), ' NOT VALID', '')) from pg_constraint
where confrelid = %(table)s::regclass and contype = 'f' and conparentid = 0
"""
_VIEWS = """
select distinct format('create or replace view %%s %%s as %%s', v.oid::regclass,
    case when v.reloptions is not null then 'with (' || array_to_string(v.reloptions, ', ') || ')' end,
    pg_get_viewdef(v.oid))
from pg_depend d join pg_rewrite r on r.oid = d.objid join pg_class v on v.oid = r.ev_class
where d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_class'::regclass
    and d.refobjid = %(table)s::regclass and v.relkind = 'v'
"""
_PUBLISHED = """
select format('alter publication %%I drop table %%s', p.pubname, r.prrelid::regclass)
from pg_publication_rel r join pg_publication p on p.oid = r.prpubid where r.prrelid = %(table)s::regclass
"""
_PUBLICATIONS = """
select format('alter publication %%I add table %%s', p.pubname, r.prrelid::regclass)
from pg_publication_rel r join pg_publication p on p.oid = r.prpubid where r.prrelid = %(table)s::regclass
"""
_KEYS = """
select format('alter table %%s add constraint %%I %%s', %(onto)s::text, conname, pg_get_constraintdef(oid))
from pg_constraint where conrelid = %(table)s::regclass and contype = 'f'
"""
_OWNER = """
select format('alter table %%s owner to %%I', %(onto)s::text, pg_get_userbyid(relowner)) from pg_class
where oid = %(table)s::regclass
"""
_GRANTS = """
select format('grant %%s on %%s to %%s%%s', g.privilege_type, %(onto)s::text,
    case g.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(g.grantee)) end,
    case when g.is_grantable then ' with grant option' else '' end)
from pg_class c, aclexplode(c.relacl) g where c.oid = %(table)s::regclass and g.grantee <> c.relowner
union all
select format('grant %%s (%%I) on %%s to %%s%%s', g.privilege_type, a.attname, %(onto)s::text,
    case g.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(g.grantee)) end,
    case when g.is_grantable then ' with grant option' else '' end)
from pg_attribute a, aclexplode(a.attacl) g where a.attrelid = %(table)s::regclass and a.attnum > 0
"""
_POLICIES = """
select format('create policy %%I on %%s as %%s for %%s to %%s%%s%%s', p.polname, %(onto)s::text,
    case when p.polpermissive then 'permissive' else 'restrictive' end,
    case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete'
        else 'all' end,
    (select string_agg(case oid when 0 then 'public' else quote_ident(pg_get_userbyid(oid)) end, ', ')
        from unnest(p.polroles) as oid),
    ' using (' || pg_get_expr(p.polqual, p.polrelid) || ')',
    ' with check (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')')
from pg_policy p where p.polrelid = %(table)s::regclass
union all
select format('alter table %%s enable row level security', %(onto)s::text) from pg_class
where oid = %(table)s::regclass and relrowsecurity
union all
select format('alter table %%s force row level security', %(onto)s::text) from pg_class
where oid = %(table)s::regclass and relforcerowsecurity
"""
_COMMENT = """
select format('comment on table %%s is %%L', %(onto)s::text, description) from pg_description
where classoid = 'pg_class'::regclass and objoid = %(table)s::regclass and objsubid = 0
"""
TAKEN = (_TAKEN, _PUBLISHED)
"""What the table gives up, so that the other one can have it."""
EARLY = (_OWNER, _POLICIES, _COMMENT)
"""What the other one can be given before it has the name."""
BEFORE = (_SEQUENCES, _TRIGGERS)
"""What the other one needs first of all."""
COPIED = (_KEYS,)
"""What both have."""
AFTER = (_REFERENCES, _PUBLICATIONS)
"""What points to it."""
MOVING = ((_IDENTITY,), (_GRANTS,), (_VIEWS,))
"""Of these, which belong before, to both and after: what changes though the table is locked against changes of it."""


def statements(connection: Connection, parts: Sequence[Sequence[str]], place: str, onto: str = "") -> list[list[str]]:
    """Of the table as it is now, those of each part; all in one round trip.

    What both have is made on `onto`, by default on the table itself. Names are as the session's search_path needs them,
    so it is set to nothing. What is asked again is planned no more, where the session lets plans be kept.
    """
    asked: Mapping[str, str] = {"table": place, "onto": onto or place}
    queries = [(part, query) for part, several in enumerate(parts) for query in several]
    numbered = (f"select {part}, {n}, s from ({query}) q (s)" for n, (part, query) in enumerate(queries))
    rows = connection.execute(" union all ".join(numbered).encode(), asked, prepare=True).fetchall()
    ordered = sorted(rows, key=lambda row: row[1])
    return [[text for part, _, text in ordered if part == number] for number in range(len(parts))]
