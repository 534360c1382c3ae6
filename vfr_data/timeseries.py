"""Fast measurements in InfluxDB: written into the first tier, read from those that still have the time asked for."""

import asyncio
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit, urlunsplit

from vfr_data.errors import BadInput, StorageError
from vfr_data.moments import EPOCH, TICK, Clock, aware, microseconds, now
from vfr_data.numbers import is_finite
from vfr_data.tasks import together

DATABASE = "vfr_ml"
DAY = timedelta(days=1)
_ESCAPED = str.maketrans({",": r"\,", "=": r"\=", " ": r"\ "})


class Tier(NamedTuple):
    """Where a measurement lies: how long its points are kept, and the width of a window; None: points as they came."""

    name: str
    measurement: str
    kept: timedelta
    width: timedelta | None


FEATURES = (
    Tier("real_time", "real_time_features", DAY, None),
    Tier("minute_data", "features_1m", 30 * DAY, timedelta(minutes=1)),
)
PREDICTIONS = (
    Tier("minute_data", "predictions_1m", 30 * DAY, timedelta(minutes=1)),
    Tier("hourly_data", "predictions_1h", 90 * DAY, timedelta(hours=1)),
    Tier("daily_data", "model_performance_daily", 2557 * DAY, DAY),
)
"""Finest first; influx/*.yaml has them, and a test holds these to it."""


@dataclass(frozen=True)
class FeaturePoint:
    """A value of a feature as it was computed. `timestamp` has a time zone; confidence and quality are 0 to 1."""

    ticker: str
    feature_name: str
    timestamp: datetime
    value: float
    confidence: float | None = None
    quality: float | None = None
    calculation_ms: float | None = None
    source: str = "vfr_data"
    model_id: str | None = None


class Value(NamedTuple):
    """A value and its moment: its own, or the begin of its window where the points are gone."""

    at: datetime
    value: float
    width: timedelta | None


class Accuracy(NamedTuple):
    """How right a model was in a window: sums over its predictions and what came about, and the means of them."""

    at: datetime
    width: timedelta
    predictions: int
    known: int
    mae: float | None
    rmse: float | None
    confidence: float | None


