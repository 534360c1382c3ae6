"""ClickHouse in the mixed load: the embedded engine, killed without a word and started again on the port it had."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import clickhouse_connect
from clickhouse_connect.driver.client import Client

from provision.embedded import engine
from tests.data_path.analytics import EVENT, METRIC
from tests.servers.running import roomy
from tests.vfr.clickhouse.engine import UPS, split
from vfr_data.feedback import Feedback, LayerMetrics

AT_ONCE = 5


class KilledClickhouse:
    """As tests.servers.running.Server, as far as a load needs it."""

    what = "ClickHouse"

    def __init__(self) -> None:
        self.place = Path(tempfile.mkdtemp(prefix="provision-clickhouse-", dir=roomy()))
        self._engine = engine("clickhouse", "clickhouse", self.place)

    def __enter__(self) -> KilledClickhouse:
        self.launch()
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.reset()

    @property
    def url(self) -> str:
        return str(self._engine.status().url)

    def launch(self) -> None:
        """Start it and wait until it answers."""
        self._engine.start()

    def ready(self) -> bool:
        return self._engine.status().state == "running"

    def kill(self) -> None:
        """End it as a crash does."""
        pid = self._engine.status().pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

    def client(self) -> Client:
        return clickhouse_connect.get_client(
            dsn=self.url.replace("clickhouse://", "http://", 1), autogenerate_session_id=False, send_receive_timeout=5
        )

    def prepare(self) -> None:
        """The shipped schema."""
        first = urlsplit(self.url)
        with clickhouse_connect.get_client(dsn=first._replace(scheme="http", path="/default").geturl()) as client:
            client.command(f"CREATE DATABASE IF NOT EXISTS {first.path.strip('/')}")
        client = self.client()
        for path in UPS:
            for statement in split(path.read_text(encoding="utf8")):
                client.command(statement)


def writers(client: Client, feedback: list[UUID], metrics: list[datetime]) -> list[Callable[[int], Awaitable[None]]]:
    """Each keeps what was acknowledged; metrics are sent twice, and must be there once."""
    events, layers = Feedback(client), LayerMetrics(client)

    async def learn(_: int) -> None:
        at = datetime.now(UTC)
        made = [replace(EVENT, feedback_id=uuid4(), timestamp=at, prediction_timestamp=at) for _ in range(AT_ONCE)]
        await events.store(made)
        feedback.extend(each.feedback_id for each in made)

    async def measure(_: int) -> None:
        at = datetime.now(UTC)
        at = at.replace(microsecond=at.microsecond // 1000 * 1000)
        made = [replace(METRIC, timestamp=at, symbol=f"L{n}") for n in range(AT_ONCE)]
        await layers.store(made)
        await layers.store(made)  # as one does whose answer was lost
        metrics.append(at)

    return [learn, measure]


def stored(client: Client) -> tuple[set[UUID], dict[datetime, int]]:
    """Ids of the feedback that is there, and how many metrics there are of each moment."""
    ids = client.query("SELECT feedback_id FROM model_feedback_events").result_rows
    rows = client.query("SELECT timestamp, count() FROM probability_metrics_realtime GROUP BY 1").result_rows
    counts = {at if at.tzinfo else at.replace(tzinfo=UTC): int(count) for at, count in rows}
    return {each for (each,) in ids}, counts
