"""Holds the settings of servers against what suits their machines, and changes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from provision.errors import ConfigError, RefusedError
from provision.model.tune import Changed, Disk, Fit, Machine, Setting
from provision.ports.tune import Tuning
from provision.text.nearest import near

_OPTIONS = {"memory": "--memory 8GB", "cores": "--cores 4", "disk": "--disk ssd"}
NO_TUNING = "settings are of PostgreSQL's servers"


class TuneRequest(NamedTuple):
    """What somebody says of the machine, and settings with values of their own."""

    memory: int | None = None
    cores: int | None = None
    disk: Disk | None = None
    given: Mapping[str, str] = {}


class TuneStanding(NamedTuple):
    """How a server is set: its machine, every setting of the profile, and why what it has now is too much, if it is."""

    store: str
    machine: Machine
    settings: tuple[Setting, ...]
    danger: str


class TuneChange(NamedTuple):
    """What was done to a server's settings. `left`: what could not be changed, and why."""

    store: str
    changed: tuple[Changed, ...]
    left: Mapping[str, str]


def standing(store: str, tuning: Tuning, asked: TuneRequest) -> TuneStanding:
    """Raises ConfigError (machine-unknown, unknown-setting, bad-setting), RefusedError (dangerous-setting)."""
    machine = _machine(store, tuning.machine(), asked)
    settings = tuning.settings(machine, asked.given)
    return TuneStanding(store, machine, tuple(settings), tuning.danger(machine, {}))


def apply(found: TuneStanding, tuning: Tuning, names: Sequence[str] = (), *, dry_run: bool = False) -> TuneChange:
    """Change what differs, of `names` or all; nothing where it would be too much for the machine.

    Raises ConfigError (unknown-setting, not-allowed), RefusedError (dangerous-setting), FailedError (setting-refused).
    """
    known = [each.name for each in found.settings]
    for name in names:
        if name not in known:
            fix = near(name, known, "settings")
            raise ConfigError("unknown-setting", f"the profile has no setting {name}", where=found.store, fix=fix)
    mine = [each for each in found.settings if not names or each.name in names]
    wanted = [each for each in mine if each.fit is Fit.DIFFERS]
    danger = tuning.danger(found.machine, {each.name: each.wanted for each in wanted})
    if danger and danger != found.danger:  # what is too much already is no matter of what is changed now
        fix = "less work_mem or fewer connections (--set), or apply the whole profile"
        raise RefusedError("dangerous-setting", danger, where=found.store, fix=fix)
    left = {each.name: f"the {each.source} says {each.now}" for each in mine if each.fit is Fit.HELD}
    left |= {each.name: "waits for a restart" for each in mine if each.fit is Fit.PENDING}
    if dry_run:
        done = [Changed(each.name, each.now, each.wanted, each.restart) for each in wanted]
    else:
        done = list(tuning.apply(wanted))
    return TuneChange(found.store, tuple(done), left)


def reset(store: str, tuning: Tuning, names: Sequence[str] = ()) -> TuneChange:
    """Put back what was there. Raises as `Tuning.reset`."""
    changed, others = tuning.reset(names)
    return TuneChange(store, tuple(changed), dict.fromkeys(others, "somebody else changed it since, and it stays"))


def _machine(store: str, told: Machine, asked: TuneRequest) -> Machine:
    if asked.memory is not None and told.memory is not None and asked.memory > told.memory:
        what = f"{store} has {told.memory >> 20} MB of memory, and --memory says {asked.memory >> 20} MB"
        fix = "give no more than there is, or leave --memory out: the server tells it"
        raise RefusedError("dangerous-setting", what, where="--memory", fix=fix)
    machine = Machine(asked.memory or told.memory, asked.cores or told.cores, asked.disk or told.disk)
    missing = [name for name, value in machine._asdict().items() if value is None]
    if missing:
        what = f"{store} does not tell the {' and '.join(missing)} of its machine"
        fix = f"give {' '.join(_OPTIONS[name] for name in missing)}, with what it has"
        raise ConfigError("machine-unknown", what, where=store, fix=fix)
    return machine
