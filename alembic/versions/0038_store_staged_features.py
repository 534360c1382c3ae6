"""Storing staged features loses no valid value"""

from alembic import op

revision = "0038"
down_revision = "0037"

# A row outside the partitions is set aside before the INSERT, which it would fail; LOCK keeps the partitions that were
# seen. Sorted by key, so that two batches wait for one another in one order and never in a circle. ON CONFLICT reads
# the row that is there once it is locked: a valid value that another batch has just written is not overwritten either.
REPORT = r"""
CREATE FUNCTION store_staged_features_report(
    OUT staged bigint, OUT stored bigint, OUT invalid bigint, OUT rejected bigint, OUT superseded bigint
) LANGUAGE plpgsql SET timezone = 'UTC' SET datestyle = 'ISO, YMD' AS $$
DECLARE
    top CONSTANT numeric := 99999999999999999999.999999995;  -- rounds to more than numeric(28,8) holds
    inside text;
BEGIN
    IF to_regclass('pg_temp.invalid_features') IS NULL THEN
        CREATE TEMPORARY TABLE invalid_features (
            LIKE pg_temp.staged_features, reason text NOT NULL, is_stored boolean NOT NULL
        ) ON COMMIT DROP;
    END IF;
    DELETE FROM pg_temp.invalid_features;
    LOCK TABLE ONLY ml_feature_store IN ROW EXCLUSIVE MODE;
    SELECT coalesce(string_agg(coalesce(pg_get_partition_constraintdef(relid), 'true'), ' OR '), 'false') INTO inside
    FROM pg_partition_tree('ml_feature_store') WHERE isleaf AND level > 0;
    EXECUTE format('INSERT INTO pg_temp.invalid_features SELECT *, %L, false FROM pg_temp.staged_features
        WHERE (%s) IS NOT TRUE', 'timestamp is outside the partitions of ml_feature_store', inside);
    SELECT count(*) INTO staged FROM pg_temp.staged_features;
    WITH numbers AS MATERIALIZED (
        SELECT *, staged_number(value) v, staged_number(confidence_score) c, staged_number(data_quality_score) q
        FROM pg_temp.staged_features s
        WHERE NOT EXISTS (SELECT FROM pg_temp.invalid_features i WHERE i.n = s.n)
    ), judged AS MATERIALIZED (
        SELECT *, nullif(concat_ws('; ',
            CASE WHEN value IS NULL THEN 'value is missing'
                 WHEN v IS NULL OR v = 'NaN' THEN 'value is not a number'
                 WHEN abs(v) >= top THEN 'value is too large for numeric(28,8)' END,
            CASE WHEN confidence_score IS NOT NULL AND (c BETWEEN 0 AND 1) IS NOT TRUE
                 THEN 'confidence_score is not a number of 0-1' END,
            CASE WHEN data_quality_score IS NOT NULL AND (q BETWEEN 0 AND 1) IS NOT TRUE
                 THEN 'data_quality_score is not a number of 0-1' END), '') AS reason
        FROM numbers
    ), chosen AS MATERIALIZED (
        SELECT DISTINCT ON (ticker, feature_id, timestamp) * FROM judged
        ORDER BY ticker, feature_id, timestamp, reason IS NULL DESC, n DESC
    ), upserted AS (
        INSERT INTO ml_feature_store AS f (ticker, timestamp, feature_id, value, confidence_score, data_quality_score,
            source_provider, validation_status)
        SELECT ticker, timestamp, feature_id, CASE WHEN abs(v) < top THEN v END,
            CASE WHEN c BETWEEN 0 AND 1 THEN c END, CASE WHEN q BETWEEN 0 AND 1 THEN q END, source_provider,
            CASE WHEN reason IS NULL THEN 'valid' ELSE 'invalid' END
        FROM chosen ORDER BY ticker, feature_id, timestamp
        ON CONFLICT (ticker, feature_id, timestamp) DO UPDATE SET
            value = excluded.value, confidence_score = excluded.confidence_score,
            data_quality_score = excluded.data_quality_score, source_provider = excluded.source_provider,
            validation_status = excluded.validation_status
        WHERE excluded.validation_status = 'valid' OR f.validation_status = 'invalid'
        RETURNING ticker, feature_id, timestamp
    ), told AS (
        INSERT INTO pg_temp.invalid_features
        SELECT s.*, reason, n IN (SELECT n FROM chosen JOIN upserted USING (ticker, feature_id, timestamp))
        FROM judged JOIN pg_temp.staged_features s USING (n) WHERE reason IS NOT NULL
    )
    SELECT count(*) INTO stored FROM upserted;
    SELECT count(*), count(*) FILTER (WHERE NOT is_stored) INTO invalid, rejected FROM pg_temp.invalid_features;
    superseded := staged - stored - rejected;
    DELETE FROM pg_temp.staged_features;
END
$$
"""

