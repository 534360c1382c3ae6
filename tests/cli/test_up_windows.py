"""An `up` that applied everything and cannot look at its windows tells both."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.test_verify import shop as shop  # the fixture
from tests.servers.command_line import Provision


def test_what_was_applied_is_told_where_the_windows_cannot_be_looked_at(shop: Path, provision: Provision) -> None:
    (shop / "partitions").mkdir()
    (shop / "partitions" / "orders.yaml").write_text("store: postgres\ntable: orders\nevery: sometimes\n")

    ran = provision("up", "--env", "local", "--output", "json")

    told = json.loads(ran.out)
    assert [each["id"] for each in told["applied"]] == ["postgres/0001", "redis/0001"]
    assert (ran.code, told["failed"]["error"]["code"]) == (2, "document-invalid")
    (shop / "partitions" / "orders.yaml").unlink()
    assert json.loads(provision("status", "--env", "local", "--output", "json").out)["stores"][0]["pending"] == 0
