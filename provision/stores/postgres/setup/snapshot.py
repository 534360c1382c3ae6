"""What a PostgreSQL database is made of, an object a line of its definition; one query for each kind of object.

Partitions are left out: which there are depends on the day, and their parent says what they look like. So is what
belongs to an extension, and what is provision's or Alembic's own.
"""

from __future__ import annotations

from provision.model import StoreOptions
from provision.ports.kind import Objects
from provision.stores.postgres.migrate.version_table import version_table
from provision.stores.postgres.server import connect

NEW = ("schema public",)
"""What a new database holds."""

_OURS = """
n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'provision')
and not exists (select from pg_depend d where d.objid = {oid} and d.classid = '{catalog}'::regclass and d.deptype = 'e')
"""
_NOT_OWN = "{oid} is distinct from to_regclass(current_setting('provision.version_table'))"
_RELATION = (
    f"{_OURS.format(oid='c.oid', catalog='pg_class')} and not c.relispartition and {_NOT_OWN.format(oid='c.oid')}"
)
# Not what the owner has: that is whoever ran the revisions. MAINTAIN is part of ALL from 17 on.
_GRANTED = """
coalesce((select E'\\n  GRANTED ' || string_agg(told, ', ' order by told) from (
    select coalesce(nullif(grantee, 0)::regrole::text, 'public') || ' '
        || string_agg(privilege_type || case when is_grantable then ' with grant option' else '' end, ' '
            order by privilege_type) as told
    from aclexplode({acl}) where grantee <> {owner} and privilege_type <> 'MAINTAIN' group by grantee) granted), '')
"""
# Everybody has the right where nothing is said.
_OPEN = """
coalesce((select E'\\n  GRANTED ' || string_agg(told, ', ' order by told) from (
    select coalesce(nullif(grantee, 0)::regrole::text, 'public') || ' '
        || privilege_type || case when is_grantable then ' with grant option' else '' end as told
    from aclexplode({acl}) where grantee <> {owner} and grantee <> 0) granted), '')
|| case when {acl} is not null and not exists (select from aclexplode({acl}) where grantee = 0)
    then E'\\n  NOT GRANTED public {right}' else '' end
"""
_COMMENT = "coalesce(E'\\n  COMMENT ' || obj_description({oid}, '{catalog}'), '')"
# A line a column, whatever its comment holds.
_ONE_LINE = r"replace(replace({text}, E'\\', E'\\\\'), E'\n', E'\\n')"
_COLUMNS = f"""
(select string_agg(E'\\n  ' || quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod)
    || case when a.attcollation not in (0, t.typcollation) then ' collate ' || a.attcollation::regcollation else '' end
    || case when a.attnotnull then ' not null' else '' end
    || case a.attidentity when 'a' then ' identity always' when 'd' then ' identity' else '' end
    || case when d.adbin is null then '' when a.attgenerated = 's' then ' generated '
        when a.attgenerated = 'v' then ' virtual ' else ' default ' end
    || coalesce(pg_get_expr(d.adbin, d.adrelid), '')
    || coalesce(' -- ' || {_ONE_LINE.format(text="col_description(a.attrelid, a.attnum)")}, ''), '' order by a.attnum)
from pg_attribute a join pg_type t on t.oid = a.atttypid
left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped)
"""
_STORAGE = """
coalesce((select E'\\n  STORAGE ' || string_agg(quote_ident(a.attname) || ' ' || case a.attstorage
        when 'p' then 'PLAIN' when 'e' then 'EXTERNAL' when 'm' then 'MAIN' else 'EXTENDED' end, ', ' order by a.attnum)
    from pg_attribute a join pg_type t on t.oid = a.atttypid
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attstorage <> t.typstorage
        and c.relkind in ('r', 'p')), '')
|| coalesce((select E'\\n  COMPRESSION ' || string_agg(quote_ident(a.attname) || ' ' || case a.attcompression
        when 'l' then 'lz4' else 'pglz' end, ', ' order by a.attnum)
    from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        and a.attcompression <> ''), '')
|| case when c.relkind not in ('r', 'p') then '' else case c.relreplident when 'f' then E'\\n  REPLICA IDENTITY FULL'
    when 'n' then E'\\n  REPLICA IDENTITY NOTHING'
    when 'i' then E'\\n  REPLICA IDENTITY USING INDEX ' || coalesce((select quote_ident(x.relname)
        from pg_index i join pg_class x on x.oid = i.indexrelid where i.indrelid = c.oid and i.indisreplident), '')
    else '' end end
|| coalesce((select E'\\n  INHERITS ' || string_agg(inhparent::regclass::text, ', ' order by inhseqno)
    from pg_inherits where inhrelid = c.oid), '')
|| coalesce((select E'\\n  COLUMNS GRANTED ' || string_agg(told, ', ' order by told) from (
    select quote_ident(a.attname) || ' ' || coalesce(nullif(g.grantee, 0)::regrole::text, 'public') || ' '
        || string_agg(g.privilege_type, ' ' order by g.privilege_type) as told
    from pg_attribute a, aclexplode(a.attacl) g where a.attrelid = c.oid and not a.attisdropped
        and g.grantee <> c.relowner group by a.attname, g.grantee) granted), '')
"""
# What CREATE SEQUENCE says by itself is left out.
_SEQUENCE = """
(select 'sequence' || concat(
    case when s.seqtypid <> 'bigint'::regtype and not exists (select from pg_depend d
        where d.objid = c.oid and d.classid = 'pg_class'::regclass and d.deptype in ('a', 'i'))
        then ' AS ' || format_type(s.seqtypid, null) end,
    case when s.seqincrement <> 1 then ' INCREMENT BY ' || s.seqincrement end,
    case when s.seqmin <> case when s.seqincrement > 0 then 1 else s.seqmin end then ' MINVALUE ' || s.seqmin end,
    case when s.seqincrement > 0 and s.seqmax not in (32767, 2147483647, 9223372036854775807)
        then ' MAXVALUE ' || s.seqmax end,
    case when s.seqincrement > 0 and s.seqstart <> s.seqmin then ' START WITH ' || s.seqstart end,
    case when s.seqcache <> 1 then ' CACHE ' || s.seqcache end,
    case when s.seqcycle then ' CYCLE' end)
    from pg_sequence s where s.seqrelid = c.oid)
"""
_QUERIES = (
    f"""
    select 'schema ' || quote_ident(n.nspname), 'schema' || {_GRANTED.format(acl="n.nspacl", owner="n.nspowner")}
        || {_COMMENT.format(oid="n.oid", catalog="pg_namespace")}
    from pg_namespace n where {_OURS.format(oid="n.oid", catalog="pg_namespace")}
    """,
    """
    select 'extension ' || quote_ident(extname), 'version ' || extversion from pg_extension where extname <> 'plpgsql'
    """,
    f"""
    select case c.relkind when 'v' then 'view ' when 'm' then 'materialized view ' when 'S' then 'sequence '
            when 'f' then 'foreign table ' when 'c' then 'type ' else 'table ' end
        || format('%I.%I', n.nspname, c.relname),
        case when c.relkind in ('v', 'm') then pg_get_viewdef(c.oid) when c.relkind = 'S' then {_SEQUENCE}
            else coalesce({_COLUMNS}, '') end
        || coalesce(E'\\n  PARTITION BY ' || pg_get_partkeydef(c.oid), '')
        || case c.relpersistence when 'u' then E'\\n  UNLOGGED' else '' end
        || case when c.relrowsecurity then E'\\n  ROW SECURITY' else '' end
        || case when c.relforcerowsecurity then E'\\n  FORCED ROW SECURITY' else '' end
        || coalesce(E'\\n  WITH ' || array_to_string(c.reloptions, ', '), '') || {_STORAGE}
        || {_GRANTED.format(acl="c.relacl", owner="c.relowner")} || {_COMMENT.format(oid="c.oid", catalog="pg_class")}
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm', 'f', 'c', 'S') and {_RELATION}
    """,
    f"""
    select 'index ' || format('%I.%I', n.nspname, c.relname), pg_get_indexdef(c.oid)
        || case when i.indisvalid then '' else ' INVALID' end || {_COMMENT.format(oid="c.oid", catalog="pg_class")}
    from pg_index i join pg_class c on c.oid = i.indexrelid join pg_class t on t.oid = i.indrelid
    join pg_namespace n on n.oid = c.relnamespace
    where not t.relispartition and {_NOT_OWN.format(oid="t.oid")} and {_RELATION}
    """,
    f"""
    select format('constraint %I of %I.%I', k.conname, n.nspname, c.relname), pg_get_constraintdef(k.oid)
        || {_COMMENT.format(oid="k.oid", catalog="pg_constraint")}
    from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
    where k.contype <> 'n' and k.conparentid = 0 and {_RELATION}
    """,
    f"""
    select format('trigger %I of %I.%I', t.tgname, n.nspname, c.relname), pg_get_triggerdef(t.oid)
        || case t.tgenabled when 'O' then '' else ' enabled ' || t.tgenabled::text end
        || {_COMMENT.format(oid="t.oid", catalog="pg_trigger")}
    from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
    where not t.tgisinternal and {_RELATION}
    """,
    f"""
    select format('policy %I of %I.%I', p.polname, n.nspname, c.relname), concat_ws(E'\\n  ',
        case when p.polpermissive then 'permissive' else 'restrictive' end || ' for ' || p.polcmd::text,
        (select 'to ' || string_agg(case r when 0 then 'public' else r::regrole::text end, ', ' order by r::text)
            from unnest(p.polroles) r),
        'using ' || pg_get_expr(p.polqual, p.polrelid), 'check ' || pg_get_expr(p.polwithcheck, p.polrelid))
        || {_COMMENT.format(oid="p.oid", catalog="pg_policy")}
    from pg_policy p join pg_class c on c.oid = p.polrelid join pg_namespace n on n.oid = c.relnamespace
    where {_RELATION}
    """,
    f"""
    select case f.prokind when 'p' then 'procedure ' when 'a' then 'aggregate ' else 'function ' end
        || format('%I.%I(%s)', n.nspname, f.proname, pg_get_function_identity_arguments(f.oid)),
        case when f.prokind in ('f', 'p') then pg_get_functiondef(f.oid)
            else pg_get_function_result(f.oid) end
        || {_OPEN.format(acl="f.proacl", owner="f.proowner", right="EXECUTE")}
        || {_COMMENT.format(oid="f.oid", catalog="pg_proc")}
    from pg_proc f join pg_namespace n on n.oid = f.pronamespace where {_OURS.format(oid="f.oid", catalog="pg_proc")}
    """,
    f"""
    select 'type ' || format('%I.%I', n.nspname, t.typname), case t.typtype
        when 'e' then 'enum ' || (select string_agg(quote_literal(enumlabel), ', ' order by enumsortorder)
            from pg_enum where enumtypid = t.oid)
        when 'r' then 'range of ' || (select format_type(rngsubtype, null) from pg_range where rngtypid = t.oid)
        else 'domain ' || format_type(t.typbasetype, t.typtypmod)
            || case when t.typnotnull then ' not null' else '' end || coalesce(' default ' || t.typdefault, '')
            || coalesce((select string_agg(format(E'\\n  CONSTRAINT %I %s', conname, pg_get_constraintdef(oid)), ''
                order by conname)
                from pg_constraint where contypid = t.oid and contype <> 'n'), '') end
        || {_OPEN.format(acl="t.typacl", owner="t.typowner", right="USAGE")}
        || {_COMMENT.format(oid="t.oid", catalog="pg_type")}
    from pg_type t join pg_namespace n on n.oid = t.typnamespace
    where t.typtype in ('e', 'd', 'r') and {_OURS.format(oid="t.oid", catalog="pg_type")}
    """,
    f"""
    select 'event trigger ' || quote_ident(evtname), format('CREATE EVENT TRIGGER %I ON %s%s EXECUTE FUNCTION %s()',
        evtname, evtevent, (select ' WHEN TAG IN (' || string_agg(quote_literal(tag), ', ') || ')'
            from unnest(evttags) tag), evtfoid::regproc)
        || case evtenabled when 'O' then '' else ' enabled ' || evtenabled::text end
        || {_COMMENT.format(oid="e.oid", catalog="pg_event_trigger")}
    from pg_event_trigger e where not exists (select from pg_depend d
        where d.objid = e.oid and d.classid = 'pg_event_trigger'::regclass and d.deptype = 'e')
    """,
    f"""
    select format('rule %I of %I.%I', r.rulename, n.nspname, c.relname), pg_get_ruledef(r.oid)
    from pg_rewrite r join pg_class c on c.oid = r.ev_class join pg_namespace n on n.oid = c.relnamespace
    where r.rulename <> '_RETURN' and {_RELATION}
    """,
    f"""
    select 'statistics ' || format('%I.%I', n.nspname, s.stxname), pg_get_statisticsobjdef(s.oid)
    from pg_statistic_ext s join pg_class c on c.oid = s.stxrelid join pg_namespace n on n.oid = s.stxnamespace
    where {_RELATION}
    """,
    f"""
    select 'collation ' || format('%I.%I', n.nspname, k.collname), format(
        'provider = %s, deterministic = %s',
        case k.collprovider when 'i' then 'icu' when 'c' then 'libc' else 'builtin' end,
        case when k.collisdeterministic then 'true' else 'false' end)
        || coalesce(', locale = ' || quote_literal(coalesce(
            to_jsonb(k) ->> 'colllocale', to_jsonb(k) ->> 'colliculocale', k.collcollate)), '')
    from pg_collation k join pg_namespace n on n.oid = k.collnamespace
    where {_OURS.format(oid="k.oid", catalog="pg_collation")}
    """,
    """
    select 'setting ' || split_part(each, '=', 1) || coalesce(' of ' || nullif(s.setrole, 0)::regrole::text, ''),
        substr(each, strpos(each, '=') + 1)
    from pg_db_role_setting s, unnest(s.setconfig) each
    where s.setdatabase = (select oid from pg_database where datname = current_database())
    """,
    "select 'publication ' || quote_ident(pubname), concat_ws(', ', case when puballtables then 'all tables' end,"
    " (select string_agg(prrelid::regclass::text, ', ' order by prrelid::regclass::text)"
    " from pg_publication_rel where prpubid = p.oid)) from pg_publication p",
)


def taken(options: StoreOptions, url: str) -> Objects:
    """Every object that a revision can make, by kind and name. Raises UnreachableError, ConfigError."""
    stated = version_table(options)
    own = [stated.get("version_table_schema", "public"), stated.get("version_table", "alembic_version")]
    with connect(url, options.name) as connection:
        # Names of other schemas are written out, whatever the search path of the user is.
        connection.execute("set search_path = pg_catalog")
        connection.execute(
            "select set_config('provision.version_table', format('%%I.%%I', %s::text, %s::text), false)", own
        )
        found = dict(row for query in _QUERIES for row in connection.execute(query.encode()).fetchall())
    return {str(name): str(text) for name, text in sorted(found.items())}
