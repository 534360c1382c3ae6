"""Looks at the machine, the project and the servers of one environment. Reads only."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace

from provision import kinds, process, settings
from provision.errors import ProvisionError, unexpected
from provision.flows.doctor import Checkup, Look, examine, problems
from provision.model import Finding, Severity
from provision.model.partitions import PartitionSet
from provision.wiring import machine, partitions, sites


def tools() -> list[Finding]:
    """What every command needs, whatever the project."""
    return [machine.python(), machine.git()]


def checkup(project: settings.ProjectFile, name: str, variables: Mapping[str, str] = os.environ) -> Checkup:
    """Everything that was found, secrets masked. Never raises for what it can report."""
    embedded = project.environments[name].get("embedded") is True
    findings = [
        *tools(),
        Finding("project", Severity.FINE, settings.FILE, f"{project.file} is in order"),
        *machine.packages([each.kind for each in project.stores], embedded=embedded),
        *machine.folders(project, embedded=embedded),
    ]
    found = _examined(project, name, variables)
    return Checkup((*findings, *found.findings), found.unreachable)


def _examined(project: settings.ProjectFile, name: str, variables: Mapping[str, str]) -> Checkup:
    try:
        environment = settings.resolve(project, name, variables)
    except ProvisionError as error:
        return Checkup(tuple(problems(error, "environment", name)))
    mask = environment.mask
    try:
        windows, wrong = _windows(project)
        found = examine(project, environment, kinds.build, sites.engine, _look, process.dead, windows)
        found = replace(found, findings=(*wrong, *found.findings))
    except Exception as error:
        named = machine.blamed(unexpected(error, mask))
        if named.code == "unexpected":
            raise
        found = Checkup(tuple(problems(named, "packages", "machine")))
    hidden = (replace(each, message=mask(each.message), fix=mask(each.fix)) for each in found.findings)
    return Checkup(tuple(hidden), found.unreachable)


def _windows(project: settings.ProjectFile) -> tuple[Sequence[PartitionSet], list[Finding]]:
    """The partitioned tables that the project describes, and what is wrong with their documents."""
    try:
        return partitions.read(project), []
    except ProvisionError as error:
        return (), list(problems(error, "files", "partitions"))


def _look(kind: str) -> Look | None:
    found = kinds.named(kind, "doctor").health()
    if found is None:
        return None
    return lambda options, url, home: found.look(options, url, home=home)
