"""D1: the live schema is the document's, but for the deviations listed with the defect that each of them mends."""

import json
from collections import Counter
from typing import TypedDict

import psycopg
import pytest

from . import migrations
from .inventory import inventory


class Deviation(TypedDict):
    object: str
    document: str | None
    ours: str | None
    defect: int | str
    why: str


FIXTURE = json.loads((migrations.ROOT / "tests" / "fixtures" / "inventory_d1.json").read_text())
DOCUMENT: dict[str, str] = FIXTURE["document"]
DEVIATIONS: list[Deviation] = FIXTURE["deviations"]


def test_inventory_of_the_document_is_complete() -> None:
    kinds = Counter(name.split(" ")[0] for name in DOCUMENT)
    assert kinds == {
        "table": 16,  # 14, and two that it uses and never defines
        "column": 296,
        "check": 53,
        "foreign": 17,
        "key": 14,
        "unique": 6,
        "index": 72,
        "materialized": 3,
        "view": 3,
        "function": 4,  # one of them is called and never defined
    }


def test_schema_is_that_of_the_document_but_for_the_deviations(connection: psycopg.Connection) -> None:
    expected: dict[str, str | None] = {**DOCUMENT}
    for deviation in DEVIATIONS:
        assert DOCUMENT.get(deviation["object"]) == deviation["document"]
        expected[deviation["object"]] = deviation["ours"]
    assert inventory(connection) == {name: text for name, text in expected.items() if text is not None}


@pytest.mark.parametrize("deviation", DEVIATIONS, ids=lambda deviation: deviation["object"])
def test_deviation_is_one_and_tells_its_defect(deviation: Deviation) -> None:
    assert deviation["document"] != deviation["ours"]
    assert deviation["why"]
    assert deviation["defect"] in {*range(1, 28), 32, "choice"}


def test_every_table_of_the_document_has_all_its_columns(connection: psycopg.Connection) -> None:
    live = inventory(connection)
    assert [name for name in DOCUMENT if name.startswith(("column ", "table ")) and name not in live] == []


def test_indexes_left_out_are_redundant_or_impossible() -> None:
    dropped = {d["object"]: d["defect"] for d in DEVIATIONS if d["object"].startswith("index ") and d["ours"] is None}
    assert dropped == {
        "index idx_dataset_name_version": 21,
        "index idx_experiment_date": 21,
        "index idx_experiment_metrics": 21,  # since an experiment has one row of metrics
        "index idx_feature_deps": 21,
        "index idx_feature_name_version": 21,  # since name and version are the key
        "index idx_model_name_version": 21,
        "index idx_pipeline_name_version": 21,  # since name and version are the key
        "index idx_predictions_recent": 2,
        "index idx_ticker_timestamp_desc": 21,
    }
