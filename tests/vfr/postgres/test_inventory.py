"""What the head consists of: D2's tables and indexes, no duplicates, names and comments everywhere."""

import psycopg

from .rows import insert, insert_base, scalar

TABLES = [
    "model_training_history",
    "probabilistic_models",
    "probability_config_templates",
    "tenant_roles",
    "tenants",
    "trading_decisions",
    "user_probability_preferences",
    "users",
]
# Partitions are data: which of them there are depends on the day.
OURS = "relnamespace = 'public'::regnamespace AND relname <> 'alembic_version' AND NOT relispartition"
D2 = f"{OURS} AND relname !~ '^(ml|mv)_'"


def names(connection: psycopg.Connection, query: str) -> list[str]:
    return [row[0] for row in connection.execute(query)]


def test_tables_are_the_eight_and_none_of_clickhouse(connection: psycopg.Connection) -> None:
    assert names(connection, f"SELECT relname FROM pg_class WHERE relkind = 'r' AND {D2} ORDER BY 1") == TABLES


def test_indexes_are_those_of_the_document_without_the_duplicate(connection: psycopg.Connection) -> None:
    query = """SELECT i.relname FROM pg_index JOIN pg_class i ON i.oid = indexrelid JOIN pg_class t ON t.oid = indrelid
               WHERE i.relname ~ '^idx_' AND t.relname !~ '^(ml|mv)_' ORDER BY 1"""
    assert names(connection, query) == [
        "idx_config_templates_created_by",
        "idx_config_templates_tenant",
        "idx_probabilistic_models_performance",
        "idx_probabilistic_models_tenant",
        "idx_probabilistic_models_type_status",
        "idx_trading_decisions_symbol_confidence",
        "idx_trading_decisions_symbol_time",
        "idx_trading_decisions_user",
        "idx_training_history_model",
        "idx_training_history_status",
        "idx_training_history_tenant",
        "idx_user_prefs_learning",
        "idx_user_prefs_risk_tolerance",
    ]


def test_indexes_are_valid_and_none_is_the_beginning_of_another(connection: psycopg.Connection) -> None:
    query = """
        SELECT a.indexrelid::regclass::text FROM pg_index a JOIN pg_index b USING (indrelid)
        WHERE a.indexrelid <> b.indexrelid AND NOT a.indisunique AND a.indexprs IS NULL AND b.indexprs IS NULL
          AND a.indpred::text IS NOT DISTINCT FROM b.indpred::text
          AND b.indkey::text || ' ' LIKE a.indkey::text || ' %'
          AND b.indoption::text || ' ' LIKE a.indoption::text || ' %'
    """
    assert names(connection, query) == []
    assert scalar(connection, "SELECT count(*) FROM pg_index WHERE NOT indisvalid") == 0


def test_best_model_is_one_that_was_measured_and_found_by_the_index(connection: psycopg.Connection) -> None:
    insert_base(connection)
    insert(connection, "probabilistic_models", accuracy="0.7")
    query = """SELECT accuracy FROM probabilistic_models WHERE status = 'active'
               ORDER BY accuracy DESC NULLS LAST, calibration_score DESC NULLS LAST LIMIT 1"""
    assert str(scalar(connection, query)) == "0.7"
    connection.execute("SET LOCAL enable_seqscan = off")
    plan = connection.execute(f"EXPLAIN {query}").fetchall()
    assert "using idx_probabilistic_models_performance" in str(plan)
    assert "Sort" not in str(plan)


def test_tables_columns_functions_and_policies_are_commented(connection: psycopg.Connection) -> None:
    assert (
        names(
            connection,
            f"""
        SELECT relname || '.' || attname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
        WHERE relkind IN ('r', 'p', 'm', 'v') AND {OURS} AND attnum > 0 AND NOT attisdropped
          AND col_description(attrelid, attnum) IS NULL
        UNION ALL SELECT relname FROM pg_class
        WHERE relkind IN ('r', 'p', 'm', 'v') AND {OURS}
          AND coalesce(obj_description(oid, 'pg_class'), '') !~ '(D2 §[26]|D1 (§[1-5]|Database Performance))'
        UNION ALL SELECT proname FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace AND obj_description(oid, 'pg_proc') IS NULL
        UNION ALL SELECT polname FROM pg_policy WHERE obj_description(oid, 'pg_policy') IS NULL
        """,
        )
        == []
    )


def test_constraints_are_named_by_their_kind(connection: psycopg.Connection) -> None:
    query = """
        SELECT conname FROM pg_constraint JOIN pg_class c ON c.oid = conrelid
        WHERE connamespace = 'public'::regnamespace AND relname <> 'alembic_version' AND NOT relispartition
          AND conname !~ CASE contype
              WHEN 'c' THEN '^chk_' WHEN 't' THEN '^chk_' WHEN 'f' THEN '^fk_' WHEN 'u' THEN '^uq_'
              WHEN 'p' THEN '_pkey$' ELSE '_not_null$' END
    """
    assert names(connection, query) == []


def test_tenant_is_text_in_every_table(connection: psycopg.Connection) -> None:
    query = """
        SELECT table_name || ' ' || data_type FROM information_schema.columns
        WHERE table_schema = 'public' AND column_name IN ('tenant_id', 'slug') ORDER BY 1
    """
    assert names(connection, query) == [f"{table} text" for table in TABLES]
