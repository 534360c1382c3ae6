"""A schema as a flat inventory: one line for each object, to compare with what the document defines."""

import re

import psycopg

COLUMNS = """
    SELECT 'column ' || relname || '.' || attname,
           format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN ' not null' ELSE '' END
    FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
    WHERE relkind IN ('r', 'p') AND attnum > 0 AND NOT attisdropped AND {ours}
"""
RELATIONS = """
    SELECT CASE relkind WHEN 'v' THEN 'view ' WHEN 'm' THEN 'materialized view ' ELSE 'table ' END || relname,
           CASE relkind WHEN 'p' THEN 'partitioned by ' || pg_get_partkeydef(pg_class.oid) WHEN 'r' THEN 'table' ELSE
               (SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute
                WHERE attrelid = pg_class.oid AND attnum > 0) END
    FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm') AND {ours}
"""
CONSTRAINTS = """
    SELECT CASE contype WHEN 'c' THEN 'check ' WHEN 'f' THEN 'foreign key ' WHEN 'u' THEN 'unique ' ELSE 'key ' END
           || relname || CASE contype
               WHEN 'c' THEN '.' || regexp_replace(conname, '^' || relname || '_(.*)_check\\d*$', 'chk_\\1')
               WHEN 'p' THEN ''
               ELSE '(' || (SELECT string_agg(attname, ', ' ORDER BY n) FROM unnest(conkey) WITH ORDINALITY k (num, n)
                           JOIN pg_attribute ON attrelid = conrelid AND attnum = num) || ')' END,
           pg_get_constraintdef(pg_constraint.oid)
    FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid WHERE contype IN ('c', 'f', 'u', 'p') AND {ours}
"""
INDEXES = """
    SELECT 'index ' || i.relname, pg_get_indexdef(indexrelid)
    FROM pg_index JOIN pg_class i ON i.oid = indexrelid JOIN pg_class ON pg_class.oid = indrelid
    WHERE i.relname ~ '^idx_' AND {ours}
"""
FUNCTIONS = """
    SELECT 'function ' || proname, pg_get_function_identity_arguments(oid) FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace AND proname = ANY(%s)
"""
TRIGGERS = """
    SELECT 'trigger ' || tgname, pg_class.relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
    WHERE NOT tgisinternal AND {ours}
"""
OURS = """pg_class.relnamespace = 'public'::regnamespace AND NOT pg_class.relispartition
          AND pg_class.relname ~ '^(ml|mv|vw)_'"""
NAMES = [
    "check_environment_traffic",
    "create_monthly_partitions",
    "drop_old_partitions",
    "feature_matrix",
    "feature_matrix_summary",
    "maintain_ml_tables",
    "refresh_daily_features",
    "stage_features",
    "staged_number",
    "store_staged_features",
    "store_staged_features_report",
    "update_prediction_actual",
]


def inventory(connection: psycopg.Connection) -> dict[str, str]:
    """Every object of D1 in schema public, by kind and name, in words that do not differ between servers."""
    found: dict[str, str] = {}
    for query in (RELATIONS, COLUMNS, CONSTRAINTS, INDEXES, TRIGGERS):
        found |= dict(connection.execute(query.replace("{ours}", OURS)).fetchall())
    found |= dict(connection.execute(FUNCTIONS, [NAMES]).fetchall())
    return {name: re.sub(r"public\.| ON ONLY", _shorter, text) for name, text in sorted(found.items())}


def _shorter(match: re.Match[str]) -> str:
    return " ON" if match[0] == " ON ONLY" else ""
