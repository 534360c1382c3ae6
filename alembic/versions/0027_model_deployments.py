"""Model deployments and their share of the traffic"""

from alembic import op

revision = "0027"
down_revision = "0026"

SECTION = "D1 §2 Model Registry Schema, Model Management and Versioning"

# SET NULL on the rollback target: the deployment that replaced it stays true without it. RESTRICT on the model.
TABLE = """
CREATE TABLE ml_model_deployments (
    deployment_id           uuid          PRIMARY KEY DEFAULT gen_random_uuid(),
    model_id                uuid          NOT NULL,
    environment             varchar(50)   NOT NULL,
    deployment_strategy     varchar(50),
    traffic_percentage      numeric(5,2)  NOT NULL DEFAULT 100.00,
    deployment_timestamp    timestamptz   NOT NULL DEFAULT now(),
    endpoint_url            varchar(500),
    health_check_url        varchar(500),
    model_config            jsonb,
    resource_allocation     jsonb,
    autoscaling_config      jsonb,
    monitoring_config       jsonb,
    is_active               boolean       NOT NULL DEFAULT true,
    deployment_notes        text,
    deployed_by             varchar(100),
    rollback_deployment_id  uuid,

    CONSTRAINT fk_ml_model_deployments_model FOREIGN KEY (model_id) REFERENCES ml_models ON DELETE RESTRICT,
    CONSTRAINT fk_ml_model_deployments_rollback
        FOREIGN KEY (rollback_deployment_id) REFERENCES ml_model_deployments ON DELETE SET NULL,
    CONSTRAINT chk_environment CHECK (environment IN (
        'development', 'staging', 'production', 'canary', 'shadow', 'a_b_test'
    )),
    CONSTRAINT chk_deployment_strategy
        CHECK (deployment_strategy IN ('blue_green', 'rolling', 'canary', 'shadow', 'a_b_split')),
    CONSTRAINT chk_traffic_percentage_valid CHECK (traffic_percentage BETWEEN 0 AND 100),
    CONSTRAINT chk_rollback_to_another CHECK (rollback_deployment_id <> deployment_id)
)
"""

INDEXES = [
    "idx_model_env_active ON ml_model_deployments (model_id, environment, is_active)",
    "idx_deployment_time ON ml_model_deployments (deployment_timestamp DESC)",
    "idx_active_deployments ON ml_model_deployments (is_active, environment) WHERE is_active = true",
]

# At commit, so that one transaction may take traffic from one deployment and give it to another in any order. The lock
# makes rivals of one environment wait for each other; each then sees what the other committed, in READ COMMITTED.
FUNCTION = """
CREATE FUNCTION check_environment_traffic() RETURNS trigger
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

TRIGGER = """
CREATE CONSTRAINT TRIGGER chk_environment_traffic
AFTER INSERT OR UPDATE OF environment, traffic_percentage, is_active ON ml_model_deployments
DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW WHEN (NEW.is_active) EXECUTE FUNCTION check_environment_traffic()
"""

COLUMNS = {
    "deployment_id": "Key",
    "model_id": "Model that is deployed; it cannot be deleted",
    "environment": "development, staging, production, canary, shadow or a_b_test",
    "deployment_strategy": "blue_green, rolling, canary, shadow or a_b_split; NULL: none of these",
    "traffic_percentage": "Share of the traffic of the environment, percent, 0-100; of all active ones at most 100",
    "deployment_timestamp": "When it was deployed",
    "endpoint_url": "Where it answers",
    "health_check_url": "Where it tells its health",
    "model_config": "Configuration at run time",
    "resource_allocation": "Processors, memory and GPUs",
    "autoscaling_config": "How it grows and shrinks",
    "monitoring_config": "How it is watched",
    "is_active": "false: it receives no traffic any more",
    "deployment_notes": "Notes for people",
    "deployed_by": "Who deployed it",
    "rollback_deployment_id": "Deployment to go back to, not itself; NULL: none, or it was deleted",
}


def upgrade() -> None:
    op.execute(TABLE)
    for index in INDEXES:
        op.execute(f"CREATE INDEX {index}")
    op.execute(FUNCTION)
    op.execute(TRIGGER)
    op.execute(
        "COMMENT ON FUNCTION check_environment_traffic() IS "
        f"'Refuses active deployments of one environment that sum to more than 100 percent; {SECTION}'"
    )
    op.execute(f"COMMENT ON TABLE ml_model_deployments IS 'Where which model runs; {SECTION}'")
    for column, meaning in COLUMNS.items():
        op.execute(f"COMMENT ON COLUMN ml_model_deployments.{column} IS '{meaning}; {SECTION}'")


def downgrade() -> None:
    op.execute("DROP TABLE ml_model_deployments")
    op.execute("DROP FUNCTION check_environment_traffic()")
