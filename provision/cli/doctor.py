"""`doctor`: looks at the machine, the project and the servers, and says what to do about what is wrong."""

from __future__ import annotations

from provision import kinds, process, settings
from provision.cli import group, options, site
from provision.cli.render import doctor as render
from provision.errors import EXIT_DONE, EXIT_FINDINGS, EXIT_UNREACHABLE, ProvisionError, unexpected
from provision.flows.doctor import Checkup, Look, examine, problems
from provision.model import Finding, Severity
from provision.wiring import machine

app = group.app()


@group.command(app, "doctor", "provision doctor --env local", "provision doctor -e production --output json")
def doctor(env: options.Env = None, output: options.Output = options.TEXT) -> int:
    """Check the set-up, the servers and the ledgers. Reads only.

    Exits with 0 when nothing is wrong (warnings may be there), 1 when something is, 4 when a store is unreachable.
    """
    findings = [machine.python(), machine.git()]
    try:
        project = site.project()
    except ProvisionError as error:
        return _end(render.Heading(), Checkup((*findings, *problems(error, "project", settings.FILE))), output)
    name = settings.choose(project, env, terminal=site.terminal())
    findings.append(Finding("project", Severity.FINE, settings.FILE, f"{project.file} is in order"))
    embedded = project.environments[name].get("embedded") is True
    findings += machine.packages([each.kind for each in project.stores], embedded=embedded)
    findings += machine.folders(project, embedded=embedded)
    checkup = _examined(project, name)
    heading = render.Heading(project.name, name)
    return _end(heading, Checkup((*findings, *checkup.findings), checkup.unreachable), output)


def _examined(project: settings.Project, name: str) -> Checkup:
    try:
        environment = settings.resolve(project, name)
    except ProvisionError as error:
        return Checkup(tuple(problems(error, "environment", name)))
    try:
        checkup = examine(project, environment, kinds.build, site.engine, _look, process.dead)
    except Exception as error:
        named = machine.blamed(unexpected(error, environment.mask))
        if named.code == "unexpected":
            raise
        checkup = Checkup(tuple(problems(named, "packages", "machine")))
    return Checkup(
        tuple(
            Finding(each.rule, each.severity, each.place, environment.mask(each.message), environment.mask(each.fix))
            for each in checkup.findings
        ),
        checkup.unreachable,
    )


def _look(kind: str) -> Look | None:
    found = kinds.named(kind, "doctor").health()
    if found is None:
        return None
    return lambda options, url, home: found.look(options, url, home=home)


def _end(heading: render.Heading, checkup: Checkup, output: str) -> int:
    exit_code = EXIT_UNREACHABLE if checkup.unreachable else EXIT_FINDINGS if checkup.wrong else EXIT_DONE
    render.checkup(heading, checkup, exit_code, output)
    return exit_code
