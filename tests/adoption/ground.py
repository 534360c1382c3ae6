"""A folder with provision.toml for one project and one database, and the two programs that move it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

from tests.adoption import catalogue
from tests.adoption.environments import packages, run
from tests.adoption.projects import Adopted

_HERE = Path(__file__).parent
_URL = "{url"


@dataclass(frozen=True)
class Ground:
    """A database of an adopted project."""

    project: Adopted
    place: Path  # of its environment
    folder: Path
    url: str

    def write(self) -> None:
        """What a user writes, provision.toml and the module that env_setup names; what the application does first."""
        installed = packages(self.place)
        keys = {"path": installed / self.project.scripts, **self.project.store}
        if self.project.ini:
            keys["ini"] = installed / self.project.ini
        lines = [f"{key} = {json.dumps(str(value))}" for key, value in keys.items()]
        self.folder.mkdir()
        (self.folder / "provision.toml").write_text(
            f'[project]\nname = "{self.project.name}"\nhome = "postgres"\n\n[stores.postgres]\n'
            + "\n".join(lines)
            + '\n\n[environments.test]\npostgres.url = "${DATABASE_URL}"\n',
            encoding="utf-8",
        )
        if setup := self.project.store.get("env_setup"):
            shutil.copy(_HERE / "setups" / f"{setup.partition(':')[0]}.py", self.folder)
        own = _HERE / "setups" / f"{self.project.name}.ini"
        if own.is_file():
            shutil.copy(own, self.folder / "alembic.ini")
        first = _HERE / "setups" / f"{self.project.name}_first.py"
        if first.is_file():
            run([str(self.place / "bin" / "python"), str(first)], self.folder, self.variables())

    def variables(self) -> dict[str, str]:
        """What the application is told by, and where provision finds the database."""
        told = {key: self._filled(value) for key, value in self.project.variables.items()}
        return {"DATABASE_URL": self.url, "ADOPTED_URL": self._with("psycopg"), "HOME": str(self.folder), **told}

    def provision(self, *arguments: str) -> str:
        """Run the installed program, which must end with 0; what it printed."""
        command = [str(self.place / "bin" / "provision"), *arguments, "--env", "test"]
        return run(command, self.folder, self.variables()).stdout

    def alembic(self, *commands: str) -> str:
        """Run commands of Alembic without provision, such as `upgrade:heads`; they must end well. What they printed."""
        command = [str(self.place / "bin" / "python"), str(_HERE / "alone.py"), *commands]
        return run(command, self.folder, self.variables()).stdout

    def left(self) -> dict[str, list[str]]:
        """The catalogue, the version table's rows and what `alembic current` says."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            table = self.project.store.get("version_table", "alembic_version")
            heads = sorted(str(row[0]) for row in connection.execute(f"select version_num from {table}".encode()))
        current = sorted(line for line in self.alembic("current").splitlines() if "(head)" in line)
        return {**catalogue.left(self.url), "heads": heads, "current": current}

    def _filled(self, text: str) -> str:
        head, found, rest = text.partition(_URL)
        if not found:
            return text
        driver, _, tail = rest.partition("}")
        return head + (self._with(driver.removeprefix(":")) if driver else self.url) + tail

    def _with(self, driver: str) -> str:
        return self.url.replace("postgresql://", f"postgresql+{driver}://", 1)


@contextmanager
def database(server: str, name: str) -> Iterator[str]:
    """The url of a new database of that server, gone with the block."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'create database "{name}"'.encode())
    yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'drop database "{name}" with (force)'.encode())
