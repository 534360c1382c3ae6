"""InfluxDB 2 by plain HTTP: nothing of the store under test."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from typing import Any


class Api:
    """The server at a url, with the token `word` and the organization `vfr`."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, method: str, path: str, body: object = None) -> Any:
        sent = None if body is None else body.encode() if isinstance(body, str) else json.dumps(body).encode()
        kind = "text/plain; charset=utf-8" if isinstance(body, str) else "application/json"
        asked = urllib.request.Request(
            f"{self.url}{path}", sent, {"Authorization": "Token word", "Content-Type": kind}, method=method
        )
        try:
            with urllib.request.urlopen(asked, timeout=10) as answer:
                text = answer.read().decode()
        except urllib.error.HTTPError as error:
            error.add_note(error.read().decode(errors="replace"))
            raise
        return json.loads(text) if text.startswith("{") else text

    def token(self, *rights: str) -> str:
        """A token with rights such as `read:tasks`, and that to see its organization."""
        org = self.ask("GET", "/api/v2/orgs?org=vfr")["orgs"][0]["id"]
        pairs = [each.split(":") for each in rights]
        permissions = [{"action": action, "resource": {"type": kind, "orgID": org}} for action, kind in pairs]
        permissions.append({"action": "read", "resource": {"type": "orgs", "id": org}})
        return str(self.ask("POST", "/api/v2/authorizations", {"orgID": org, "permissions": permissions})["token"])

    def buckets(self) -> dict[str, tuple[int, int]]:
        """Name → retention and shard duration in seconds, but for the server's own."""
        listed = self.ask("GET", "/api/v2/buckets?org=vfr&limit=100")["buckets"]
        rules = {each["name"]: each["retentionRules"][0] for each in listed if not each["name"].startswith("_")}
        return {name: (rule["everySeconds"], rule["shardGroupDurationSeconds"]) for name, rule in rules.items()}

    def mappings(self) -> dict[str, bool]:
        listed = self.ask("GET", "/api/v2/dbrps?org=vfr")["content"]
        return {
            f"{each['database']}/{each['retention_policy']}": each["default"]
            for each in listed
            if not each.get("virtual")
        }

    def tasks(self) -> dict[str, dict[str, Any]]:
        return {each["name"]: each for each in self.ask("GET", "/api/v2/tasks?org=vfr")["tasks"]}

    def roll(self, name: str, *times: str) -> None:
        """Let a task run as if it were that time, and wait for its end."""
        path = f"/api/v2/tasks/{self.tasks()[name]['id']}/runs"
        for run in [self.ask("POST", path, {"scheduledFor": each})["id"] for each in times]:
            deadline = time.monotonic() + 60
            while (status := self._status(f"{path}/{run}")) not in ("success", "failed"):
                assert time.monotonic() < deadline, status
                time.sleep(0.01)
            assert status == "success"

    def _status(self, path: str) -> str:
        """Of a run; empty while the server moves what it knows of one that has ended from one place to another.

        It says then that there is no such run, or panics over the half that is gone already.
        """
        try:
            return str(self.ask("GET", path)["status"])
        except urllib.error.HTTPError as error:
            error.close()
            if error.code not in (404, 500):
                raise
            return ""

    def wipe(self) -> None:
        """Remove all that is not the server's own."""
        for task in self.tasks().values():
            self.ask("DELETE", f"/api/v2/tasks/{task['id']}")
        for mapping in self.ask("GET", "/api/v2/dbrps?org=vfr")["content"]:
            if not mapping.get("virtual"):
                self.ask("DELETE", f"/api/v2/dbrps/{mapping['id']}?org=vfr")
        for bucket in self.ask("GET", "/api/v2/buckets?org=vfr&limit=100")["buckets"]:
            if bucket["type"] == "user":
                self.ask("DELETE", f"/api/v2/buckets/{bucket['id']}")
        for token in self.ask("GET", "/api/v2/authorizations")["authorizations"]:
            if token["token"] != "word":
                self.ask("DELETE", f"/api/v2/authorizations/{token['id']}")

    def rolled(self, bucket: str) -> list[dict[str, str]]:
        """Every value of a bucket: its columns by name."""
        flux = f'from(bucket: "{bucket}") |> range(start: 0)'
        text = self.ask("POST", "/api/v2/query?org=vfr", {"query": flux, "dialect": {"annotations": []}})
        found, names = [], []
        for line in text.split("\r\n"):
            words = line.split(",")
            if "_time" in words:
                names = words
            elif len(words) > 1:
                found.append(dict(zip(names, words, strict=True)))
        return found
