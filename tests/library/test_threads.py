"""Several threads, the same or several projects: nobody writes where another one is, nobody's streams are touched."""

from __future__ import annotations

import asyncio
import logging.config
import signal
import sys
import threading
from pathlib import Path

import pytest

from provision import Began, ConfigError, Done, Note, Project, Report
from provision.stores.postgres.migrate import describe
from tests.library.shop import Elsewhere, Shop, until, working


def test_two_projects_move_two_databases_at_the_same_time(
    shop: Shop, tmp_path: Path, other_url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "other").mkdir()
    other = Shop(tmp_path / "other", other_url, name="other")
    for name, each in (("shop", shop), ("other", other)):
        for number in range(1, 11):
            each.table(f"{name}_{number:02d}")
        each.revision(f'print("printed by {name}")')
    before = sys.stdout, {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    runs = [Elsewhere(each.open().up) for each in (shop, other, shop, other)]
    reports = [run.result() for run in runs]
    assert all(isinstance(each, Report) for each in reports), reports
    assert sorted(len(each.done) for each in reports if isinstance(each, Report)) == [0, 0, 11, 11]
    assert shop.tables() == [f"shop_{number:02d}" for number in range(1, 11)]
    assert other.tables() == [f"other_{number:02d}" for number in range(1, 11)]
    assert before == (sys.stdout, {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)})
    out, err = capfd.readouterr()
    assert out == ""
    assert sorted(err.splitlines()) == ["printed by other", "printed by shop"]


def test_a_second_thread_waits_for_the_lock_of_the_first(shop: Shop) -> None:
    shop.slow(2)
    project, notes = shop.open(), list[str]()
    first = Elsewhere(project.up)
    until(lambda: working(shop), "the first statement")
    holding = project.lock()

    def heard(event: object) -> None:
        if isinstance(event, Note):
            notes.append(event.text)

    second = Elsewhere(lambda: project.up(on_event=heard))
    one, two = first.result(), second.result()
    assert isinstance(one, Report)
    assert isinstance(two, Report)
    assert (len(one.done), len(two.done)) == (1, 0)
    assert holding is not None
    assert len(notes) == 1
    assert f"waits for the run of {holding.owner}" in notes[0]
    assert project.lock() is None


def test_arguments_of_the_program_are_not_written_into_the_lock(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/srv/tool.py", "--password", "hunter2"])
    shop.table()
    project, seen = shop.open(), list[object]()
    project.up(on_event=lambda _: seen.append(project.lock()))
    assert "tool.py" in str(seen[0])
    assert "hunter2" not in str(seen)


def test_another_thread_prints_and_logs_where_it_always_did(shop: Shop, capfd: pytest.CaptureFixture[str]) -> None:
    shop.revision(
        'print("of the revision"); logging.config.dictConfig({"version": 1, "disable_existing_loggers": True})',
        top="import logging.config",
    )
    begun, end, configured = threading.Event(), threading.Event(), list[object]()

    def prints() -> None:
        assert begun.wait(30)
        print("of the program")
        logging.config.dictConfig(
            {"version": 1, "disable_existing_loggers": False, "loggers": {"shop": {"level": "DEBUG"}}}
        )
        configured.append(logging.getLogger("shop").level)
        end.set()

    thread = threading.Thread(target=prints)
    thread.start()

    def heard(event: object) -> None:
        if isinstance(event, Began):
            begun.set()
            assert end.wait(30)

    shop.open().up(on_event=heard)
    thread.join()
    assert capfd.readouterr() == ("of the program\n", "of the revision\n")
    assert configured == [logging.DEBUG]


def test_everything_may_be_asked_while_a_move_goes_on(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(describe, "PATIENCE", 0.1)
    one, two = shop.table(), shop.table()
    project = shop.open()
    plan, seen = project.plan(), list[object]()

    def heard(event: object) -> None:
        if isinstance(event, Done) and event.step.id == one:
            seen.extend((project.status().pending, [each.reason for each in project.describe(plan)]))

    assert len(project.up(on_event=heard).done) == 2
    assert seen == [(two,), [describe.BUSY, describe.BUSY]]
    assert shop.tables() == ["t0001", "t0002"]


def test_asyncio_runs_it_in_a_thread(shop: Shop) -> None:
    shop.slow(1)

    async def main() -> tuple[Report, int]:
        turns, moving = 0, asyncio.create_task(asyncio.to_thread(shop.open().up))
        while not moving.done():
            turns += 1
            await asyncio.sleep(0.05)
        return await moving, turns

    report, turns = asyncio.run(main())
    assert len(report.done) == 1
    assert turns > 5


RELATIVE = """\
[alembic]
script_location = %(here)s/alembic
path_separator = os
prepend_sys_path = .
version_locations = alembic/versions:alembic/more
"""


def test_the_working_directory_does_not_matter(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    one = shop.revision("op.execute(library_test_names.TABLE)", top="import library_test_names")
    (shop.root / "library_test_names.py").write_text('TABLE = "create table named (n int)"\n')
    (shop.root / "alembic.ini").write_text(RELATIVE)
    (shop.root / "alembic/more").mkdir()
    monkeypatch.setattr(sys, "path", list(sys.path))
    project = shop.open()
    assert [each.step.id for each in project.up().done] == [one]
    assert shop.tables() == ["named"]
    length = len(sys.path)
    assert project.status().pending == ()
    assert len(sys.path) == length


def test_git_that_is_not_there_is_not_missed(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    (shop.root / ".git").mkdir()
    monkeypatch.setenv("PATH", "")
    shop.table()
    assert len(shop.open().up().done) == 1


def test_a_home_that_cannot_keep_a_lock_is_refused_and_can_be_done_without(shop: Shop) -> None:
    file = shop.root / "provision.toml"
    file.write_text(file.read_text().replace('home = "postgres"\n', ""))
    shop.table()
    with pytest.raises(ConfigError) as raised:
        Project.open(shop.root, "test").up()
    assert raised.value.code == "no-home"
    assert len(Project.open(shop.root, "test").up(run_lock=False).done) == 1
