"""`make demo`: what the platform looks like with rows in it: a data set, backfills, every check, and its page."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from provision import Project
from provision.errors import ProvisionError

ROOT = Path(__file__).parents[1]
PAGE = ".provision/demo.html"
# Of PostgreSQL, and of InfluxDB: its rollups would make the same windows within half an hour.
BACKFILLS = {"aggregated_confidence": "DATABASE_URL", "feature_rollup": "INFLUXDB_URL"}
# What `python -m vfr_data.generate` reads.
VARIABLES = {
    "DATABASE_URL": "postgres",
    "REDIS_URL": "redis",
    "CLICKHOUSE_URL": "clickhouse",
    "INFLUXDB_URL": "influx",
    "WEAVIATE_URL": "weaviate",
}
WITHOUT = {
    "INFLUXDB_URL": "InfluxDB is left out: influxd is not on PATH",
    "WEAVIATE_URL": "Weaviate is left out: weaviate-server is not on PATH",
    "ARANGO_URL": "ArangoDB is left out: no server of it can be started here",
}
SMALL = ("--tickers", "50", "--days", "10", "--seed", "1")


def main() -> int:
    """0 when all went well, else the exit code of the step that did not."""
    project = Project.open(ROOT, env="local")
    variables = {**os.environ, "PROVISION_ENV": "local"}
    for name, store in VARIABLES.items():
        try:
            variables[name] = project.url(store)
        except ProvisionError:  # its program is not installed here
            variables[name] = ""
    variables |= {"ARANGO_URL": "", **grpc(variables["WEAVIATE_URL"])}
    generate = (sys.executable, "-m", "vfr_data.generate", *SMALL)
    steps: tuple[Sequence[str], ...] = (
        generate,
        *(_provision("backfill", "run", name) for name, needed in BACKFILLS.items() if variables[needed]),
        # Without history: an earlier run over empty tables would call these rows unusual.
        _provision("validate", "--no-history", "--report", PAGE),
    )
    for step in steps:
        print(f"\n$ {shown(step)}", flush=True)
        code = subprocess.run(step, cwd=ROOT, env=variables, stdin=subprocess.DEVNULL, check=False).returncode
        if code:
            return code
    print()
    for name, why in WITHOUT.items():
        if not variables[name]:
            print(why)
    print(f"the report: {ROOT / PAGE}")
    return 0


def grpc(url: str) -> dict[str, str]:
    """How the client of Weaviate gets at the local engine: its gRPC is on the port behind that of HTTP."""
    if not url:
        return {"WEAVIATE_GRPC": ""}
    parts = urlsplit(url)
    assert parts.port is not None  # it has no other
    key = parse_qs(parts.query)["token"][0]
    return {"WEAVIATE_GRPC": f"{parts.hostname}:{parts.port + 1}", "WEAVIATE_API_KEY": key}


def shown(step: Sequence[str]) -> str:
    """A step as somebody would type it."""
    words = [Path(each).name if Path(each).is_absolute() else each for each in step]
    return " ".join(words[1:] if words[1] == "provision" else words)


def _provision(*words: str) -> tuple[str, ...]:
    return (sys.executable, str(Path(sys.executable).with_name("provision")), *words, "--env", "local")


if __name__ == "__main__":
    sys.exit(main())
