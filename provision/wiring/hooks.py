"""Tells a url or a command of what became of a backfill or of checks; whatever goes wrong there is said and no more."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from provision import settings
from provision.errors import ProvisionError
from provision.model.backfills import BackfillRun
from provision.threads import Call, Late

if TYPE_CHECKING:
    from provision.flows.validate import Validation

SECONDS = 10.0  # for one hook
FORM = 1  # of the document; it grows when a key changes its meaning


class Hooks:
    """The hooks of an environment; `noted` hears, in a line, of one that failed."""

    def __init__(
        self, project: settings.ProjectFile, environment: settings.Environment, noted: Callable[[str], None]
    ) -> None:
        self._project, self._environment, self._noted = project, environment, noted

    def backfill(self, name: str, event: str, run: Callable[[], BackfillRun], error: ProvisionError | None) -> None:
        """`event` is on_start, on_pause, on_error or on_done. `run` is asked only where there is a hook for it."""

        def told() -> Mapping[str, object]:
            found, counts = run(), ("rows_done", "rows_total", "rows_skipped")
            rows = {key: getattr(found, key) for key in counts}
            return {"what": "backfill", "name": name, "run": found.run, **rows}

        self._tell(event, told, error)

    def validate(self, event: str, suites: str, counts: Mapping[str, int], error: ProvisionError | None) -> None:
        """`counts`: status of a check → how many ended with it."""
        self._tell(event, lambda: {"what": "validate", "name": suites, "checks": dict(counts)}, error)

    def _tell(self, event: str, told: Callable[[], Mapping[str, object]], error: ProvisionError | None) -> None:
        hook = self._environment.hooks.get(event)
        if hook is None:
            return
        document = {
            "form": FORM,
            "event": event,
            "project": self._project.name,
            "environment": self._environment.name,
            "at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            **told(),
            "error": self._shown(error),
        }
        body = json.dumps(document, ensure_ascii=False).encode()
        target = hook.reveal()
        why = _failure(target, body, event, self._project.root)
        if why:
            self._noted(self._environment.mask(f"hook {event} ({_name(target)}) failed: {why}"))

    def _shown(self, error: ProvisionError | None) -> dict[str, str] | None:
        if error is None:
            return None
        mask = self._environment.mask
        return {"code": error.code, "what": mask(error.what), "where": mask(error.where), "fix": mask(error.fix)}


def _failure(target: str, body: bytes, event: str, folder: Path) -> str:
    """Why the hook failed; empty where it did not."""
    try:
        if _is_url(target):
            # In a thread: a server may give its answer byte by byte for ever.
            return Call(lambda: _post(target, body), "hook").result(SECONDS)
        return _run(target, body, event, folder)
    except (Late, TimeoutError, subprocess.TimeoutExpired):
        return "no answer in time"
    except (OSError, ValueError) as failed:
        return _said(failed)


def _is_url(target: str) -> bool:
    return target.startswith(("http://", "https://"))


def _name(target: str) -> str:
    """The host of a url, or the program of a command: the rest may be secret."""
    return urlsplit(target).hostname or "a url" if _is_url(target) else Path(shlex.split(target)[0]).name


def _post(url: str, body: bytes) -> str:
    """Why it failed; empty where the answer was a good one. No redirect is followed: it is for one host alone."""
    from http.client import HTTPConnection, HTTPException, HTTPSConnection

    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=SECONDS)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("POST", path, body, {"Content-Type": "application/json", "User-Agent": "provision"})
        status = connection.getresponse().status
    except HTTPException as broken:
        return f"no plain answer: {type(broken).__name__}"
    finally:
        connection.close()
    return "" if 200 <= status < 300 else f"it answered {status}"


def _run(command: str, body: bytes, event: str, folder: Path) -> str:
    """Why it failed; the document is its standard input, and what it prints is not shown unless it fails."""
    pipe = subprocess.PIPE
    arguments = [*shlex.split(command), event]
    with subprocess.Popen(arguments, cwd=folder, stdin=pipe, stdout=pipe, stderr=pipe, process_group=0) as hook:
        try:
            _, heard = hook.communicate(body, SECONDS)
        except BaseException:
            with suppress(ProcessLookupError):
                os.killpg(hook.pid, signal.SIGKILL)  # what it began, too
            raise
    said = " ".join(heard.decode(errors="replace").split())[-200:]
    return f"exit code {hook.returncode}" + (f": {said}" if said else "") if hook.returncode else ""


def _said(error: Exception) -> str:
    """What went wrong, without the url or the command in it."""
    return (error.strerror or type(error).__name__) if isinstance(error, OSError) else str(error)


@contextmanager
def checked_hooks(
    project: settings.ProjectFile,
    environment: settings.Environment,
    suites: Sequence[str],
    noted: Callable[[str], None],
) -> Iterator[Callable[..., None]]:
    """The hooks around checks: on_start, and on_done or, where a check `fails` or none could be made, on_error."""
    hooks, name = Hooks(project, environment, noted), ", ".join(suites) or "all"
    hooks.validate("on_start", name, {}, None)

    def ended(found: Validation, *, fails: bool) -> None:
        counts = Counter(str(each.status) for each in found.results)
        hooks.validate("on_error" if fails else "on_done", name, counts, None)

    try:
        yield ended
    except ProvisionError as error:
        hooks.validate("on_error", name, {}, error)
        raise
