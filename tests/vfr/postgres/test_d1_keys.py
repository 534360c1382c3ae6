"""D1: keys, versions, foreign keys, the time of the last change, and the traffic of an environment."""

import threading
from datetime import UTC, datetime
from uuid import UUID, uuid4

import psycopg
import pytest

from ..factories.postgres import (
    BACKTEST,
    DATASET,
    ENHANCEMENT,
    FEATURE,
    ML_MODEL,
    OTHER_DATASET,
    OTHER_FEATURE,
    OTHER_ML_MODEL,
    PIPELINE,
    insert,
    insert_ml_base,
)
from .rows import refused, scalar
from .servers import Server

NOBODY = UUID(int=0)
DEPLOYMENT = uuid4()

# (table, constraint, column, parent table, its key, the parent of the factory row)
FOREIGN_KEYS = [
    ("ml_feature_dependencies", "feature", "feature_id", "ml_feature_definitions", "feature_id", FEATURE),
    (
        "ml_feature_dependencies",
        "depends_on",
        "depends_on_feature_id",
        "ml_feature_definitions",
        "feature_id",
        OTHER_FEATURE,
    ),
    (
        "ml_enhancement_store",
        "enhancement",
        "enhancement_id",
        "ml_enhancement_definitions",
        "enhancement_id",
        ENHANCEMENT,
    ),
    ("ml_models", "feature_set", "feature_set_id", "ml_datasets", "dataset_id", DATASET),
    ("ml_model_metrics", "model", "model_id", "ml_models", "model_id", ML_MODEL),
    ("ml_model_deployments", "model", "model_id", "ml_models", "model_id", ML_MODEL),
    ("ml_ab_experiments", "control", "control_model_id", "ml_models", "model_id", ML_MODEL),
    ("ml_ab_experiments", "treatment", "treatment_model_id", "ml_models", "model_id", OTHER_ML_MODEL),
    ("ml_data_lineage", "downstream", "downstream_dataset_id", "ml_datasets", "dataset_id", DATASET),
    ("ml_data_lineage", "upstream", "upstream_dataset_id", "ml_datasets", "dataset_id", OTHER_DATASET),
    ("ml_data_lineage", "pipeline", "pipeline_id", "ml_feature_pipelines", "pipeline_id", PIPELINE),
    ("ml_backtesting_experiments", "model", "model_id", "ml_models", "model_id", OTHER_ML_MODEL),
    (
        "ml_backtesting_results",
        "experiment",
        "experiment_id",
        "ml_backtesting_experiments",
        "experiment_id",
        BACKTEST,
    ),
    (
        "ml_backtesting_metrics",
        "experiment",
        "experiment_id",
        "ml_backtesting_experiments",
        "experiment_id",
        BACKTEST,
    ),
    ("ml_predictions", "model", "model_id", "ml_models", "model_id", OTHER_ML_MODEL),
    ("ml_feature_store", "feature", "feature_id", "ml_feature_definitions", "feature_id", FEATURE),
]

# table → (constraint, a value that makes the row another one)
UNIQUE: dict[str, tuple[str, dict[str, object]]] = {
    "ml_feature_definitions": ("uq_ml_feature_definitions_name_version", {"feature_version": 2}),
    "ml_feature_dependencies": (
        "uq_ml_feature_dependencies_pair",
        {"feature_id": OTHER_FEATURE, "depends_on_feature_id": FEATURE},
    ),
    "ml_enhancement_definitions": ("uq_ml_enhancement_definitions_name_version", {"enhancement_version": 2}),
    "ml_datasets": ("uq_ml_datasets_name_version", {"dataset_version": "2"}),
    "ml_feature_pipelines": ("uq_ml_feature_pipelines_name_version", {"pipeline_version": "2"}),
    "ml_models": ("uq_ml_models_name_version", {"model_version": "2"}),
    "ml_ab_experiments": ("uq_ml_ab_experiments_name", {"experiment_name": "again"}),
    "ml_backtesting_results": ("uq_ml_backtesting_results_trade", {"trade_sequence": 2, "action": "SELL"}),
}


@pytest.fixture(autouse=True)
def base(connection: psycopg.Connection) -> None:
    insert_ml_base(connection)


