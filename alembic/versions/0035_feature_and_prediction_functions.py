"""Functions that read and write features and predictions"""

from alembic import op

revision = "0035"
down_revision = "0034"

# As of a moment: the last valid value not later than it, from the store itself; a view by days would leak later values.
# BEGIN ATOMIC binds the tables when the function is made.
MATRIX = """
CREATE FUNCTION feature_matrix(tickers text[], feature_ids uuid[], as_of timestamptz DEFAULT now())
RETURNS TABLE (ticker text, feature_id uuid, value numeric, confidence_score numeric, data_quality_score numeric,
    "timestamp" timestamptz)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT t.ticker, f.feature_id, s.value, s.confidence_score, s.data_quality_score, s.timestamp
    FROM (SELECT DISTINCT unnest(tickers) AS ticker) t
    CROSS JOIN (SELECT DISTINCT unnest(feature_ids) AS feature_id) f
    CROSS JOIN LATERAL (
        SELECT * FROM ml_feature_store m
        WHERE m.ticker = t.ticker AND m.feature_id = f.feature_id AND m.timestamp <= as_of
          AND m.validation_status = 'valid'
        ORDER BY m.timestamp DESC LIMIT 1
    ) s;
END
"""

SUMMARY = """
CREATE FUNCTION feature_matrix_summary(tickers text[], feature_ids uuid[], as_of timestamptz DEFAULT now())
RETURNS TABLE (expected bigint, found bigint, completeness numeric, avg_confidence numeric, avg_quality numeric)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT e.expected, m.found, m.found::numeric / nullif(e.expected, 0), m.confidence, m.quality
    FROM (
        SELECT (SELECT count(DISTINCT t) FROM unnest(tickers) t) * (SELECT count(DISTINCT f) FROM unnest(feature_ids) f)
            AS expected
    ) e CROSS JOIN (
        SELECT count(*) AS found, avg(confidence_score) AS confidence, avg(data_quality_score) AS quality
        FROM feature_matrix(tickers, feature_ids, as_of)
    ) m;
END
"""

# Text, so that one value that is no number spoils its own row and not the COPY.
STAGE = """
CREATE FUNCTION stage_features() RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    CREATE TEMPORARY TABLE staged_features (
        n bigint GENERATED ALWAYS AS IDENTITY,
        ticker varchar(20) NOT NULL, "timestamp" timestamptz NOT NULL, feature_id uuid NOT NULL,
        value text, confidence_score text, data_quality_score text, source_provider varchar(100)
    ) ON COMMIT DROP;
END
$$
"""

# CASE fixes the order: a text is cast only after it was found to be a number that numeric(28,8) holds.
STORE = r"""
CREATE FUNCTION store_staged_features(OUT staged bigint, OUT stored bigint, OUT invalid bigint)
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

# The timestamp is asked for so that one partition is read and not all.
ACTUAL = """
CREATE FUNCTION update_prediction_actual(id uuid, predicted_at timestamptz, actual numeric, measured_at timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF num_nulls(actual, measured_at) > 0 THEN
        RAISE EXCEPTION 'actual and measured_at must be given' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    UPDATE ml_predictions SET
        actual_value = actual, actual_timestamp = measured_at, prediction_error = actual - predicted_value,
        squared_error = (actual - predicted_value) ^ 2, absolute_error = abs(actual - predicted_value),
        direction_correct = CASE prediction_type
            WHEN 'price_target' THEN sign(predicted_value - current_price) = sign(actual - current_price)
            WHEN 'direction' THEN sign(predicted_value) = sign(actual)
        END
    WHERE prediction_id = id AND prediction_timestamp = predicted_at;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no prediction % of %', id, predicted_at USING ERRCODE = 'no_data_found';
    END IF;
END
$$
"""

# The schema of the tables and no other, so that the functions find them whoever calls.
BIND = """
DO $$ BEGIN
    EXECUTE format('ALTER FUNCTION store_staged_features() SET search_path = %I, pg_temp', current_schema());
    EXECUTE format('ALTER FUNCTION update_prediction_actual SET search_path = %I, pg_temp', current_schema());
END $$
"""

SERVICE = "D1 Integration with VFR Database Services, Extending Existing Database Service"
COMMENTS = {
    "feature_matrix(text[], uuid[], timestamptz)": "Of each ticker and feature the last valid value not after as_of",
    "feature_matrix_summary(text[], uuid[], timestamptz)": "How complete feature_matrix is, 0-1 or NULL where nothing "
    "is asked for, with average confidence and quality, 0-1, of the values found",
    "stage_features()": "Makes the temporary table staged_features, to COPY into, until the transaction ends",
    "store_staged_features()": "Moves staged_features into ml_feature_store; of equal keys the last wins; a number "
    "that cannot be read or is out of range becomes NULL and its row invalid, every other row valid",
    "update_prediction_actual(uuid, timestamptz, numeric, timestamptz)": "Records what came about and the errors that "
    "follow; raises no_data_found where there is no such prediction",
}


def upgrade() -> None:
    for statement in (MATRIX, SUMMARY, STAGE, STORE, ACTUAL, BIND):
        op.execute(statement)
    for function, meaning in COMMENTS.items():
        op.execute(f"COMMENT ON FUNCTION {function} IS '{meaning}; {SERVICE}'")


def downgrade() -> None:
    for function in reversed(COMMENTS):
        op.execute(f"DROP FUNCTION {function}")
