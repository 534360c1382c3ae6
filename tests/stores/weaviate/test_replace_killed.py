"""`replace_collection` through the command line, under a writer, killed -9 again and again.

PROVISION_REPLACE_OBJECTS sets how many objects (3,000 unless set; the chaos run sets 10,000).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.servers.databases import Weaviate
from tests.stores.weaviate.raw import Raw
from tests.stores.weaviate.replace_world import LEVEL, Writer, content, first, load, second, unlike

OBJECTS = int(os.environ.get("PROVISION_REPLACE_OBJECTS", "3000"))
KILLS_IN_COPY = 7
_PROJECT = """
[project]
name = "replace"
home = "none"
[stores.weaviate]
[environments.test]
weaviate = {{ url = "{url}", grpc = "{grpc}" }}
"""
PROVISION = (str(Path(sys.executable).with_name("provision")), "up", "--env", "test", "--no-lock")


@pytest.fixture(params=["rest", "grpc"])
def project(request: pytest.FixtureRequest, tmp_path: Path, weaviate_server: Weaviate) -> Path:
    grpc = weaviate_server.grpc if request.param == "grpc" else ""
    text = _PROJECT.format(url=weaviate_server.url, grpc=grpc)
    (tmp_path / "provision.toml").write_text(text, encoding="utf-8")
    (tmp_path / "weaviate").mkdir()
    (tmp_path / "weaviate/0001_first.yaml").write_text(first(), encoding="utf-8")
    return tmp_path


def finish(project: Path) -> str:
    done = subprocess.run(PROVISION, cwd=project, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def killed_when(project: Path, reached: Callable[[], bool]) -> bool:
    """Start an `up` and kill it at once when that is reached; False when it ended before."""
    run = subprocess.Popen(PROVISION, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    end = time.monotonic() + 120
    try:
        while run.poll() is None:
            assert time.monotonic() < end
            if reached():
                run.send_signal(signal.SIGKILL)
                break
            time.sleep(0.002)
    finally:
        output = run.communicate(timeout=60)[0]
    assert run.returncode in (0, -signal.SIGKILL), output
    return run.returncode != 0


def count(raw: Raw, name: str) -> int:
    answer = raw.ask("POST", "/graphql", {"query": f"{{Aggregate{{{name}{{meta{{count}}}}}}}}"})[1]
    return int(answer["data"]["Aggregate"][name][0]["meta"]["count"]) if "errors" not in answer else 0


def marked(raw: Raw, words: str) -> bool:
    return words in (raw.get("/schema/Signals_v1").get("description") or "")


def is_frozen(raw: Raw) -> bool:
    return any(each["status"] == "READONLY" for each in raw.get("/schema/Signals_v1/shards"))


def switched(raw: Raw) -> bool:
    return raw.aliases()["Signals"] == "Signals_v2"


def test_replace_killed_again_and_again_loses_and_revives_nothing(project: Path, raw: Raw) -> None:
    finish(project)
    writer = Writer(raw.url, load(raw, OBJECTS))
    (project / "weaviate/0002_replace.yaml").write_text(second(extra="keep: 7d, batch: 100"), encoding="utf-8")
    writer.start()
    moments: list[Callable[[], bool]] = [
        (lambda part=part: count(raw, "Signals_v2") >= OBJECTS * (part + 1) // (KILLS_IN_COPY + 2))
        for part in range(KILLS_IN_COPY)
    ]
    moments += [lambda: marked(raw, "copied"), lambda: marked(raw, "kept"), lambda: is_frozen(raw)]

    kills = sum(killed_when(project, moment) for moment in moments)
    finish(project)

    time.sleep(0.3)
    wanted = writer.stop()
    assert kills == 10
    assert switched(raw)
    assert unlike(wanted, content(raw, "Signals_v2")) == LEVEL
    assert writer.done > 100
    assert is_frozen(raw)


def test_replace_killed_between_switch_and_ledger_is_done(project: Path, raw: Raw) -> None:
    finish(project)
    held = load(raw, 200)
    (project / "weaviate/0002_replace.yaml").write_text(second(extra="keep: 7d"), encoding="utf-8")

    killed_when(project, lambda: switched(raw))
    finish(project)

    assert unlike(held, content(raw, "Signals")) == LEVEL
    assert raw.classes() == ["Signals_v1", "Signals_v2"]
