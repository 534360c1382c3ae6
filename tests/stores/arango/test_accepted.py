"""`drift --accept` of ArangoDB's double: what was changed by hand becomes revisions, and is no difference any more."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import provision as provision  # the fixture
from tests.servers.command_line import Provision
from tests.stores.arango.conftest import PASSWORD
from tests.stores.arango.raw import Raw
from tests.stores.arango.test_by_hand import ANALYZER, INDEX, SCHEMA, VIEW

TOML = """
[project]
name = "graphs"
home = "arango"
[stores.arango]
[environments.rehearsal]
arango.url = "{0}_rehearsed"
[environments.production]
arango.url = "{0}"
"""
FIRST = {
    "description": "people",
    "up": [{"create_collection": {"name": "people"}}, {"create_collection": {"name": "spare"}}],
    "down": "auto",
}


@pytest.fixture(autouse=True)
def _graphs(tmp_path: Path, raw: Raw, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "provision.toml").write_text(TOML.format(raw.url))
    (tmp_path / "arango").mkdir()
    (tmp_path / "arango/0001_people.yaml").write_text(json.dumps(FIRST))
    monkeypatch.chdir(tmp_path)


def differing(provision: Provision) -> list[str]:
    told = json.loads(provision("drift", "--env", "production", "--output", "json").out)
    return sorted(each["object"] for each in told["findings"])


def test_what_was_changed_by_hand_is_accepted(raw: Raw, server: str, provision: Provision) -> None:
    rehearsed = Raw(server, f"{raw.database}_rehearsed", PASSWORD)
    ran = provision("verify", "--env", "rehearsal", "--write")
    rehearsed.drop()
    assert ran.code == 0, ran.out + ran.err
    assert provision("up", "--env", "production").code == 0
    assert differing(provision) == []
    raw.ask("POST", "/_api/collection", {"name": "other"})
    raw.ask("POST", "/_api/index?collection=people", INDEX)
    raw.ask("PUT", "/_api/collection/people/properties", {"schema": SCHEMA})
    raw.ask("DELETE", "/_api/collection/spare")
    raw.ask("POST", "/_api/analyzer", ANALYZER)
    raw.ask("POST", "/_api/view", VIEW)
    raw.ask("POST", "/_api/gharial", {"name": "g", "edgeDefinitions": []})
    found = differing(provision)
    assert len(found) >= 6, found

    ran = provision("drift", "--env", "production", "--accept", "-m", "by hand")

    assert ran.code == 0, ran.out + ran.err
    assert differing(provision) == []
    assert provision("up", "--env", "production", "--allow-destructive").code == 0
    assert differing(provision) == []
    ran = provision("verify", "--env", "rehearsal")
    rehearsed.drop()
    assert ran.code == 0, ran.out + ran.err
