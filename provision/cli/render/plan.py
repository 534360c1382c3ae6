"""Every word that `plan` prints."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from provision.cli.render.paper import Paper, print_document, print_form
from provision.cli.render.problems import command
from provision.cli.render.summary import table
from provision.model import Blocked, Plan
from provision.model.statements import Description
from provision.text.credentials import hidden

Places = Sequence[tuple[str, str, str]]
SQL = (".sql", ".py")  # files whose statements end with a semicolon when shown


class PlanRender:
    """Prints a plan. `environment` is None when no database was asked; `mask` hides known secrets.

    `options` is what `up` must be told besides to do the same. `places` are the stores that were asked: name, engine,
    host and database.
    """

    def __init__(
        self,
        project: str,
        environment: str | None,
        mask: Callable[[str], str] = hidden,
        options: str = "",
        places: Places = (),
    ) -> None:
        self._project, self._environment, self._mask, self._options = project, environment, mask, options
        self._places = places

    def text(self, plan: Plan, described: Sequence[Description], *, sql: bool) -> None:
        """The steps in order, what they can lose, and with `sql` every statement."""
        paper = Paper(sys.stdout)
        paper.write(f"{self._project} · {self._environment or 'offline, as if nothing was applied'}", "head")
        widths = [max((len(row[column]) for row in self._places), default=0) for column in range(2)]
        for name, engine, place in self._places:
            paper.write(f"  {name.ljust(widths[0])}  {engine.ljust(widths[1])}  {place}".rstrip())
        width = max((len(each.step.id) for each in described), default=0)
        for number, each in enumerate(described, 1):
            paper.write(f"  {number:>3}  {each.step.id.ljust(width)}  {each.step.revision.description}")
            if each.step.revision.draft:
                paper.write(f"       draft, not filled in yet: {each.step.revision.draft}", "warn")
                continue
            for reason in each.destructive:
                paper.write(f"       loses data: {self._mask(reason)}", "warn")
            if sql:
                self._statements(paper, each)
        for held in plan.held:
            paper.write(f"  blocked {held.step.id}: waits for {', '.join(held.waits_for)}", "warn")
        paper.write(self._summary(plan, described))
        for line in blocked_lines(plan.held, self._environment):
            paper.write(line)

    def annotations(self, plan: Plan, described: Sequence[Description]) -> None:
        """For GitHub: a warning for each step that loses data or is a draft, and the steps in the job's summary."""
        rows = []
        for number, each in enumerate(described, 1):
            revision, why = each.step.revision, [f"loses data: {self._mask(reason)}" for reason in each.destructive]
            why += [f"draft, not filled in yet: {revision.draft}"] if revision.draft else []
            for reason in why:
                title = reason.split(":")[0].split(",")[0]
                print_form(command("warning", f"{each.step.id} {reason}", file=revision.path, title=title))
            rows.append((str(number), each.step.id, revision.description, "; ".join(why)))
        rows += [("", held.step.id, "", f"waits for {', '.join(held.waits_for)}") for held in plan.held]
        where = self._environment or "offline"
        table(f"{self._project} · {where}: {len(plan.steps)} to apply", ("", "revision", "does", ""), rows)

    def saved(self, file: Path, *, losing: bool) -> None:
        """Where the plan was saved and how to run it."""
        allow = " --allow-destructive" if losing else ""
        Paper(sys.stderr).write(f"saved; run it: provision up --plan {file}{allow} --env {self._environment}")

    def json(self, plan: Plan, described: Sequence[Description]) -> None:
        document = {
            "project": self._project,
            "environment": self._environment,
            "stores": [dict(zip(("store", "engine", "place"), row, strict=True)) for row in self._places],
            "steps": [self._step(each) for each in described],
            "held": [_blocked(each) for each in plan.held],
        }
        print_document(document)

    def _summary(self, plan: Plan, described: Sequence[Description]) -> str:
        if not plan.steps:
            return f"nothing to apply, {len(plan.held)} blocked" if plan.held else "nothing to do"
        risky = sum(bool(each.destructive) for each in described)
        losing = f", {risky} of them can lose data (--allow-destructive)" if risky else ""
        if drafts := [each.step.revision.path for each in described if each.step.revision.draft]:
            return f"{len(plan.steps)} to apply{losing}; fill in before: {', '.join(drafts)}"
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


def blocked_lines(held: Sequence[Blocked], environment: str | None) -> list[str]:
    """What lets the revisions go on that wait for backfills."""
    if not held:
        return []
    from provision.flows.gate_names import commands

    return [f"{len(held)} blocked by a backfill; run it: {each}" for each in commands(held, environment)]


def _blocked(held: Blocked) -> dict[str, object]:
    return {"id": held.step.id, "waits_for": list(held.waits_for)}
