"""Traffic of an environment is shared among the versions of a model"""

from alembic import op

revision = "0043"
down_revision = "0042"

SECTION = "D1 §2 Model Registry Schema, Model Management and Versioning"

# Several models serve an environment at once, each with all traffic of what it predicts; versions of one model share
# it. At commit, so that traffic may change hands in any order. Rivals wait for each other on the rows of the model's
# versions and not on an advisory lock, which any session may take and keep. Each then sees what the other committed, in
# READ COMMITTED. A shadow answers nobody, and in development no traffic is shared.
FUNCTION = """
CREATE OR REPLACE FUNCTION check_environment_traffic() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    name text;
    over record;
BEGIN
    EXECUTE format('SELECT model_name FROM %I.ml_models WHERE model_id = $1', TG_TABLE_SCHEMA)
    INTO name USING NEW.model_id;
    EXECUTE format(
        'SELECT FROM %I.ml_models WHERE model_name = $1 ORDER BY model_id FOR NO KEY UPDATE', TG_TABLE_SCHEMA
    ) USING name;
    EXECUTE format(
        'SELECT environment, sum(traffic_percentage) AS total
         FROM %I.ml_model_deployments JOIN %I.ml_models USING (model_id)
         WHERE is_active AND environment NOT IN (''shadow'', ''development'') AND model_name = $1
         GROUP BY environment HAVING sum(traffic_percentage) > 100 LIMIT 1', TG_TABLE_SCHEMA, TG_TABLE_SCHEMA
    ) INTO over USING name;
    IF over.total IS NOT NULL THEN
        RAISE EXCEPTION 'active deployments of % in % would take % %% of its traffic',
            name, over.environment, over.total
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, SCHEMA = TG_TABLE_SCHEMA;
    END IF;
    RETURN NULL;
END
$$
"""

TRIGGER = """
CREATE CONSTRAINT TRIGGER chk_environment_traffic
AFTER INSERT OR UPDATE OF model_id, environment, traffic_percentage, is_active ON ml_model_deployments
DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW WHEN (NEW.is_active AND NEW.environment NOT IN ('shadow', 'development'))
EXECUTE FUNCTION check_environment_traffic()
"""

RENAMED = """
CREATE CONSTRAINT TRIGGER chk_environment_traffic_renamed
AFTER UPDATE OF model_name ON ml_models
DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW WHEN (NEW.model_name <> OLD.model_name) EXECUTE FUNCTION check_environment_traffic()
"""

# As 0027 has them.
OLD_FUNCTION = """
CREATE OR REPLACE FUNCTION check_environment_traffic() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    total numeric;
BEGIN
    PERFORM pg_advisory_xact_lock(TG_RELID::integer, hashtext(NEW.environment));
    EXECUTE format(
        'SELECT sum(traffic_percentage) FROM %I.%I WHERE is_active AND environment = $1', TG_TABLE_SCHEMA, TG_TABLE_NAME
    ) INTO total USING NEW.environment;
    IF total > 100 THEN
        RAISE EXCEPTION 'active deployments of % would take % %% of its traffic', NEW.environment, total
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME, SCHEMA = TG_TABLE_SCHEMA;
    END IF;
    RETURN NULL;
END
$$
"""

OLD_TRIGGER = """
CREATE CONSTRAINT TRIGGER chk_environment_traffic
AFTER INSERT OR UPDATE OF environment, traffic_percentage, is_active ON ml_model_deployments
DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW WHEN (NEW.is_active) EXECUTE FUNCTION check_environment_traffic()
"""

COMMENTS = (
    (
        "Share of the traffic of its environment and model, percent, 0-100; of all active versions at most 100",
        "Refuses active versions of one model that take more than 100 percent of an environment, but for shadow and"
        " development",
    ),
    (
        "Share of the traffic of the environment, percent, 0-100; of all active ones at most 100",
        "Refuses active deployments of one environment that sum to more than 100 percent",
    ),
)


def comment(share: str, function: str) -> None:
    op.execute(f"COMMENT ON COLUMN ml_model_deployments.traffic_percentage IS '{share}; {SECTION}'")
    op.execute(f"COMMENT ON FUNCTION check_environment_traffic() IS '{function}; {SECTION}'")


def upgrade() -> None:
    op.execute("DROP TRIGGER chk_environment_traffic ON ml_model_deployments")
    op.execute(FUNCTION)
    op.execute(TRIGGER)
    op.execute(RENAMED)
    comment(*COMMENTS[0])


def downgrade() -> None:
    op.execute("DROP TRIGGER chk_environment_traffic_renamed ON ml_models")
    op.execute("DROP TRIGGER chk_environment_traffic ON ml_model_deployments")
    op.execute(OLD_FUNCTION)
    op.execute(OLD_TRIGGER)
    comment(*COMMENTS[1])
