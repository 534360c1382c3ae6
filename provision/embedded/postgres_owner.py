"""Whom a PostgreSQL server runs as: it refuses root, and no user may be created and no folder opened for it."""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
import time
from pathlib import Path

from provision.embedded.process import identity
from provision.errors import ConfigError
from provision.process import passed_on

NAMESPACE = ("--user", "--map-user=1000", "--map-group=1000")
SOFTWARE = ("lib", "share")
LONGEST_PLACE = 50
PROGRAMS = ("initdb", "postgres")


def is_root() -> bool:
    """Say whether this process is the user PostgreSQL refuses."""
    return os.geteuid() == 0


def namespace_prefix() -> list[str]:
    """Return the command that runs another as an ordinary user in a namespace of its own."""
    return [shutil.which("unshare") or "unshare", *NAMESPACE]


def namespace_works(folder: Path, program: Path) -> bool:
    """Say whether the kernel allows the namespace, and `folder` and `program` are reachable from inside it."""
    check = 'test -w "$0" && test -x "$1"'
    try:
        tried = subprocess.run(
            [*namespace_prefix(), "/bin/sh", "-c", check, str(folder), str(program)],
            capture_output=True,
            check=False,
            env=passed_on(),
        )
    except FileNotFoundError:
        return False
    return tried.returncode == 0


def nobody() -> tuple[int, int]:
    """Return uid and gid of the user `nobody`. Raises ConfigError when the system has none."""
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise ConfigError(
            "no-user-for-postgres",
            "the embedded PostgreSQL cannot run: this is root, user namespaces are refused, there is no user nobody",
            fix="run as an ordinary user, or allow user namespaces (`unshare --user true` shows whether they are)",
        ) from None
    return entry.pw_uid, entry.pw_gid


def folder_for(engine: Path, purpose: str) -> Path:
    """Return the path of a folder in the temporary folder that is named after an engine's folder.

    Its identity is part of the name: a checkout that was moved keeps what is named after it, whatever is now at the
    old path. Raises OSError when `engine` is missing.
    """
    subject = f"{os.geteuid()} {purpose} {engine} {identity(engine)}"
    digest = hashlib.sha256(subject.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    place = tempfile.gettempdir()
    return Path(place if len(os.fsencode(place)) <= LONGEST_PLACE else "/tmp") / f"provision-{digest}"


def make_private(folder: Path) -> None:
    """Make `folder` with mode 0700 when it is missing. Raises ConfigError when it is there and not ours alone."""
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        _refuse_foreign(folder, (os.geteuid(),))


def make_home(home: Path, wheel: Path) -> None:
    """Copy the server's programs into the new folder `home`, which then belongs to `nobody` (mode 0700).

    What an earlier, interrupted call left there is removed first. Raises ConfigError when the folder is another's.
    """
    remove_home(home)
    home.mkdir(mode=0o700)
    target = home / "software" / wheel.name / "pginstall18"
    (target / "bin").mkdir(parents=True)
    for name in SOFTWARE:
        shutil.copytree(wheel / "pginstall18" / name, target / name)
    for name in PROGRAMS:
        shutil.copy(wheel / "pginstall18" / "bin" / name, target / "bin" / name)
    libraries = wheel.with_name(f"{wheel.name}.libs")  # the programs look for them beside the package
    if libraries.is_dir():
        shutil.copytree(libraries, home / "software" / libraries.name)
    os.chown(home, *nobody())


def remove_home(home: Path) -> None:
    """Remove the folder if it is there. Raises ConfigError when it is another user's."""
    if os.path.lexists(home):
        _refuse_foreign(home, (os.geteuid(), nobody()[0]) if is_root() else (os.geteuid(),))
        for last in (False, False, True):
            shutil.rmtree(home, ignore_errors=not last)  # an initdb whose caller was killed may still write there
            if not home.exists():
                return
            time.sleep(0.2)


def _refuse_foreign(folder: Path, owners: tuple[int, ...]) -> None:
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in owners or stat.S_IMODE(found.st_mode) & 0o077:
        raise ConfigError(
            "foreign-folder",
            "a folder that the embedded PostgreSQL needs exists already and is not this user's alone",
            where=str(folder),
            fix="remove that folder, or set TMPDIR to a folder of your own",
        )
