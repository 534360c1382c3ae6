"""What can be asked without changing anything, but for the files that `new` writes."""

from __future__ import annotations

import pytest

from provision import ConfigError, HistoryEntry, RefusedError
from tests.library.shop import Shop


def test_files_are_read_in_the_order_of_up_without_a_server(both: Shop) -> None:
    one = both.table()
    stream = both.stream("orders", requires=(one,))
    two = both.table()
    project = both.open("nowhere")
    assert [each.id for each in project.revisions()] == [one, two, stream]
    assert [each.id for each in project.revisions(only="redis")] == [stream]
    graph = project.graph()
    assert graph.heads("postgres") == (two,)
    assert graph.needs([stream]) == {one, stream}
    assert graph.dependents([one]) == {one, two, stream}
    assert graph.revisions[two].description == "Step 0002"


def test_status_tells_pending_applied_and_what_is_wrong(both: Shop) -> None:
    one, stream = both.table(), both.stream("orders")
    project = both.open()
    project.up(only="postgres")
    found = project.status()
    assert (found.applied, found.pending, found.flagged, found.working) == ((one,), (stream,), {}, None)
    assert found.standings["postgres"].standings[one].state.name == "applied"
    assert list(project.status(only="redis").standings) == ["redis"]
    (both.root / "alembic/versions/0001_step.py").unlink()
    assert both.open().status().flagged == {one: ("unknown", "future")}


def test_plans_say_what_each_step_does(both: Shop) -> None:
    one, stream = both.table(), both.stream("orders")
    project = both.open()
    described = project.describe(project.plan())
    assert [each.step.id for each in described] == [one, stream]
    assert described[0].statements == ("create table t0001 (n int)",)
    project.up()
    plan = project.plan_down(everything=True)
    assert [step.id for step in plan.steps] == [stream, one]
    assert project.describe(project.plan_down(only="postgres", everything=True))[0].statements == ("drop table t0001",)
    with pytest.raises(ConfigError) as raised:
        project.plan_down()
    assert raised.value.code == "down-without-target"


def test_a_plan_is_refused_where_up_would_be(both: Shop) -> None:
    stream = both.stream("orders")
    both.open().up()
    file = next((both.root / "redis").iterdir())
    file.write_text(file.read_text().replace("maxlen: 10", "maxlen: 20"))
    project = both.open()
    assert project.status().flagged == {stream: ("changed",)}
    for refused in (project.plan, project.up):
        with pytest.raises(RefusedError) as raised:
            refused()
        assert raised.value.code == "revision-changed"
        assert stream in raised.value.what


def test_history_tells_every_entry(both: Shop) -> None:
    one = both.table()
    both.stream("orders")
    project = both.open()
    project.up()
    found = project.history()
    assert all(isinstance(each, HistoryEntry) for each in found)
    assert {each.store for each in found} == {"postgres", "redis"}
    assert [each.event.kind for each in project.history(one)] == ["applied"]
    assert project.history(only="postgres", limit=1) == project.history(one)[-1:]
    with pytest.raises(ConfigError) as raised:
        project.history("postgres/0009")
    assert raised.value.code == "no-such-revision"


def test_new_writes_a_file_to_be_filled_in(both: Shop) -> None:
    one = both.table()
    project = both.open()
    [written] = project.new("redis", "order events", requires=[one])
    assert written.parent == both.root / "redis"
    assert one in written.read_text()
    with pytest.raises(ConfigError) as raised:
        project.new("mongo", "x")
    assert raised.value.code == "unknown-store"


def test_doctor_finds_what_is_wrong_and_says_which_server_is_away(shop: Shop) -> None:
    shop.table()
    found = shop.open().doctor()
    assert (found.wrong, found.unreachable) == (False, False)
    assert {"python", "tools", "project", "reach", "ledger", "lease"} <= {each.rule for each in found.findings}
    found = shop.open("nowhere").doctor()
    assert found.unreachable
    assert [each.place for each in found.findings if each.severity == "error"] == ["postgres"]
