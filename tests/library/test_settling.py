"""A person's word by the library: baseline, resolve, the run lock."""

from __future__ import annotations

import time

import pytest

from provision import ConfigError, LeaseRecord, RefusedError, StatementFailed
from provision.stores.postgres.lease import PostgresLeases
from provision.stores.postgres.server import connect
from provision.wiring import sites
from tests.library.shop import Shop


def test_baseline_marks_without_running(shop: Shop) -> None:
    one, two = shop.table(), shop.table()
    project = shop.open()
    assert [(each.revision, each.kind) for each in project.baseline(one)] == [(one, "baselined")]
    assert [each.revision for each in project.baseline(everything=True, only="postgres")] == [two]
    assert project.status().applied == (one, two)
    assert shop.tables() == []
    with pytest.raises(RefusedError) as raised:
        project.baseline(one)
    assert raised.value.code == "already-applied"


@pytest.mark.parametrize("everything", [True, False])
def test_baseline_is_told_what(shop: Shop, everything: bool) -> None:
    with pytest.raises(ConfigError) as raised:
        shop.open().baseline(*(["postgres/0001"] if everything else []), everything=everything)
    assert (raised.value.code, raised.value.fix) == ("usage", "name revisions, or say everything=True")


def test_resolve_accepts_an_edit_and_keeps_the_reason(both: Shop) -> None:
    stream = both.stream("orders")
    both.open().up()
    file = next((both.root / "redis").iterdir())
    file.write_text(file.read_text().replace("The stream", "A stream"))
    project = both.open()
    [event] = project.resolve(stream, "accept-change", reason="comment only")
    assert (event.revision, event.kind, event.detail["text"]) == (stream, "resolved", "comment only")
    assert project.status().flagged == {}
    with pytest.raises(RefusedError) as raised:
        project.resolve(stream, "accept-change")
    assert raised.value.code == "nothing-to-resolve"
    with pytest.raises(ConfigError) as refused:
        project.resolve(stream, "done")  # type: ignore[arg-type]
    assert refused.value.code == "usage"


def test_resolve_done_to_wants_its_number(shop: Shop) -> None:
    project = shop.open()
    for answer, number in (("done-to", None), ("applied", 1)):
        with pytest.raises(ConfigError) as raised:
            project.resolve("postgres/0001", answer, done_to=number)  # type: ignore[arg-type]
        assert raised.value.code == "usage"


def test_resolve_done_to_goes_on_behind_it(shop: Shop) -> None:
    name = shop.table()
    file = next((shop.root / "alembic" / "versions").glob("*.py"))
    block = "with op.get_context().autocommit_block():\n        op.execute('select 1/0')\n"
    text = file.read_text()
    head, _, tail = text.partition("def upgrade() -> None:\n")
    file.write_text(f"{head}def upgrade() -> None:\n    {block}{tail}")
    project = shop.open()
    with pytest.raises(StatementFailed):
        project.up()
    [event] = project.resolve(name, "done-to", done_to=1, reason="by hand")
    assert (event.kind, event.statement, event.detail["done_to"]) == ("at", 2, 1)
    assert project.status().flagged == {}
    project.up()
    assert project.status().applied == (name,)


def test_a_version_table_that_is_lost_is_written_again(shop: Shop) -> None:
    one, two = shop.table(), shop.table()
    project = shop.open()
    project.up()
    shop.execute("drop table alembic_version")
    assert [each.revision for each in project.resolve("postgres", "applied")] == [one, two]
    assert shop.rows("select version_num from alembic_version") == [("0002",)]
    assert project.status().applied == (one, two)


def test_a_lock_of_a_run_that_is_gone_is_released(shop: Shop) -> None:
    shop.table()
    project = shop.open()
    assert project.lock() is None
    project.up()
    leases = PostgresLeases(connect(shop.url, "postgres"), "shop")
    taken = leases.take("run", sites.owner(shop.root), 0.01, 0)
    time.sleep(0.05)  # it has expired
    holding = project.lock()
    assert isinstance(holding, LeaseRecord)
    assert holding.token == taken.token
    assert project.release_lock(holding) is True
    assert project.lock() is None
    with pytest.raises(RefusedError) as raised:
        project.release_lock(holding)
    assert raised.value.code == "lease-moved"
    leases.connection.close()
