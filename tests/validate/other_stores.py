"""A project over one store besides PostgreSQL and ClickHouse, with its shipped suite and documents."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from provision.cli.main import run
from tests.validate.platform import REPOSITORY, Ran

_PROJECT = """
[project]
name = "{name}"
home = "none"
[stores.{kind}]
{others}
[environments.test]
{kind} = {{ {keys} }}
[environments.bare]
[environments.dark]
{kind} = "off"
"""


@dataclass(frozen=True)
class Single:
    """A project at `folder`. Its environments: `test` has the store, `dark` has it off, `bare` says nothing of it."""

    folder: Path
    kind: str

    def run(self, *arguments: object, env: str = "test") -> Ran:
        """Run a command line in this process."""
        out, err = io.StringIO(), io.StringIO()
        with (
            contextlib.chdir(self.folder),
            mock.patch.dict(os.environ, {"PROVISION_ENV": env}),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            code = run([str(each) for each in arguments])
        return Ran(code, out.getvalue(), err.getvalue())

    def validate(self, *arguments: object, env: str = "test") -> Ran:
        """Run a suite and read its JSON."""
        return self.run("validate", *arguments, "--output", "json", env=env)

    def suite(self, name: str, text: str) -> None:
        (self.folder / "checks" / f"{name}.yaml").write_text(text, encoding="utf-8")

    def up(self) -> None:
        applied = self.run("up", "--no-lock", "--allow-destructive")
        assert applied.code == 0, applied.err


def make(
    folder: Path, kind: str, keys: Mapping[str, str], suite: str, *documents: str, name: str = "vfr", others: str = ""
) -> Single:
    """A project with these documents of the repository, or all of them, without what they require of other stores."""
    (folder / "checks").mkdir()
    (folder / kind).mkdir()
    shutil.copy(REPOSITORY / "checks" / f"{suite}.yaml", folder / "checks")
    for each in sorted((REPOSITORY / kind).glob("*.yaml")):
        if not documents or each.name[:4] in documents:
            lines = each.read_text(encoding="utf-8").splitlines(keepends=True)
            kept = "".join(line for line in lines if not line.startswith("requires:"))
            (folder / kind / each.name).write_text(kept, encoding="utf-8")
    said = ", ".join(f'{key} = "{value}"' for key, value in keys.items())
    text = _PROJECT.format(name=name, kind=kind, keys=said, others=others)
    (folder / "provision.toml").write_text(text, encoding="utf-8")
    return Single(folder, kind)
