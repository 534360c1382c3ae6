"""A right entry for every key family and stream of Redis: written as its document says, and read back."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import redis

from provision.model import StoreOptions
from provision.stores.redis.files import documents
from provision.stores.redis.patterns import PLACEHOLDER
from provision.text.durations import seconds

ROOT = Path(__file__).parents[3]
NOW = datetime(2026, 1, 2, 15, 4, 5, tzinfo=UTC)
MILLISECONDS = int(NOW.timestamp() * 1000)
WINDOWS = {"minute": 60, "five_minutes": 300, "quarter_hour": 900, "half_hour": 1800, "hour": 3600}
PARTS = {
    "symbol": "AAPL",
    "model_type": "ensemble",
    "model_id": "00000000-0000-4000-8000-00000000000c",
    "model_name": "momentum-lstm",
    "feature_hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "user_id": "00000000-0000-4000-8000-00000000000a",
    "service_name": "probability-service",
    "service": "prediction-service",
    "factor": "technical",
    "horizon": "1w",
    "universe": "sp500",
    "date": f"{NOW:%Y-%m-%d}",
}
_UNCERTAINTY = {"epistemic_uncertainty": 0.11, "aleatoric_uncertainty": 0.2}
_CLASSIC = {"symbol": "AAPL", "composite_score": 75.5, "recommendation": "BUY"}
_ENHANCED = {
    "ml_enhanced_score": 78.2,
    "ml_latency_ms": 85,
    "models_used": ["momentum-lstm", "mean-reversion-xgb"],
    "enhancement_weight": 0.1,
}
_FEATURE = {"value": 54.2, "confidence": 0.9, "quality": 0.95, "source": "Polygon, Inc", "timestamp": MILLISECONDS}
_FEATURES = {"00000000-0000-4000-8000-00000000000f": json.dumps(_FEATURE)}
VALUES: dict[str, Any] = {
    "probability_l1": {"probability": 0.7, "confidence": 0.8, "computed_at": MILLISECONDS},
    "confidence_l2": {"confidence_sum": 2.1, "confidence_min": 0.6, "confidence_max": 0.8, "samples": 3},
    "prediction_l3": {"prediction": 180.5, "probability": 0.78, **_UNCERTAINTY},
    "user_preferences": {"risk_tolerance": "0.5", "confidence_threshold": "0.7", "uncertainty_tolerance": "0.3"},
    "uncertainty": {**_UNCERTAINTY, "measured_at": MILLISECONDS},
    "model_performance": {"correct": 7, "predictions": 10, "brier_sum": 1.9},
    "learning_state": {"learning_rate": "0.0001", "feedback_count": "3", "last_event_id": "1640995500000-0"},
    "analysis_enhanced": {**_CLASSIC, **_ENHANCED},
    "analysis_classic": _CLASSIC,
    "enhancement": {
        "enhancement_value": 2.7,
        "base_vfr_value": 75.5,
        "enhanced_composite_value": 78.2,
        "confidence_score": 0.78,
        "fallback_mode": False,
    },
    "prediction": {
        "predicted_value": 180.5,
        "expected_return": 0.05,
        "confidence_score": 0.78,
        "probability_up": 0.7,
        "probability_down": 0.3,
        "features_hash": PARTS["feature_hash"],
        "created_at": MILLISECONDS,
    },
    "model": {
        "model_path": "s3://models/momentum-lstm/1",
        "hyperparameters": {"layers": 2},
        "feature_names": ["rsi_14"],
        "performance_metrics": {"accuracy": 0.61},
        "last_updated": MILLISECONDS,
    },
    "ranking": {"AAPL": 0.9, "MSFT": 0.7},
    "features_technical": _FEATURES,
    "features_fundamental": _FEATURES,
    "features_sentiment": _FEATURES,
    "features_macro": _FEATURES,
    "feature_vector": zlib.compress(json.dumps({"rsi_14": 54.2}).encode()),
    "model_day": {"accuracy": 0.61, "mae": 1.2, "rmse": 1.9, "latency_p95_ms": 18.5, "prediction_count": 390},
    "enhancement_latency": [b"85", b"92", b"78", b"88", b"95"],
    "cache_warming": b"warming",
    "service_health": {
        "status": "healthy",
        "avg_latency_ms": 45,
        "cache_hit_ratio": 0.85,
        "models_loaded": 3,
        "last_check": MILLISECONDS,
    },
    "service_fallback": {
        "reason": "Primary model service unreachable",
        "since": MILLISECONDS,
        "estimated_recovery": MILLISECONDS + 60_000,
    },
}


@dataclass(frozen=True)
class Family:
    """A key family of the shipped documents; `ttl` in seconds."""

    name: str
    pattern: str
    type: str
    ttl: int
    tenant: str | None
    owner: str
    fields: Mapping[str, str]


@cache
def families() -> dict[str, Family]:
    """Every key family by its name."""
    return {
        body["name"]: Family(
            body["name"],
            body["pattern"],
            body["type"],
            seconds(body["ttl"]),
            body.get("tenant"),
            body["owner"],
            body.get("fields", {}),
        )
        for body in _bodies("key_family")
    }


@cache
def streams() -> dict[str, Mapping[str, Any]]:
    """Every stream by its key, as its document has it."""
    return {body["name"]: body for body in _bodies("create_stream")}


def key(name: str, tenant: str, **parts: str) -> str:
    """The key of an entry of `tenant`; `parts` stand for single segments. Families without a tenant ignore it."""
    windows = {window: str(int(NOW.timestamp()) // width) for window, width in WINDOWS.items()}
    filled = PARTS | windows | {"tenant_id": tenant} | parts
    return PLACEHOLDER.sub(lambda found: filled[found[1]], families()[name].pattern)


def write(client: redis.Redis, name: str, tenant: str) -> str:
    """Write the entry of `tenant` in one step with its time to live; the key it is under."""
    family, place, value = families()[name], key(name, tenant), VALUES[name]
    if family.type in ("json", "string"):
        client.set(place, json.dumps(value) if family.type == "json" else value, ex=family.ttl)
        return place
    with client.pipeline(transaction=True) as one:
        if family.type == "hash":
            one.hset(place, mapping=value)
        elif family.type == "zset":
            one.zadd(place, value)
        else:
            one.lpush(place, *reversed(value)).ltrim(place, 0, 99)
        one.expire(place, family.ttl).execute()
    return place


def read(client: redis.Redis, name: str, tenant: str) -> Any:
    """What a reader finds for `tenant`; None when there is nothing. The client must not decode."""
    place, kind = key(name, tenant), families()[name].type
    if kind in ("json", "string"):
        found = client.get(place)
        return found if found is None or kind == "string" else json.loads(found)
    if kind == "hash":
        return {field.decode(): value.decode() for field, value in client.hgetall(place).items()} or None
    if kind == "zset":
        return {member.decode(): score for member, score in client.zrange(place, 0, -1, withscores=True)} or None
    return client.lrange(place, 0, -1) or None


def add(client: redis.Redis, stream: str, tenant: str) -> bytes:
    """Append an event of `tenant` within the length of the stream; its id."""
    body = streams()[stream]
    values = dict.fromkeys(body["fields"], "0.5") | {"tenant_id": tenant, "at": str(MILLISECONDS)}
    return client.xadd(stream, values, maxlen=body["maxlen"], approximate=True)


def _bodies(operation: str) -> list[Mapping[str, Any]]:
    found = documents(StoreOptions("redis", "redis", "vfr", ROOT / "redis", ROOT)).all()
    return [each.body for document in found for each in document.up if each.name == operation]
