"""Six stores of an environment moved up, down and up again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tests.chaos import pictures
from tests.servers.rest import Keys
from tests.system import six
from tests.system.sites import ALL_DOWN, Site


class Moves(NamedTuple):
    """The schema of every store after the first `up`, after `down --all` and after the second `up`."""

    up: Mapping[str, str]
    down: Mapping[str, str]
    again: Mapping[str, str]

    def new_lines(self) -> dict[str, list[str]]:
        """By store, what the second `up` made that the first did not; stores without such lines are left out."""
        lines = {store: set(text.splitlines()) for store, text in self.up.items()}
        found = {
            store: [one for one in text.splitlines() if one not in lines[store]] for store, text in self.again.items()
        }
        return {store: new for store, new in found.items() if new}


def site_on(folder: Path, environment: str, stores: Mapping[str, Keys]) -> Site:
    """A copy of this project with an environment of these keys; their values are variables."""
    six.copied(folder)
    names = {(store, key): f"SITE_{store}_{key}".upper() for store, keys in stores.items() for key in keys}
    with (folder / "provision.toml").open("a", encoding="utf-8") as file:
        file.write(f"\n[environments.{environment}]\n")
        file.writelines(f'{store}.{key} = "${{{name}}}"\n' for (store, key), name in names.items())
    variables = {name: stores[store][key] for (store, key), name in names.items()}
    return Site(folder, environment, variables, off={})


def moved(site: Site, stores: Mapping[str, Keys]) -> Moves:
    """Move everything up, down and up."""
    shown = []
    for arguments in (("up",), ALL_DOWN, ("up",)):
        site.good(*arguments)
        shown.append(pictures.of(stores))
    return Moves(*shown)
