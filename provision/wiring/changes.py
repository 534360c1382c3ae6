"""What a branch changed, as git tells it. Reads only."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import NamedTuple

from provision.errors import ConfigError

_COMMENTS = {".sql": r"--[^\n]*|/\*.*?\*/", ".py": r"#[^\n]*", ".yaml": r"#[^\n]*"}


class Changes(NamedTuple):
    """Paths from the project's root. `edited`: those of `files` that have other statements in the base branch;
    `new`: those that it has not."""

    files: frozenset[str]
    edited: frozenset[str]
    new: frozenset[str] = frozenset()


def since(root: Path, reference: str) -> Changes:
    """Against the commit where this branch left `reference`; files that git does not know yet are changed too.

    Raises ConfigError (bad-reference).
    """
    base = _git(root, reference, "merge-base", "--end-of-options", reference, "HEAD").strip()
    listed = _git(root, reference, "diff", "--name-status", "--no-renames", "-z", "--relative", base, "--", ".")
    parts = listed.split("\0")[:-1]
    states = dict(zip(parts[1::2], parts[::2], strict=True))
    unknown = _git(root, reference, "ls-files", "--others", "--exclude-standard", "-z", "--", ".").split("\0")[:-1]
    edited = {path for path, state in states.items() if state == "M" and _differs(root, reference, base, path)}
    new = frozenset((*(path for path, state in states.items() if state == "A"), *unknown))
    return Changes(frozenset((*states, *new)), frozenset(edited), new)


def _differs(root: Path, reference: str, base: str, path: str) -> bool:
    before = _git(root, reference, "show", f"{base}:./{path}")
    now = (root / path).read_bytes().decode(errors="replace")
    return _bare(before, path) != _bare(now, path)


def _bare(text: str, path: str) -> str:
    """Without comments and blanks: what was only laid out anew runs the same."""
    comments = _COMMENTS.get(Path(path).suffix)
    return re.sub(r"\s+", "", re.sub(comments, "", text, flags=re.DOTALL) if comments else text)


def _git(root: Path, reference: str, *arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, check=False)
    except FileNotFoundError:
        what, fix = "git is not installed", "install it, or leave --changed-since out"
        raise ConfigError("bad-reference", what, where="--changed-since", fix=fix) from None
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().split("\n")[0]
        what = f"git cannot compare with {reference!r}: {said or 'no common commit'}"
        fix = "name a branch or commit that is here; in CI fetch it first (fetch-depth: 0)"
        raise ConfigError("bad-reference", what, where="--changed-since", fix=fix)
    return done.stdout.decode(errors="surrogateescape")
