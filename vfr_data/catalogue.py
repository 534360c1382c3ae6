"""The key families of redis/*.yaml as the data path uses them: pattern, type and time to live.

A test holds every line to the shipped documents, so that a key or a time is changed there and found here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from types import MappingProxyType

from vfr_data.errors import BadInput
from vfr_data.moments import aware

WINDOWS = MappingProxyType({"minute": 60, "five_minutes": 300, "quarter_hour": 900, "half_hour": 1800, "hour": 3600})
"""Name of a segment → seconds of its window; the segment is the number of the window since 1970-01-01 UTC."""

_SEGMENT = re.compile(r"\{(\w+)\}")
SHARED = "_shared"


def is_segment(text: str) -> bool:
    """Whether it can be one segment of a key."""
    return bool(text) and ":" not in text


@dataclass(frozen=True)
class Family:
    """One family of keys. `ttl` is in seconds, `type` is json, string, hash, list or zset."""

    name: str
    pattern: str
    type: str
    ttl: int

    @cached_property
    def window(self) -> int | None:
        """Seconds of its window; None for a family without one."""
        return next((WINDOWS[each] for each in _SEGMENT.findall(self.pattern) if each in WINDOWS), None)

    def key(self, at: datetime | None = None, **parts: str) -> str:
        """The key for these segments; windows and `date` are those of `at`, in UTC.

        Raises BadInput where a segment is missing, empty, or would be read as two.
        """
        texts = [text if n % 2 == 0 else self._segment(text, at, parts) for n, text in enumerate(self._texts)]
        return "".join(texts)

    def glob(self) -> str:
        """The pattern for SCAN MATCH: any value in every segment."""
        return _SEGMENT.sub("*", self.pattern)

    @cached_property
    def _texts(self) -> list[str]:
        """Of the pattern what is fixed and the names of segments, in turn."""
        return _SEGMENT.split(self.pattern)

    def _segment(self, name: str, at: datetime | None, parts: Mapping[str, str]) -> str:
        if name in WINDOWS or name == "date":
            if at is None:
                raise BadInput(f"{self.name}: a key has the window of a time; give one")
            aware(at, "the time of a key")
            return f"{at.astimezone(UTC):%Y-%m-%d}" if name == "date" else str(int(at.timestamp() // WINDOWS[name]))
        value = parts.get(name, "")
        if not is_segment(value) or (name == "tenant_id" and value == SHARED):
            raise BadInput(f"{self.name}: {value!r} cannot be the {name} of a key; give a text without ':'")
        return value


@dataclass(frozen=True)
class Stream:
    """One stream with the groups that read it; `fields` without tenant_id and at, which every entry has."""

    key: str
    maxlen: int
    groups: tuple[str, ...]
    fields: frozenset[str]


def _families(*rows: tuple[str, str, str, int]) -> Mapping[str, Family]:
    return MappingProxyType({row[0]: Family(*row) for row in rows})


FAMILIES = _families(
    ("probability_l1", "vfr:{tenant_id}:prob:l1:{symbol}:{minute}", "json", 60),
    ("confidence_l2", "vfr:{tenant_id}:conf:l2:{symbol}:{model_type}:{five_minutes}", "json", 300),
    ("prediction_l3", "vfr:{tenant_id}:pred:l3:{model_id}:{feature_hash}", "json", 900),
    ("user_preferences", "vfr:{tenant_id}:user:prefs:{user_id}", "hash", 3600),
    ("uncertainty", "vfr:{tenant_id}:uncertainty:{symbol}:{service_name}", "json", 120),
    ("model_performance", "vfr:{tenant_id}:perf:model:{model_name}:{half_hour}", "json", 1800),
    ("learning_state", "vfr:{tenant_id}:learning:{model_id}:{user_id}", "hash", 7200),
    ("analysis_enhanced", "vfr:_shared:analysis:enhanced:{symbol}:{quarter_hour}", "json", 900),
    ("analysis_classic", "vfr:_shared:analysis:classic:{symbol}:{quarter_hour}", "json", 900),
    ("enhancement", "vfr:_shared:ml:enhancement:{symbol}:{factor}:{five_minutes}", "json", 300),
    ("prediction", "vfr:_shared:ml:prediction:{model_id}:{symbol}:{horizon}:{five_minutes}", "json", 300),
    ("model", "vfr:_shared:ml:model:{model_id}", "json", 3600),
    ("ranking", "vfr:_shared:ml:rank:{universe}:{model_id}:{five_minutes}", "zset", 300),
    ("features_technical", "vfr:_shared:ml:features:technical:{symbol}:{minute}", "hash", 60),
    ("features_fundamental", "vfr:_shared:ml:features:fundamental:{symbol}:{hour}", "hash", 3600),
    ("features_sentiment", "vfr:_shared:ml:features:sentiment:{symbol}:{quarter_hour}", "hash", 900),
    ("features_macro", "vfr:_shared:ml:features:macro:{symbol}:{half_hour}", "hash", 1800),
    ("feature_vector", "vfr:_shared:ml:vector:{symbol}:{quarter_hour}", "string", 900),
    ("model_day", "vfr:_shared:ml:day:{model_id}:{date}", "json", 86400),
    ("enhancement_latency", "vfr:_shared:ml:latency:{symbol}:{hour}", "list", 3600),
    ("cache_warming", "vfr:_shared:ml:warming:{service}", "string", 60),
    ("service_health", "vfr:_shared:ml:health:{service}", "json", 30),
    ("service_fallback", "vfr:_shared:ml:fallback:{service}", "json", 60),
)

_ESTIMATE = frozenset({"symbol", "value"})
STREAMS = MappingProxyType(
    {
        each.key.removeprefix("vfr:stream:"): each
        for each in (
            Stream("vfr:stream:confidence_updates", 100_000, ("confidence-aggregator",), _ESTIMATE),
            Stream("vfr:stream:uncertainty_alerts", 10_000, ("alert-dispatcher", "audit-writer"), _ESTIMATE),
            Stream(
                "vfr:stream:model_performance",
                50_000,
                ("performance-recorder",),
                frozenset({"model_id", "correct", "predictions"}),
            ),
            Stream(
                "vfr:stream:learning_events",
                100_000,
                ("learning-worker",),
                frozenset({"model_id", "user_id", "outcome"}),
            ),
            Stream(
                "vfr:stream:calibration_drift",
                10_000,
                ("drift-monitor", "audit-writer"),
                frozenset({"model_id", "calibration_error"}),
            ),
        )
    }
)
