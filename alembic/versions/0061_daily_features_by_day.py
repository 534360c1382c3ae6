"""Daily features are computed anew by day, where rows changed"""

from alembic import op

revision = "0061"
down_revision = "0060"
# lint: allow-file drop-index-not-concurrent: the view that they are of goes in the same transaction

SECTION = "D1 §1 Feature Store Schema, Feature Aggregation and Materialized Views"

# What reads the view reads a table of the same name, columns and indexes. A refresh of the materialized view compared
# all of its rows with all of its query: five to seven times what the query costs, also where no row had changed.
TABLES = """
CREATE TABLE daily_features AS SELECT * FROM mv_daily_features;
CREATE TABLE mv_daily_feature_days (trade_date date PRIMARY KEY, row_count bigint NOT NULL, row_hash numeric NOT NULL)
"""
# The one has the rights of the other, whatever the owner's default privileges give, and comments are kept.
ALIKE = """
DO $$ DECLARE
    given text;
BEGIN
    FOR given IN
        SELECT format('REVOKE ALL ON {new} FROM %s', CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END)
        FROM pg_class, aclexplode(relacl) WHERE pg_class.oid = '{new}'::regclass AND grantee <> relowner
    LOOP EXECUTE given; END LOOP;
    FOR given IN
        SELECT format('GRANT %s ON {new} TO %s%s', privilege_type, CASE grantee WHEN 0 THEN 'PUBLIC'
            ELSE grantee::regrole::text END, CASE WHEN is_grantable THEN ' WITH GRANT OPTION' END)
        FROM pg_class, aclexplode(relacl) WHERE pg_class.oid = '{old}'::regclass AND grantee <> relowner
        UNION ALL
        SELECT CASE objsubid WHEN 0 THEN format('COMMENT ON {kind} {new} IS %L', description)
            ELSE format('COMMENT ON COLUMN {new}.%I IS %L', attname, description) END
        FROM pg_description LEFT JOIN pg_attribute ON attrelid = objoid AND attnum = objsubid AND objsubid > 0
        WHERE classoid = 'pg_class'::regclass AND objoid = '{old}'::regclass
    LOOP EXECUTE given; END LOOP;
END $$
"""

INDEXES = [
    "UNIQUE INDEX idx_mv_daily_features_primary ON mv_daily_features (ticker, trade_date, feature_id, rank_latest)",
    "INDEX idx_mv_daily_features_date ON mv_daily_features (trade_date DESC)",
]

# Each field by a seed of its own, so that two that change places show.
HASH = """
    hashtextextended(ticker, 1) # timestamp_hash_extended(timestamp AT TIME ZONE 'UTC', 2)
    # uuid_hash_extended(feature_id, 3) # hash_numeric_extended(value, 4)
    # coalesce(hash_numeric_extended(confidence_score, 5), 5)
    # coalesce(hash_numeric_extended(data_quality_score, 6), 6) # coalesce(hashtextextended(source_provider, 7), 7)
"""