class TimeSeries:
    """InfluxDB 1.x, or 2.x with a token and an organization. It is asked in InfluxQL, which both read.

    `url` may have a user and a password. Calls run in threads: urllib3 waits in them.
    """

    def __init__(self, url: str, *, token: str = "", org: str = "", seconds: float = 10, clock: Clock = now) -> None:
        import urllib3

        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise BadInput("this is no url of InfluxDB; give http://… or https://…")
        host = parts.hostname if parts.port is None else f"{parts.hostname}:{parts.port}"
        self._base = urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))
        self._headers: dict[str, str] = {}
        if token:
            self._headers["Authorization"] = f"Token {token}"
        elif parts.username:
            login = f"{parts.username}:{parts.password or ''}"
            self._headers = urllib3.make_headers(basic_auth=login)
        self._org, self._clock = org, clock
        # A write may be sent again: a point of the same time and tags is the same point.
        self._pool = urllib3.PoolManager(timeout=seconds, retries=False, maxsize=16)

    async def write_features(self, points: Sequence[FeaturePoint]) -> None:
        """Write points into real_time. Raises BadInput for what is no number and for points older than the tier.

        InfluxDB keeps what it takes of a refused write; to write all again changes nothing.
        """
        oldest = self._clock() - FEATURES[0].kept
        for each in points:
            if aware(each.timestamp, "timestamp") < oldest:
                raise BadInput(f"{each.ticker} {each.feature_name}: {each.timestamp} is older than real_time keeps")
        await self._write("\n".join(map(_feature_line, points)))

    async def write_prediction(
        self,
        ticker: str,
        model_id: str,
        horizon: str,
        timestamp: datetime,
        fields: Mapping[str, float | int],
    ) -> None:
        """Write a prediction, or what came about: fields as influx/0004_prediction_rollups.yaml has them."""
        aware(timestamp, "timestamp")
        tags = {"ticker": ticker, "model_id": model_id, "prediction_horizon": horizon}
        await self._write(_line("predictions", tags, fields, timestamp))

    async def features(self, ticker: str, feature_name: str, start: datetime, end: datetime) -> list[Value]:
        """Values from `start` to before `end`, oldest first: as they came where real_time has them, else by the minute.

        Of a minute that is in both tiers its own values are given.
        """
        tags = {"ticker": ticker, "feature_name": feature_name}
        found = []
        for tier, rows in await self._stitched(FEATURES, "value", tags, start, end):
            found += [Value(at, float(row["value"]), tier.width) for at, row in rows if row.get("value") is not None]
        return sorted(found, key=lambda each: each.at)

    async def accuracy(self, model_id: str, horizon: str, start: datetime, end: datetime) -> list[Accuracy]:
        """How right a model was, oldest first: by the minute, hour or day, as fine as the tiers still are."""
        tags = {"model_id": model_id, "prediction_horizon": horizon}
        names = "n_predictions, n_actual, sum_abs_error, sum_squared_error, sum_confidence, n_confidence"
        found: dict[tuple[datetime, timedelta], dict[str, float]] = {}
        for tier, rows in await self._stitched(PREDICTIONS, names, tags, start, end):
            assert tier.width is not None
            for at, row in rows:  # one for each ticker
                sums = found.setdefault((at, tier.width), {})
                for name in names.split(", "):
                    sums[name] = sums.get(name, 0) + (row.get(name) or 0)
        return [_accuracy(at, width, sums) for (at, width), sums in sorted(found.items())]

    async def ping(self) -> None:
        """Raises StorageError where the server does not answer."""
        await self._ask("GET", "/ping", {}, None)

    async def _stitched(
        self, tiers: Sequence[Tier], fields: str, tags: Mapping[str, str], start: datetime, end: datetime
    ) -> list[tuple[Tier, list[tuple[datetime, Mapping[str, Any]]]]]:
        """What each tier has of its share of the time; the shares meet, and none overlaps another."""
        for moment, name in ((start, "start"), (end, "end")):
            aware(moment, name)
        shares = list(spans(tiers, start, end, self._clock()))
        answers = await together(*(self._select(tier, fields, tags, *span) for tier, span in shares))
        return [(tier, rows) for (tier, _), rows in zip(shares, answers, strict=True)]

    async def _select(
        self, tier: Tier, fields: str, tags: Mapping[str, str], start: datetime, end: datetime
    ) -> list[tuple[datetime, Mapping[str, Any]]]:
        narrowed = " AND ".join(f'"{name}" = {_quoted(value)}' for name, value in tags.items())
        query = (
            f'SELECT {fields} FROM "{DATABASE}"."{tier.name}"."{tier.measurement}" WHERE {narrowed} AND '
            f"time >= {microseconds(start)}u AND time < {microseconds(end)}u GROUP BY *"
        )
        body = await self._ask("POST", "/query", {"db": DATABASE, "epoch": "u", "q": query}, None)
        found: list[tuple[datetime, Mapping[str, Any]]] = []
        for result in json.loads(body)["results"]:
            if "error" in result:
                raise StorageError(f"InfluxDB: {result['error']}; apply the shipped revisions (provision up)")
            for series in result.get("series", ()):
                for row in series["values"]:
                    values = dict(zip(series["columns"], row, strict=True))
                    found.append((EPOCH + values.pop("time") * TICK, values))
        return found

    async def _write(self, lines: str) -> None:
        if lines:
            query = {"db": DATABASE, "rp": "real_time"}  # nanoseconds: the two have other words for microseconds
            await self._ask("POST", "/write", query, lines.encode())

    async def _ask(self, method: str, path: str, query: Mapping[str, str], body: bytes | None) -> bytes:
        import urllib3

        query = {**query, "org": self._org} if self._org else query
        target = f"{self._base}{path}?{urlencode(query)}"
        try:
            answer = await asyncio.to_thread(
                self._pool.request, method, target, body=body, headers=self._headers, preload_content=True
            )
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise StorageError(f"InfluxDB does not answer: {type(error).__name__}; send it again") from error
        if answer.status < 300:
            return answer.data
        said = re.sub(r"\s+", " ", answer.data.decode(errors="replace"))[:300]
        if answer.status in (400, 413, 422):
            raise BadInput(f"InfluxDB refuses it: {said}; correct it")
        raise StorageError(f"InfluxDB: {answer.status} {said}; look at the server, the token and the shipped revisions")


