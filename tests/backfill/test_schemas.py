"""The published schemas of backfills: what an editor is told, and what `status` prints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from provision import kinds
from provision.cli.main import run
from provision.documents.yaml import parse
from tests.backfill import project
from tests.backfill.project import ROOT
from tests.servers.command_line import Provision

SCHEMAS = ROOT / "docs" / "schemas"
DOCUMENTS = sorted((ROOT / "backfills").glob("*.yaml"))
WRONG = {
    "an unknown key": project.SOURCE + "tables: orders\n",
    "keys of two kinds": project.SOURCE + "pattern: app:*\nttl: 1h\n",
    "no where": project.SOURCE.replace("where: source is null\n", ""),
    "a rate that is a text": project.SOURCE + "rate: fast\n",
    "a target without its unit": project.SOURCE.replace("20ms", "20"),
    "nothing but a store": "store: redis\n",
}


def valid(text: str) -> bool:
    value, _ = parse(text, "one.yaml")
    return bool(validator("backfills").is_valid(value))


def validator(name: str) -> jsonschema_rs.Draft202012Validator:
    schema = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    return jsonschema_rs.Draft202012Validator(schema)


def test_the_schema_of_the_page_is_the_one_that_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema", "backfills"]) == 0

    assert (SCHEMAS / "backfills.json").read_text(encoding="utf-8") == capsys.readouterr().out, (
        "run `provision schema backfills > docs/schemas/backfills.json`"
    )


def test_every_kind_of_store_that_can_be_filled_is_in_it(provision: Provision) -> None:
    filled = [each.name for each in kinds.every() if each.backfill_keys() is not None]

    listed = json.loads(provision("schema", "backfills").out)["anyOf"]

    assert [each["title"] for each in listed] == [f"a backfill of a store of kind {kind}" for kind in filled]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_a_shipped_document_follows_it_and_names_it(document: Path) -> None:
    text = document.read_text(encoding="utf-8")

    assert valid(text)
    assert text.startswith("# yaml-language-server: $schema=../docs/schemas/backfills.json\n")


@pytest.mark.parametrize("case", WRONG)
def test_what_run_refuses_does_not_follow_it(case: str) -> None:
    assert valid(project.SOURCE)
    assert not valid(WRONG[case])


def test_status_follows_its_schema_in_every_state(shop: Path, url: str, provision: Provision) -> None:
    published = validator("backfill_status")
    project.sow(url, 20_000)

    def found(*arguments: object) -> Any:
        printed = json.loads(provision("backfill", *arguments, "--output", "json").out)
        published.validate(printed)
        return printed

    assert found("status")[0]["state"] == "not_begun"
    with project.beside(shop, "--rate", 4000, "--workers", 2):
        project.until(lambda: found("status", "source")[0]["state"] == "running")
        assert found("pause", "source")["state"] in ("pausing", "paused")
        project.until(lambda: found("status", "source")[0]["state"] == "paused")
        assert found("resume", "source", "--set", "rate=0")["state"] in ("enqueued", "running")
    assert found("status")[0]["state"] == "succeeded"
    assert found("run", "source")["state"] == "succeeded"


def test_status_with_a_key_that_nothing_means_does_not_follow_it(shop: Path, provision: Provision) -> None:
    assert shop.exists()
    [printed] = json.loads(provision("backfill", "status", "--output", "json").out)
    published = validator("backfill_status")

    assert published.is_valid([printed])
    assert not published.is_valid([{**printed, "state": "asleep"}])
    assert not published.is_valid([{key: value for key, value in printed.items() if key != "cursor"}])
    assert not published.is_valid([{**printed, "rows_done": -1}])
