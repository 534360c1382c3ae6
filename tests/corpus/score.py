"""What each linter says of a case before it is run."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path

from tests.corpus.cases import LINTERS, Case
from tests.lint import pages

SQUAWK = Path(sys.executable).with_name("squawk")


def said(case: Case, linter: str, folder: Path) -> Collection[str]:
    """The rules that a linter finds in the change; ours reads what is there before too: it is all that there is."""
    if linter == "provision":
        texts = [case.before if case.kind not in ("redis", "influx") else "", case.change]
        return {each.rule for each in pages.found(case.kind, texts, complete=True) if each.file == "2.txt"}
    if case.kind != "postgres":
        return ()
    path = folder / f"{case.name}.sql"
    path.write_text(case.change, encoding="utf-8")
    command = [SQUAWK, "--reporter", "json", "--pg-version", "16", path]
    done = subprocess.run(command, capture_output=True, check=False)
    return {each["rule_name"] for each in json.loads(done.stdout or b"[]")}


def scored(case: Case, folder: Path) -> dict[str, list[str]]:
    """Linter → those of its rules that name the harm of the case; empty where it misses it."""
    return {each: sorted({*said(case, each, folder)} & {*case.names.get(each, ())}) for each in LINTERS}
