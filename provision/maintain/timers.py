"""Jobs as the timers of others run them: a crontab, units of systemd, CronJobs of Kubernetes."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from provision.maintain import schedule
from provision.model.maintain import Job

LABEL = 52  # characters that Kubernetes allows in the name of a CronJob


class Form(StrEnum):
    """Who runs the jobs."""

    CRONTAB = "crontab"
    SYSTEMD = "systemd"
    KUBERNETES = "kubernetes"


@dataclass(frozen=True, slots=True)
class Caller:
    """What a timer calls: the program, in the folder of a project, for an environment; `image` is of Kubernetes."""

    project: str
    folder: Path
    environment: str
    program: Sequence[str]
    image: str = ""

    def words(self, job: Job) -> list[str]:
        return ["maintain", "run", job.name, "--env", self.environment]


def files(form: Form, caller: Caller, jobs: Sequence[Job]) -> Mapping[str, str]:
    """Name of a file → its text."""
    if form is Form.CRONTAB:
        return {f"{caller.project}.crontab": _crontab(caller, jobs)} if jobs else {}
    if form is Form.KUBERNETES:
        return {f"{_label(caller, job)}.yaml": _cron_job(caller, job) for job in jobs}
    return {f"{_unit(caller, job)}.{kind}": text for job in jobs for kind, text in _units(caller, job).items()}


def _crontab(caller: Caller, jobs: Sequence[Job]) -> str:
    head = [
        f"# {caller.project}, environment {caller.environment}: `crontab FILE`, or add it to the one that is there.",
        "# Times are UTC. A cron that does not know CRON_TZ (Debian's) goes by the zone of the machine.",
        "CRON_TZ=UTC",
    ]
    lines = []
    for job in jobs:
        call = f"cd {shlex.quote(str(caller.folder))} && {shlex.join([*caller.program, *caller.words(job)])}"
        # Cron takes % for the end of the line.
        lines.append(f"{schedule.cron(job.schedule)} {call} >/dev/null".replace("%", r"\%"))
    return "\n".join([*head, *lines, ""])


def _units(caller: Caller, job: Job) -> Mapping[str, str]:
    about = f"{caller.project}: {job.name}".replace("%", "%%")
    call = " ".join(_quoted(each) for each in [*caller.program, *caller.words(job)])
    folder = str(caller.folder).replace("%", "%%")
    service = f"[Unit]\nDescription={about}\n\n[Service]\nType=oneshot\nWorkingDirectory={folder}\nExecStart={call}\n"
    when = schedule.calendar(job.schedule)
    # What was due while the machine was off is done when it is back.
    timer = f"[Unit]\nDescription={about}\n\n[Timer]\nOnCalendar={when}\nPersistent=true\n"
    return {"service": service, "timer": f"{timer}\n[Install]\nWantedBy=timers.target\n"}


def _quoted(word: str) -> str:
    """A word of ExecStart."""
    if re.fullmatch(r"[A-Za-z0-9_./:=@+-]+", word):
        return word
    text = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{text}"'


def _unit(caller: Caller, job: Job) -> str:
    return f"provision-{re.sub(r'[^A-Za-z0-9_.-]', '-', caller.project)}-{job.name}"


def _cron_job(caller: Caller, job: Job) -> str:
    return f"""\
apiVersion: batch/v1
kind: CronJob
metadata:
  name: {_label(caller, job)}
spec:
  schedule: {json.dumps(schedule.cron(job.schedule))}
  timeZone: Etc/UTC
  concurrencyPolicy: Forbid
  jobTemplate:
    spec:
      backoffLimit: 0
      template:
        spec:
          restartPolicy: Never
          containers:
            - name: provision
              image: {json.dumps(caller.image)}
              command: {json.dumps(["provision", *caller.words(job)])}
"""


def _label(caller: Caller, job: Job) -> str:
    name = re.sub(r"[^a-z0-9-]+", "-", f"{caller.project}-{job.name}".lower().replace("_", "-"))
    return name[-LABEL:].strip("-")
