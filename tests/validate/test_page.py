"""The HTML page, as a browser shows it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

from tests.servers.databases import not_run
from tests.validate.platform import Platform
from tests.vfr.clickhouse.rows import ID

QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--proxy-server=127.0.0.1:9",  # nothing listens there: a page that needs the network would lack it
]


class Rows(HTMLParser):
    """The rows of checks of a rendered page, with the text of each, and every address it names."""

    def __init__(self) -> None:
        super().__init__()
        self.checks: list[tuple[str, str]] = []
        self.text = ""
        self.bars = 0
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if "data-check" in named:
            self.checks.append((str(named["data-check"]), str(named["data-status"])))
        self.bars += tag == "rect"
        self.addresses += [str(named[key]) for key in ("src", "href", "data", "action") if key in named]

    def handle_data(self, data: str) -> None:
        self.text += data


def browser(page: Path, profile: Path, *arguments: str) -> str:
    program = shutil.which("chromium")
    if program is None:
        not_run("chromium", "apt-get install chromium")
    command = [str(program), *QUIET, f"--user-data-dir={profile}", *arguments, page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


def test_page_in_a_browser_shows_what_the_json_says(platform: Platform, tmp_path: Path) -> None:
    platform.validate("probability", "cross_store")
    platform.plant(
        "trading_decisions_probabilistic",
        id=ID.format(66),
        symbol="<script>document.title='gone'</script>",
        aggregated_confidence="nan",
    )
    page, document = tmp_path / "report.html", tmp_path / "report.json"
    platform.run("validate", "probability", "cross_store", "--report", page, "--report", document)

    shown = Rows()
    shown.feed(browser(page, tmp_path / "profile", "--dump-dom"))

    results = [each for suite in json.loads(document.read_text(encoding="utf-8")) for each in suite["results"]]
    assert sorted(shown.checks) == sorted((each["check"], each["status"]) for each in results)
    statuses = [status for _, status in shown.checks]
    assert statuses == sorted(statuses, key=["fail", "error", "warn", "empty", "pass"].index)  # failures first
    assert 'range: {"column": "aggregated_confidence", "min": 0, "max": 1}' in shown.text
    assert shown.bars == 2 * len(results)  # two runs
    failed = [each for each in results if each["status"] == "fail"]
    assert {"confidence_out_of_range", "decision_differs"} <= {each["check"] for each in failed}
    for each in failed:
        assert each["message"] in shown.text
        for row in each["samples"]:
            assert all(str(value) in shown.text for value in row.values() if isinstance(value, str))
    assert shown.addresses == []
    assert "gone" not in re.findall(r"<title>(.*?)</title>", page.read_text(encoding="utf-8"))[0]


def test_page_is_drawn(platform: Platform, tmp_path: Path) -> None:
    page, picture = tmp_path / "report.html", tmp_path / "report.png"
    platform.run("validate", "probability", "--report", page)

    browser(page, tmp_path / "profile", "--window-size=1280,900", f"--screenshot={picture}")

    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size > 20_000  # an empty page has 5,000
