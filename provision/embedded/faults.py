"""Why an engine could not be made or started, as errors that say what, where and how to go on."""

from __future__ import annotations

import errno
import importlib.util
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from provision.errors import ConfigError, FailedError

EXTRA = "pip install 'provision-toolkit[local]'"
LEAST_FREE_BYTES = 1 << 20
NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
NOT_WRITABLE = (errno.EROFS, errno.EACCES, errno.EPERM)
IN_THE_WAY = (errno.ENOTDIR, errno.EEXIST)


def wheel(module: str, store: str) -> Path:
    """Return the folder of an installed package without importing it. Raises ConfigError when it is not installed."""
    try:
        spec = importlib.util.find_spec(module)
    except ValueError:
        spec = None
    if spec is None or spec.origin is None:
        raise ConfigError(
            "missing-extra",
            f"the embedded engine of {store} needs the package {module.replace('_', '-')}, which is not installed",
            where=store,
            fix=EXTRA,
        )
    return Path(spec.origin).parent


@contextmanager
def folder_faults(root: Path, store: str) -> Iterator[None]:
    """Turn the operating system's errors about `root` into ConfigError (not writable) or FailedError (full, other)."""
    try:
        yield
    except OSError as error:
        where = str(error.filename or root)
        if error.errno in NO_SPACE:
            raise disk_full(store, where) from error
        if error.errno in IN_THE_WAY:
            raise ConfigError(
                "folder-not-writable",
                "the folder of the embedded engines cannot be made: a file is in its place",
                where=where,
                fix=f"move {where} away, then run the same command again",
            ) from error
        if error.errno in NOT_WRITABLE:
            raise ConfigError(
                "folder-not-writable",
                f"the folder of the embedded engines cannot be written: {(error.strerror or str(error)).lower()}",
                where=where,
                fix=f"make {root} writable for this user, or use an environment without `embedded = true`",
            ) from error
        raise FailedError(
            "engine-failed",
            f"the embedded engine of {store} could not be prepared: {(error.strerror or str(error)).lower()}",
            where=where,
            fix=f"`provision local reset {store}` removes its files, then run the same command again: it starts afresh",
        ) from error


def disk_full(store: str, where: str) -> FailedError:
    """The error for a disk with no room left."""
    return FailedError(
        "disk-full",
        f"no space is left for the embedded engine of {store}",
        where=where,
        fix="free some space on that disk, then run the same command again",
    )


def did_not_start(kind: str, store: str, log: Path, reason: str) -> FailedError:
    """The error for an engine that ended or fell silent while it was started; `reason` is its own last word.

    On a full disk it could not even write that down.
    """
    if "no space left on device" in reason.lower() or shutil.disk_usage(log.parent).free < LEAST_FREE_BYTES:
        return disk_full(store, str(log))
    return FailedError(
        "engine-failed",
        f"the embedded {kind} of {store} did not start: {reason or 'it ended without a word'}",
        where=str(log),
        fix=f"read that log; if the files are damaged, `provision local reset {store}` removes them, and the same"
        " command starts afresh",
    )


def did_not_end(kind: str, store: str, pid: int) -> FailedError:
    """The error for an engine that outlives its kill: one that the kernel holds, as on a disk that does not answer."""
    return FailedError(
        "engine-failed",
        f"the embedded {kind} of {store} does not end, its process {pid} was killed and is still there",
        where=store,
        fix=f"see what holds process {pid} (such as a disk that does not answer), then run the same command again",
    )


def last_words(log: Path, start: int = 0) -> str:
    """Return the most telling line that was written to `log` after position `start`."""
    try:
        with log.open("rb") as file:
            file.seek(start)
            lines = [
                line.strip() for line in file.read()[-20000:].decode(errors="replace").splitlines() if line.strip()
            ]
    except OSError:
        return ""
    telling = [line for line in lines if any(word in line for word in ("FATAL", "PANIC", "rror", "annot", "ailed"))]
    return (telling or lines or [""])[-1]
