"""The shipped rollups of predictions and features on a real InfluxDB 1.6: filled, killed at any instant, resumed."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from provision.cli.main import run
from tests.backfill.influx import DAY, HOUR, MINUTE, TOML, On1, Rows
from tests.backfill.project import ROOT, until
from tests.servers.command_line import Provision

NOW = int(time.time()) // MINUTE * MINUTE
RUN = ("backfill", "run", "prediction_rollups", "--no-lock", "-o", "json")
QUERIES = {
    "downsample_predictions_1m": ("minute_data", "predictions_1m"),
    "downsample_predictions_1h": ("hourly_data", "predictions_1h"),
    "calculate_prediction_accuracy": ("daily_data", "model_performance_daily"),
}
COUNTS = "n_predictions=7i,sum_confidence=4.5,n_confidence=7i,n_actual=3i,sum_abs_error=1.5,n_direction_correct=1i"


@pytest.fixture
def place(influx_1: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[On1]:
    """The shipped documents applied, without what they require of other stores, and points of a day, weeks, months."""
    made = On1(influx_1)
    made.wipe()
    (tmp_path / "provision.toml").write_text(TOML.format(f'url = "{influx_1}"'))
    for folder in ("influx", "backfills"):
        (tmp_path / folder).mkdir()
    for each in sorted((ROOT / "influx").glob("*.yaml")):
        lines = each.read_text(encoding="utf-8").splitlines(keepends=True)
        (tmp_path / "influx" / each.name).write_text("".join(x for x in lines if not x.startswith("requires:")))
    for name in ("prediction_rollups", "feature_rollup"):
        shutil.copy(ROOT / "backfills" / f"{name}.yaml", tmp_path / "backfills")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PROVISION_ENV", "test")
    assert run(["up", "--no-lock", "--allow-destructive"]) == 0
    _points(made)
    yield made
    made.wipe()


def _points(place: On1) -> None:
    tags = [f"ticker={ticker},model_id=m{n},prediction_horizon=1h" for n in range(2) for ticker in ("A", "B")]
    minutes = range(NOW - 6 * HOUR, NOW - 2 * HOUR, 90)
    place.raw.write(
        "vfr_ml",
        [
            f"predictions,{each} predicted_value={at % 97},confidence_score=0.{at % 89},execution_time_ms={at % 13},"
            f"abs_error={at % 7},squared_error={at % 49},direction_correct={at % 2}i {at}"
            for each in tags
            for at in minutes
        ],
        "real_time",
    )
    features = "real_time_features,ticker=A,feature_name=rsi,source=s value=1,confidence=0.5"
    place.raw.write("vfr_ml", [f"{features} {at}" for at in minutes], "real_time")
    days = range(NOW // HOUR * HOUR - 20 * DAY, NOW - 10 * DAY, 7 * MINUTE)
    place.raw.write("vfr_ml", [f"predictions_1m,{tags[0]} {COUNTS} {at // 60 * 60}" for at in days], "minute_data")
    months = range(NOW // HOUR * HOUR - 60 * DAY, NOW - 40 * DAY, 5 * HOUR)
    place.raw.write("vfr_ml", [f"predictions_1h,{tags[1]} {COUNTS} {at}" for at in months], "hourly_data")


def _all(place: On1) -> dict[str, Rows]:
    found = {}
    for tier, measurement in QUERIES.values():
        asked = place.raw.records(f'SELECT * FROM "vfr_ml"."{tier}"."{measurement}"')
        found[measurement] = sorted(asked, key=lambda row: json.dumps(row, sort_keys=True))
    return found


def _roll_all(place: On1) -> None:
    """What the queries make of all that is closed, finest first."""
    for name in QUERIES:
        place.roll(name, NOW // DAY * DAY - 70 * DAY, NOW // DAY * DAY - DAY)
        if name == "downsample_predictions_1m":  # the others still reach these hours themselves
            place.roll(name, NOW // HOUR * HOUR - 7 * HOUR, NOW // HOUR * HOUR - HOUR)


def test_chain_holds_what_the_queries_themselves_make(place: On1, provision: Provision) -> None:
    ran = provision(*RUN)

    filled = _all(place)
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["rows_done"] > 800
    assert len(filled["predictions_1h"]) > 200
    assert len(filled["model_performance_daily"]) >= 28
    _roll_all(place)
    assert _all(place) == filled


def test_features_are_filled(place: On1, provision: Provision) -> None:
    assert provision("backfill", "run", "feature_rollup", "--no-lock").code == 0

    filled = place.raw.records('SELECT * FROM "vfr_ml"."minute_data"."features_1m"')
    place.roll("downsample_features_1m", NOW // HOUR * HOUR - 7 * HOUR, NOW // HOUR * HOUR - HOUR)
    assert len(filled) == 160
    assert place.raw.records('SELECT * FROM "vfr_ml"."minute_data"."features_1m"') == filled


def test_run_killed_again_and_again_makes_the_same(place: On1, provision: Provision) -> None:
    for instant in range(6):
        before = _count(place)
        command = [sys.executable, str(ROOT / "cli.py"), *RUN, "--rate", "100"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        until(lambda: _count(place) > before)  # noqa: B023 (called before the next turn)
        time.sleep(instant * 0.017)
        assert process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.communicate()

    last = provision(*RUN)

    found = _all(place)
    assert last.code == 0, last.err
    assert json.loads(last.out)["rows_done"] <= sum(map(len, found.values()))
    _roll_all(place)
    assert _all(place) == found


def _count(place: On1) -> int:
    return sum(map(len, _all(place).values()))
