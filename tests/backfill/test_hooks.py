"""Hooks: a url or a command hears of a run; what fails there is said, stops nothing, and shows no secret."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import jsonschema_rs
import psycopg
import pytest

from provision.wiring import hooks
from tests.backfill import project
from tests.servers.command_line import Provision

SCHEMA = json.loads((project.ROOT / "docs" / "schemas" / "hook.json").read_text())


@dataclass
class Heard:
    url: str = ""
    status: int = 200
    bodies: list[dict[str, Any]] = field(default_factory=list)
    silent: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def heard() -> Iterator[Heard]:
    """A server that keeps what it is sent."""
    found = Heard()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            found.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            if found.silent.is_set():
                found.silent.wait(0)
                threading.Event().wait(3)
            self.send_response(found.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    found.url = f"http://127.0.0.1:{server.server_port}/services/T0/S3CRETWORD"
    yield found
    server.shutdown()
    server.server_close()


def configure(shop: Path, **written: str) -> None:
    path = shop / "provision.toml"
    lines = "".join(f"{event} = {json.dumps(value)}\n" for event, value in written.items())
    path.write_text(f"{path.read_text()}\n[environments.test.hooks]\n{lines}")


def test_a_webhook_hears_of_start_and_end(
    shop: Path, url: str, provision: Provision, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.sow(url, 100)
    monkeypatch.setenv("HOOK", heard.url)
    configure(shop, on_start="${HOOK}", on_done="${HOOK}", on_error="${HOOK}")

    assert provision("backfill", "run", "source").code == 0

    assert [each["event"] for each in heard.bodies] == ["on_start", "on_done"]
    last = heard.bodies[-1]
    assert (last["what"], last["name"], last["environment"], last["rows_done"]) == ("backfill", "source", "test", 90)
    for each in heard.bodies:
        jsonschema_rs.validate(SCHEMA, each)


def test_a_command_hears_of_an_error_on_its_standard_input(
    shop: Path, url: str, provision: Provision, database: psycopg.Connection[tuple[object, ...]]
) -> None:
    project.sow(url, 100)
    database.execute("alter table orders add constraint few check (source <> 'web-11')")
    (shop / "tell.sh").write_text('#!/bin/sh\ncat >"told-$1.json"\n')
    configure(shop, on_error="sh tell.sh")

    assert provision("backfill", "run", "source").code == 5

    told = json.loads((shop / "told-on_error.json").read_text())
    jsonschema_rs.validate(SCHEMA, told)
    assert (told["error"]["code"], told["rows_total"]) == ("batch-failed", 90)
    assert told["error"]["what"].startswith("row ")


@pytest.mark.parametrize("wrong", ["status", "refused", "silent", "command", "no such command"])
def test_a_hook_that_fails_is_said_stops_nothing_and_shows_no_secret(
    shop: Path, url: str, provision: Provision, heard: Heard, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    project.sow(url, 100)
    monkeypatch.setattr(hooks, "SECONDS", 1.0)
    heard.status = 500 if wrong == "status" else 200
    target = {
        "refused": "http://127.0.0.1:1/S3CRETWORD",
        "command": "sh -c 'echo S3CRETWORD is wrong >&2; exit 3'",
        "no such command": "notify-S3CRET --token S3CRETWORD",
    }.get(wrong, heard.url)
    if wrong == "silent":
        heard.silent.set()
    configure(shop, on_done=target)

    ran = provision("backfill", "run", "source")

    assert ran.code == 0
    assert "  warning: hook on_done (" in ran.out
    if wrong != "command":  # what it prints itself is its own
        assert "S3CRETWORD" not in ran.out + ran.err


def test_a_command_that_hangs_is_ended_with_all_that_it_began(
    shop: Path, url: str, provision: Provision, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.sow(url, 100)
    monkeypatch.setattr(hooks, "SECONDS", 1.0)
    (shop / "hang.sh").write_text("#!/bin/sh\ntrap '' TERM INT\nsleep 60 &\necho $! >began\nexec sleep 60\n")
    configure(shop, on_done="sh hang.sh")

    ran = provision("backfill", "run", "source")

    assert (ran.code, "hook on_done (sh) failed: no answer in time" in ran.out) == (0, True), ran.out
    began = Path("/proc", (shop / "began").read_text().strip(), "stat")
    assert not began.exists() or began.read_text().rpartition(")")[2].split()[0] == "Z"


def test_a_pause_is_heard_of(shop: Path, url: str, provision: Provision, heard: Heard) -> None:
    project.sow(url, 3_000)
    configure(shop, on_pause=heard.url)
    started = project.process(shop, "backfill", "run", "source", "--rate", 300)
    project.until(lambda: project.standing(provision)["rows_done"] > 0)
    assert provision("backfill", "pause", "source").code == 0
    project.until(lambda: bool(heard.bodies))
    assert provision("backfill", "resume", "source", "--set", "rate=0").code == 0

    assert project.ended(started)[0] == 0
    assert [each["event"] for each in heard.bodies] == ["on_pause"]


@pytest.mark.parametrize(("value", "event"), [("> 0", "on_done"), ("< 0", "on_error")])
def test_checks_are_heard_of(shop: Path, url: str, provision: Provision, heard: Heard, value: str, event: str) -> None:
    project.sow(url, 30)
    configure(shop, on_start=heard.url, on_done=heard.url, on_error=heard.url)
    (shop / "checks").mkdir()
    (shop / "checks" / "orders.yaml").write_text(
        "description: Orders\ntables:\n  - store: postgres\n    table: orders\n    checks:\n"
        f"      - name: right\n        severity: high\n        bad: not (n {value})\n"
    )

    provision("validate")

    assert [each["event"] for each in heard.bodies] == ["on_start", event]
    for each in heard.bodies:
        jsonschema_rs.validate(SCHEMA, each)


def test_a_key_that_no_hook_has_is_refused(shop: Path, provision: Provision) -> None:
    configure(shop, on_fail="true")

    ran = provision("backfill", "run", "source")

    assert ran.code == 2
    assert ran.err.startswith("error[unknown-key]: no key is called 'on_fail' in [environments.test.hooks]")
