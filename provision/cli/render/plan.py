"""Every word that `plan` prints."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from provision.cli.render.paper import Paper, print_document
from provision.model import Blocked, Plan
from provision.model.statements import Description
from provision.text.credentials import hidden

SQL = (".sql", ".py")  # files whose statements end with a semicolon when shown


class PlanRender:
    """Prints a plan. `environment` is None when no database was asked; `mask` hides known secrets.

    `options` is what `up` must be told besides to do the same.
    """

    def __init__(
        self, project: str, environment: str | None, mask: Callable[[str], str] = hidden, options: str = ""
    ) -> None:
        self._project, self._environment, self._mask, self._options = project, environment, mask, options

    def text(self, plan: Plan, described: Sequence[Description], *, sql: bool) -> None:
        """The steps in order, what they can lose, and with `sql` every statement."""
        paper = Paper(sys.stdout)
        paper.write(f"{self._project} · {self._environment or 'offline, as if nothing was applied'}", "head")
        width = max((len(each.step.id) for each in described), default=0)
        for number, each in enumerate(described, 1):
            paper.write(f"  {number:>3}  {each.step.id.ljust(width)}  {each.step.revision.description}")
            for reason in each.destructive:
                paper.write(f"       loses data: {self._mask(reason)}", "warn")
            if sql:
                self._statements(paper, each)
        for held in plan.held:
            paper.write(f"  blocked {held.step.id}: waits for {', '.join(held.waits_for)}", "warn")
        paper.write(self._summary(plan, described))

    def saved(self, file: Path, *, losing: bool) -> None:
        """Where the plan was saved and how to run it."""
        allow = " --allow-destructive" if losing else ""
        Paper(sys.stderr).write(f"saved; run it: provision up --plan {file}{allow} --env {self._environment}")

    def json(self, plan: Plan, described: Sequence[Description]) -> None:
        document = {
            "project": self._project,
            "environment": self._environment,
            "steps": [self._step(each) for each in described],
            "held": [_blocked(each) for each in plan.held],
        }
        print_document(document)

    def _summary(self, plan: Plan, described: Sequence[Description]) -> str:
        if not plan.steps:
            return "nothing to do"
        risky = sum(bool(each.destructive) for each in described)
        losing = f", {risky} of them can lose data (--allow-destructive)" if risky else ""
        words = ["provision up", self._options, "--allow-destructive" if risky else "", f"--env {self._environment}"]
        run = f"; run it: {' '.join(word for word in words if word)}" if self._environment else ""
        return f"{len(plan.steps)} to apply{losing}{run}"

    def _statements(self, paper: Paper, each: Description) -> None:
        if each.statements is None:
            paper.write(f"       -- {self._mask(each.reason)}", "dim")
        for statement in each.statements or ():
            lines = self._mask(statement).strip().splitlines()
            end = (
                ";" if lines and not lines[-1].rstrip().endswith(";") and each.step.revision.path.endswith(SQL) else ""
            )
            if lines:
                lines[-1] += end
            paper.write_lines(f"       {line}".rstrip() for line in lines)

    def _step(self, each: Description) -> dict[str, object]:
        return {
            "id": each.step.id,
            "description": each.step.revision.description,
            "destructive": [self._mask(reason) for reason in each.destructive],
            "sql": None if each.statements is None else [self._mask(text) for text in each.statements],
            "reason": self._mask(each.reason) or None,
        }


def _blocked(held: Blocked) -> dict[str, object]:
    return {"id": held.step.id, "waits_for": list(held.waits_for)}
