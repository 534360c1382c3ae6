"""`doctor`: looks at the machine, the project and the servers, and says what to do about what is wrong."""

from __future__ import annotations

from provision import settings
from provision.cli import group, options, site
from provision.cli.render import doctor as render
from provision.errors import EXIT_DONE, EXIT_FINDINGS, EXIT_UNREACHABLE, ProvisionError
from provision.flows.doctor import Checkup, problems
from provision.wiring import checkup

app = group.app()


@group.command(app, "doctor", "provision doctor --env local", "provision doctor -e production --output json")
def doctor(env: options.Env = None, output: options.Output = options.TEXT) -> int:
    """Check the set-up, the servers and the ledgers. Reads only.

    Exits with 0 when nothing is wrong (warnings may be there), 1 when something is, 4 when a store is unreachable.
    """
    try:
        project = site.project()
    except ProvisionError as error:
        found = Checkup((*checkup.tools(), *problems(error, "project", settings.FILE)))
        return _end(render.Heading(), found, output)
    name = settings.choose(project, env, terminal=site.terminal())
    return _end(render.Heading(project.name, name), checkup.checkup(project, name), output)


def _end(heading: render.Heading, found: Checkup, output: str) -> int:
    exit_code = EXIT_UNREACHABLE if found.unreachable else EXIT_FINDINGS if found.wrong else EXIT_DONE
    render.checkup(heading, found, exit_code, output)
    return exit_code
