"""`make walk`: the wheel, built and installed as a page says, and that page and the next followed by the letter."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

from tests.walks.example import tested
from tests.walks.pages import Disagreement, User

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
OWN = Path(sys.executable).with_name("provision")
_PIN = re.compile(r"^([^ \[#]+)(?:\[[^\]]*\])?(==[^ ]+)", re.MULTILINE)


def main() -> None:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="walk") as name:
        place = Path(name)
        wheel, pins = built(place), pinned(place)
        with servers(place / "servers") as urls:
            user = User(place / "home", {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": name, **index()}, urls)
            user.folder.mkdir()
            user.environment["PATH"] = f"{Path(sys.base_prefix) / 'bin'}:{user.environment['PATH']}"
            user.instead = lambda line: line.replace(
                "pip install 'provision-toolkit[local]'", f"pip install -q -c {pins} '{wheel}[local]'"
            )
            try:
                for page in ("getting-started.md", "second-database.md"):
                    user.follow(DOCS / page)
                proved(user, urls)
            finally:
                subprocess.run(
                    ["bash", "-c", "provision local reset --yes"], cwd=user.folder, env=user.environment, check=False
                )
        (place / "other").mkdir()
        print(f"an example's tests: {tested(place / 'other', wheel, pins, index())}")
    print(f"walked in {time.monotonic() - began:.0f} s: {len(user.ran)} commands, as the pages say")


def built(place: Path) -> Path:
    """The wheel of this clone."""
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--disable-pip-version-check", "-w", str(place), str(ROOT)], check=True)
    [wheel] = place.glob("*.whl")
    return wheel


def pinned(place: Path) -> Path:
    """The pins as constraints: with its hash, each line would ask for one of the wheel too."""
    pins = place / "pins.txt"
    text = (ROOT / "requirements/local.txt").read_text()
    pins.write_text("".join(f"{name}{version}\n" for name, version in _PIN.findall(text)))
    return pins


def index() -> dict[str, str]:
    """Where pip looks for packages here, and through what."""
    return {name: each for name, each in os.environ.items() if name.startswith("PIP_") or "proxy" in name.lower()}


@contextmanager
def servers(place: Path) -> Iterator[dict[str, str]]:
    """The user's own servers: one PostgreSQL with two databases, one ClickHouse, one Redis; variables → urls."""
    place.mkdir()
    subprocess.run([OWN, "init", "--stores", "postgres,clickhouse,redis"], cwd=place, check=True, capture_output=True)
    subprocess.run([OWN, "local", "start"], cwd=place, check=True, capture_output=True)
    try:
        told = subprocess.run([OWN, "local", "status", "-o", "json"], cwd=place, check=True, capture_output=True)
        found = {each["store"]: each["url"] for each in json.loads(told.stdout)["engines"]}
        with psycopg.connect(found["postgres"], autocommit=True) as connection:
            for name in ("shop", "billing"):
                connection.execute(f"CREATE DATABASE {name}".encode())
        yield {
            "POSTGRES_URL": _in(found["postgres"], "shop"),
            "BILLING_URL": _in(found["postgres"], "billing"),
            "CLICKHOUSE_URL": _in(found["clickhouse"], "shop"),
            "REDIS_URL": found["redis"],
        }
    finally:
        subprocess.run([OWN, "local", "reset", "--yes"], cwd=place, check=True, capture_output=True)


def _in(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


def proved(user: User, urls: dict[str, str]) -> None:
    """What the pages promised is in the databases, and all that the product told as the next step was come to."""
    if left := user.unfollowed():
        raise Disagreement(f"told as next, and on no page: {left}")
    for name, query, wanted in (
        ("POSTGRES_URL", "select count(*) from orders where source = 'web'", 1000),
        ("POSTGRES_URL", "select count(*) from pg_class where relname = 'invoices'", 0),
        ("BILLING_URL", "select count(*) from invoices", 0),
        ("BILLING_URL", "select count(*) from pg_class where relname = 'orders'", 0),
    ):
        with psycopg.connect(urls[name]) as connection:
            if (found := connection.execute(query.encode()).fetchone()) != (wanted,):
                raise Disagreement(f"{query} in {name}: {found}, not {wanted}")
    status = json.loads(user.run("provision status --env production --output json"))
    applied = {each["store"]: each["applied"] for each in status["stores"]}
    if applied != {"postgres": 1, "clickhouse": 1, "redis": 1, "billing": 1}:
        raise Disagreement(f"applied: {applied}")


if __name__ == "__main__":
    try:
        main()
    except Disagreement as error:
        sys.exit(f"the walk ends here: {error}")