# A day is told by how many rows it has and by a hash of them: rows that are added, changed, taken away or moved into it
# by whatever way show. Rows and hash of a day are taken in one statement, so that both are of the same moment.
REFRESH = """
CREATE OR REPLACE FUNCTION refresh_daily_features() RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    since CONSTANT timestamptz := date_trunc('day', now(), 'UTC') - interval '90 days';
    changed date[];
BEGIN
    LOCK TABLE mv_daily_feature_days IN SHARE ROW EXCLUSIVE MODE;  -- one refresh at a time; readers go on
    changed := ARRAY(
        SELECT trade_date
        FROM (
            SELECT (timestamp AT TIME ZONE 'UTC')::date AS trade_date, count(*) AS row_count,
                sum({HASH}) AS row_hash
            FROM ml_feature_store WHERE timestamp >= since AND validation_status = 'valid' GROUP BY 1
        ) seen FULL JOIN mv_daily_feature_days kept USING (trade_date)
        WHERE (seen.row_count, seen.row_hash) IS DISTINCT FROM (kept.row_count, kept.row_hash)
    );
    DELETE FROM mv_daily_features WHERE trade_date = ANY (changed) OR trade_date < (since AT TIME ZONE 'UTC')::date;
    DELETE FROM mv_daily_feature_days WHERE trade_date = ANY (changed);
    WITH store AS MATERIALIZED (
        SELECT ticker, timestamp, (timestamp AT TIME ZONE 'UTC')::date AS trade_date, feature_id, value,
            confidence_score, data_quality_score, source_provider
        FROM ml_feature_store
        WHERE timestamp >= greatest(since, (SELECT min(day) FROM unnest(changed) day)::timestamp AT TIME ZONE 'UTC')
            AND timestamp < (SELECT max(day) + 1 FROM unnest(changed) day)::timestamp AT TIME ZONE 'UTC'
            AND validation_status = 'valid' AND (timestamp AT TIME ZONE 'UTC')::date = ANY (changed)
    ), days AS (
        INSERT INTO mv_daily_feature_days
        SELECT trade_date, count(*), sum({HASH})
        FROM store GROUP BY 1
    )
    INSERT INTO mv_daily_features
    SELECT ticker, trade_date, feature_id, value, confidence_score, data_quality_score, source_provider,
        rank() OVER (PARTITION BY ticker, trade_date, feature_id ORDER BY timestamp DESC)
    FROM store;
END
$$
"""

AS_BEFORE = """
CREATE OR REPLACE FUNCTION refresh_daily_features() RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    REFRESH MATERIALIZED VIEW CONCURRENTLY mv_daily_features;
END
$$
"""

VIEW = """
CREATE MATERIALIZED VIEW mv_daily_features AS
SELECT
    ticker, (timestamp AT TIME ZONE 'UTC')::date AS trade_date, feature_id, value, confidence_score, data_quality_score,
    source_provider, rank() OVER (
        PARTITION BY ticker, (timestamp AT TIME ZONE 'UTC')::date, feature_id ORDER BY timestamp DESC) AS rank_latest
FROM ml_feature_store
WHERE timestamp >= date_trunc('day', now(), 'UTC') - interval '90 days' AND validation_status = 'valid'
"""

BIND = """
DO $$ BEGIN
    EXECUTE format('ALTER FUNCTION refresh_daily_features() SET search_path = %I, pg_temp', current_schema());
END $$
"""

MEANINGS = """
COMMENT ON TABLE mv_daily_feature_days IS 'What the days of mv_daily_features were made of; {SECTION}';
COMMENT ON COLUMN mv_daily_feature_days.trade_date IS 'Day of the values, in UTC; {SECTION}';
COMMENT ON COLUMN mv_daily_feature_days.row_count
    IS 'How many valid values ml_feature_store had of it at the last refresh; {SECTION}';
COMMENT ON COLUMN mv_daily_feature_days.row_hash IS 'A hash of those, in which every change shows; {SECTION}'
"""


def finished(function: str, meaning: str) -> None:
    for index in INDEXES:
        op.execute(f"CREATE {index}")
    op.execute(function)
    op.execute(BIND)
    op.execute(f"COMMENT ON FUNCTION refresh_daily_features() IS '{meaning}; {SECTION}'")


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(ALIKE.format(old="mv_daily_features", new="daily_features", kind="TABLE"))
    op.execute("DROP INDEX IF EXISTS idx_mv_daily_features_primary, idx_mv_daily_features_date")
    op.execute("DROP MATERIALIZED VIEW mv_daily_features")
    op.execute("ALTER TABLE daily_features RENAME TO mv_daily_features")
    finished(REFRESH.replace("{HASH}", HASH), "Computes the days anew whose rows changed, beside readers")
    op.execute(MEANINGS.replace("{SECTION}", SECTION))


def downgrade() -> None:
    op.execute("ALTER TABLE mv_daily_features RENAME TO daily_features")
    op.execute(VIEW)
    op.execute(ALIKE.format(old="daily_features", new="mv_daily_features", kind="MATERIALIZED VIEW"))
    op.execute("DROP TABLE mv_daily_feature_days, daily_features")
    finished(AS_BEFORE, "Refreshes the view beside readers")
