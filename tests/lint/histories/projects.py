"""The published histories, fetched from the registry that carries each, and their findings."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from provision import kinds
from provision.embedded import engine
from provision.flows.lint import LintScope, StoreScripts, linted
from provision.lint.names import rules_of
from provision.model import Severity
from provision.model.lint import LintFinding, Script
from provision.stores.postgres.lint.reader import sent
from provision.stores.postgres.lint.rendered import Piece, Rendered
from tests.adoption import environments
from tests.adoption.ground import Ground
from tests.adoption.projects import PROJECTS
from tests.lint.histories import oracle

_HERE = Path(__file__).parent
_SUPERSET = "superset/migrations"
_PLACEHOLDER = re.compile(r"\{\{\s*\.SIGNOZ_CLUSTER\s*\}\}")


class History(NamedTuple):
    """A published history: `findings` are those of level error, `sent` what a real server did with each file."""

    name: str
    files: int
    not_rendered: int
    findings: list[LintFinding]
    sent: dict[str, oracle.Sent]


def airflow() -> History:
    """As a user lints it: `provision lint` in its own environment, over its installed migrations."""
    project = next(each for each in PROJECTS if each.name == "airflow")
    with _folder() as folder:
        place = environments.environment(project, environments.wheel(folder))
        _pip(place, "pglast>=7.20,<9")
        ground = Ground(project, place, folder / "project", "postgresql://nobody@127.0.0.1:1/none")
        ground.write()
        command = [str(place / "bin" / "provision"), "lint", "-o", "json", "--env", "test"]
        variables = {**os.environ, **ground.variables()}
        ran = subprocess.run(
            command, cwd=ground.folder, env=variables, capture_output=True, text=True, stdin=subprocess.DEVNULL
        )
        assert ran.returncode in (0, 1), ran.stdout + ran.stderr
        said = json.loads(ran.stdout[ran.stdout.index('{\n  "findings"') :])  # the project logs to stdout too
        installed = environments.packages(place)
        more = {
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "{url}",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "ALEMBIC_INI": str(installed / "airflow/alembic.ini"),
        }
        captured = _captured(place, folder, "alembic", installed / "airflow/migrations", more)
    findings = [
        LintFinding(**{**each, "severity": Severity(each["severity"]), "file": oracle.short(each["file"])})
        for each in said["findings"]
    ]
    name = f"apache-airflow {environments.version(project)}"
    return History(name, said["files"], len(said["not_rendered"]), _errors(findings), oracle.revisions(captured))


def superset() -> History:
    """Its revisions ask the database, and it wants SQLAlchemy 1.4: what it sent to a server is linted."""
    with _folder() as folder:
        place = _superset_environment()
        (folder / "superset_config.py").write_text(
            f'import os\nSECRET_KEY = "{"x" * 42}"\nSQLALCHEMY_DATABASE_URI = os.environ["HISTORY_URL"]\n'
        )
        more = {
            "HISTORY_URL": "{url}",
            "PYTHONPATH": str(folder),
            "SUPERSET_CONFIG_PATH": str(folder / "superset_config.py"),
        }
        scripts = environments.packages(place) / _SUPERSET
        captured = _captured(place, folder, "flask", scripts, more)
        made = oracle.revisions(captured)
        read = [_sent(scripts / "versions" / name, each) for name, each in made.items()]
    return History("apache-superset 6.1.0", len(read), 0, _linted("postgres", read), made)


def signoz() -> History:
    """The SQL files of a Go module; the name of the cluster, which its program fills in, is `cluster`."""
    module, version = "github.com/SigNoz/signoz-otel-collector", "v0.88.4"
    done = subprocess.run(
        ["go", "mod", "download", "-json", f"{module}@{version}"], capture_output=True, text=True, check=True
    )
    root = Path(json.loads(done.stdout)["Dir"]) / "migrationmanager" / "migrators"
    files, findings = 0, list[LintFinding]()
    for database in ("logs", "metrics", "traces"):
        found = sorted((root / database / "migrations").glob("*.up.sql"))
        texts = {f"{database}/{each.name}": _PLACEHOLDER.sub("cluster", each.read_text()) for each in found}
        reader = kinds.named("clickhouse", "a history").lint()
        assert reader is not None
        findings += _linted("clickhouse", list(reader.plain(texts)))
        files += len(texts)
    return History(f"signoz-otel-collector {version}", files, 0, findings, {})


ALL: dict[str, Callable[[], History]] = {"airflow": airflow, "superset": superset, "signoz": signoz}


def _errors(findings: list[LintFinding]) -> list[LintFinding]:
    return [each for each in findings if each.severity is Severity.ERROR]


def _linted(kind_name: str, scripts: list[Script]) -> list[LintFinding]:
    kind = kinds.named(kind_name, "a history")
    reader = kind.lint()
    assert reader is not None
    world = reader.world()
    world.complete = True
    return _errors(
        list(linted([StoreScripts(kind_name, scripts, world, rules_of(kind.package))], LintScope()).findings)
    )


def _sent(path: Path, each: oracle.Sent) -> Script:
    pieces = tuple(Piece(f"{text.rstrip().rstrip(';')};\n", line) for line, text, _ in each.statements)
    made = sent(path.name, path.read_text(encoding="utf-8"), Rendered(pieces), "alembic_version")
    return Script(made.file, made.source, made.units, journaled=True, undeclared=made.undeclared)


def _superset_environment() -> Path:
    pins = _HERE / "superset.txt"
    place = environments.cache() / f"lint-superset-{hashlib.sha256(pins.read_bytes()).hexdigest()[:12]}"
    if not (place / "complete").is_file():
        shutil.rmtree(place, ignore_errors=True)
        environments.run([sys.executable, "-m", "venv", str(place)], environments.ROOT)
        # One of its parts is published as source alone.
        _pip(place, "--no-compile", "--prefer-binary", "--no-deps", "-r", str(pins))
        (place / "complete").touch()
    return place


def _pip(place: Path, *arguments: str) -> None:
    options = ["--disable-pip-version-check", "--no-input", "-q"]
    environments.run([str(place / "bin" / "python"), "-m", "pip", "install", *options, *arguments], environments.ROOT)


def _captured(place: Path, folder: Path, how: str, scripts: Path, more: dict[str, str]) -> list[dict[str, Any]]:
    """What the project's own program sends to an empty PostgreSQL, and what that says; see capture.py."""
    server = engine("postgres", "postgres", folder / "engine")
    try:
        url = str(server.start().url).replace("postgresql:", "postgresql+psycopg2:", 1)
        variables = {key: value.replace("{url}", url) for key, value in more.items()}
        variables |= {"PGOPTIONS": "-c client_min_messages=debug1", "HOME": str(folder)}
        out = folder / "captured.json"
        environments.run(
            [str(place / "bin" / "python"), str(_HERE / "capture.py"), how, str(scripts), str(out)], folder, variables
        )
        captured: list[dict[str, Any]] = json.loads(out.read_text(encoding="utf-8"))
        return captured
    finally:
        server.reset()


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="provision-histories-") as made:
        yield Path(made)
