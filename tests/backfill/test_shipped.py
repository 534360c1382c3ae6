"""The backfills of this project: their documents are sound, and the first does what its page says."""

from __future__ import annotations

import shutil
from pathlib import Path

import psycopg

from provision import settings
from provision.wiring import backfills
from tests.backfill.project import ROOT
from tests.servers.command_line import Provision

_TABLE = """
create table trading_decisions (id uuid primary key default gen_random_uuid(), n integer,
    aggregated_confidence numeric(5,4), uncertainty_score numeric(5,4), probability_metadata jsonb);
insert into trading_decisions (n, aggregated_confidence, uncertainty_score, probability_metadata) values
    (1, null, null, null), (2, 0.7, null, '{"real": 1}'), (3, 0.7, 0.1, '{"real": 2}'), (4, null, 0.1, null);
"""
_ALL = '["aggregated_confidence", "uncertainty_score", "probability_metadata"]'


def test_every_document_is_sound() -> None:
    found = {each.name: each.store for each in backfills.read(settings.load(ROOT))}

    assert found == {
        "aggregated_confidence": "postgres",
        "confidence_monitoring": "clickhouse",
        "feature_rollup": "influx",
        "model_performance": "clickhouse",
        "model_versions": "arango",
        "prediction_rollups": "influx",
        "uncertainty_embedding_flat": "weaviate",
        "user_preferences_ttl": "redis",
    }


def test_values_that_are_there_stay_and_the_filled_columns_are_listed(
    shop: Path, provision: Provision, database: psycopg.Connection[tuple[object, ...]]
) -> None:
    database.execute(_TABLE)
    shutil.copy(ROOT / "backfills" / "aggregated_confidence.yaml", shop / "backfills")
    path = shop / "backfills" / "aggregated_confidence.yaml"
    path.write_text(path.read_text().replace("postgres/0010", "postgres/0001"))

    assert provision("backfill", "run", "aggregated_confidence").code == 0

    columns = "aggregated_confidence::text, uncertainty_score::text, probability_metadata::text"
    assert database.execute(f"select {columns} from trading_decisions order by n".encode()).fetchall() == [
        ("0.5000", "0.5000", f'{{"backfilled": {_ALL}, "default_values": true}}'),
        ("0.7000", "0.5000", '{"real": 1, "backfilled": ["uncertainty_score"]}'),
        ("0.7000", "0.1000", '{"real": 2}'),
        (
            "0.5000",
            "0.1000",
            '{"backfilled": ["aggregated_confidence", "probability_metadata"], "default_values": true}',
        ),
    ]
