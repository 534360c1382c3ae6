"""Jobs and settings of servers by the library."""

from __future__ import annotations

import pytest

from provision import ConfigError
from provision.model.tune import Disk
from tests.library.shop import Shop

JOBS = """
jobs:
  numbers: {store: postgres, every: day, analyze: [alembic_version]}
  nothing: {store: postgres, every: day, analyze: [absent]}
"""


def test_jobs_are_run_and_told(shop: Shop) -> None:
    shop.revision("pass")
    project, heard = shop.open(), list[tuple[str, str]]()
    project.up()
    (project._project.root / "maintain.yaml").write_text(JOBS)

    [done] = project.run_jobs("numbers", on_note=lambda *said: heard.append(said))

    assert [piece.what for piece in done.pieces] == ["analyze alembic_version"]
    assert ("numbers", "1: analyze alembic_version") in heard
    with pytest.raises(ConfigError, match="no table absent"):
        project.run_jobs()
    numbers, nothing = project.jobs()
    assert numbers.last is not None
    assert (numbers.last.state, numbers.overdue, nothing.last) == ("done", False, None)


def test_settings_of_servers_are_told_and_nothing_is_changed(shop: Shop) -> None:
    project = shop.open()
    [found] = project.settings_of_servers(memory=1 << 30, cores=2, disk=Disk.SSD)
    assert {"work_mem", "max_connections"} <= {each.name for each in found.settings}
    [change] = project.tune("random_page_cost", memory=1 << 30, cores=2, disk=Disk.SSD, dry_run=True)
    assert all(each.name == "random_page_cost" for each in change.changed)
    assert project.untune() == (change._replace(changed=(), left={}),)