@pytest.mark.parametrize(("table", "name", "column", "parent", "key", "used"), FOREIGN_KEYS)
def test_parent_must_exist_and_is_kept(
    connection: psycopg.Connection, table: str, name: str, column: str, parent: str, key: str, used: UUID
) -> None:
    constraint = f"fk_{table}_{name}"
    with refused(connection, constraint):
        insert(connection, table, **{column: NOBODY})
    insert(connection, table, **{column: used})
    with refused(connection, constraint):
        if parent == "ml_models":  # or else the backtest of the factory would be named
            connection.execute("DELETE FROM ml_backtesting_experiments WHERE model_id <> %s", [OTHER_ML_MODEL])
        connection.execute(f"DELETE FROM {parent} WHERE {key} = %s", [used])


def test_winner_must_be_kept(connection: psycopg.Connection) -> None:
    insert(connection, "ml_ab_experiments", winner_model_id=OTHER_ML_MODEL)
    with pytest.raises(psycopg.IntegrityError), connection.transaction():
        connection.execute("DELETE FROM ml_models WHERE model_id = %s", [OTHER_ML_MODEL])


def test_rollback_target_deleted_is_forgotten(connection: psycopg.Connection) -> None:
    with refused(connection, "fk_ml_model_deployments_rollback"):
        insert(connection, "ml_model_deployments", rollback_deployment_id=NOBODY)
    insert(connection, "ml_model_deployments", deployment_id=DEPLOYMENT)
    insert(connection, "ml_model_deployments", rollback_deployment_id=DEPLOYMENT)
    connection.execute("DELETE FROM ml_model_deployments WHERE deployment_id = %s", [DEPLOYMENT])
    assert connection.execute("SELECT rollback_deployment_id FROM ml_model_deployments").fetchall() == [(None,)]


def test_foreign_keys_restrict_but_for_the_rollback_target(connection: psycopg.Connection) -> None:
    query = """SELECT conname, confdeltype FROM pg_constraint JOIN pg_class c ON c.oid = conrelid
               WHERE contype = 'f' AND relname ~ '^ml_' AND NOT relispartition"""
    actions: dict[str, str] = dict(connection.execute(query).fetchall())
    assert {f"fk_{table}_{name}" for table, name, *_ in FOREIGN_KEYS} <= set(actions)
    assert len(actions) == 18  # the 17 of the document, and that of ml_feature_store
    assert {name for name, action in actions.items() if action != "r"} == {"fk_ml_model_deployments_rollback"}


@pytest.mark.parametrize("table", UNIQUE)
def test_key_refuses_the_second_and_takes_another_version(connection: psycopg.Connection, table: str) -> None:
    constraint, another = UNIQUE[table]
    insert(connection, table)
    with refused(connection, constraint):
        insert(connection, table)
    insert(connection, table, **another)


def test_experiment_has_one_row_of_metrics(connection: psycopg.Connection) -> None:
    insert(connection, "ml_backtesting_metrics")
    with refused(connection, "uq_ml_backtesting_metrics_experiment"):
        insert(connection, "ml_backtesting_metrics", total_return="0.2")


def test_prediction_is_unique_by_what_it_says(connection: psycopg.Connection) -> None:
    insert(connection, "ml_predictions")
    with pytest.raises(psycopg.errors.UniqueViolation) as caught, connection.transaction():
        insert(connection, "ml_predictions", predicted_value="111")
    assert "(model_id, ticker, prediction_horizon, prediction_type, prediction_timestamp)" in str(caught.value)
    insert(connection, "ml_predictions", prediction_type="volatility")
    insert(connection, "ml_predictions", prediction_horizon="1w")


@pytest.mark.parametrize(
    ("table", "assignment"),
    [
        ("ml_feature_definitions", "description = 'x'"),
        ("ml_enhancement_definitions", "description = 'x'"),
        ("ml_models", "status = 'completed'"),
    ],
)
def test_update_sets_the_time_of_change(connection: psycopg.Connection, table: str, assignment: str) -> None:
    long_ago = datetime(2000, 1, 1, tzinfo=UTC)
    insert(connection, table, updated_at=long_ago, created_at=long_ago)
    query = f"UPDATE {table} SET {assignment} WHERE created_at = %s RETURNING updated_at = now(), created_at"
    assert connection.execute(query, [long_ago]).fetchall() == [(True, long_ago)]


def check_traffic(connection: psycopg.Connection) -> None:
    connection.execute("SET CONSTRAINTS chk_environment_traffic IMMEDIATE")
    connection.execute("SET CONSTRAINTS chk_environment_traffic DEFERRED")


