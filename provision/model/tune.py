"""The nouns of tuning: a machine, and what its server is set to and should be."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Disk(StrEnum):
    """How a disk finds a page."""

    SSD = "ssd"
    HDD = "hdd"


class Machine(NamedTuple):
    """What a server runs on; None is not known. `memory` is in bytes, that of its container where it is in one."""

    memory: int | None = None
    cores: int | None = None
    disk: Disk | None = None


class Fit(StrEnum):
    """How a setting stands."""

    FITS = "fits"
    DIFFERS = "differs"
    PENDING = "pending restart"  # its file says what is wanted, and the server was not started since
    HELD = "held elsewhere"  # the command line, the database or the role says otherwise, and they win


class Setting(NamedTuple):
    """A setting as the server has it and as it should be, both as people write them.

    `restart`: a change needs one. `source`: who says what it is now.
    """

    name: str
    now: str
    wanted: str
    fit: Fit
    restart: bool
    why: str
    source: str


class Tuned(NamedTuple):
    """A setting that was changed by us and not put back: `before` is None where its file did not name it."""

    name: str
    before: str | None
    after: str


class Changed(NamedTuple):
    """What was done to a setting: from, to (None: no longer said), and whether the server must be started anew."""

    name: str
    before: str | None
    after: str | None
    restart: bool