STORE = """
CREATE OR REPLACE FUNCTION store_staged_features(OUT staged bigint, OUT stored bigint, OUT invalid bigint)
LANGUAGE sql AS $$ SELECT staged, stored, invalid FROM store_staged_features_report() $$
"""

# As 0035 has it.
OLD_STORE = r"""
CREATE OR REPLACE FUNCTION store_staged_features(OUT staged bigint, OUT stored bigint, OUT invalid bigint)
LANGUAGE plpgsql AS $$
DECLARE
    number CONSTANT text := '^[+-]?[0-9]{1,19}([.][0-9]{1,200})?([eE]-[0-9]{1,3})?$';
BEGIN
    SELECT count(*) INTO staged FROM pg_temp.staged_features;
    WITH numbers AS MATERIALIZED (
        SELECT *,
            CASE WHEN value ~ number THEN value::numeric END AS v,
            CASE WHEN confidence_score ~ number THEN confidence_score::numeric END AS c,
            CASE WHEN data_quality_score ~ number THEN data_quality_score::numeric END AS q
        FROM (
            SELECT DISTINCT ON (ticker, feature_id, timestamp) * FROM pg_temp.staged_features
            ORDER BY ticker, feature_id, timestamp, n DESC
        ) last
    ), upserted AS (
        INSERT INTO ml_feature_store (ticker, timestamp, feature_id, value, confidence_score, data_quality_score,
            source_provider, validation_status)
        SELECT ticker, timestamp, feature_id, v,
            CASE WHEN c BETWEEN 0 AND 1 THEN c END, CASE WHEN q BETWEEN 0 AND 1 THEN q END, source_provider,
            CASE WHEN v IS NOT NULL AND (confidence_score IS NULL OR coalesce(c BETWEEN 0 AND 1, false))
                  AND (data_quality_score IS NULL OR coalesce(q BETWEEN 0 AND 1, false))
                 THEN 'valid' ELSE 'invalid' END
        FROM numbers
        ON CONFLICT (ticker, feature_id, timestamp) DO UPDATE SET
            value = excluded.value, confidence_score = excluded.confidence_score,
            data_quality_score = excluded.data_quality_score, source_provider = excluded.source_provider,
            validation_status = excluded.validation_status
        RETURNING validation_status
    )
    SELECT count(*), count(*) FILTER (WHERE validation_status = 'invalid') INTO stored, invalid FROM upserted;
    DELETE FROM pg_temp.staged_features;
END
$$
"""

# The schema of the tables and no other, so that the functions find them whoever calls.
BIND = """
DO $$ BEGIN
    EXECUTE format('ALTER FUNCTION {function} SET search_path = %I, pg_temp', current_schema());
END $$
"""

SERVICE = "D1 Integration with VFR Database Services, Extending Existing Database Service"
COMMENTS = {
    "store_staged_features_report()": "Moves staged_features into ml_feature_store: staged = stored + rejected + "
    "superseded by a later row of the same key. Valid rows replace what is there; of equal keys the last valid one "
    "wins. An invalid row is stored, NULL for what cannot be read, where the key is new or its row invalid, else "
    "rejected, as is a row outside the partitions. Temporary table invalid_features: each invalid row with its reason",
    "store_staged_features()": "As store_staged_features_report(): rows staged, stored, and invalid, rejected or not",
}
OLD_COMMENT = (
    "Moves staged_features into ml_feature_store; of equal keys the last wins; a number "
    "that cannot be read or is out of range becomes NULL and its row invalid, every other row valid"
)


def upgrade() -> None:
    op.execute(REPORT)
    op.execute(STORE)
    for function, meaning in COMMENTS.items():
        op.execute(BIND.replace("{function}", function))
        op.execute(f"COMMENT ON FUNCTION {function} IS '{meaning}; {SERVICE}'")


def downgrade() -> None:
    op.execute(OLD_STORE)
    op.execute(BIND.replace("{function}", "store_staged_features()"))
    op.execute(f"COMMENT ON FUNCTION store_staged_features() IS '{OLD_COMMENT}; {SERVICE}'")
    op.execute("DROP FUNCTION store_staged_features_report()")