def test_traffic_of_active_deployments_never_exceeds_all_of_it(connection: psycopg.Connection) -> None:
    insert(connection, "ml_model_deployments", traffic_percentage="60")
    insert(connection, "ml_model_deployments", traffic_percentage="40")
    insert(connection, "ml_model_deployments", traffic_percentage="100", environment="staging")
    insert(connection, "ml_model_deployments", traffic_percentage="100", is_active=False)
    check_traffic(connection)
    for statement in (
        "UPDATE ml_model_deployments SET is_active = true WHERE NOT is_active",
        "UPDATE ml_model_deployments SET traffic_percentage = 40.01 WHERE traffic_percentage = 40",
        "UPDATE ml_model_deployments SET environment = 'production'",
    ):
        with refused(connection, "chk_environment_traffic"):
            connection.execute(statement)
            check_traffic(connection)
    with refused(connection, "chk_environment_traffic"):
        insert(connection, "ml_model_deployments", traffic_percentage="0.01")
        check_traffic(connection)


def test_traffic_is_shared_by_versions_and_not_by_models(connection: psycopg.Connection) -> None:
    version = uuid4()
    insert(connection, "ml_models", model_id=version, model_name="base", model_version="2")
    for environment in ("production", "staging", "canary", "a_b_test"):
        for model in (ML_MODEL, OTHER_ML_MODEL):
            insert(
                connection, "ml_model_deployments", model_id=model, environment=environment, traffic_percentage="100"
            )
        check_traffic(connection)
        with refused(connection, "chk_environment_traffic"):
            insert(connection, "ml_model_deployments", model_id=version, environment=environment)
            check_traffic(connection)


@pytest.mark.parametrize("environment", ["shadow", "development"])
def test_traffic_of_nobody_is_not_added_up(connection: psycopg.Connection, environment: str) -> None:
    for _ in range(3):
        insert(connection, "ml_model_deployments", environment=environment, traffic_percentage="100")
    check_traffic(connection)
    with refused(connection, "chk_environment_traffic"):
        connection.execute("UPDATE ml_model_deployments SET environment = 'production'")
        check_traffic(connection)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE ml_model_deployments SET model_id = '{model}'",
        "UPDATE ml_models SET model_name = 'base', model_version = '2' WHERE model_id = '{other}'",
    ],
    ids=["to another model", "by a name"],
)
def test_traffic_that_comes_together_is_added_up(connection: psycopg.Connection, change: str) -> None:
    for model in (ML_MODEL, OTHER_ML_MODEL):
        insert(connection, "ml_model_deployments", model_id=model, traffic_percentage="60")
    check_traffic(connection)
    connection.execute(change.format(model=ML_MODEL, other=OTHER_ML_MODEL).encode())
    with pytest.raises(psycopg.errors.CheckViolation, match=r"120 % of its traffic"), connection.transaction():
        connection.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_traffic_may_change_hands_in_any_order_of_one_transaction(connection: psycopg.Connection) -> None:
    insert(connection, "ml_model_deployments", traffic_percentage="100", deployment_id=DEPLOYMENT)
    check_traffic(connection)
    insert(connection, "ml_model_deployments", traffic_percentage="100")
    connection.execute("UPDATE ml_model_deployments SET is_active = false WHERE deployment_id = %s", [DEPLOYMENT])
    check_traffic(connection)


@pytest.mark.usefixtures("head")
def test_traffic_of_two_rivals_is_added_up(server: Server) -> None:
    """Both insert 60 percent before either commits: one of the two is refused."""
    outcomes: list[str] = []
    both_inserted = threading.Barrier(2, timeout=20)

    def deploy(model: UUID) -> None:
        with psycopg.connect(server.url("head")) as rival:
            insert(rival, "ml_model_deployments", model_id=model, environment="canary", traffic_percentage="60")
            both_inserted.wait()
            try:
                rival.commit()
                outcomes.append("committed")
            except psycopg.errors.CheckViolation as error:
                outcomes.append(str(error.diag.constraint_name))

    models = [uuid4(), uuid4()]
    with psycopg.connect(server.url("head"), autocommit=True) as owner:
        for version, model in enumerate(models):
            insert(owner, "ml_models", model_id=model, model_name="rival", model_version=str(version))
        try:
            threads = [threading.Thread(target=deploy, args=[model]) for model in models]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(30)
            assert sorted(outcomes) == ["chk_environment_traffic", "committed"]
            assert scalar(owner, "SELECT count(*) FROM ml_model_deployments") == 1
        finally:
            owner.execute("DELETE FROM ml_model_deployments WHERE model_id = ANY(%s)", [models])
            owner.execute("DELETE FROM ml_models WHERE model_id = ANY(%s)", [models])
