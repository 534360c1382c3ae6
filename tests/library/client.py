"""A program of somebody who uses the library: read by a type checker, never run."""

from __future__ import annotations

from typing import assert_type

from provision import (
    Backfill,
    BackfillRun,
    BackfillStatus,
    Began,
    Checkup,
    Description,
    Done,
    EngineStatus,
    Event,
    Failure,
    Finding,
    Flag,
    Graph,
    HistoryEntry,
    LeaseRecord,
    Note,
    Plan,
    Project,
    ProjectStatus,
    ProvisionError,
    Report,
    Result,
    Revision,
    Run,
    Several,
    Step,
    Stop,
    StoredResult,
    StoreStanding,
    Validation,
)


def heard(event: Began | Done | Failure | Note) -> None:
    if isinstance(event, Note):
        assert_type(event.text, str)
    else:
        assert_type(event.step, Step)


def moves(project: Project) -> None:
    stop = Stop()
    plan = assert_type(project.plan("postgres/0007", only=["postgres"], steps=1), Plan)
    report = assert_type(project.up(plan=plan, on_event=heard, stop=stop, wait=1.5), Report)
    assert_type(report.done, tuple[Done, ...])
    run = assert_type(project.begin_up(only="redis"), Run[Began | Done | Failure | Note, Report])
    for event in run:
        heard(event)
    with project.begin_down(everything=True) as going:
        assert_type(going.report(), Report)
    assert_type(project.plan_down(steps=1), Plan)
    assert_type(project.describe(plan), tuple[Description, ...])
    for reasons in project.losses(plan).values():
        assert_type(list(reasons), list[str])


def reads(project: Project) -> None:
    status = assert_type(project.status(tolerant=True), ProjectStatus)
    assert_type(status.pending, tuple[str, ...])
    assert_type(dict(status.standings), dict[str, StoreStanding])
    assert_type(dict(status.flagged), dict[str, tuple[Flag, ...]])
    assert_type(project.history(limit=5), tuple[HistoryEntry, ...])
    assert_type(project.history()[0].event, Event)
    assert_type(project.revisions(), tuple[Revision, ...])
    assert_type(project.graph(), Graph)
    assert_type(project.doctor(), Checkup)
    assert_type(project.doctor().findings, tuple[Finding, ...])
    assert_type(project.lock(), LeaseRecord | None)
    assert_type(project.engines(), tuple[EngineStatus, ...])
    assert_type(project.url("postgres"), str)


def rows(project: Project) -> None:
    assert_type(project.backfills(), tuple[Backfill, ...])
    assert_type(project.backfill("source", workers=2), BackfillStatus)
    assert_type(project.begin_backfill("source", rate=10.0), Run[BackfillRun | Note, BackfillStatus])
    found = assert_type(project.validate("orders", checks=["rows"]), Validation)
    assert_type(found.results, tuple[Result, ...])
    assert_type(found.fails(), bool)
    assert_type(project.validation_history(), tuple[StoredResult, ...])


def errors(project: Project) -> str:
    try:
        project.resolve("postgres/0007", "applied", reason="seen")
    except Several as error:
        return "; ".join(each.what for each in error.errors)
    except ProvisionError as error:
        assert_type(error.done, tuple[str, ...])
        return f"{error.code} {error.what} {error.where} {error.fix}"
    return ""