def spans(
    tiers: Sequence[Tier], start: datetime, end: datetime, at: datetime
) -> Iterator[tuple[Tier, tuple[datetime, datetime]]]:
    """Tier and its share of [start, end), finest first: a share begins with the first window that is kept whole.

    The cut is at the begin of a window of the coarser tier, so that no window is counted in two.
    """
    beyond = end
    for place, tier in enumerate(tiers):
        coarser = tiers[place + 1].width if place + 1 < len(tiers) else None
        first = max(start, _ceiling(at - tier.kept, coarser)) if coarser else start
        if first < beyond:
            yield tier, (first, beyond)
        beyond = min(beyond, first)


def _ceiling(at: datetime, width: timedelta) -> datetime:
    return EPOCH + -((EPOCH - at) // width) * width


def _accuracy(at: datetime, width: timedelta, sums: Mapping[str, float]) -> Accuracy:
    known, confidences = int(sums["n_actual"]), int(sums["n_confidence"])
    return Accuracy(
        at,
        width,
        int(sums["n_predictions"]),
        known,
        sums["sum_abs_error"] / known if known else None,
        (sums["sum_squared_error"] / known) ** 0.5 if known else None,
        sums["sum_confidence"] / confidences if confidences else None,
    )


def _feature_line(point: FeaturePoint) -> str:
    tags = {"ticker": point.ticker, "feature_name": point.feature_name, "source": point.source}
    if point.model_id is not None:
        tags["model_id"] = point.model_id
    fields = {
        "value": point.value,
        "confidence": point.confidence,
        "quality_score": point.quality,
        "calculation_time_ms": point.calculation_ms,
    }
    return _line(
        "real_time_features",
        tags,
        {name: _float(each) for name, each in fields.items() if each is not None or name == "value"},
        point.timestamp,
    )


def _line(measurement: str, tags: Mapping[str, str], fields: Mapping[str, float | int], at: datetime) -> str:
    """A line of the line protocol. Raises BadInput for empty or broken tags, and for what is no finite number."""
    for name, text in tags.items():
        if not text or "\n" in text or text.endswith("\\"):
            raise BadInput(f"{measurement}: {text!r} cannot be the tag {name}")
    for name, number in fields.items():
        if isinstance(number, bool) or not is_finite(number):
            raise BadInput(f"{measurement}: {name} is {number}; give a finite number")
    if not fields:
        raise BadInput(f"{measurement}: a point has one field or more")
    key = ",".join([measurement, *(f"{name}={text.translate(_ESCAPED)}" for name, text in sorted(tags.items()))])
    values = ",".join(f"{name}={_number(number)}" for name, number in fields.items())
    return f"{key} {values} {microseconds(at.astimezone(UTC))}000"


def _float(number: Any) -> Any:
    """A float of a number; anything else as it is, for `_line` to name."""
    return float(number) if is_finite(number) and not isinstance(number, bool) else number


def _number(number: float) -> str:
    return f"{number}i" if isinstance(number, int) else repr(float(number))


def _quoted(text: str) -> str:
    escaped = text.replace("\\", r"\\").replace("'", r"\'")
    return f"'{escaped}'"
